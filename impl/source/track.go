package source

import (
	"context"
	"slices"
	"strings"

	"bst/impl/cas"
	"bst/impl/element"
	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/stream"
)

// Tracked is a source that was tracked.
type Tracked struct {
	Source *element.Source
	// Ref is the newest one, nil where the source has none and none was found.
	Ref *node.Node
	// Changed says that it is another than the source had.
	Changed bool
}

// Track finds the newest refs of an element's sources, in order: what one is found
// to be is what those after it see. Nothing is written. The element must have been
// resolved with Options.KeepSources.
func (c *Cache) Track(ctx context.Context, e *element.Element, r Reporter) ([]Tracked, error) {
	sources := slices.Clone(e.Sources)
	list := make([]Tracked, len(sources))
	for i, s := range e.Sources {
		list[i].Source = s
		tracker, ok := s.Impl.(kind.Tracker)
		if !ok {
			continue
		}
		old := tracker.Ref()
		ref, err := c.trackOne(ctx, tracker, sources[:i:i], s, r)
		if err != nil {
			return nil, err
		}
		if ref == nil {
			ref = old
		}
		list[i].Ref = ref
		if same(old, ref) {
			continue
		}
		list[i].Changed = true
		r.Message(stream.TypeInfo, "Found new revision: "+brief(ref), "")
		if sources[i], err = s.WithRef(ref); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (c *Cache) trackOne(ctx context.Context, tracker kind.Tracker, before []*element.Source, s *element.Source, r Reporter) (*node.Node, error) {
	w := c.work(s, r)
	defer w.close()
	previous := ""
	if s.Traits.TracksPrevious {
		var err error
		if previous, err = c.previous(ctx, before, s.Directory, w, r); err != nil {
			return nil, err
		}
	}
	return tracker.Track(ctx, w, previous)
}

// previous fetches sources, stages them, and makes a copy of what is then at a place.
func (c *Cache) previous(ctx context.Context, sources []*element.Source, place string, w *work, r Reporter) (string, error) {
	for _, s := range sources {
		if err := c.fetch(ctx, s, r); err != nil {
			return "", err
		}
	}
	root, err := c.over(ctx, sources, r)
	if err != nil {
		return "", err
	}
	if root, err = root.Sub(strings.TrimLeft(place, "/"), true); err != nil {
		return "", err
	}
	digest, err := root.Digest()
	if err != nil {
		return "", err
	}
	dir, err := w.TempDir()
	if err != nil {
		return "", err
	}
	return dir, c.store.CheckoutTree(digest, dir, cas.CheckoutOptions{})
}

func same(a, b *node.Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Kind() != b.Kind() || a.Len() != b.Len() {
		return false
	}
	if a.Kind() == node.Scalar {
		return a.Text() == b.Text()
	}
	for i, item := range a.Items() {
		other := b.Items()[i]
		if a.Kind() == node.Mapping {
			if other = b.Get(a.Keys()[i]); other == nil {
				return false
			}
		}
		if !same(item, other) {
			return false
		}
	}
	return true
}

// longestRef is up to where a ref is shown whole, in characters.
const longestRef = 200

// brief is a ref on one line.
func brief(ref *node.Node) string {
	var b strings.Builder
	write(&b, ref)
	text := strings.Trim(b.String(), "{}")
	if ref.Len() == 1 {
		text = strings.TrimPrefix(text, ref.Keys()[0]+": ")
	}
	if runes := []rune(text); len(runes) > longestRef {
		text = string(runes[:longestRef]) + "…"
	}
	return text
}

func write(b *strings.Builder, n *node.Node) {
	if n.Kind() == node.Scalar {
		b.WriteString(n.Text())
		return
	}
	open, end := "[", "]"
	if n.Kind() == node.Mapping {
		open, end = "{", "}"
	}
	b.WriteString(open)
	for i, item := range n.Items() {
		if i > 0 {
			b.WriteString(", ")
		}
		if n.Kind() == node.Mapping {
			b.WriteString(n.Keys()[i] + ": ")
		}
		if write(b, item); b.Len() > 8*longestRef {
			break
		}
	}
	b.WriteString(end)
}
