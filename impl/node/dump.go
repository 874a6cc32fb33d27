package node

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Dump writes n as YAML in the reference's style (ruamel's round-trip dump):
// block collections, lists not indented under their key, text plain where YAML
// allows it.
func (n *Node) Dump() string {
	var b strings.Builder
	switch {
	case n.Len() == 0 && n != nil && n.kind != Scalar:
		dumpEmpty(&b, n)
	case n == nil || n.kind == Scalar:
		b.WriteString(quote(n.Text(), false) + "\n...\n")
	default:
		n.dump(&b, 0)
	}
	return b.String()
}

// dump writes a collection that is not empty; the cursor stands at indent.
func (n *Node) dump(b *strings.Builder, indent int) {
	for i, item := range n.content.items {
		if i > 0 {
			pad(b, indent)
		}
		if n.kind == Sequence {
			b.WriteByte('-')
			dumpItem(b, item, indent)
			continue
		}
		dumpKey(b, n.content.keys[i], indent)
		dumpValue(b, item, indent)
	}
}

// longestKey is the longest that stands before a colon; a longer one is
// introduced by a question mark.
const longestKey = 128

func dumpKey(b *strings.Builder, key string, indent int) {
	text := quote(key, true)
	if utf8.RuneCountInString(key) < longestKey && !strings.Contains(key, "\n") {
		b.WriteString(text + ":")
		return
	}
	b.WriteString("? " + text + "\n")
	pad(b, indent)
	b.WriteByte(':')
}

// dumpItem writes what follows the dash of a list: collections begin on the
// same line.
func dumpItem(b *strings.Builder, n *Node, indent int) {
	b.WriteByte(' ') // also before nothing: ruamel does
	switch {
	case n.kind == Scalar:
		b.WriteString(quote(n.value, false))
		b.WriteByte('\n')
	case n.Len() == 0:
		dumpEmpty(b, n)
	default:
		n.dump(b, indent+2)
	}
}

// dumpValue writes what follows a key's colon.
func dumpValue(b *strings.Builder, n *Node, indent int) {
	switch {
	case n.kind == Scalar && n.value == "":
		b.WriteByte('\n')
	case n.kind == Scalar:
		b.WriteString(" " + quote(n.value, false) + "\n")
	case n.Len() == 0:
		b.WriteByte(' ')
		dumpEmpty(b, n)
	default:
		b.WriteByte('\n')
		if n.kind == Mapping {
			indent += 2
		}
		pad(b, indent)
		n.dump(b, indent)
	}
}

func dumpEmpty(b *strings.Builder, n *Node) {
	if n.kind == Mapping {
		b.WriteString("{}\n")
	} else {
		b.WriteString("[]\n")
	}
}

func pad(b *strings.Builder, indent int) {
	for ; indent > 0; indent-- {
		b.WriteByte(' ')
	}
}

// quote writes text plain if it reads back the same, else in single quotes,
// else in double quotes.
func quote(s string, key bool) string {
	switch {
	case s == "":
		if key {
			return "''"
		}
		return ""
	case needsEscapes(s):
		return doubleQuote(s)
	case plain(s):
		return s
	case strings.Contains(s, "'"):
		return doubleQuote(s)
	}
	return "'" + s + "'"
}

// plain says that s needs no quotes in a block context.
func plain(s string) bool {
	if s[0] == ' ' || s[len(s)-1] == ' ' {
		return false
	}
	if strings.HasPrefix(s, "---") || strings.HasPrefix(s, "...") {
		return false
	}
	if strings.IndexByte("#,[]{}&*!|>'\"%@`", s[0]) >= 0 {
		return false
	}
	if strings.IndexByte("-?:", s[0]) >= 0 && (len(s) == 1 || s[1] == ' ') {
		return false
	}
	return !strings.Contains(s, ": ") && !strings.HasSuffix(s, ":") && !strings.Contains(s, " #")
}

// needsEscapes says that s holds what only double quotes can write.
func needsEscapes(s string) bool {
	for _, r := range s {
		if !printable(r) {
			return true
		}
	}
	return false
}

func printable(r rune) bool {
	return r >= 0x20 && r <= 0x7e || r == 0x85 ||
		r >= 0xa0 && r <= 0xd7ff && r != 0x2028 && r != 0x2029 ||
		r >= 0xe000 && r <= 0xfffd && r != 0xfeff && r != utf8.RuneError ||
		r >= 0x10000
}

var escapes = map[rune]string{
	0: `\0`, 7: `\a`, 8: `\b`, 9: `\t`, 10: `\n`, 11: `\v`, 12: `\f`, 13: `\r`, 27: `\e`,
	'"': `\"`, '\\': `\\`, 0x85: `\N`, 0x2028: `\L`, 0x2029: `\P`,
}

func doubleQuote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		escape, ok := escapes[r]
		switch {
		case ok:
			b.WriteString(escape)
		case r > 0xffff: // the dumper's plain text may have these, its quoted text not
			fmt.Fprintf(&b, `\U%08X`, r)
		case printable(r):
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02X`, r)
		default:
			fmt.Fprintf(&b, `\u%04X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
