// Package source keeps the sources of elements: it fetches and stages them, and
// remembers the trees that came out of it.
//
// It knows elements' lists of sources and the store. It does not know what a
// source kind does, nor when anything is to be done.
//
// # What is on disk
//
// As in the reference, below the cache directory:
//
//	elementsources/<key>          the tree of all sources of an element, staged together
//	source_protos/<kind>/<key>    the tree of one source alone
//
// Each is a Source message with the tree's digest. Sources that look at the
// ones before them (patch) have no tree of their own, and those that lie on
// this host as they are staged (local) need none: their key is the digest.
package source

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"bst/impl/cas"
	"bst/impl/element"
	"bst/impl/kind"
	"bst/impl/stream"
)

// Cache holds staged sources. Its methods may be called from any goroutine.
type Cache struct {
	cacheDir, sourceDir string
	store               *cas.Store
	temp                tempDirs
	// shared is nil for nobody.
	shared Shared

	mu sync.Mutex // guards trees and busy
	// trees are the elements' trees that were seen whole in the store.
	trees map[string]cas.Digest
	// staged are the keys of elements' sources that may be staged, nil for all.
	staged map[string]bool
	// busy has a channel for each single source that is being fetched or
	// staged; it is closed when that is done.
	busy map[string]chan struct{}
}

// Open makes a cache over <cachedir>, whose objects are in store. What source
// kinds download goes to <sourcedir>/<kind>. Nothing is read or written yet.
func Open(cacheDir, sourceDir string, store *cas.Store) (*Cache, error) {
	return &Cache{
		cacheDir: cacheDir, sourceDir: sourceDir, store: store,
		temp:  tempDirs{root: filepath.Join(cacheDir, "tmp")},
		trees: map[string]cas.Digest{}, busy: map[string]chan struct{}{},
	}, nil
}

// Close removes temporary files. The cache may not be used any more.
func (c *Cache) Close() error { return c.temp.close() }

// Reporter is where a task that works with sources says what it does.
type Reporter interface {
	// Log receives the output of programs.
	Log() io.Writer
	// Progress reports the bytes of a download; total 0 is unknown.
	Progress(current, total int)
	// Count reports how many of something have come.
	Count(current, total int)
	Message(t stream.MessageType, text, detail string)
	// Activity logs a timed activity (START and SUCCESS or FAILURE).
	Activity(name string, f func() error) error
	// Warn logs a configurable warning, and returns an error where the
	// element's project makes it fatal.
	Warn(token, text, detail string) error
}

// Cached says that the element's staged sources are in the store.
func (c *Cache) Cached(e *element.Element) bool {
	_, ok := c.cached(e)
	return ok
}

func (c *Cache) cached(e *element.Element) (cas.Digest, bool) {
	if len(e.Sources) == 0 {
		return cas.EmptyDigest, true
	}
	if !validKey(e.SourcesKey) {
		return cas.Digest{}, false
	}
	c.mu.Lock()
	d, ok := c.trees[e.SourcesKey]
	none := c.staged != nil && !c.staged[e.SourcesKey]
	c.mu.Unlock()
	if ok {
		return d, true
	}
	if none {
		return cas.Digest{}, false
	}
	if d, ok = c.load(c.elementRef(e)); !ok {
		return cas.Digest{}, false
	}
	c.remember(e, d)
	return d, true
}

func (c *Cache) remember(e *element.Element, d cas.Digest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trees[e.SourcesKey] = d
}

// Ask is for asking about many elements: it reads first which sources are staged,
// so that until done is called only these are looked for.
func (c *Cache) Ask() (done func()) {
	set := func(staged map[string]bool) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.staged = staged
	}
	f, err := os.Open(filepath.Join(c.cacheDir, "elementsources"))
	if errors.Is(err, fs.ErrNotExist) {
		set(map[string]bool{})
		return func() { set(nil) }
	}
	if err != nil {
		return func() {}
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return func() {}
	}
	staged := make(map[string]bool, len(names))
	for _, name := range names {
		staged[name] = true
	}
	set(staged)
	return func() { set(nil) }
}

