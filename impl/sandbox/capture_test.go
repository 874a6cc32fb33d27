//go:build linux

package sandbox

import (
	"path/filepath"
	"strings"
	"testing"

	"bst/impl/cas"

	"github.com/google/go-cmp/cmp"
)

// What commands change is read back, from one Run to the next, and nothing else.
func TestCaptureRoot(t *testing.T) {
	modes(t, func(t *testing.T, l *lab) {
		lower := map[string]string{
			"t/keep":      "keep",
			"t/change":    "old",
			"t/mode":      "!prog",
			"t/gone":      "x",
			"t/dir/a":     "a",
			"t/dir/b":     "b",
			"t/redo/a":    "a",
			"t/redo/b":    "b",
			"t/lnk":       "-> keep",
			"t/tofile/x":  "x",
			"t/todir":     "file",
			"t/fifo":      "was a file",
			"t/touched":   "same",
			"t/moved/x/y": "y",
		}
		upper := map[string]string{"t/change": "layered", "t/dir/c": "c"}
		r := l.stage(l.tree(lower), l.tree(upper))
		if err := r.Writable("/t/work", l.tree(map[string]string{"src": "s"})); err != nil {
			t.Fatal(err)
		}
		l.sh(r, `cd /t
echo new > change; chmod -x mode; rm gone; rm dir/a; echo n > dir/n
rm -r redo; mkdir redo; echo n > redo/n
rm lnk; ln -s change lnk
rm -r tofile; echo f > tofile
rm todir; mkdir todir; echo f > todir/f
rm fifo; mkfifo fifo; mkfifo fifo2
touch touched; chmod 600 touched
cp -r moved moved2; rm -r moved
echo o > work/out
echo temporary > temporary; mkdir tempdir; echo x > tempdir/x
mkdir -p deep/er/est; echo d > deep/er/est/f; chmod 500 deep/er
echo no > secret; chmod 0 secret
echo h > hard1; ln hard1 hard2
ln -s /nowhere dangling`, nil)
		check := func(want map[string]string) {
			t.Helper()
			root, err := r.CaptureRoot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			sub, err := root.Sub("t", false)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, list(t, sub)); diff != "" {
				t.Error(diff)
			}
			for _, p := range []string{"dev", "proc", "tmp"} {
				if d, err := root.Sub(p, false); err != nil || d.Len() != 0 {
					t.Errorf("/%s: %v", p, err)
				}
			}
		}
		want := map[string]string{
			"keep": "keep", "change": "new\n", "mode": "prog", "dir/b": "b", "dir/c": "c", "dir/n": "n\n",
			"redo/n": "n\n", "lnk": "-> change", "tofile": "f\n", "todir/f": "f\n", "touched": "same",
			"moved2/x/y": "y", "work/src": "s", "work/out": "o\n", "temporary": "temporary\n", "tempdir/x": "x\n",
			"deep/er/est/f": "d\n", "secret": "no\n", "hard1": "h\n", "hard2": "h\n", "dangling": "-> /nowhere",
		}
		check(want)
		// A later command works on what the earlier left.
		l.sh(r, "cd /t; rm temporary; rm -r tempdir; test ! -e gone; echo again > gone; cat change > copy", nil)
		delete(want, "temporary")
		delete(want, "tempdir/x")
		want["gone"], want["copy"] = "again\n", "new\n"
		check(want)
		// And sees it when the root is read-only.
		if got := l.sh(r, "cat /t/copy /t/gone; test ! -e /t/temporary", func(s *Spec) { s.RootReadOnly = true }); got != "new\nagain\n" {
			t.Errorf("read-only: %q", got)
		}
		check(want)
	})
}

// Without a change the captured root is the staged one, with the directories
// that every sandbox has.
func TestCaptureUnchanged(t *testing.T) {
	modes(t, func(t *testing.T, l *lab) {
		layer := l.tree(map[string]string{"etc/x": "x"})
		r := l.stage(layer)
		l.sh(r, "true", nil)
		want := l.merged(l.base, layer)
		for _, p := range []string{"dev", "proc", "tmp"} {
			if err := want.MkdirAll(p); err != nil {
				t.Fatal(err)
			}
		}
		root, err := r.CaptureRoot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		a, err := want.Digest()
		if err != nil {
			t.Fatal(err)
		}
		if b, err := root.Digest(); err != nil || a != b {
			t.Errorf("%v, not %v (%v): %s", b, a, err, cmp.Diff(sorted(list(t, want)), sorted(list(t, root))))
		}
	})
}

