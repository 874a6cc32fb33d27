package node

import (
	"strings"
	"unicode/utf8"
)

// This file reads the part of YAML that project files are written in: block
// mappings and lists, scalars on one line, literal and folded blocks, flow collections on
// one line. It knows no error: where it meets anything else, it gives up, and the
// YAML library reads the file instead and says what is wrong with it, if
// anything. So what it accepts must be what the library accepts, with the same
// values in the same places; FuzzPlain compares the two.
//
// The library took 45 % of the processor time of loading Debian's 63,436
// elements; this takes a tenth of the library's time, and a quarter of its
// memory.

// plainDepth bounds how deep collections may lie in each other here; deeper ones
// are the library's.
const plainDepth = 64

// plainKey is under the 1,024 characters that YAML allows a key on one line.
const plainKey = 1000

// parsePlain parses text, or returns nil where the library has to.
func parsePlain(text, shown string) *Node {
	if !plainText(text) {
		return nil
	}
	// Nearly every line holds a node, and few hold more than two.
	lines := strings.Count(text, "\n") + 1
	p := &plainReader{text: text, file: &file{name: shown}, nodes: make([]Node, 0, lines+lines/2+1)}
	p.lineStart, p.line = 0, 1
	p.skipLines()
	if p.eof || p.failed {
		return nil // no document: the library tells what that is
	}
	root := p.value(-1, true, 0)
	if root == nil || p.failed || !p.eof || root.kind != Mapping {
		return nil
	}
	p.file.root = root
	return root
}

// plainText says whether all characters are ones that need no thought.
func plainText(text string) bool {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= ' ' && c < 0x7f || c == '\n' || c == '\t' {
			continue
		}
		if c < utf8.RuneSelf {
			return false
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError, r < 0xa0, r == 0xfeff, r == 0x2028, r == 0x2029, r >= 0xfff0 && r < 0x10000:
			return false
		}
		i += size - 1
	}
	return true
}

// plainReader reads a text. Once failed is set, nothing else counts.
type plainReader struct {
	text string
	file *file
	// pos is where reading goes on: between tokens, at the first character of
	// the next one.
	pos int
	// line counts from 1; lineStart is its first character.
	line, lineStart int
	// eof says that nothing but white space and comments was left.
	eof, failed bool

	// nodes, contents, items and keys are pieces that much is cut from.
	nodes    []Node
	contents []content
	items    []*Node
	keys     []string
	// open are the items and keys of the collections that are being read.
	openItems []*Node
	openKeys  []string
}

func (p *plainReader) fail() *Node {
	p.failed = true
	return nil
}

// column is where pos is in its line, from 0. Nothing but ASCII stands before a
// token, or reading fails.
func (p *plainReader) column() int { return p.pos - p.lineStart }

// peek is the character at pos+ahead, a line's end where the text has ended.
func (p *plainReader) peek(ahead int) byte {
	if p.pos+ahead < len(p.text) {
		return p.text[p.pos+ahead]
	}
	return '\n'
}

// blankOrEnd says that a token ends at pos+ahead.
func (p *plainReader) blankOrEnd(ahead int) bool { c := p.peek(ahead); return c == ' ' || c == '\n' }

func (p *plainReader) spaces() {
	for p.peek(0) == ' ' {
		p.pos++
	}
}

// skipLines goes from a line's start to the first token of a line that has one.
func (p *plainReader) skipLines() {
	for p.pos < len(p.text) {
		p.spaces()
		switch p.peek(0) {
		case '\n':
			if p.pos == len(p.text) {
				p.eof = true
				return
			}
			p.pos++
		case '#':
			end := strings.IndexByte(p.text[p.pos:], '\n')
			if end < 0 {
				p.pos = len(p.text)
				p.eof = true
				return
			}
			p.pos += end + 1
		case '\t':
			p.failed = true
			return
		default:
			if p.column() == 0 && (strings.HasPrefix(p.text[p.pos:], "---") || strings.HasPrefix(p.text[p.pos:], "...")) {
				p.failed = true
			}
			return
		}
		p.line++
		p.lineStart = p.pos
	}
	p.eof = true
}

// endLine goes on from the end of a token: to the first token of a later line.
// It fails where anything but a comment follows in this line.
func (p *plainReader) endLine() {
	p.spaces()
	c := p.peek(0)
	if c == '#' && p.text[p.pos-1] == ' ' {
		c = '\n'
		if end := strings.IndexByte(p.text[p.pos:], '\n'); end >= 0 {
			p.pos += end
		} else {
			p.pos = len(p.text)
		}
	}
	if c != '\n' {
		p.failed = true
		return
	}
	if p.pos == len(p.text) {
		p.eof = true
		return
	}
	p.pos++
	p.line++
	p.lineStart = p.pos
	p.skipLines()
}