// load reads a ref whose tree is whole in the store. A ref that is not, or
// that is damaged, is as good as none: the source is staged again.
func (c *Cache) load(ref string) (cas.Digest, bool) {
	d, err := c.readRef(ref)
	if err != nil {
		return cas.Digest{}, false
	}
	whole, err := c.store.Whole(d)
	return d, err == nil && whole
}

func (c *Cache) elementRef(e *element.Element) string {
	return filepath.Join(c.cacheDir, "elementsources", e.SourcesKey)
}

func (c *Cache) sourceRef(s *element.Source) string {
	return filepath.Join(c.cacheDir, "source_protos", s.Kind, s.Key)
}

// FetchNeeded says that fetching the element's sources would use the network:
// they are neither staged nor downloaded.
func (c *Cache) FetchNeeded(ctx context.Context, e *element.Element) bool {
	if c.Cached(e) {
		return false
	}
	for _, s := range e.Sources {
		w := c.work(s, silent{})
		ok := s.Resolved && s.Impl.Cached(ctx, w)
		w.close()
		if !ok {
			return true
		}
	}
	return false
}

// Fetch brings the element's sources here and stages them: afterwards they are
// Cached. The errors of source kinds come as they are; those of sources that
// do not fit together are ELEMENT/stage-sources-fail.
func (c *Cache) Fetch(ctx context.Context, e *element.Element, r Reporter) error {
	if c.Cached(e) {
		return nil
	}
	if found, err := c.pullElement(ctx, e, r); err != nil || found {
		return err
	}
	for _, s := range e.Sources {
		if err := c.fetch(ctx, s, r); err != nil {
			return err
		}
	}
	_, err := c.Tree(ctx, e, r)
	return err
}

// fetch makes one source ready to be staged without network.
func (c *Cache) fetch(ctx context.Context, s *element.Source, r Reporter) error {
	if _, ok := s.Impl.(kind.DirectSource); ok {
		return nil
	}
	if !s.Resolved {
		return &stream.Error{Domain: stream.DomainSource, Message: s.String() + ": No reference to fetch"}
	}
	release, err := c.acquire(ctx, s)
	if err != nil {
		return err
	}
	defer release()
	if !s.Traits.RequiresPrevious {
		if _, ok := c.load(c.sourceRef(s)); ok {
			return nil
		}
	}
	w := c.work(s, r)
	defer w.close()
	if s.Impl.Cached(ctx, w) {
		return nil
	}
	if found, err := c.pullSource(ctx, s, r); err != nil || found {
		return err
	}
	return s.Impl.Fetch(ctx, w)
}

// Tree gives the directory of all the element's sources, each in its place. It
// is staged where it is not in the store yet, without network.
func (c *Cache) Tree(ctx context.Context, e *element.Element, r Reporter) (cas.Digest, error) {
	if d, ok := c.cached(e); ok {
		return d, nil
	}
	if !validKey(e.SourcesKey) {
		return cas.Digest{}, &stream.Error{Domain: stream.DomainSource, Message: e.String() + ": Sources have no reference"}
	}
	d, err := c.stage(ctx, e, r)
	var fault *stream.Error
	if errors.As(err, &fault) && fault.Domain == stream.DomainVirtualFS {
		return cas.Digest{}, &stream.Error{
			Domain: stream.DomainElement, Reason: "stage-sources-fail",
			Message: "Error trying to stage sources for " + e.Name + ": " + fault.Message,
			Detail:  fault.Detail, Cause: fault.Cause,
		}
	}
	if err != nil {
		return cas.Digest{}, err
	}
	if err := c.writeRef(c.elementRef(e), d); err != nil {
		return cas.Digest{}, err
	}
	c.remember(e, d)
	return d, nil
}

// stage puts the sources over each other, in order.
func (c *Cache) stage(ctx context.Context, e *element.Element, r Reporter) (cas.Digest, error) {
	if len(e.Sources) == 1 && e.Sources[0].Directory == "" && !e.Sources[0].Traits.RequiresPrevious {
		return c.single(ctx, e.Sources[0], r)
	}
	root, err := c.over(ctx, e.Sources, r)
	if err != nil {
		return cas.Digest{}, err
	}
	return root.Digest()
}