// Stacks that an overlay would show differently from what was asked for.
func TestConflicts(t *testing.T) {
	type files = map[string]string
	cases := map[string]struct {
		layers []files
		want   files
	}{
		"file over file":            {[]files{{"a/f": "1"}, {"a/f": "2"}}, files{"a/f": "2"}},
		"first file wins":           {[]files{{"a/f": "1"}, {"a/f": "2"}}, files{"a/f": "1"}},
		"directory through symlink": {[]files{{"lib": "-> usr/lib", "usr/lib/a": "a"}, {"lib/b": "b"}}, files{"lib": "-> usr/lib", "usr/lib/a": "a", "usr/lib/b": "b"}},
		"full directory stays":      {[]files{{"a/x": "x"}, {"a": "file"}}, files{"a/x": "x"}},
		"directory over file":       {[]files{{"a": "file"}, {"a/x": "x"}}, files{"a/x": "x"}},
		"symlink over directory":    {[]files{{"a/x": "x"}, {"a": "-> b"}}, files{"a": "-> b"}},
		"one is left out":           {[]files{{"a/x": "x", "a/y": "y"}, {"b": "b"}}, files{"a/y": "y", "b": "b"}},
		"one is new":                {[]files{{"a/x": "x"}, {"b": "b"}}, files{"a/x": "x", "b": "b", "a/new/n": "n"}},
		"another mode":              {[]files{{"a/x": "x"}, {"b": "b"}}, files{"a/x": "!x", "b": "b"}},
		"the same twice":            {[]files{{"a": "x"}, {"b": "y"}, {"a": "x"}}, files{"a": "x", "b": "y"}},
		"deep":                      {[]files{{"a/b/c/d": "1", "a/b/e": "-> c"}, {"a/b/e/f": "2"}}, files{"a/b/c/d": "1", "a/b/c/f": "2", "a/b/e": "-> c"}},
		"empty":                     {[]files{{}, {"a/": ""}, {}}, files{"a/": ""}},
		"nothing":                   {nil, files{"": ""}},
	}
	for name, c := range cases {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			l := newLab(t, nil)
			layers := []cas.Digest{l.base}
			for _, files := range c.layers {
				layers = append(layers, l.tree(under("t/", files)))
			}
			want := l.merged(l.base, l.tree(under("t/", c.want)))
			r, err := l.factory.Stage(t.Context(), layers, want)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			out := l.sh(r, `
look() {
  for f in "$1"/*; do
    if test -L "$f"; then echo "$f -> $(readlink "$f")"
    elif test -d "$f"; then look "$f"
    elif test -x "$f"; then echo "$f !$(cat "$f")"
    elif test -f "$f"; then echo "$f $(cat "$f")"
    fi
  done
}
look /t`, func(s *Spec) { s.RootReadOnly = true })
			got := files{}
			for line := range strings.Lines(out) {
				path, content, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
				got[strings.TrimPrefix(path, "/t/")] = content
			}
			delete(c.want, "a/")
			delete(c.want, "")
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			// What it captures is what was asked for.
			root, err := r.CaptureRoot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range []string{"dev", "proc", "tmp"} {
				if err := want.MkdirAll(p); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(sorted(list(t, want)), sorted(list(t, root))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func under(prefix string, files map[string]string) map[string]string {
	out := map[string]string{prefix: ""}
	for name, content := range files {
		if name != "" {
			out[prefix+name] = content
		}
	}
	return out
}

// What is staged in a marked directory is not checked out among the layers,
// whether they have something there or not.
func TestMarkedContentIsNotLayered(t *testing.T) {
	modes(t, func(t *testing.T, l *lab) {
		layer := l.tree(map[string]string{"etc/x": "x", "install/lower": "hidden"})
		sources := l.tree(map[string]string{"a": "a source", "b/c": "another"})
		want := l.merged(l.base, layer)
		for _, at := range []string{"build", "install"} {
			if err := want.Remove(at, true); err != nil && !cas.IsNotFound(err) {
				t.Fatal(err)
			}
			if err := want.AddDir(at, sources); err != nil {
				t.Fatal(err)
			}
		}
		r, err := l.factory.Stage(t.Context(), []cas.Digest{l.base, layer}, want)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for _, at := range []string{"/build", "/install"} {
			if err := r.Writable(at, sources); err != nil {
				t.Fatal(err)
			}
		}
		for _, readOnly := range []bool{true, false} {
			out := l.sh(r, "cat /build/b/c /install/a /etc/x; test ! -e /install/lower", func(s *Spec) { s.RootReadOnly = readOnly })
			if out != "anothera sourcex" {
				t.Errorf("%q", out)
			}
		}
		root, err := r.CaptureRoot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if e, err := root.Lookup("install"); err != nil || e.Digest != sources {
			t.Errorf("%v %v", e, err)
		}
		found, err := filepath.Glob(filepath.Join(l.dir, "trees", "t", "*", "root", "*", "b", "c"))
		if err != nil || len(found) > 0 {
			t.Errorf("checked out: %v %v", found, err)
		}
	})
}
