package source

import (
	"context"

	"bst/impl/cas"
	"bst/impl/element"
	"bst/impl/kind"
)

// Shared brings sources that others have fetched, by their keys. Its methods may be
// called from any goroutine. What they bring is whole in the store; found is false
// where nobody has it, or those who do cannot be reached: then it is fetched from
// where it comes from.
type Shared interface {
	// PullElement brings the tree of all sources of an element.
	PullElement(ctx context.Context, e *element.Element, r Reporter) (tree cas.Digest, found bool, err error)
	// PullSource brings the tree of one source alone; name is kind/key.
	PullSource(ctx context.Context, s *element.Source, name string, r Reporter) (tree cas.Digest, found bool, err error)
}

// Share has sources brought by s before they are fetched, nil for nobody. It is called
// before anything is fetched.
func (c *Cache) Share(s Shared) { c.shared = s }

// pullElement notes the tree of an element's sources, where somebody has it.
func (c *Cache) pullElement(ctx context.Context, e *element.Element, r Reporter) (bool, error) {
	if c.shared == nil || !validKey(e.SourcesKey) || local(e) {
		return false, nil
	}
	tree, found, err := c.shared.PullElement(ctx, e, r)
	if err != nil || !found {
		return false, err
	}
	if err := c.writeRef(c.elementRef(e), tree); err != nil {
		return false, err
	}
	c.remember(e, tree)
	return true, nil
}

// local says that all sources of an element lie on this host.
func local(e *element.Element) bool {
	for _, s := range e.Sources {
		if _, ok := s.Impl.(kind.DirectSource); !ok {
			return false
		}
	}
	return true
}

// pullSource notes the tree of one source, where somebody has it.
func (c *Cache) pullSource(ctx context.Context, s *element.Source, r Reporter) (bool, error) {
	if c.shared == nil || s.Traits.RequiresPrevious {
		return false, nil
	}
	tree, found, err := c.shared.PullSource(ctx, s, Name(s), r)
	if err != nil || !found {
		return false, err
	}
	return true, c.writeRef(c.sourceRef(s), tree)
}

// Name is what a single source is called: kind/key.
func Name(s *element.Source) string { return s.Kind + "/" + s.Key }

// Message is the message about an element's sources that others get, and the tree that
// it names; false where they are not staged.
func (c *Cache) Message(e *element.Element) (message []byte, tree cas.Digest, ok bool) {
	tree, ok = c.cached(e)
	if !ok {
		return nil, tree, false
	}
	return encodeSource(tree), tree, true
}

// MaxMessage is far more than such a message has, in bytes.
const MaxMessage = maxRef

// Tree reads a message.
func Tree(message []byte) (cas.Digest, error) { return decodeSource(message) }

// Single is the tree of a source alone.
type Single struct {
	// Name is kind/key.
	Name string
	Tree cas.Digest
}

// Singles are those of an element's sources that are kept one by one, and whole.
func (c *Cache) Singles(e *element.Element) []Single {
	var list []Single
	for _, s := range e.Sources {
		if s.Traits.RequiresPrevious || !validKey(s.Key) {
			continue
		}
		if tree, ok := c.load(c.sourceRef(s)); ok {
			list = append(list, Single{Name(s), tree})
		}
	}
	return list
}
