package frontend

import (
	"net/url"
	"path/filepath"
	"strings"
)

// color is a foreground colour: its SGR parameter, 0 for the terminal's own.
type color uint8

const (
	noColor color = 0
	red     color = 31
	green   color = 32
	yellow  color = 33
	blue    color = 34
	magenta color = 35
	cyan    color = 36
)

// style is how a piece of text looks.
type style struct {
	fg        color
	bold, dim bool
}

// The reference's profiles.
var (
	plain       = style{}
	content     = style{fg: yellow}
	contentDim  = style{fg: yellow, dim: true}
	contentBold = style{fg: yellow, bold: true}
	format      = style{fg: cyan, dim: true}
	formatBold  = style{fg: cyan, dim: true, bold: true}
	success     = style{fg: green}
	failure     = style{fg: red, dim: true}
	failureBold = style{fg: red, dim: true, bold: true}
	detailStyle = style{dim: true}
)

// pen appends styled text to a buffer. It emits an escape sequence only where
// the look changes, and none for blanks, which look the same in every style.
type pen struct {
	buf   []byte
	color bool
	// links is what links to files begin with, "" for no links.
	links string
	cur   style
}

// link writes the path of a file, relative to dir if it is, in a style, and makes
// it lead there.
func (p *pen) link(s style, dir, text string) {
	if p.links == "" || dir == "" && !filepath.IsAbs(text) {
		p.write(s, text)
		return
	}
	file := text
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	target := url.URL{Path: filepath.ToSlash(file)}
	p.buf = append(p.buf, "\x1b]8;;"+p.links+target.EscapedPath()+"\x1b\\"...)
	p.write(s, text)
	p.end() // the look ends with the link: some terminals underline what follows
	p.buf = append(p.buf, "\x1b]8;;\x1b\\"...)
}

// write appends text in a style.
func (p *pen) write(s style, text string) {
	if p.color && s != p.cur && !blank(text) {
		p.turn(s)
	}
	p.buf = append(p.buf, text...)
}

// mostKept bounds the buffer that a pen keeps for what it writes next, in bytes: what
// one batch of events makes.
const mostKept = 256 << 10

// take gives what was written since the last call, in a buffer that the next write
// uses again.
func (p *pen) take() []byte {
	text := p.buf
	if p.buf = p.buf[:0]; cap(p.buf) > mostKept {
		p.buf = nil
	}
	return text
}

// raw appends bytes that are styled already, or newlines.
func (p *pen) raw(text string) {
	p.end()
	p.buf = append(p.buf, text...)
}

// spaces appends n blanks.
func (p *pen) spaces(n int) {
	for ; n > 0; n-- {
		p.buf = append(p.buf, ' ')
	}
}

// newline ends a line in the plain style, so that no line depends on another.
func (p *pen) newline() {
	p.end()
	p.buf = append(p.buf, '\n')
}

// end goes back to the plain style.
func (p *pen) end() {
	if p.cur != plain {
		p.turn(plain)
	}
}

func (p *pen) turn(to style) {
	from := p.cur
	p.cur = to
	if to == plain {
		p.buf = append(p.buf, "\x1b[m"...)
		return
	}
	p.buf = append(p.buf, "\x1b["...)
	start := len(p.buf)
	if from.fg != noColor && to.fg == noColor || from.bold && !to.bold || from.dim && !to.dim {
		p.param(0)
		from = plain
	}
	if to.fg != from.fg {
		p.param(uint8(to.fg))
	}
	if to.bold && !from.bold {
		p.param(1)
	}
	if to.dim && !from.dim {
		p.param(2)
	}
	if len(p.buf) > start {
		p.buf[len(p.buf)-1] = 'm'
	}
}

// param appends one SGR parameter and a semicolon, which turn replaces by m.
func (p *pen) param(n uint8) {
	if n >= 10 {
		p.buf = append(p.buf, '0'+n/10)
	}
	p.buf = append(p.buf, '0'+n%10, ';')
}

func blank(text string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] != ' ' && text[i] != '\n' {
			return false
		}
	}
	return true
}

// StripEscapes removes the SGR sequences that a pen writes.
func StripEscapes(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != 0x1b {
			out = append(out, text[i])
			continue
		}
		for i < len(text) && text[i] != 'm' { // to the sequence's end
			i++
		}
	}
	return out
}

// clean makes text from elsewhere (a build's log, an error's detail) safe to
// draw: escape sequences and control characters would move the cursor of a
// screen that is drawn in place. Tabs and newlines stay; a carriage return
// ends a line, as in the reference.
func clean(text string) string {
	dirty := false
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < ' ' && c != '\n' && c != '\t' || c == 0x7f {
			dirty = true
			break
		}
	}
	if !dirty {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == 0x1b:
			i = skipEscape(text, i)
		case c == '\r':
			if i+1 < len(text) && text[i+1] == '\n' {
				continue
			}
			b.WriteByte('\n')
		case c < ' ' && c != '\n' && c != '\t' || c == 0x7f:
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// oneLine is clean for text that must stay on its line.
func oneLine(text string) string {
	text = clean(text)
	if strings.IndexByte(text, '\n') >= 0 || strings.IndexByte(text, '\t') >= 0 {
		text = strings.NewReplacer("\n", " ", "\t", " ").Replace(text)
	}
	return text
}

// skipEscape returns the index of the last byte of the escape sequence that
// starts at i.
func skipEscape(text string, i int) int {
	if i+1 >= len(text) {
		return i
	}
	switch text[i+1] {
	case '[':
		for j := i + 2; j < len(text); j++ {
			if text[j] >= 0x40 && text[j] <= 0x7e {
				return j
			}
			if text[j] < 0x20 {
				return j - 1
			}
		}
		return len(text) - 1
	case ']', 'P', '_', '^', 'X':
		for j := i + 2; j < len(text); j++ {
			if text[j] == 0x07 {
				return j
			}
			if text[j] == 0x1b && j+1 < len(text) && text[j+1] == '\\' {
				return j + 1
			}
			if text[j] == '\n' {
				return j - 1
			}
		}
		return len(text) - 1
	}
	return i + 1
}
