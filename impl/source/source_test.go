package source

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"bst/impl/cas"
	"bst/impl/element"
	"bst/impl/element/cachekey"
	"bst/impl/kind"
	"bst/impl/kind/all"
	"bst/impl/kind/sourcetest"
	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
)

// world is a project, a cache and a store.
type world struct {
	t     testing.TB
	env   *sourcetest.Env
	dir   string // the cache's
	store *cas.Store
	cache *Cache
	work  *sourcetest.Work
}

func newWorld(t testing.TB, files map[string]string) *world {
	w := &world{t: t, env: &sourcetest.Env{Dir: t.TempDir()}, dir: t.TempDir(), work: sourcetest.NewWork(t)}
	sourcetest.Write(t, w.env.Dir, files)
	w.open()
	return w
}

// open starts a session anew.
func (w *world) open() {
	if w.cache != nil {
		if err := w.cache.Close(); err != nil {
			w.t.Error(err)
		}
	}
	var err error
	if w.store, err = cas.Open(filepath.Join(w.dir, "cas")); err != nil {
		w.t.Fatal(err)
	}
	store := w.store
	w.t.Cleanup(func() { store.Close() })
	if w.cache, err = Open(w.dir, filepath.Join(w.dir, "sources"), w.store); err != nil {
		w.t.Fatal(err)
	}
	cache := w.cache
	w.t.Cleanup(func() { cache.Close() })
}

// element makes an element of sources in YAML, each with its kind and directory
// before a bar: "local dir|path: x".
func (w *world) element(sources ...string) *element.Element {
	e := &element.Element{Name: "e.bst", SourcesResolved: true}
	var list []any
	for i, text := range sources {
		head, yaml, _ := strings.Cut(text, "|")
		name, dir, _ := strings.Cut(head, " ")
		for _, traits := range all.Sources() {
			if traits.Kind != name {
				continue
			}
			impl := sourcetest.Must(w.t, traits, w.env, yaml)
			s := &element.Source{Element: e, Index: i, Kind: name, Directory: dir, Traits: &traits, Impl: impl, Resolved: impl.Resolved()}
			unique, err := impl.UniqueKey()
			if err != nil {
				w.t.Fatal(err)
			}
			encoded, err := cachekey.Append(nil, unique)
			if err != nil {
				w.t.Fatal(err)
			}
			s.Key = cachekey.Sum(encoded)
			list = append(list, map[string]any{"directory": dir, "key": unique, "name": name})
			e.Sources = append(e.Sources, s)
		}
	}
	encoded, err := cachekey.Append(nil, list)
	if err != nil {
		w.t.Fatal(err)
	}
	e.SourcesKey = cachekey.Sum(encoded)
	return e
}

// files checks a tree out.
func (w *world) files(d cas.Digest) map[string]string {
	dir := w.t.TempDir()
	if err := w.store.CheckoutTree(d, dir, cas.CheckoutOptions{}); err != nil {
		w.t.Fatal(err)
	}
	return sourcetest.Files(w.t, dir)
}

// archive serves a tar archive and counts how often it was asked for.
func (w *world) archive(files ...string) (yaml string, asked *atomic.Int32) {
	var b bytes.Buffer
	t := tar.NewWriter(&b)
	for _, name := range files {
		if err := t.WriteHeader(&tar.Header{Name: "top/" + name, Size: int64(len(name)), Mode: 0o644}); err != nil {
			w.t.Fatal(err)
		}
		io.WriteString(t, name)
	}
	t.Close()
	asked = new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		rw.Write(b.Bytes())
	}))
	w.t.Cleanup(server.Close)
	sum := sha256.Sum256(b.Bytes())
	return fmt.Sprintf("url: %s/a.tar\nref: %s", server.URL, hex.EncodeToString(sum[:])), asked
}