// node makes a node that begins here.
func (p *plainReader) node(kind Kind) *Node {
	if len(p.nodes) == cap(p.nodes) {
		p.nodes = make([]Node, 0, 32)
	}
	p.nodes = append(p.nodes, Node{file: p.file, line: int32(p.line), column: int32(p.column()), kind: kind})
	return &p.nodes[len(p.nodes)-1]
}

// close gives a collection what was read since marks.
func (p *plainReader) close(n *Node, items, keys int) {
	if len(p.contents) == cap(p.contents) {
		p.contents = make([]content, 0, 8)
	}
	p.contents = append(p.contents, content{})
	c := &p.contents[len(p.contents)-1]
	c.items = cut(&p.items, p.openItems[items:])
	clear(p.openItems[items:])
	p.openItems = p.openItems[:items]
	if n.kind == Mapping {
		c.keys = cut(&p.keys, p.openKeys[keys:])
		p.openKeys = p.openKeys[:keys]
		if len(c.keys) > searched {
			c.reindex()
			if len(c.index) != len(c.keys) {
				p.failed = true // a duplicate key
			}
		}
	}
	n.content = c
}

// cut copies list into a common piece. Its capacity ends with it, so that
// appending to it copies it.
func cut[T any](piece *[]T, list []T) []T {
	if len(*piece)+len(list) > cap(*piece) {
		*piece = make([]T, 0, max(32, len(list)))
	}
	start := len(*piece)
	*piece = append(*piece, list...)
	return (*piece)[start:len(*piece):len(*piece)]
}

// value reads the node whose first token is here, and goes to the first token
// after it. parent is the column of the collection that it lies in. compact says
// that a block collection may begin here: after a list's dash or at the beginning
// of a line, and not after a key.
func (p *plainReader) value(parent int, compact bool, depth int) *Node {
	if depth > plainDepth || p.failed {
		return p.fail()
	}
	n := p.node(Scalar)
	var text string
	switch c := p.peek(0); {
	case c == '-' && p.blankOrEnd(1):
		if !compact {
			return p.fail()
		}
		n.kind = Sequence
		p.sequence(n, depth)
		return n
	case c == '|', c == '>':
		p.blockScalar(n, parent)
		return n
	case c == '[', c == '{':
		p.flow(n, depth)
		p.endLine()
		return n
	default:
		text = p.scalar()
	}
	if p.failed {
		return nil
	}
	if p.peek(0) == ':' {
		if !compact {
			return p.fail()
		}
		n.kind = Mapping
		p.mapping(n, text, depth)
		return n
	}
	n.value = intern(strip(text))
	p.endLine()
	return n
}

// sequence reads a list; its first dash is here.
func (p *plainReader) sequence(n *Node, depth int) {
	column := p.column()
	items, keys := len(p.openItems), len(p.openKeys)
	for !p.failed {
		p.pos++
		item := p.after(column, false, depth)
		p.openItems = append(p.openItems, item)
		if p.failed || p.eof || p.column() < column {
			break
		}
		if p.column() > column {
			p.failed = true
		}
		if p.peek(0) != '-' || !p.blankOrEnd(1) {
			break // what lies around the list knows what it is
		}
	}
	p.close(n, items, keys)
}

// mapping reads a mapping whose first key has been read: its colon is here.
func (p *plainReader) mapping(n *Node, key string, depth int) {
	column := int(n.column)
	items, keys := len(p.openItems), len(p.openKeys)
	for !p.failed {
		if len(key) > plainKey || !ascii(key) {
			p.failed = true
			break
		}
		if known := p.openKeys[keys:]; len(known) <= searched {
			for _, k := range known {
				p.failed = p.failed || k == key
			}
		}
		p.pos++
		p.openKeys = append(p.openKeys, intern(key))
		item := p.after(column, true, depth)
		p.openItems = append(p.openItems, item)
		if p.failed || p.eof || p.column() < column {
			break
		}
		if p.column() > column {
			p.failed = true
			break
		}
		if key = p.scalar(); p.peek(0) != ':' {
			p.failed = true
		}
	}
	p.close(n, items, keys)
}

// after reads what follows a dash or a key's colon of a collection at column:
// a value in this line, or one in the next lines, or none.
func (p *plainReader) after(column int, key bool, depth int) *Node {
	absent := p.pos
	p.spaces()
	if c := p.peek(0); c != '\n' && c != '#' {
		return p.value(column, !key, depth+1)
	}
	line, start := p.line, p.lineStart
	p.endLine()
	if p.failed {
		return nil
	}
	if !p.eof && (p.column() > column || key && p.column() == column && p.peek(0) == '-' && p.blankOrEnd(1)) {
		return p.value(column, true, depth+1)
	}
	n := p.node(Scalar)
	n.line, n.column = int32(line), int32(absent-start)
	return n
}

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
