package source

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"bst/impl/cas"
	"bst/impl/element"

	"github.com/google/go-cmp/cmp"
)

// others are a machine that shares sources.
type others struct {
	elements, sources map[string]cas.Digest
	err               error

	mu    sync.Mutex // guards asked
	asked []string
}

func (o *others) find(what string, in map[string]cas.Digest, name string) (cas.Digest, bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked = append(o.asked, what)
	d, ok := in[name]
	return d, ok, o.err
}

func (o *others) PullElement(_ context.Context, e *element.Element, _ Reporter) (cas.Digest, bool, error) {
	return o.find("element", o.elements, e.SourcesKey)
}

func (o *others) PullSource(_ context.Context, s *element.Source, name string, _ Reporter) (cas.Digest, bool, error) {
	return o.find(s.Kind, o.sources, name)
}

// TestShared: what others have is not fetched, and they are asked for nothing else
// than what can be there.
func TestShared(t *testing.T) {
	w := newWorld(t, map[string]string{"a/f": "a"})
	broken := errors.New("this machine's disk")
	tests := []struct {
		name    string
		sources []string // ARCHIVE is an archive
		element bool     // they have the element's sources
		singles bool     // they have each
		err     error
		asked   []string
		fetched bool // from where they come from
	}{
		{name: "nobody has it", sources: []string{"tar|ARCHIVE"}, asked: []string{"element", "tar"}, fetched: true},
		{name: "all together", sources: []string{"tar|ARCHIVE", "local|path: a"}, element: true, asked: []string{"element"}},
		{name: "one alone", sources: []string{"local|path: a", "tar d|ARCHIVE"}, singles: true, asked: []string{"element", "tar"}},
		{name: "on this host", sources: []string{"local|path: a"}, element: true, singles: true},
		{name: "a failure of this host", sources: []string{"tar|ARCHIVE"}, err: broken, asked: []string{"element"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx := context.Background()
			yaml, asked := w.archive("f", "sub/"+test.name)
			list := slices.Clone(test.sources)
			for i, s := range list {
				if head, ok := strings.CutSuffix(s, "ARCHIVE"); ok {
					list[i] = head + yaml
				}
			}
			e := w.element(list...)

			// Others fetch it, into the same store.
			dir := t.TempDir()
			cache, err := Open(dir, filepath.Join(dir, "sources"), w.store)
			if err != nil {
				t.Fatal(err)
			}
			defer cache.Close()
			if err := cache.Fetch(ctx, e, w.work); err != nil {
				t.Fatal(err)
			}
			message, tree, ok := cache.Message(e)
			if !ok {
				t.Fatal("others have no message")
			}
			if d, err := Tree(message); err != nil || d != tree {
				t.Fatalf("their message says %v, %v; want %v", d, err, tree)
			}
			o := &others{elements: map[string]cas.Digest{}, sources: map[string]cas.Digest{}, err: test.err}
			if test.element {
				o.elements[e.SourcesKey] = tree
			}
			for _, s := range cache.Singles(e) {
				if test.singles {
					o.sources[s.Name] = s.Tree
				}
			}
			want := w.files(tree)

			asked.Store(0)
			w.cache.Share(o)
			defer w.cache.Share(nil)
			err = w.cache.Fetch(ctx, e, w.work)
			if !errors.Is(err, test.err) {
				t.Fatalf("got %v, want %v", err, test.err)
			}
			if diff := cmp.Diff(test.asked, o.asked); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
			if got := asked.Load() > 0; got != test.fetched {
				t.Errorf("fetched from where it comes from: %v", got)
			}
			if err != nil {
				if w.cache.Cached(e) {
					t.Error("it is cached")
				}
				return
			}
			got, err := w.cache.Tree(ctx, e, w.work)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, w.files(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSingles: what is on this host has no tree of its own to share.
func TestSingles(t *testing.T) {
	w := newWorld(t, map[string]string{"a/f": "a"})
	yaml, _ := w.archive("f")
	e := w.element("local|path: a", "tar d|"+yaml)
	if got := w.cache.Singles(e); len(got) != 0 {
		t.Errorf("before they are staged there are %v", got)
	}
	if _, _, ok := w.cache.Message(e); ok {
		t.Error("before they are staged there is a message")
	}
	if err := w.cache.Fetch(context.Background(), e, w.work); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range w.cache.Singles(e) {
		names = append(names, s.Name)
	}
	if diff := cmp.Diff([]string{"tar/" + e.Sources[1].Key}, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}