func TestTree(t *testing.T) {
	if _, err := exec.LookPath("patch"); err != nil {
		t.Skip("this test stages a patch, and needs the program patch")
	}
	w := newWorld(t, map[string]string{
		"a/f": "a", "a/d/g": "a", "b/f": "b", "b/x": "x:b", "single": "x:single",
		"p.diff": "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-one\n\\ No newline at end of file\n+two\n\\ No newline at end of file\n", "one/f": "one",
	})
	yaml, _ := w.archive("f", "sub/g")
	tests := []struct {
		name    string
		sources []string
		want    map[string]string
	}{
		{"none", nil, map[string]string{}},
		{"one folder", []string{"local|path: a"}, map[string]string{"f": "a", "d/": "", "d/g": "a"}},
		{"one file", []string{"local|path: single"}, map[string]string{"single": "x:single"}},
		{"a directory", []string{"local /in/side|path: single"}, map[string]string{"in/": "", "in/side/": "", "in/side/single": "x:single"}},
		{"one over the other", []string{"local|path: a", "local|path: b"}, map[string]string{"f": "b", "x": "x:b", "d/": "", "d/g": "a"}},
		{"an archive over local", []string{"local|path: a", "tar d|" + yaml},
			map[string]string{"f": "a", "d/": "", "d/f": "f", "d/g": "a", "d/sub/": "", "d/sub/g": "sub/g"}},
		{"a patch", []string{"local|path: one", "patch|path: p.diff"}, map[string]string{"f": "two"}},
		{"a patch in a directory", []string{"local|path: b", "local d|path: one", "patch d|path: p.diff"},
			map[string]string{"f": "b", "x": "x:b", "d/": "", "d/f": "two"}},
		{"a patch between", []string{"local|path: one", "patch|path: p.diff", "local|path: b/x"}, map[string]string{"f": "two", "x": "x:b"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx := context.Background()
			e := w.element(test.sources...)
			if len(test.sources) > 0 && w.cache.Cached(e) {
				t.Error("it is cached before it is fetched")
			}
			if err := w.cache.Fetch(ctx, e, w.work); err != nil {
				t.Fatalf("%v\n%s", err, w.work.LogText())
			}
			d, err := w.cache.Tree(ctx, e, w.work)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, w.files(d)); diff != "" {
				t.Error(diff)
			}
			// The next session finds it.
			w.open()
			if !w.cache.Cached(e) {
				t.Error("it is not cached")
			}
			if again, err := w.cache.Tree(ctx, e, w.work); err != nil || again != d {
				t.Errorf("then it is %v, %v", again, err)
			}
		})
	}
	if err := w.cache.Close(); err != nil {
		t.Error(err)
	}
	for _, left := range []string{"tmp", "cas/tmp"} {
		for name := range sourcetest.Files(t, w.dir) {
			if strings.HasPrefix(name, left+"/sources-") {
				t.Errorf("%s is left", name)
			}
		}
	}
}

// TestFetchNeeded: only sources that are not on this host need to be fetched.
func TestFetchNeeded(t *testing.T) {
	w := newWorld(t, map[string]string{"f": "x"})
	yaml, asked := w.archive("f")
	ctx := context.Background()
	if w.cache.FetchNeeded(ctx, w.element("local|path: f")) {
		t.Error("a local source needs to be fetched")
	}
	e := w.element("local|path: f", "tar|"+yaml)
	if !w.cache.FetchNeeded(ctx, e) {
		t.Error("an archive need not be fetched")
	}
	if err := w.cache.Fetch(ctx, e, w.work); err != nil {
		t.Fatal(err)
	}
	// Without the staged trees, the download is enough.
	for _, dir := range []string{"elementsources", "source_protos"} {
		if err := os.RemoveAll(filepath.Join(w.dir, dir)); err != nil {
			t.Fatal(err)
		}
	}
	w.open()
	if w.cache.Cached(e) || w.cache.FetchNeeded(ctx, e) {
		t.Error("what was downloaded is not found")
	}
	if err := w.cache.Fetch(ctx, e, w.work); err != nil || !w.cache.Cached(e) {
		t.Fatal(err)
	}
	// And without the download, the staged source is.
	if err := os.RemoveAll(filepath.Join(w.dir, "sources")); err != nil {
		t.Fatal(err)
	}
	other := w.element("tar d|" + yaml)
	if err := w.cache.Fetch(ctx, other, w.work); err != nil {
		t.Fatal(err)
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("it was downloaded %d times", n)
	}
}

