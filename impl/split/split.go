// Package split tells which files of an artifact belong to which domain of its
// split rules, and selects files by domain.
//
// It knows globs and paths. It does not know where rules or files come from.
package split

import (
	"slices"

	"bst/impl/node"
)

// Rules are the compiled split rules of one element.
type Rules struct {
	domains []domain
}

type domain struct {
	name  string
	globs []*Glob
}

// New compiles a "split-rules" mapping of domains to lists of globs, whose
// variables are expanded. Nil gives no rules. Errors: LOAD/INVALID_DATA.
func New(rules *node.Node) (*Rules, error) {
	r := new(Rules)
	for _, name := range rules.Keys() {
		texts, err := rules.GetStrs(name)
		if err != nil {
			return nil, err
		}
		d := domain{name: name}
		for i, text := range texts {
			g, err := Compile(text)
			if err != nil {
				return nil, rules.Get(name).Items()[i].Errorf("INVALID_DATA", "Invalid glob in split domain '%s': %s", name, err)
			}
			d.globs = append(d.globs, g)
		}
		r.domains = append(r.domains, d)
	}
	return r, nil
}

// Domains are the names, in order.
func (r *Rules) Domains() []string {
	names := make([]string, len(r.domains))
	for i, d := range r.domains {
		names[i] = d.name
	}
	return names
}

// Filter selects files: those of an included domain and of no excluded one.
// An empty include stands for all domains; orphans also selects files that no
// domain speaks for. Domains that the element does not have are left aside.
// Nil means that nothing is split: every file is selected.
//
// The paths that the filter takes are relative to the artifact's root, with or
// without a slash before them. It may be used by several goroutines at once.
func (r *Rules) Filter(include, exclude []string, orphans bool) func(path string) bool {
	if orphans && len(include) == 0 && len(exclude) == 0 {
		return nil
	}
	included := make([]bool, len(r.domains))
	excluded := make([]bool, len(r.domains))
	for i, d := range r.domains {
		included[i] = len(include) == 0 || slices.Contains(include, d.name)
		excluded[i] = slices.Contains(exclude, d.name)
	}
	return func(path string) bool {
		if path == "" || path[0] != '/' {
			path = "/" + path
		}
		claimed, selected := false, false
		for i := range r.domains {
			if (selected || !included[i]) && !excluded[i] && claimed {
				continue // it cannot change the answer
			}
			if !r.domains[i].match(path) {
				continue
			}
			if excluded[i] {
				return false
			}
			claimed = true
			selected = selected || included[i]
		}
		return selected || orphans && !claimed
	}
}

// Select gives the paths that Filter selects, in order.
func (r *Rules) Select(paths []string, include, exclude []string, orphans bool) []string {
	filter := r.Filter(include, exclude, orphans)
	if filter == nil {
		return paths
	}
	var selected []string
	for _, path := range paths {
		if filter(path) {
			selected = append(selected, path)
		}
	}
	return selected
}

func (d *domain) match(path string) bool {
	for _, g := range d.globs {
		if g.Match(path) {
			return true
		}
	}
	return false
}
