package variables

import (
	"slices"
	"sync"

	"bst/impl/node"
)

// Template is configuration that many elements expand. Those whose variables
// agree where it refers to them share one result.
type Template[T any] struct {
	node *node.Node
	refs []string
	make func(*node.Node) (T, error)

	// mu guards results.
	mu      sync.Mutex
	results map[string]T
}

// templateResults bounds the results that a template keeps: where nearly every
// element has its own there is nothing to gain.
const templateResults = 1024

// NewTemplate makes a template of n, which must not change after that. make
// works out what elements share from the expanded node, which is its to keep.
func NewTemplate[T any](n *node.Node, make func(*node.Node) (T, error)) *Template[T] {
	t := &Template[T]{node: n, make: make, results: map[string]T{}}
	t.collect(n)
	slices.Sort(t.refs)
	t.refs = slices.Compact(t.refs)
	return t
}

func (t *Template[T]) collect(n *node.Node) {
	if n == nil {
		return
	}
	if n.Kind() != node.Scalar {
		for _, item := range n.Items() {
			t.collect(item)
		}
		return
	}
	for _, r := range parse(n.Text()).refs {
		t.refs = append(t.refs, r.name)
	}
}

// Expand gives the result for an element. The caller must not change it.
func (t *Template[T]) Expand(s *Set) (T, error) {
	var room [256]byte
	key := room[:0]
	for _, name := range t.refs {
		value, ok := s.Get(name)
		if !ok {
			return t.expand(s) // and say what is missing
		}
		key = append(append(key, value...), 0)
	}
	t.mu.Lock()
	result, ok := t.results[string(key)]
	t.mu.Unlock()
	if ok {
		return result, nil
	}
	result, err := t.expand(s)
	if err != nil {
		return result, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.results) < templateResults {
		t.results[string(key)] = result
	}
	return result, nil
}

func (t *Template[T]) expand(s *Set) (T, error) { return t.ExpandNode(t.node.Clone(), s) }

// Node is what the template was made of. The caller must not change it.
func (t *Template[T]) Node() *node.Node { return t.node }

// ExpandNode gives the result for another node, which is changed. Besides
// what Expand gives: LOAD/TRAILING_LIST_DIRECTIVE.
func (t *Template[T]) ExpandNode(n *node.Node, s *Set) (T, error) {
	var none T
	if err := n.AssertFullyComposited(); err != nil {
		return none, err
	}
	if err := s.Expand(n); err != nil {
		return none, err
	}
	return t.make(n)
}
