package node

import "strings"

// Scalars of the plain part of YAML: see plain.go.

// scalar reads a plain or quoted scalar in one line and leaves p at its end,
// which for a key is its colon.
func (p *plainReader) scalar() string {
	rest := p.text[p.pos:]
	if end := strings.IndexByte(rest, '\n'); end >= 0 {
		rest = rest[:end]
	}
	var text string
	size := 0
	switch {
	case rest == "":
		p.failed = true
	case rest[0] == '\'':
		text, size = singleQuoted(rest)
	case rest[0] == '"':
		text, size = doubleQuoted(rest)
	default:
		text, size = unquoted(rest)
	}
	if size == 0 {
		p.failed = true
	}
	p.pos += size
	if p.peek(0) == ':' && !p.blankOrEnd(1) {
		p.failed = true
	}
	return text
}

// unquoted gives the plain scalar at the beginning of a line's rest, and its
// length, 0 where it is none.
func unquoted(rest string) (string, int) {
	switch rest[0] {
	case ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '%', '@', '`', '?', ':', ' ', '\t':
		return "", 0
	case '-':
		if len(rest) == 1 || rest[1] == ' ' {
			return "", 0
		}
	}
	end := len(rest)
scan:
	for i := 0; i < len(rest); i++ {
		switch rest[i] {
		case ':':
			if i+1 == len(rest) || rest[i+1] == ' ' {
				end = i
				break scan
			}
		case '#':
			if rest[i-1] == ' ' {
				end = i
				break scan
			}
		case '\t':
			return "", 0
		}
	}
	text := strings.TrimRight(rest[:end], " ")
	if end == len(rest) || rest[end] != ':' {
		end = len(text) // a comment's blank is endLine's to see
	}
	return text, end
}

func singleQuoted(rest string) (string, int) {
	doubled := false
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\'':
			if i+1 < len(rest) && rest[i+1] == '\'' {
				doubled = true
				i++
				continue
			}
			text := rest[1:i]
			if doubled {
				text = strings.ReplaceAll(text, "''", "'")
			}
			return text, i + 1
		case '\t':
			return "", 0
		}
	}
	return "", 0
}

func doubleQuoted(rest string) (string, int) {
	var unescaped []byte
	start := 1
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '"':
			if unescaped == nil {
				return rest[1:i], i + 1
			}
			return string(append(unescaped, rest[start:i]...)), i + 1
		case '\t':
			return "", 0
		case '\\':
			if i+1 == len(rest) {
				return "", 0
			}
			c := rest[i+1]
			switch c {
			case '"', '\\', '/':
			case 'n':
				c = '\n'
			case 't':
				c = '\t'
			default:
				return "", 0
			}
			unescaped = append(append(unescaped, rest[start:i]...), c)
			i++
			start = i + 1
		}
	}
	return "", 0
}

// blockScalar reads a literal or folded block; its header is here.
func (p *plainReader) blockScalar(n *Node, parent int) {
	folded := p.peek(0) == '>'
	p.pos++
	if c := p.peek(0); c == '-' || c == '+' {
		p.pos++
	}
	if c := p.peek(0); c != ' ' && c != '\n' {
		p.failed = true // an indentation of its own
		return
	}
	p.spaces()
	if p.peek(0) == '#' {
		if end := strings.IndexByte(p.text[p.pos:], '\n'); end >= 0 {
			p.pos += end
		}
	}
	if p.peek(0) != '\n' || p.pos == len(p.text) {
		p.failed = true
		return
	}
	p.pos++
	p.line++
	p.lineStart = p.pos

	var lines blockLines
	indent, blank := -1, 0
	for p.pos < len(p.text) {
		rest := p.text[p.pos:]
		next := len(rest)
		if end := strings.IndexByte(rest, '\n'); end >= 0 {
			rest, next = rest[:end], end+1
		}
		spaces := 0
		for spaces < len(rest) && rest[spaces] == ' ' && (indent < 0 || spaces < indent) {
			spaces++
		}
		switch {
		case spaces == len(rest) && indent < 0:
			blank = max(blank, spaces)
		case spaces == len(rest):
			lines.breaks++
		case rest[spaces] == '\t' && (folded || indent < 0 || spaces < indent):
			p.failed = true
			return
		case indent < 0:
			if indent = spaces; indent <= parent || blank > indent {
				p.failed = true
				return
			}
			lines.add(rest[indent:], folded)
		case spaces < indent:
			next = -1
		case folded && rest[indent] == ' ':
			p.failed = true // such lines are not folded
			return
		default:
			lines.add(rest[indent:], folded)
		}
		if next < 0 {
			break
		}
		p.pos += next
		p.line++
		p.lineStart = p.pos
	}
	if indent < 0 {
		p.failed = true
		return
	}
	n.value = strip(lines.text())
	if p.pos == len(p.text) {
		p.eof = true
		return
	}
	p.skipLines()
}

// blockLines puts a block scalar together. White space at its end does not
// count: it is stripped.
type blockLines struct {
	first string
	// joined holds the text once there is a second line.
	joined []byte
	// breaks are the line breaks since the last line that was not empty.
	breaks int
}

func (b *blockLines) add(line string, folded bool) {
	switch {
	case b.breaks == 0:
		b.first = line
	case b.joined == nil:
		b.joined = append(make([]byte, 0, 2*(len(b.first)+len(line))), b.first...)
		fallthrough
	default:
		if folded {
			b.breaks--
		}
		if b.breaks == 0 {
			b.joined = append(b.joined, ' ')
		}
		for range b.breaks {
			b.joined = append(b.joined, '\n')
		}
		b.joined = append(b.joined, line...)
	}
	b.breaks = 1
}

func (b *blockLines) text() string {
	if b.joined == nil {
		return b.first
	}
	return string(b.joined)
}
