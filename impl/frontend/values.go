package frontend

import (
	"strings"

	"bst/impl/stream"
)

// styledPair is a line of a table of names and values. value is drawn by a
// function, because some values have several looks.
type styledPair struct {
	name  string
	value func(p *pen)
	// block is a value of several lines, drawn below its name and indented.
	block string
}

// values writes an indented table whose values are aligned.
func values(p *pen, pairs []styledPair, nameStyle style, level int) {
	longest := 0
	for _, pair := range pairs {
		longest = max(longest, width(pair.name))
	}
	for _, pair := range pairs {
		p.spaces(len(indent) * level)
		p.write(nameStyle, pair.name)
		p.write(format, ":")
		if pair.block != "" {
			p.newline()
			p.raw(indentText(pair.block, strings.Repeat(indent, level)))
			continue
		}
		p.spaces(1 + longest - width(pair.name))
		pair.value(p)
		p.newline()
	}
}

// pairs are values in the content style.
func contentPairs(list []stream.Pair) []styledPair {
	out := make([]styledPair, 0, len(list))
	for _, pair := range list {
		value := clean(pair.Value)
		if strings.Contains(value, "\n") {
			out = append(out, styledPair{name: pair.Name, block: strings.TrimSuffix(value, "\n") + "\n"})
			continue
		}
		out = append(out, styledPair{name: pair.Name, value: func(p *pen) { p.write(content, value) }})
	}
	return out
}

// indentText indents every line that is not blank.
func indentText(text, prefix string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			b.WriteString(prefix)
		}
		b.WriteString(line)
	}
	return b.String()
}
