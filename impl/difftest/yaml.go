package difftest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"unicode"
)

// Value is a scalar (string), a sequence (*Seq) or a mapping (*Map).
type Value any

// Seq is a sequence.
type Seq struct{ Items []Value }

// Map is a mapping in the order in which it is written.
type Map struct {
	Keys   []string
	Values []Value
}

func list(items ...Value) *Seq { return &Seq{items} }

// mapping makes a mapping of pairs of keys and values.
func mapping(pairs ...any) *Map {
	m := new(Map)
	for i := 0; i+1 < len(pairs); i += 2 {
		m.set(pairs[i].(string), pairs[i+1])
	}
	return m
}

func (m *Map) get(key string) Value {
	for i, k := range m.Keys {
		if k == key {
			return m.Values[i]
		}
	}
	return nil
}

func (m *Map) set(key string, v Value) {
	for i, k := range m.Keys {
		if k == key {
			m.Values[i] = v
			return
		}
	}
	m.Keys, m.Values = append(m.Keys, key), append(m.Values, v)
}

func (m *Map) remove(i int) {
	m.Keys = append(m.Keys[:i:i], m.Keys[i+1:]...)
	m.Values = append(m.Values[:i:i], m.Values[i+1:]...)
}

// Style writes YAML. Different styles give different texts that mean the same:
// the order of keys, comments, blank lines, quotes, indentation, blocks and
// flows are chance.
type Style struct{ source }

// NewStyle makes a style; seed 0 writes plainly.
func NewStyle(seed uint64) *Style {
	if seed == 0 {
		return &Style{}
	}
	return &Style{source{rand.New(rand.NewPCG(seed, 'y'))}}
}

func (s *Style) fancy(n int) bool { return s.Rand != nil && s.one(n) }

// Document writes a whole file.
func (s *Style) Document(m *Map) string {
	var b strings.Builder
	if s.fancy(4) {
		b.WriteString("# Written by chance\n\n")
	}
	s.mapping(&b, m, "")
	return b.String()
}

func (s *Style) order(n int) []int {
	if s.Rand != nil {
		return s.Perm(n)
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return order
}

func (s *Style) mapping(b *strings.Builder, m *Map, indent string) {
	if len(m.Keys) == 0 {
		b.WriteString(indent + "{}\n")
		return
	}
	for _, i := range s.order(len(m.Keys)) {
		if s.fancy(12) {
			fmt.Fprintf(b, "\n%s# a remark: %s\n", indent, "it is one")
		}
		b.WriteString(indent + s.flowScalar(m.Keys[i]) + ":")
		s.value(b, m.Values[i], indent)
	}
}

// value writes what follows "key:" or "-".
func (s *Style) value(b *strings.Builder, v Value, indent string) {
	inner := indent + "  "
	if s.fancy(5) {
		inner += "  "
	}
	switch v := v.(type) {
	case string:
		if strings.Contains(v, "\n") && s.literal(v) && !s.fancy(4) {
			// All that matters of a final newline is stripped.
			b.WriteString(" |\n")
			for _, line := range strings.Split(v, "\n") {
				if line != "" {
					line = inner + line
				}
				b.WriteString(line + "\n")
			}
			return
		}
		b.WriteString(" " + s.flowScalar(v))
		if s.fancy(15) {
			b.WriteString("  # why not")
		}
		b.WriteString("\n")
	case *Seq:
		if len(v.Items) == 0 || s.fancy(6) {
			b.WriteString(" " + s.flow(v) + "\n")
			return
		}
		b.WriteString("\n")
		for _, item := range v.Items {
			b.WriteString(inner + "-")
			s.value(b, item, inner)
		}
	case *Map:
		if len(v.Keys) == 0 || s.fancy(8) {
			b.WriteString(" " + s.flow(v) + "\n")
			return
		}
		b.WriteString("\n")
		s.mapping(b, v, inner)
	}
}

func (s *Style) flow(v Value) string {
	var parts []string
	switch v := v.(type) {
	case *Seq:
		for _, item := range v.Items {
			parts = append(parts, s.flow(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *Map:
		for _, i := range s.order(len(v.Keys)) {
			parts = append(parts, s.flowScalar(v.Keys[i])+": "+s.flow(v.Values[i]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return s.flowScalar(v.(string))
}

// literal tells whether a text can be a literal block.
func (s *Style) literal(text string) bool {
	if strings.TrimSpace(text) != text || strings.ContainsAny(text, "\t\r\u0085\u2028\u2029\ufeff") {
		return false
	}
	for _, r := range text {
		if r != '\n' && !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// flowScalar writes a scalar on one line.
func (s *Style) flowScalar(text string) string {
	switch {
	case plain(text) && !s.fancy(5):
		return text
	case !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || r > 0xffff }) && s.fancy(3):
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x20 || r == 0x7f || r == 0x85 || r == 0xa0:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r == 0x2028 || r == 0x2029 || r == 0xfeff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// plain tells whether a text needs no quotes anywhere. It says no too often.
func plain(text string) bool {
	if text == "" {
		return false
	}
	for i, r := range text {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '/' || r > 0xff && unicode.IsLetter(r)
		if !letter && (i == 0 || !strings.ContainsRune("-_.+", r) && !(r == ' ' && i+1 < len(text) && text[i+1] != ' ')) {
			return false
		}
	}
	return text[len(text)-1] != ' '
}
