package collectmanifest

import (
	"fmt"
	"strings"
	"unicode/utf16"

	"bst/impl/node"
)

// object is a JSON object in order.
type object []field

type field struct {
	name  string
	value any
}

// pythonJSON writes a value of objects, []any, nodes, strings and bools as
// Python's json does with an indentation of two, so that the same artifact has
// the same bytes: in order, and in ASCII.
func pythonJSON(value any) []byte {
	var b strings.Builder
	writeJSON(&b, value, "\n")
	return []byte(b.String())
}

// writeJSON writes a value in lines that begin with the given break.
func writeJSON(b *strings.Builder, value any, line string) {
	switch v := value.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		fmt.Fprint(b, v)
	case string:
		writeString(b, v)
	case []any:
		writeList(b, '[', ']', len(v), line, func(i int) { writeJSON(b, v[i], line+"  ") })
	case object:
		writeList(b, '{', '}', len(v), line, func(i int) {
			writeString(b, v[i].name)
			b.WriteString(": ")
			writeJSON(b, v[i].value, line+"  ")
		})
	case *node.Node:
		writeNode(b, v, line)
	default:
		panic(fmt.Sprintf("collectmanifest: no JSON for %T", value))
	}
}

func writeNode(b *strings.Builder, n *node.Node, line string) {
	items := n.Items()
	switch {
	case n.IsNone():
		b.WriteString("null")
	case n.Kind() == node.Sequence:
		writeList(b, '[', ']', len(items), line, func(i int) { writeNode(b, items[i], line+"  ") })
	case n.Kind() == node.Mapping:
		writeList(b, '{', '}', len(items), line, func(i int) {
			writeString(b, n.Keys()[i])
			b.WriteString(": ")
			writeNode(b, items[i], line+"  ")
		})
	default:
		writeString(b, n.Text())
	}
}

// writeList writes what is between brackets, one item a line.
func writeList(b *strings.Builder, first, last byte, size int, line string, item func(int)) {
	b.WriteByte(first)
	for i := range size {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(line + "  ")
		item(i)
	}
	if size > 0 {
		b.WriteString(line)
	}
	b.WriteByte(last)
}

var shortEscapes = strings.NewReplacer(`"`, `\"`, `\`, `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\b", `\b`, "\f", `\f`)

func writeString(b *strings.Builder, s string) {
	b.WriteByte('"')
	for _, r := range shortEscapes.Replace(s) {
		switch {
		case r >= ' ' && r <= '~':
			b.WriteByte(byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
}