// TestTogether: elements that share a source share its download.
func TestTogether(t *testing.T) {
	w := newWorld(t, nil)
	yaml, asked := w.archive("f")
	var wait sync.WaitGroup
	for i := range 8 {
		e := w.element(fmt.Sprintf("tar d%d|%s", i, yaml))
		wait.Go(func() {
			if err := w.cache.Fetch(context.Background(), e, w.work); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("it was downloaded %d times", n)
	}
}

func TestFailures(t *testing.T) {
	w := newWorld(t, map[string]string{"file.txt": "x", "d/g": "y"})
	tests := []struct {
		name    string
		sources []string
		want    stream.Error
	}{
		{"a directory where a file is", []string{"local|path: file.txt", "local file.txt|path: d"},
			stream.Error{Domain: stream.DomainElement, Reason: "stage-sources-fail", Message: "Error trying to stage sources for e.bst: "}},
		{"a patch for nothing", []string{"patch|path: file.txt"},
			stream.Error{Domain: stream.DomainSource, Reason: "patch-no-files", Message: "Nothing to patch in directory '"}},
		{"no such file", []string{"remote|url: file://" + w.env.Dir + "/none\nref: " + strings.Repeat("0", 64)},
			stream.Error{Domain: stream.DomainSource, Message: "remote source at element.bst [line 4 column 2]: Error mirroring file://" + w.env.Dir + "/none: No such file"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := w.element(test.sources...)
			err := w.cache.Fetch(context.Background(), e, w.work)
			var got *stream.Error
			if !errors.As(err, &got) || got.Domain != test.want.Domain || got.Reason != test.want.Reason || !strings.HasPrefix(got.Message, test.want.Message) {
				t.Errorf("got %#v", err)
			}
			if w.cache.Cached(e) {
				t.Error("it is cached")
			}
		})
	}
	e := w.element("remote|url: file:///nowhere/x")
	e.SourcesKey = ""
	if err := w.cache.Fetch(context.Background(), e, w.work); err == nil || !strings.Contains(err.Error(), "No reference") {
		t.Errorf("without a ref: %v", err)
	}
	if _, err := w.cache.Tree(context.Background(), e, w.work); err == nil {
		t.Error("without a ref it has a tree")
	}
}

// TestDamaged: a ref that is no ref, or whose files are gone, is staged again.
func TestDamaged(t *testing.T) {
	ctx := context.Background()
	for _, damage := range []func(w *world, ref string, d cas.Digest) error{
		func(_ *world, ref string, _ cas.Digest) error { return os.WriteFile(ref, []byte("nonsense"), 0o644) },
		func(_ *world, ref string, _ cas.Digest) error { return os.WriteFile(ref, nil, 0o644) },
		func(w *world, _ string, d cas.Digest) error { return os.Remove(w.store.Path(d)) },
		func(w *world, _ string, d cas.Digest) error {
			return os.Remove(w.store.Path(cas.DigestBytes([]byte("x"))))
		},
	} {
		w := newWorld(t, map[string]string{"d/f": "x"})
		e := w.element("local|path: d")
		d, err := w.cache.Tree(ctx, e, w.work)
		if err != nil {
			t.Fatal(err)
		}
		if err := damage(w, w.cache.elementRef(e), d); err != nil {
			t.Fatal(err)
		}
		w.open()
		if w.cache.Cached(e) {
			t.Error("it is cached")
		}
		if again, err := w.cache.Tree(ctx, e, w.work); err != nil || again != d {
			t.Errorf("got %v, %v", again, err)
		}
	}
}

// TestSweep: what a process that was killed left behind is removed, and what
// belongs to a living one is not.
func TestSweep(t *testing.T) {
	root := t.TempDir()
	living := tempDirs{root: root}
	dir, err := living.make()
	if err != nil {
		t.Fatal(err)
	}
	sourcetest.Write(t, root, map[string]string{"sources-dead/lock": "", "sources-dead/1/f": "", "sources-new/": "", "other/f": ""})
	second := tempDirs{root: root}
	if _, err := second.make(); err != nil {
		t.Fatal(err)
	}
	files := sourcetest.Files(t, root)
	if _, ok := files["sources-dead/"]; ok {
		t.Error("the dead one's is there")
	}
	for _, name := range []string{"sources-new/", "other/f", strings.TrimPrefix(dir, root+"/") + "/"} {
		if _, ok := files[name]; !ok {
			t.Errorf("%s is gone", name)
		}
	}
	for _, t2 := range []*tempDirs{&living, &second} {
		if err := t2.close(); err != nil {
			t.Error(err)
		}
	}
	if got := sourcetest.Files(t, root); len(got) != 3 {
		t.Errorf("left is %v", got)
	}
}

// TestRef: the message is the reference's Source.
func TestRef(t *testing.T) {
	d := cas.DigestBytes([]byte("x"))
	b := encodeSource(d)
	if got, err := decodeSource(b); err != nil || got != d {
		t.Errorf("got %v, %v", got, err)
	}
	// A version and fields to come do not matter.
	more := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 7)
	more = append(more, b...)
	more = protowire.AppendFixed32(protowire.AppendTag(more, 9, protowire.Fixed32Type), 1)
	if got, err := decodeSource(more); err != nil || got != d {
		t.Errorf("got %v, %v", got, err)
	}
}

func FuzzDecodeSource(f *testing.F) {
	f.Add(encodeSource(cas.DigestBytes([]byte("x"))))
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := decodeSource(b); err == nil && !d.Valid() {
			t.Errorf("%v", d)
		}
	})
}

// BenchmarkLocal stages elements with a small local source each, as an import
// of a distribution's packages has them, into an empty cache.
func BenchmarkLocal(b *testing.B) {
	const count = 1139
	files := map[string]string{}
	for i := range count {
		files[fmt.Sprintf("files/p%d/usr/share/doc/p%d", i, i)] = fmt.Sprint("package ", i)
	}
	w := newWorld(b, files)
	for b.Loop() {
		b.StopTimer()
		w.dir = b.TempDir()
		w.open()
		elements := make([]*element.Element, count)
		for i := range elements {
			elements[i] = w.element(fmt.Sprintf("local|path: files/p%d", i))
		}
		b.StartTimer()
		for _, e := range elements {
			if _, err := w.cache.Tree(context.Background(), e, w.work); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*count), "µs/element")
}

var _ kind.SourceWork = (*work)(nil)
