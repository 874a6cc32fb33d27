package cas

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mustDigest(t testing.TB, d *Dir) Digest {
	t.Helper()
	digest, err := d.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

func TestImport(t *testing.T) {
	for _, tc := range []struct {
		name      string
		dst, src  map[string]string
		filter    func(path string, t EntryType) bool
		want      map[string]string
		result    ImportResult
		wantError string
	}{
		{
			name:   "into nothing",
			src:    map[string]string{"a/f": "f", "l": "-> a"},
			want:   map[string]string{"a/f": "f", "l": "-> a"},
			result: ImportResult{Written: []string{"a/f", "l"}},
		}, {
			name:   "merge",
			dst:    map[string]string{"a/old": "old", "b/": ""},
			src:    map[string]string{"a/new": "new", "b/c/": "", "b/d/f": "f"},
			want:   map[string]string{"a/old": "old", "a/new": "new", "b/c/": "", "b/d/f": "f"},
			result: ImportResult{Written: []string{"a/new", "b/d/f"}},
		}, {
			name:   "file over file",
			dst:    map[string]string{"a/f": "old"},
			src:    map[string]string{"a/f": "#!new"},
			want:   map[string]string{"a/f": "#!new"},
			result: ImportResult{Written: []string{"a/f"}, Overwritten: []string{"a/f"}},
		}, {
			name:   "the same file again",
			dst:    map[string]string{"f": "f"},
			src:    map[string]string{"f": "f"},
			want:   map[string]string{"f": "f"},
			result: ImportResult{Written: []string{"f"}, Overwritten: []string{"f"}},
		}, {
			name:   "symlink over file, file over symlink",
			dst:    map[string]string{"f": "old", "l": "-> f"},
			src:    map[string]string{"f": "-> l", "l": "new"},
			want:   map[string]string{"f": "-> l", "l": "new"},
			result: ImportResult{Written: []string{"l", "f"}, Overwritten: []string{"l", "f"}},
		}, {
			name:   "file over directory with content",
			dst:    map[string]string{"a/f": "stays"},
			src:    map[string]string{"a": "new", "b": "b"},
			want:   map[string]string{"a/f": "stays", "b": "b"},
			result: ImportResult{Written: []string{"b"}, Ignored: []string{"a"}},
		}, {
			name:   "symlink over directory with content",
			dst:    map[string]string{"a/f": "stays"},
			src:    map[string]string{"a": "-> b"},
			want:   map[string]string{"a/f": "stays"},
			result: ImportResult{Ignored: []string{"a"}},
		}, {
			name:   "file over empty directory",
			dst:    map[string]string{"a/": ""},
			src:    map[string]string{"a": "new"},
			want:   map[string]string{"a": "new"},
			result: ImportResult{Written: []string{"a"}, Overwritten: []string{"a"}},
		}, {
			name:      "directory over file",
			dst:       map[string]string{"b/a": "old"},
			src:       map[string]string{"b/a/f": "f"},
			wantError: "Destination is a regular file, not a directory: /b/a",
		}, {
			name:      "directory over symlink to a directory",
			dst:       map[string]string{"lib": "-> usr/lib", "usr/lib/": ""},
			src:       map[string]string{"lib/f": "f"},
			wantError: "Destination is a symlink, not a directory: /lib",
		}, {
			name:   "filter of files",
			src:    map[string]string{"a/yes": "y", "a/no": "n", "b/no": "n", "e/": ""},
			filter: func(p string, t EntryType) bool { return t != TypeDirectory && strings.HasSuffix(p, "yes") },
			want:   map[string]string{"a/yes": "y"},
			result: ImportResult{Written: []string{"a/yes"}},
		}, {
			name:   "filter keeps empty directories it names",
			dst:    map[string]string{"c/": ""},
			src:    map[string]string{"a/no": "n", "b/no": "n", "c/no": "n"},
			filter: func(p string, t EntryType) bool { return p == "a" },
			want:   map[string]string{"a/": "", "c/": ""},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStore(t)
			for _, how := range []string{"stored", "in memory"} {
				dst, src := openMap(t, s, tc.dst), openMap(t, s, tc.src)
				if how == "in memory" {
					dst, src = rebuild(t, dst), rebuild(t, src)
				}
				before := listing(t, src)
				result, err := dst.Import(src, ImportOptions{Filter: tc.filter})
				if diff := cmp.Diff(before, listing(t, src)); diff != "" {
					t.Errorf("%s: the source changed:\n%s", how, diff)
				}
				if tc.wantError != "" {
					wantError(t, err, "", tc.wantError)
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tc.want, listing(t, dst)); diff != "" {
					t.Errorf("%s:\n%s", how, diff)
				}
				if diff := cmp.Diff(&tc.result, result); diff != "" {
					t.Errorf("%s: result:\n%s", how, diff)
				}
				if want := captureMap(t, s, tc.want); mustDigest(t, dst) != want {
					t.Errorf("%s: the digest is not that of the same tree on disk", how)
				}
			}
		})
	}
}

