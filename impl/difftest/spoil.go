package difftest

import (
	"fmt"
	"strings"
)

// spoil makes one change to one document, which probably makes the project
// illegal.
func (g *generator) spoil() {
	paths := g.project.paths()
	path := pick(g.source, paths...)
	if g.one(3) {
		path = g.project.Targets[0]
		if p := "elements/" + path; g.project.Documents[p] != nil {
			path = p
		}
		if g.one(3) {
			path = "project.conf"
		}
	}
	if g.one(4) {
		g.damage(path)
		return
	}
	nodes := collect(g.project.Documents[path], nil)
	at := nodes[g.IntN(len(nodes))]
	g.project.Mischief = path + ": " + g.twist(at)
}

// slot is a place for a value.
type slot struct {
	parent Value
	index  int
}

func (s slot) value() Value {
	switch p := s.parent.(type) {
	case *Map:
		return p.Values[s.index]
	case *Seq:
		return p.Items[s.index]
	}
	return nil
}

func (s slot) put(v Value) {
	switch p := s.parent.(type) {
	case *Map:
		p.Values[s.index] = v
	case *Seq:
		p.Items[s.index] = v
	}
}

func collect(v Value, slots []slot) []slot {
	switch v := v.(type) {
	case *Map:
		for i, item := range v.Values {
			slots = collect(item, append(slots, slot{v, i}))
		}
	case *Seq:
		for i, item := range v.Items {
			slots = collect(item, append(slots, slot{v, i}))
		}
	}
	return slots
}

var strangeKeys = []string{"(>)", "(<)", "(=)", "(?)", "(@)", "(!)", "(x)", "kind", "bogus", "name", "filename", "ref", "junction",
	"strict", "type", "config", "", "ключ", "with space", "project-name", "element-name", "max-jobs", "1bad", "default"}

func (g *generator) strange() Value {
	switch g.IntN(10) {
	case 0:
		return list()
	case 1:
		return mapping()
	case 2:
		return list(pick(g.source, scalars...))
	case 3:
		return mapping(pick(g.source, strangeKeys...), pick(g.source, scalars...))
	case 4:
		return list(mapping(pick(g.source, "opt0", "opt0 ==", "1 + 1", "nothing == 'x'", "True", "opt0 in", "(", "'a' < 1", "opt0.nope", "opt0|nope"), mapping("v1", "spoilt")))
	case 5:
		return list(list(), mapping())
	case 6:
		return mapping(pick(g.source, "(>)", "(<)", "(=)"), list("x"))
	case 7:
		return pick(g.source, "%{nothing}", "%{v0}%{v1}%{v2}", "%{element-name}", "missing.bst", "e0.bst", "j0.bst:e0.bst", "j0.bst", "../up", "/abs", "a:b:c.bst", "include/part0.yml", "include/none.yml", "%{project-root}")
	}
	return pick(g.source, scalars...)
}

func (g *generator) twist(at slot) string {
	switch g.IntN(5) {
	case 0:
		if m, ok := at.parent.(*Map); ok {
			key := m.Keys[at.index]
			m.remove(at.index)
			return fmt.Sprintf("removed %q", key)
		}
	case 1:
		if m, ok := at.parent.(*Map); ok {
			key := pick(g.source, strangeKeys...)
			if m.get(key) == nil {
				was := m.Keys[at.index]
				m.Keys[at.index] = key
				return fmt.Sprintf("renamed %q to %q", was, key)
			}
		}
	case 2:
		if m, ok := at.parent.(*Map); ok {
			key, v := pick(g.source, strangeKeys...), g.strange()
			m.set(key, v)
			return fmt.Sprintf("set %q to %s", key, NewStyle(0).flow(v))
		}
	case 3:
		if s, ok := at.parent.(*Seq); ok {
			v := g.strange()
			s.Items = append(s.Items, v)
			return fmt.Sprintf("added %s", NewStyle(0).flow(v))
		}
	}
	was, v := at.value(), g.strange()
	at.put(v)
	return fmt.Sprintf("replaced %.60s by %s", NewStyle(0).flow(was), NewStyle(0).flow(v))
}

// damage changes the text of a document.
func (g *generator) damage(path string) {
	text := NewStyle(0).Document(g.project.Documents[path])
	lines := strings.Split(text, "\n")
	i := g.IntN(len(lines))
	switch g.IntN(5) {
	case 0:
		lines[i] = " " + lines[i]
	case 1:
		lines = append(lines[:i+1], lines[i:]...)
	case 2:
		lines[i] = pick(g.source, "\t", "- ", "? ", "key: *none", "key: &a b", "!!int 3", "key: !t v", "---", "...", "{", "key: [", "'", "\"\\q\"", "%YAML 1.1", "key: !!str v", "\x00", "\x07", "<<: {a: b}", "a: b: c", "@x") + lines[i]
	case 3:
		if len(lines[i]) > 0 {
			at := g.IntN(len(lines[i]))
			lines[i] = lines[i][:at] + lines[i][at+1:]
		}
	case 4:
		lines = lines[:i]
	}
	g.project.raw = map[string]string{path: strings.Join(lines, "\n")}
	g.project.Mischief = path + ": damaged text"
}
