package variables

import "strings"

// expression is a text with references to variables, "%{name}".
type expression struct {
	text string
	refs []reference
}

// reference is text[start:end] of an expression.
type reference struct {
	name       string
	start, end int
}

// parse finds the references in a text. What looks like one but names no
// possible variable is literal.
func parse(text string) expression {
	e := expression{text: text}
	for at := 0; ; {
		i := strings.Index(text[at:], "%{")
		if i < 0 {
			return e
		}
		start := at + i
		end := start + 2
		for end < len(text) && isName(text[end], end > start+2) {
			end++
		}
		if end == start+2 || end == len(text) || text[end] != '}' {
			at = start + 1
			continue
		}
		e.refs = append(e.refs, reference{name: text[start+2 : end], start: start, end: end + 1})
		at = end + 1
	}
}

// isName tells whether c may stand in a variable's name, after its first
// letter or as that.
func isName(c byte, after bool) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		return true
	case c >= '0' && c <= '9', c == '_', c == '-':
		return after
	}
	return false
}

// maxText bounds, in bytes, what the variables of an element hold together, and
// what one call of Expand writes: a hundred variables that each name the next
// one twice would outgrow any memory.
const maxText = 64 << 20

// size is how long the expanded text is, as far as get knows the references; it
// stops counting past maxText.
func (e expression) size(get func(name string) (string, bool)) int {
	n := len(e.text)
	for _, r := range e.refs {
		value, _ := get(r.name)
		if n += len(value); n > maxText {
			break
		}
	}
	return n
}

// expand puts values in the place of references. It returns the first name
// that get does not know, and false.
func (e expression) expand(get func(name string) (string, bool)) (string, bool) {
	switch len(e.refs) {
	case 0:
		return e.text, true
	case 1:
		if r := e.refs[0]; r.start == 0 && r.end == len(e.text) {
			value, ok := get(r.name)
			if !ok {
				return r.name, false
			}
			return value, true
		}
	}
	var few [8]string
	values, size := few[:0], len(e.text)
	for _, r := range e.refs {
		value, ok := get(r.name)
		if !ok {
			return r.name, false
		}
		values = append(values, value)
		size += len(value) - (r.end - r.start)
	}
	var b strings.Builder
	b.Grow(size)
	at := 0
	for i, r := range e.refs {
		b.WriteString(e.text[at:r.start])
		b.WriteString(values[i])
		at = r.end
	}
	b.WriteString(e.text[at:])
	return b.String(), true
}