// rebuild makes the same tree entry by entry, unsaved.
func rebuild(t testing.TB, from *Dir) *Dir {
	t.Helper()
	to := from.Store().EmptyDir()
	err := from.Walk(func(path string, e Entry) error {
		switch e.Type {
		case TypeDirectory:
			return to.MkdirAll(path)
		case TypeSymlink:
			return to.AddSymlink(path, e.Target)
		}
		return to.AddFile(path, e.Digest, e.Executable)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func TestImportSharesWholeDirectories(t *testing.T) {
	s := newStore(t)
	src := openMap(t, s, sample)
	d := mustDigest(t, src)
	// What is below is not looked at: it may even be missing.
	err := s.Objects(func(o Digest) error {
		if o == d {
			return nil
		}
		return os.Remove(s.Path(o))
	})
	if err != nil {
		t.Fatal(err)
	}
	s2, err := Open(s.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if src, err = s2.OpenDir(d); err != nil {
		t.Fatal(err)
	}
	dst := s2.EmptyDir()
	result, err := dst.Import(src, ImportOptions{NoResult: true})
	if err != nil || result != nil {
		t.Fatal(result, err)
	}
	if n := len(s2.dirs.young); n != 1 {
		t.Errorf("%d directories were read, want the root alone", n)
	}
	if got := mustDigest(t, dst); got != d {
		t.Errorf("%v, want %v", got, d)
	}
}

func TestImportIntoItself(t *testing.T) {
	s := newStore(t)
	for _, filter := range []func(string, EntryType) bool{nil, func(string, EntryType) bool { return true }} {
		root := openMap(t, s, map[string]string{"f": "f", "sub/g": "g"})
		sub, err := root.Sub("sub", false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sub.Import(root, ImportOptions{Filter: filter}); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"f": "f", "sub/f": "f", "sub/g": "g"}
		if diff := cmp.Diff(want, listing(t, root)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestSubFollowsSymlinksInsideTheRoot(t *testing.T) {
	s := newStore(t)
	root := openMap(t, s, map[string]string{
		"usr/lib/x86/f": "f",
		"lib":           "-> usr/lib",
		"usr/abs":       "-> /lib/x86",
		"out":           "-> ../../../../usr",
		"loop":          "-> loop",
		"a":             "-> b",
		"b":             "-> a/x",
		"file":          "file",
		"tofile":        "-> file",
		"dangling":      "-> nowhere/deep",
	})
	for _, tc := range []struct{ path, want, reason string }{
		{"/", "/", ""},
		{"", "/", ""},
		{"usr/lib", "/usr/lib", ""},
		{"/usr//lib/./x86/", "/usr/lib/x86", ""},
		{"lib", "/usr/lib", ""},
		{"usr/abs", "/usr/lib/x86", ""},
		{"usr/abs/..", "/usr/lib", ""},
		{"out/lib", "/usr/lib", ""},
		{"..", "/", ""},
		{"usr/../../../lib/x86", "/usr/lib/x86", ""},
		{"loop", "", ReasonNotDirectory},
		{"a", "", ReasonNotDirectory},
		{"file", "", ReasonNotDirectory},
		{"tofile", "", ReasonNotDirectory},
		{"usr/none", "", ReasonNotFound},
		{"dangling", "", ReasonNotFound},
	} {
		d, err := root.Sub(tc.path, false)
		if tc.reason != "" {
			wantError(t, err, tc.reason)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tc.path, err)
		} else if d.Path() != tc.want {
			t.Errorf("%s is %s, want %s", tc.path, d.Path(), tc.want)
		}
	}
	if !root.clean {
		t.Error("looking changed the tree")
	}
	// Through a dangling symlink, its target is made.
	if _, err := root.Sub("dangling/deeper", true); err != nil {
		t.Fatal(err)
	}
	if _, err := root.Lookup("nowhere/deep/deeper"); err != nil {
		t.Error(err)
	}
}

func TestLookupStatAndReadFile(t *testing.T) {
	s := newStore(t)
	root := openMap(t, s, map[string]string{"d/f": "#!f", "l": "-> d", "d/lf": "-> ../l/f", "x": "-> /none"})
	f := Entry{Name: "f", Type: TypeFile, Digest: DigestBytes([]byte("#!f")), Executable: true}
	for p, want := range map[string]Entry{
		"d/f":  f,
		"l/f":  f,
		"l":    {Name: "l", Type: TypeSymlink, Target: "d"},
		"d/lf": {Name: "lf", Type: TypeSymlink, Target: "../l/f"},
		"/":    {Name: "/", Type: TypeDirectory, Digest: mustDigest(t, root)},
	} {
		got, err := root.Lookup(p)
		if err != nil {
			t.Errorf("%s: %v", p, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", p, diff)
		}
	}
	for _, p := range []string{"d/lf", "l/lf", "d/f"} {
		if got, err := root.Stat(p); err != nil || got != f {
			t.Errorf("%s: %v, %v", p, got, err)
		}
		if b, err := root.ReadFile(p); err != nil || string(b) != "#!f" {
			t.Errorf("%s: %q, %v", p, b, err)
		}
	}
	for _, p := range []string{"x", "none", "l/none", "none/f"} {
		if _, err := root.Stat(p); !IsNotFound(err) {
			t.Errorf("%s: %v", p, err)
		}
	}
	if _, err := root.ReadFile("d"); err == nil {
		t.Error("a directory was read")
	}
}

func TestRemoveAndRename(t *testing.T) {
	s := newStore(t)
	files := map[string]string{"a/b/f": "f", "a/e/": "", "g": "g", "l": "-> a"}
	for _, tc := range []struct {
		name string
		do   func(d *Dir) error
		want map[string]string // nil: an error, and nothing changed
	}{
		{"remove file", func(d *Dir) error { return d.Remove("l/b/f", false) }, map[string]string{"a/b/": "", "a/e/": "", "g": "g", "l": "-> a"}},
		{"remove symlink", func(d *Dir) error { return d.Remove("l", false) }, map[string]string{"a/b/f": "f", "a/e/": "", "g": "g"}},
		{"remove empty", func(d *Dir) error { return d.Remove("a/e", false) }, map[string]string{"a/b/f": "f", "g": "g", "l": "-> a"}},
		{"remove full", func(d *Dir) error { return d.Remove("a/b", false) }, nil},
		{"remove all", func(d *Dir) error { return d.Remove("a", true) }, map[string]string{"g": "g", "l": "-> a"}},
		{"remove none", func(d *Dir) error { return d.Remove("none", true) }, nil},
		{"remove root", func(d *Dir) error { return d.Remove("/", true) }, nil},
		{"rename file", func(d *Dir) error { return d.Rename("g", "a/e/h") }, map[string]string{"a/b/f": "f", "a/e/h": "g", "l": "-> a"}},
		{"rename directory", func(d *Dir) error { return d.Rename("a/b", "c") }, map[string]string{"a/e/": "", "c/f": "f", "g": "g", "l": "-> a"}},
		{"rename onto itself", func(d *Dir) error { return d.Rename("a/b", "a/b") }, files},
		{"rename into itself", func(d *Dir) error {
			if _, err := d.Sub("a/b", false); err != nil {
				return err
			}
			return d.Rename("a", "a/b/c")
		}, nil},
		{"rename over full", func(d *Dir) error { return d.Rename("g", "a") }, nil},
		{"rename to nowhere", func(d *Dir) error { return d.Rename("g", "none/g") }, nil},
		{"add over full", func(d *Dir) error { return d.AddFile("a", EmptyDigest, false) }, nil},
		{"add over empty", func(d *Dir) error { return d.AddSymlink("a/e", "x") }, map[string]string{"a/b/f": "f", "a/e": "-> x", "g": "g", "l": "-> a"}},
		{"add below file", func(d *Dir) error { return d.AddSymlink("g/x", "x") }, nil},
		{"add bad name", func(d *Dir) error { return d.AddSymlink("a/\x00", "x") }, nil},
		{"make bad name", func(d *Dir) error { return d.MkdirAll("a/\x00") }, nil},
		{"add bad digest", func(d *Dir) error { return d.AddFile("x", Digest{Hash: "../x"}, false) }, nil},
		{"add no target", func(d *Dir) error { return d.AddSymlink("x", "") }, nil},
		{"add root", func(d *Dir) error { return d.AddFile("/", EmptyDigest, false) }, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := openMap(t, s, files)
			err := tc.do(d)
			want := tc.want
			if want == nil {
				if want = files; err == nil {
					t.Error("no error")
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, listing(t, d)); diff != "" {
				t.Error(diff)
			}
			if mustDigest(t, d) != captureMap(t, s, want) {
				t.Error("wrong digest")
			}
		})
	}
}

func TestWalkOrderAndError(t *testing.T) {
	s := newStore(t)
	d := openMap(t, s, map[string]string{"b/z": "z", "b/a/f": "f", "a": "a", "z": "z", "c/": ""})
	var got []string
	if err := d.Walk(func(path string, e Entry) error { got = append(got, path); return nil }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "z", "b", "b/z", "b/a", "b/a/f", "c"}, got); diff != "" {
		t.Error(diff)
	}
	stop := errors.New("stop")
	if err := d.Walk(func(string, Entry) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

// TestAgainstModel does random things to a Dir, its clones and a plain map,
// and compares.
func TestAgainstModel(t *testing.T) {
	s := newStore(t)
	content := []Digest{put(t, s, "one"), put(t, s, "two"), put(t, s, "three")}
	type state struct {
		dir   *Dir
		model map[string]string // path → what it is; directories too
	}
	for seed := range 15 {
		r := rand.New(rand.NewPCG(uint64(seed), 7))
		randomPath := func() string {
			parts := make([]string, 1+r.IntN(4))
			for i := range parts {
				parts[i] = string(rune('a' + r.IntN(3)))
			}
			return path.Join(parts...)
		}
		states := []*state{{s.EmptyDir(), map[string]string{}}}
		for step := range 150 {
			st := states[r.IntN(len(states))]
			p := randomPath()
			switch op := r.IntN(10); {
			case op < 4: // add a file
				i := r.IntN(3)
				err := st.dir.AddFile(p, content[i], false)
				ok := modelAdd(st.model, p, fmt.Sprint("file ", content[i].Hash))
				if (err == nil) != ok {
					t.Fatalf("seed %d step %d: add %s: %v, the model says %v", seed, step, p, err, ok)
				}
			case op < 5:
				err := st.dir.MkdirAll(p)
				ok := modelMkdir(st.model, p)
				if (err == nil) != ok {
					t.Fatalf("seed %d step %d: mkdir %s: %v, the model says %v", seed, step, p, err, ok)
				}
			case op < 7:
				err := st.dir.Remove(p, true)
				_, ok := st.model[p]
				maps.DeleteFunc(st.model, func(k, _ string) bool { return k == p || strings.HasPrefix(k, p+"/") })
				if (err == nil) != ok {
					t.Fatalf("seed %d step %d: remove %s: %v, the model says %v", seed, step, p, err, ok)
				}
			case op < 8 && len(states) < 6:
				states = append(states, &state{st.dir.Clone(), maps.Clone(st.model)})
			case op < 9:
				if _, err := st.dir.Digest(); err != nil {
					t.Fatal(err)
				}
			default: // import another state, if the model says it can be
				from := states[r.IntN(len(states))]
				merged, ok := modelImport(st.model, from.model)
				if st == from || !ok {
					continue
				}
				if _, err := st.dir.Import(from.dir, ImportOptions{NoResult: r.IntN(2) == 0}); err != nil {
					t.Fatalf("seed %d step %d: %v", seed, step, err)
				}
				st.model = merged
			}
			for i, st := range states {
				if diff := cmp.Diff(st.model, flatten(t, st.dir)); diff != "" {
					t.Fatalf("seed %d step %d: state %d:\n%s", seed, step, i, diff)
				}
			}
		}
		for i, st := range states {
			again, err := s.OpenDir(mustDigest(t, st.dir))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(st.model, flatten(t, again)); diff != "" {
				t.Fatalf("seed %d: state %d, stored:\n%s", seed, i, diff)
			}
		}
	}
}

func flatten(t testing.TB, d *Dir) map[string]string {
	t.Helper()
	out := map[string]string{}
	if err := d.Walk(func(path string, e Entry) error {
		out[path] = "directory"
		if e.Type == TypeFile {
			out[path] = "file " + e.Digest.Hash
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func modelMkdir(m map[string]string, p string) bool {
	parts := strings.Split(p, "/")
	for i := range parts {
		at := strings.Join(parts[:i+1], "/")
		switch m[at] {
		case "":
			m[at] = "directory"
		case "directory":
		default:
			return false
		}
	}
	return true
}

func modelEmpty(m map[string]string, p string) bool {
	for k := range m {
		if strings.HasPrefix(k, p+"/") {
			return false
		}
	}
	return true
}

func modelAdd(m map[string]string, p, what string) bool {
	if dir := path.Dir(p); dir != "." && !modelMkdir(m, dir) {
		return false
	}
	if m[p] == "directory" && !modelEmpty(m, p) {
		return false
	}
	m[p] = what
	return true
}

func modelImport(dst, src map[string]string) (map[string]string, bool) {
	out := maps.Clone(dst)
	for _, p := range slices.Sorted(maps.Keys(src)) {
		switch what := src[p]; {
		case what == "directory" && out[p] != "" && out[p] != "directory":
			return nil, false
		case what == "directory":
			out[p] = what
		case out[p] == "directory" && !modelEmpty(out, p):
			// ignored
		default:
			out[p] = what
		}
	}
	return out, true
}

func TestFileKeepsItsPropertiesThroughEverything(t *testing.T) {
	s := newStore(t)
	entries := []Entry{{Name: "f", Type: TypeFile, Digest: EmptyDigest, Properties: mtimeProperties(MTime)}}
	d, err := s.writeDirectory(&dirData{entries: entries, properties: mtimeProperties(MTime)})
	if err != nil {
		t.Fatal(err)
	}
	dir, err := s.OpenDir(d)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(dir.AddSymlink("l", "f"), dir.Remove("l", false)); err != nil {
		t.Fatal(err)
	}
	if got := mustDigest(t, dir); got != d {
		t.Errorf("%v, want %v", got, d)
	}
	into := s.EmptyDir()
	if _, err := into.Import(dir, ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	if e, err := into.Lookup("f"); err != nil || e != entries[0] {
		t.Errorf("%v, %v", e, err)
	}
}

func FuzzPaths(f *testing.F) {
	s, err := Open(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	f.Add("a/b", "../..", "a/b/c/../d")
	f.Add("l", "/l", "l/x")
	f.Fuzz(func(t *testing.T, link, target, path string) {
		d := s.EmptyDir()
		_ = d.AddSymlink(link, target)
		_ = d.MkdirAll(path)
		_ = d.AddFile(path, EmptyDigest, true)
		_, _ = d.Stat(path)
		c := d.Clone()
		_ = d.Remove(path, true)
		_, err := c.Import(d, ImportOptions{})
		_ = err
		for _, dir := range []*Dir{c, d} {
			if _, err := dir.Digest(); err != nil {
				t.Fatal(err)
			}
			if err := dir.Walk(func(string, Entry) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func BenchmarkCloneAndChange(b *testing.B) {
	s := newStore(b)
	root := openMap(b, s, sample)
	for i := range 2000 {
		if err := root.AddFile(fmt.Sprintf("usr/share/%d/f", i), EmptyDigest, false); err != nil {
			b.Fatal(err)
		}
	}
	mustDigest(b, root)
	b.ReportAllocs()
	for b.Loop() {
		c := root.Clone()
		if err := c.AddFile("etc/conf", EmptyDigest, false); err != nil {
			b.Fatal(err)
		}
		mustDigest(b, c)
	}
}
