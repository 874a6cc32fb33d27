package yamledit

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"bst/impl/node"

	"go.yaml.in/yaml/v4"
)

// writer writes values as project files have them: block style, two columns
// deeper each, lists in the column of their key.
type writer struct{ newline string }

// block writes a collection whose first line begins in the given column already.
func (w writer) block(n *node.Node, column int) string {
	var b strings.Builder
	next := w.newline + strings.Repeat(" ", column)
	switch n.Kind() {
	case node.Mapping:
		for i, key := range n.Keys() {
			if i > 0 {
				b.WriteString(next)
			}
			b.WriteString(scalar(key, false) + ":")
			switch value := n.Items()[i]; {
			case value.Kind() == node.Scalar || value.Len() == 0:
				b.WriteString(" " + w.scalarOrEmpty(value))
			case value.Kind() == node.Sequence:
				b.WriteString(next + w.block(value, column))
			default:
				b.WriteString(next + "  " + w.block(value, column+2))
			}
		}
	case node.Sequence:
		for i, item := range n.Items() {
			if i > 0 {
				b.WriteString(next)
			}
			b.WriteString("- ")
			if item.Kind() == node.Scalar || item.Len() == 0 {
				b.WriteString(w.scalarOrEmpty(item))
			} else {
				b.WriteString(w.block(item, column+2))
			}
		}
	default:
		return w.scalarOrEmpty(n)
	}
	if b.Len() == 0 {
		return w.scalarOrEmpty(n)
	}
	return b.String()
}

// flow writes a value on one line.
func (w writer) flow(n *node.Node) string {
	var parts []string
	switch n.Kind() {
	case node.Mapping:
		for i, key := range n.Keys() {
			parts = append(parts, w.flowKey(key)+": "+w.flow(n.Items()[i]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case node.Sequence:
		for _, item := range n.Items() {
			parts = append(parts, w.flow(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return scalar(n.Text(), true)
}

func (w writer) flowKey(key string) string { return scalar(key, true) }

func (w writer) scalarOrEmpty(n *node.Node) string {
	switch n.Kind() {
	case node.Mapping:
		return "{}"
	case node.Sequence:
		return "[]"
	}
	return scalar(n.Text(), false)
}

// like writes a scalar in the quotes that the one before had.
func (w writer) like(old *yaml.Node, value *node.Node) string {
	if value.Kind() == node.Scalar && old.Kind == yaml.ScalarNode {
		text := value.Text()
		switch {
		case !printable(text):
		case old.Style&yaml.SingleQuotedStyle != 0:
			return singleQuoted(text)
		case old.Style&yaml.DoubleQuotedStyle != 0 && !strings.ContainsAny(text, `"\`):
			return `"` + text + `"`
		}
	}
	return w.scalarOrEmpty(value)
}

// scalar writes a text, without quotes where that is safe: all scalars are
// texts for BuildStream, numbers and booleans too.
func scalar(text string, flow bool) string {
	switch {
	case !printable(text):
		return doubleQuoted(text)
	case bare(text, flow):
		return text
	}
	return singleQuoted(text)
}

func singleQuoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func printable(text string) bool {
	if !utf8.ValidString(text) {
		return false
	}
	for _, r := range text {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// bare says that a printable text needs no quotes.
func bare(text string, flow bool) bool {
	if text == "" || text != strings.TrimSpace(text) || strings.HasPrefix(text, "---") || strings.HasPrefix(text, "...") {
		return false
	}
	// The rules allow more; this is enough for what refs are made of.
	switch c := text[0]; {
	case c < utf8.RuneSelf && strings.IndexByte("-?:,[]{}#&*!|>'\"%@`=", c) >= 0:
		return false
	}
	if flow && strings.ContainsAny(text, ",[]{}") {
		return false
	}
	return !strings.Contains(text, ": ") && !strings.Contains(text, " #") && !strings.HasSuffix(text, ":") &&
		!(flow && strings.Contains(text, ":"))
}

func doubleQuoted(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			b.WriteString(`\x` + hex(r, 2))
		case r < 0x10000:
			b.WriteString(`\u` + hex(r, 4))
		default:
			b.WriteString(`\U` + hex(r, 8))
		}
	}
	b.WriteByte('"')
	return b.String()
}

func hex(r rune, width int) string {
	text := strconv.FormatInt(int64(r), 16)
	return strings.Repeat("0", max(0, width-len(text))) + text
}
