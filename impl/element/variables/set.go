package variables

import (
	"iter"
	"slices"
	"strings"

	"bst/impl/node"
)

// Set is the resolved variables of one element. It does not change, and may be
// used by several goroutines at once.
type Set struct {
	layer *Layer
	// extra are the names that the layer does not have, in order.
	extra []string
	// own are the values that differ from the layer's, sorted by name.
	own []binding
	// broken is nil where every variable has a value.
	broken *resolver
}

type binding struct{ name, value string }

// keep takes over the values that were worked out.
func (s *Set) keep(values map[string]result) {
	s.own = make([]binding, 0, len(values))
	for name, res := range values {
		if res.ok {
			s.own = append(s.own, binding{name, res.value})
		}
	}
	slices.SortFunc(s.own, func(a, b binding) int { return strings.Compare(a.name, b.name) })
}

// Get is a variable's value; false where it is not set.
func (s *Set) Get(name string) (string, bool) {
	i, found := slices.BinarySearchFunc(s.own, name, func(b binding, name string) int {
		return strings.Compare(b.name, name)
	})
	if found {
		return s.own[i].value, true
	}
	if s.broken != nil {
		if _, ok := s.broken.values[name]; ok {
			return "", false
		}
	}
	if i, ok := s.layer.index[name]; ok && s.layer.vars[i].resolved {
		return s.layer.vars[i].value, true
	}
	return "", false
}

// All gives names and values in the order in which the layers defined them.
func (s *Set) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, name := range s.names() {
			if value, ok := s.Get(name); ok && !yield(name, value) {
				return
			}
		}
	}
}

func (s *Set) names() []string {
	names := make([]string, 0, len(s.layer.vars)+len(s.extra))
	for i := range s.layer.vars {
		names = append(names, s.layer.vars[i].name)
	}
	return append(names, s.extra...)
}

// Expand puts values in the place of the references in all scalars below n, in
// place. Keys are not expanded. Errors: LOAD/UNRESOLVED_VARIABLE,
// LOAD/CIRCULAR_REFERENCE_VARIABLE; LOAD/INVALID_DATA where the text becomes
// too long.
func (s *Set) Expand(n *node.Node) error {
	left := maxText
	return s.expand(n, &left)
}

// expand is Expand; left is how much may still be written.
func (s *Set) expand(n *node.Node, left *int) error {
	if n == nil {
		return nil
	}
	if n.Kind() != node.Scalar {
		for _, item := range n.Items() {
			if err := s.expand(item, left); err != nil {
				return err
			}
		}
		return nil
	}
	text := n.Text()
	if !strings.Contains(text, "%{") {
		return nil
	}
	expr := parse(text)
	if *left -= expr.size(s.Get); *left < 0 {
		return tooLong(n)
	}
	value, ok := expr.expand(s.Get)
	if !ok {
		return s.blame(value, expr, n)
	}
	n.SetText(value)
	return nil
}

// blame gives the error for a reference at n that has no value.
func (s *Set) blame(name string, expr expression, n *node.Node) error {
	if s.broken != nil {
		if err := s.broken.blame("", expr, n); err != nil {
			return err
		}
	}
	return undefined(name, n)
}
