package frontend

import (
	"fmt"
	"strings"

	"bst/impl/stream"
)

// ElementFormat is a parsed format of bst show and of the heading's pipeline:
// "%{state: >12} %{name}".
type ElementFormat struct {
	parts []elementPart
}

// elementPart is literal text, or a field where field is set.
type elementPart struct {
	text  string
	field string
	spec  spec
}

// elementFields are the fields that a format may name. Anything else in
// "%{...}" stays as it is written, as in the reference.
var elementFields = []string{
	"name", "kind", "key", "full-key", "state", "description", "config", "vars",
	"env", "public", "workspaced", "workspace-dirs", "deps", "build-deps",
	"runtime-deps", "source-info", "artifact-cas-digest",
}

// ParseElementFormat reads a format. The error says which field is wrong.
func ParseElementFormat(text string) (*ElementFormat, error) {
	f := &ElementFormat{}
	literal := func(s string) {
		if n := len(f.parts); n > 0 && f.parts[n-1].field == "" {
			f.parts[n-1].text += s
			return
		}
		f.parts = append(f.parts, elementPart{text: s})
	}
	for text != "" {
		start := strings.Index(text, "%{")
		if start < 0 {
			literal(text)
			break
		}
		if start > 0 {
			literal(text[:start])
		}
		text = text[start:]
		end := strings.IndexByte(text, '}')
		if end < 0 {
			literal(text)
			break
		}
		inner := text[2:end]
		name := inner
		if i := strings.IndexAny(inner, ":!"); i >= 0 {
			name = inner[:i]
		}
		if !knownField(name) {
			literal(text[:end+1])
			text = text[end+1:]
			continue
		}
		s, err := parseSpec(inner[len(name):])
		if err != nil {
			return nil, fmt.Errorf("invalid format '%s': %w", text[:end+1], err)
		}
		f.parts = append(f.parts, elementPart{field: name, spec: s})
		text = text[end+1:]
	}
	return f, nil
}

func knownField(name string) bool {
	for _, f := range elementFields {
		if f == name {
			return true
		}
	}
	return false
}

// Fields names the fields in use, each once: what an order asks for.
func (f *ElementFormat) Fields() []string {
	var names []string
	for _, p := range f.parts {
		if p.field == "" {
			continue
		}
		seen := false
		for _, n := range names {
			seen = seen || n == p.field
		}
		if !seen {
			names = append(names, p.field)
		}
	}
	return names
}

// render appends one element's text, without a newline.
func (f *ElementFormat) render(p *pen, e *stream.ElementShown, keyLength int) {
	for i := range f.parts {
		part := &f.parts[i]
		if part.field == "" {
			p.write(plain, part.text)
			continue
		}
		value, s := shownField(e, part.field, keyLength)
		p.write(s, part.spec.apply(value))
	}
}

// shownField is a field's text and look.
func shownField(e *stream.ElementShown, field string, keyLength int) (string, style) {
	keyStyle := style{fg: yellow, dim: !e.Key.Strict}
	switch field {
	case "name":
		return e.Name, style{fg: blue, bold: true}
	case "kind":
		return e.Kind, style{fg: cyan}
	case "key":
		return brief(e.Key, keyLength), keyStyle
	case "full-key":
		return e.Key.Full, keyStyle
	case "description":
		return oneLine(e.Description), keyStyle
	case "state":
		return e.State, style{fg: stateColor(e.State)}
	case "config":
		return e.Config, plain
	case "vars":
		return e.Vars, plain
	case "env":
		return e.Env, plain
	case "public":
		return e.Public, plain
	case "workspaced":
		if e.Workspaced {
			return "(workspaced)", content
		}
		return "", content
	case "workspace-dirs":
		return e.WorkspaceDirs, plain
	case "deps":
		return strings.TrimRight(e.Deps, "\n"), plain
	case "build-deps":
		return strings.TrimRight(e.BuildDeps, "\n"), plain
	case "runtime-deps":
		return strings.TrimRight(e.RuntimeDeps, "\n"), plain
	case "source-info":
		return e.SourceInfo, plain
	case "artifact-cas-digest":
		return e.ArtifactDigest, plain
	}
	return "", plain
}

func stateColor(state string) color {
	switch state {
	case "no reference", "failed", "fetch needed":
		return red
	case "junction", "cached":
		return magenta
	case "buildable":
		return green
	}
	return blue
}

// brief is a key cut to the length that the user asked for.
func brief(k stream.Key, length int) string {
	if len(k.Full) > length {
		return k.Full[:length]
	}
	return k.Full
}