// over stages sources over each other, each in its place.
func (c *Cache) over(ctx context.Context, sources []*element.Source, r Reporter) (*cas.Dir, error) {
	root := c.store.EmptyDir()
	for _, s := range sources {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		place, err := root.Sub(strings.TrimLeft(s.Directory, "/"), true)
		if err != nil {
			return nil, err
		}
		if s.Traits.RequiresPrevious {
			err = c.change(ctx, s, r, place)
		} else {
			err = c.add(ctx, s, r, place)
		}
		if err != nil {
			return nil, err
		}
	}
	return root, nil
}

// add stages a source over what is at its place.
func (c *Cache) add(ctx context.Context, s *element.Source, r Reporter, place *cas.Dir) error {
	d, err := c.single(ctx, s, r)
	if err != nil {
		return err
	}
	tree, err := c.store.OpenDir(d)
	if err != nil {
		return err
	}
	_, err = place.Import(tree, cas.ImportOptions{NoResult: true})
	return err
}

// change lets a source work on what is at its place.
func (c *Cache) change(ctx context.Context, s *element.Source, r Reporter, place *cas.Dir) error {
	before, err := place.Digest()
	if err != nil {
		return err
	}
	after, err := c.onDisk(ctx, s, r, before)
	if err != nil {
		return err
	}
	tree, err := c.store.OpenDir(after)
	if err != nil {
		return err
	}
	for _, entry := range place.Entries() {
		if err := place.Remove(entry.Name, true); err != nil {
			return err
		}
	}
	_, err = place.Import(tree, cas.ImportOptions{NoResult: true})
	return err
}

// single gives the tree of a source that needs no others.
func (c *Cache) single(ctx context.Context, s *element.Source, r Reporter) (cas.Digest, error) {
	if direct, ok := s.Impl.(kind.DirectSource); ok {
		return direct.Directory(ctx, c.store)
	}
	release, err := c.acquire(ctx, s)
	if err != nil {
		return cas.Digest{}, err
	}
	defer release()
	ref := c.sourceRef(s)
	if d, ok := c.load(ref); ok {
		return d, nil
	}
	d, err := c.onDisk(ctx, s, r, cas.EmptyDigest)
	if err != nil {
		return cas.Digest{}, err
	}
	return d, c.writeRef(ref, d)
}

// onDisk stages a source into a folder with the given content, and captures it.
func (c *Cache) onDisk(ctx context.Context, s *element.Source, r Reporter, before cas.Digest) (cas.Digest, error) {
	w := c.work(s, r)
	defer w.close()
	dir, err := w.TempDir()
	if err != nil {
		return cas.Digest{}, err
	}
	if before != cas.EmptyDigest {
		// Copies: what works on the folder must not reach the store.
		if err := c.store.CheckoutTree(before, dir, cas.CheckoutOptions{}); err != nil {
			return cas.Digest{}, err
		}
	}
	if err := s.Impl.Stage(ctx, w, dir); err != nil {
		return cas.Digest{}, err
	}
	return c.store.CaptureTree(dir, cas.CaptureOptions{})
}

// acquire waits until nobody else works on the same source: elements often
// share a tarball or a repository, and one download is enough.
func (c *Cache) acquire(ctx context.Context, s *element.Source) (release func(), err error) {
	name := s.Kind + "/" + s.Key
	for {
		c.mu.Lock()
		done, ok := c.busy[name]
		if !ok {
			done = make(chan struct{})
			c.busy[name] = done
			c.mu.Unlock()
			return func() {
				c.mu.Lock()
				defer c.mu.Unlock()
				delete(c.busy, name)
				close(done)
			}, nil
		}
		c.mu.Unlock()
		select {
		case <-done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// validKey says that a key can be the name of a file.
func validKey(key string) bool {
	return len(key) == 64 && strings.Trim(key, "0123456789abcdef") == ""
}
