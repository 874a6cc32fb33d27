package cas

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// names lists a folder.
func names(t testing.TB, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range list {
		out = append(out, e.Name())
	}
	return out
}

// populate makes files in dir. In the map a key that ends in "/" is a folder, a
// value that starts with "-> " a symlink, and one with "#!" an executable.
func populate(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	keys := make([]string, 0, len(files))
	for k := range files {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, name := range keys {
		path, content := filepath.Join(dir, name), files[name]
		var err error
		if strings.HasSuffix(name, "/") {
			err = os.MkdirAll(path, 0o755)
		} else if err = os.MkdirAll(filepath.Dir(path), 0o755); err == nil {
			if target, ok := strings.CutPrefix(content, "-> "); ok {
				err = os.Symlink(target, path)
			} else if strings.HasPrefix(content, "#!") {
				err = os.WriteFile(path, []byte(content), 0o755)
			} else {
				err = os.WriteFile(path, []byte(content), 0o644)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// listing is the reverse of populate, of a virtual directory.
func listing(t testing.TB, d *Dir) map[string]string {
	t.Helper()
	out := map[string]string{}
	empty := map[string]bool{}
	err := d.Walk(func(path string, e Entry) error {
		if i := strings.LastIndexByte(path, '/'); i >= 0 {
			delete(empty, path[:i])
		}
		switch e.Type {
		case TypeDirectory:
			empty[path] = true
		case TypeSymlink:
			out[path] = "-> " + e.Target
		default:
			b, err := d.Store().Get(e.Digest)
			if err != nil {
				return err
			}
			out[path] = string(b)
			if e.Executable != strings.HasPrefix(string(b), "#!") {
				t.Errorf("%s: executable is %v", path, e.Executable)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for path := range empty {
		out[path+"/"] = ""
	}
	return out
}

func captureMap(t testing.TB, s *Store, files map[string]string) Digest {
	t.Helper()
	dir := t.TempDir()
	populate(t, dir, files)
	d, err := s.CaptureTree(dir, CaptureOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func openMap(t testing.TB, s *Store, files map[string]string) *Dir {
	t.Helper()
	dir, err := s.OpenDir(captureMap(t, s, files))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

var sample = map[string]string{
	"usr/bin/tool":      "#!/bin/sh\n",
	"usr/bin/same":      "not executable",
	"usr/share/same":    "not executable",
	"usr/share/doc/":    "",
	"usr/lib/large":     strings.Repeat("0123456789", copyBuffer/8),
	"lib":               "-> usr/lib",
	"etc/dangling":      "-> /nowhere/at/all",
	"etc/with ü, space": "name",
	"var/empty/":        "",
}

func TestCaptureAndCheckout(t *testing.T) {
	for _, opts := range []CheckoutOptions{{}, {Hardlink: true}} {
		t.Run(fmt.Sprintf("%+v", opts), func(t *testing.T) {
			withUmask(t, 0o077)
			s := newStore(t)
			src := t.TempDir()
			populate(t, src, sample)
			d, err := s.CaptureTree(src, CaptureOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if pure, err := DigestTree(src); err != nil || pure != d {
				t.Errorf("DigestTree gives %v, %v; CaptureTree %v", pure, err, d)
			}
			if ok, err := s.HasTree(d); !ok || err != nil {
				t.Errorf("HasTree: %v, %v", ok, err)
			}
			dir, err := s.OpenDir(d)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(sample, listing(t, dir)); diff != "" {
				t.Error(diff)
			}

			dest := filepath.Join(t.TempDir(), "not/there/yet")
			for range 2 { // into nothing, and over itself
				if err := s.CheckoutTree(d, dest, opts); err != nil {
					t.Fatal(err)
				}
			}
			if back, err := DigestTree(dest); err != nil || back != d {
				t.Errorf("the checkout has the digest %v, %v; want %v", back, err, d)
			}
			err = filepath.WalkDir(dest, func(path string, item os.DirEntry, err error) error {
				if err != nil || path == dest {
					return err
				}
				st, err := item.Info()
				if err != nil {
					return err
				}
				if !st.ModTime().Equal(MTime) {
					t.Errorf("%s has the time %v", path, st.ModTime())
				}
				want := os.FileMode(0o644)
				switch {
				case st.IsDir():
					want = os.ModeDir | 0o755
				case st.Mode()&os.ModeSymlink != 0:
					return nil
				case strings.HasSuffix(path, "/tool"):
					want = 0o755
				}
				if st.Mode() != want {
					t.Errorf("%s has the mode %v", path, st.Mode())
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			object, err := os.Stat(s.Path(DigestBytes([]byte("not executable"))))
			if err != nil {
				t.Fatal(err)
			}
			file, err := os.Stat(filepath.Join(dest, "usr/share/same"))
			if err != nil {
				t.Fatal(err)
			}
			if os.SameFile(object, file) != opts.Hardlink {
				t.Errorf("is a hard link: %v", !opts.Hardlink)
			}
		})
	}
}

// The same content, executable here and not there, must not meet in one inode.
func TestHardlinksKeepTheExecutableBitApart(t *testing.T) {
	s := newStore(t)
	src := t.TempDir()
	populate(t, src, map[string]string{"a/plain": "same", "b/tool": "same"})
	if err := os.Chmod(filepath.Join(src, "b/tool"), 0o700); err != nil {
		t.Fatal(err)
	}
	d, err := s.CaptureTree(src, CaptureOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		dest := t.TempDir()
		if err := s.CheckoutTree(d, dest, CheckoutOptions{Hardlink: true}); err != nil {
			t.Fatal(err)
		}
		if back, err := DigestTree(dest); err != nil || back != d {
			t.Errorf("%v, %v; want %v", back, err, d)
		}
	}
}

func TestCaptureTimes(t *testing.T) {
	s := newStore(t)
	src := t.TempDir()
	populate(t, src, map[string]string{"f": "content"})
	when := time.Unix(1576486144, 12000000)
	if err := os.Chtimes(filepath.Join(src, "f"), when, when); err != nil {
		t.Fatal(err)
	}
	d, err := s.CaptureTree(src, CaptureOptions{MTimes: true})
	if err != nil {
		t.Fatal(err)
	}
	dest := t.TempDir()
	if err := s.CheckoutTree(d, dest, CheckoutOptions{Hardlink: true}); err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(filepath.Join(dest, "f"))
	if err != nil {
		t.Fatal(err)
	}
	if !st.ModTime().Equal(when) {
		t.Errorf("got %v", st.ModTime())
	}
	if object, err := os.Stat(s.Path(DigestBytes([]byte("content")))); err != nil || !object.ModTime().Equal(MTime) {
		t.Errorf("the object's time changed: %v", err)
	}
}

func TestCaptureSkipsWhatIsNoFile(t *testing.T) {
	s := newStore(t)
	src := t.TempDir()
	populate(t, src, map[string]string{"f": "content"})
	mkfifo(t, filepath.Join(src, "pipe"))
	var skipped []string
	d, err := s.CaptureTree(src, CaptureOptions{Skipped: func(path string) { skipped = append(skipped, path) }})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{filepath.Join(src, "pipe")}, skipped); diff != "" {
		t.Error(diff)
	}
	if want := captureMap(t, s, map[string]string{"f": "content"}); d != want {
		t.Errorf("%v, want %v", d, want)
	}
}

func TestCaptureErrors(t *testing.T) {
	s := newStore(t)
	dir := t.TempDir()
	_, err := s.CaptureTree(filepath.Join(dir, "none"), CaptureOptions{})
	wantError(t, err, "", filepath.Join(dir, "none"), "no such file")

	populate(t, dir, map[string]string{"bad\xffname": "x"})
	_, err = s.CaptureTree(dir, CaptureOptions{})
	wantError(t, err, "", dir, "UTF-8")

	deep := t.TempDir()
	if err := os.MkdirAll(filepath.Join(deep, strings.Repeat("d/", MaxDepth+2)), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err = s.CaptureTree(deep, CaptureOptions{})
	wantError(t, err, "", "nested more than")
}

func TestCheckoutStaysInside(t *testing.T) {
	for _, tc := range []struct {
		name   string
		before map[string]string // in dest
		tree   map[string]string
		want   string // of the error
	}{
		{"symlink for a folder", map[string]string{"a": "-> ../outside"}, map[string]string{"a/f": "new"}, "a file or symlink is in its place"},
		{"symlink deeper", map[string]string{"a/b": "-> ../../outside"}, map[string]string{"a/b/f": "new"}, "a file or symlink is in its place"},
		{"absolute symlink", map[string]string{"a": "-> OUTSIDE"}, map[string]string{"a/f": "new"}, "a file or symlink is in its place"},
		{"file for a folder", map[string]string{"a": "file"}, map[string]string{"a/f": "new"}, "a file or symlink is in its place"},
		{"folder for a file", map[string]string{"f/x": "old"}, map[string]string{"f": "new"}, "a folder is in its place"},
		{"folder for a symlink", map[string]string{"f/x": "old"}, map[string]string{"f": "-> x"}, "a folder is in its place"},
		{"symlink for a file", map[string]string{"f": "-> ../outside/f"}, map[string]string{"f": "new"}, ""},
		{"file for a symlink", map[string]string{"f": "old"}, map[string]string{"f": "-> ../outside/f"}, ""},
	} {
		for _, opts := range []CheckoutOptions{{}, {Hardlink: true}} {
			t.Run(fmt.Sprintf("%s %+v", tc.name, opts), func(t *testing.T) {
				s := newStore(t)
				top := t.TempDir()
				for name, content := range tc.before {
					tc.before[name] = strings.ReplaceAll(content, "OUTSIDE", filepath.Join(top, "outside"))
				}
				populate(t, filepath.Join(top, "outside"), map[string]string{"f": "precious"})
				dest := filepath.Join(top, "dest")
				populate(t, dest, tc.before)
				d := captureMap(t, s, tc.tree)
				err := s.CheckoutTree(d, dest, opts)
				if tc.want == "" {
					if err != nil {
						t.Fatal(err)
					}
					if back, err := DigestTree(dest); err != nil || back != d {
						t.Errorf("%v, %v", back, err)
					}
				} else {
					wantError(t, err, "", dest, tc.want)
				}
				if diff := cmp.Diff([]string{"f"}, names(t, filepath.Join(top, "outside"))); diff != "" {
					t.Error(diff)
				}
				if b, err := os.ReadFile(filepath.Join(top, "outside/f")); err != nil || string(b) != "precious" {
					t.Errorf("%q, %v", b, err)
				}
			})
		}
	}
}

func TestCheckoutKeepsWhatIsThere(t *testing.T) {
	s := newStore(t)
	dest := t.TempDir()
	populate(t, dest, map[string]string{"mine": "stays", "a/mine": "stays", "a/f": "goes"})
	if err := s.CheckoutTree(captureMap(t, s, map[string]string{"a/f": "new"}), dest, CheckoutOptions{}); err != nil {
		t.Fatal(err)
	}
	got, err := s.CaptureTree(dest, CaptureOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := captureMap(t, s, map[string]string{"mine": "stays", "a/mine": "stays", "a/f": "new"}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestCheckoutOfIncompleteTree(t *testing.T) {
	for _, opts := range []CheckoutOptions{{}, {Hardlink: true}} {
		for _, gone := range []string{"usr/bin/same", "usr/bin/tool"} {
			s := newStore(t)
			d := captureMap(t, s, sample)
			object := DigestBytes([]byte(sample[gone]))
			if err := os.Remove(s.Path(object)); err != nil {
				t.Fatal(err)
			}
			if ok, err := s.HasTree(d); ok || err != nil {
				t.Errorf("HasTree: %v, %v", ok, err)
			}
			wantError(t, s.CheckoutTree(d, t.TempDir(), opts), ReasonMissing, object.Hash)
		}
	}
}

// A tree of 40 directories, each of which holds the next one twice, has 2^40
// files.
func TestTreeBomb(t *testing.T) {
	s := newStore(t)
	d := EmptyDigest
	for range 40 {
		entries := []Entry{{Name: "a", Type: TypeDirectory, Digest: d}, {Name: "b", Type: TypeDirectory, Digest: d}}
		var err error
		if d, err = s.writeDirectory(&dirData{entries: entries}); err != nil {
			t.Fatal(err)
		}
	}
	if ok, err := s.HasTree(d); !ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	dir, err := s.OpenDir(d)
	if err != nil {
		t.Fatal(err)
	}
	err = dir.Walk(func(string, Entry) error { return nil })
	wantError(t, err, "", "There are more than")

	deep := EmptyDigest
	for range MaxDepth + 2 {
		if deep, err = s.writeDirectory(&dirData{entries: []Entry{{Name: "d", Type: TypeDirectory, Digest: deep}}}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = s.HasTree(deep)
	wantError(t, err, "", "nested more than")
	wantError(t, s.CheckoutTree(deep, t.TempDir(), CheckoutOptions{}), "", "nested more than")
}

// forest makes 20,000 files of some 2 KiB in 1,000 folders.
func forest(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	filler := strings.Repeat("filler ", 300)
	for i := range 1000 {
		sub := filepath.Join(dir, fmt.Sprint(i%10), fmt.Sprint(i))
		if err := os.MkdirAll(sub, 0o755); err != nil {
			b.Fatal(err)
		}
		for j := range 20 {
			if err := os.WriteFile(filepath.Join(sub, fmt.Sprint(j)), fmt.Appendf(nil, "%d %d %s", i, j, filler), 0o644); err != nil {
				b.Fatal(err)
			}
		}
	}
	return dir
}

func BenchmarkTree20000(b *testing.B) {
	dir := forest(b)
	b.Run("digest", func(b *testing.B) {
		defer reportCPU(b)()
		for b.Loop() {
			if _, err := DigestTree(dir); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("capture", func(b *testing.B) {
		defer reportCPU(b)()
		for b.Loop() {
			b.StopTimer()
			s := newStore(b)
			b.StartTimer()
			if _, err := s.CaptureTree(dir, CaptureOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	s := newStore(b)
	d, err := s.CaptureTree(dir, CaptureOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("capture-again", func(b *testing.B) {
		defer reportCPU(b)()
		for b.Loop() {
			if _, err := s.CaptureTree(dir, CaptureOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, opts := range map[string]CheckoutOptions{"checkout-link": {Hardlink: true}, "checkout-copy": {}} {
		b.Run(name, func(b *testing.B) {
			defer reportCPU(b)()
			for b.Loop() {
				b.StopTimer()
				dest := b.TempDir()
				b.StartTimer()
				if err := s.CheckoutTree(d, dest, opts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("has", func(b *testing.B) {
		defer reportCPU(b)()
		for b.Loop() {
			if ok, err := s.HasTree(d); !ok || err != nil {
				b.Fatal(ok, err)
			}
		}
	})
	b.Run("import", func(b *testing.B) {
		src, err := s.OpenDir(d)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			into := s.EmptyDir()
			if _, err := into.Import(src, ImportOptions{NoResult: true}); err != nil {
				b.Fatal(err)
			}
			if _, err := into.Digest(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("import-listed", func(b *testing.B) {
		src, err := s.OpenDir(d)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := s.EmptyDir().Import(src, ImportOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
