package local

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bst/impl/cas"
	"bst/impl/kind"
	"bst/impl/kind/sourcetest"
	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

func project(t testing.TB, files map[string]string) *sourcetest.Env {
	dir := t.TempDir()
	sourcetest.Write(t, dir, files)
	return &sourcetest.Env{Dir: dir}
}

func store(t testing.TB) *cas.Store {
	s, err := cas.Open(filepath.Join(t.TempDir(), "cas"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestKey holds keys that the reference gives (its own tests have the first).
func TestKey(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		path  string
	}{
		"file":       {map[string]string{"f": "content\n"}, "f"},
		"executable": {map[string]string{"f": "x:content\n"}, "f"},
		"folder":     {map[string]string{"d/f": "content\n", "d/l": "->f", "d/e/": ""}, "d"},
		"project":    {map[string]string{"f": "content\n"}, "."},
		"empty file": {map[string]string{"f": ""}, "f"},
	} {
		t.Run(name, func(t *testing.T) {
			env := project(t, test.files)
			s := sourcetest.Must(t, Traits(), env, "path: "+test.path)
			key, err := s.UniqueKey()
			if err != nil {
				t.Fatal(err)
			}
			// The key is the digest of the directory that holds what is staged.
			dir := t.TempDir()
			if err := s.Stage(context.Background(), sourcetest.NewWork(t), dir); err != nil {
				t.Fatal(err)
			}
			want, err := cas.DigestTree(dir)
			if err != nil {
				t.Fatal(err)
			}
			if key != want.Hash {
				t.Errorf("the key is %v, and the tree's digest %v", key, want)
			}
			st := store(t)
			got, err := s.(kind.DirectSource).Directory(context.Background(), st)
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("stored is %v, not %v", got, want)
			}
			if whole, err := st.HasTree(got); err != nil || !whole {
				t.Errorf("it is stored in part: %v", err)
			}
			out := t.TempDir()
			if err := st.CheckoutTree(got, out, cas.CheckoutOptions{}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(sourcetest.Files(t, dir), sourcetest.Files(t, out)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestChanged: what is stored is what the key says, or nothing.
func TestChanged(t *testing.T) {
	for _, path := range []string{"d", "d/f"} {
		env := project(t, map[string]string{"d/f": "before"})
		s := sourcetest.Must(t, Traits(), env, "path: "+path)
		if _, err := s.UniqueKey(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(env.Dir, "d/f"), []byte("after"), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := s.(kind.DirectSource).Directory(context.Background(), store(t))
		var e *stream.Error
		if !errors.As(err, &e) || e.Domain != stream.DomainSource ||
			e.Message != "local source at element.bst [line 4 column 2]: '"+path+"' was changed after bst had read it: run bst again" {
			t.Errorf("%s: got %#v", path, err)
		}
	}
}

// TestUnchangedStore: with everything in the store, files are not read again.
func TestUnchangedStore(t *testing.T) {
	env := project(t, map[string]string{"d/f": "content"})
	s := sourcetest.Must(t, Traits(), env, "path: d")
	st := store(t)
	first, err := s.(kind.DirectSource).Directory(context.Background(), st)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(env.Dir, "d")); err != nil {
		t.Fatal(err)
	}
	if again, err := s.(kind.DirectSource).Directory(context.Background(), st); err != nil || again != first {
		t.Errorf("got %v, %v", again, err)
	}
}

func TestConfigure(t *testing.T) {
	env := project(t, map[string]string{
		"f": "", "d/f": "", "to-f": "->f", "to-d": "->d", "out": "->..", "d/out": "->../..", "up/": "",
	})
	neighbour := filepath.Join(filepath.Dir(env.Dir), "neighbour")
	sourcetest.Write(t, filepath.Dir(env.Dir), map[string]string{"neighbour": ""})
	const at = "element.bst [line 1 column 6]: "
	for path, want := range map[string]struct{ reason, message string }{
		"f":            {},
		"d":            {},
		"d/f":          {},
		"d/":           {},
		"./d":          {},
		"d/../f":       {},
		"to-d/f":       {},
		"up/..":        {},
		"none":         {"MISSING_FILE", at + "Specified path 'none' does not exist"},
		"f/none":       {"MISSING_FILE", at + "Specified path 'f/none' cannot be read: not a directory"},
		"to-f":         {"PROJ_PATH_INVALID_KIND", at + "Specified path 'to-f' must not point to symbolic links"},
		"to-d":         {"PROJ_PATH_INVALID_KIND", at + "Specified path 'to-d' must not point to symbolic links"},
		"../neighbour": {"PROJ_PATH_INVALID", at + "Specified path '../neighbour' first component must not be '..'"},
		"d/../../neighbour": {"PROJ_PATH_INVALID",
			at + "Specified path 'd/../../neighbour' must not lead outside of the project directory"},
		"out/neighbour":   {"PROJ_PATH_INVALID", at + "Specified path 'out/neighbour' must not lead outside of the project directory"},
		"d/out/neighbour": {"PROJ_PATH_INVALID", at + "Specified path 'd/out/neighbour' must not lead outside of the project directory"},
		neighbour:         {"PROJ_PATH_INVALID", at + "Specified path '" + neighbour + "' must not lead outside of the project directory"},
		env.Dir + "/f":    {"PROJ_PATH_INVALID", at + "Absolute path: '" + env.Dir + "/f' invalid.\nPlease specify a path relative to the project's root."},
		"/nowhere":        {"MISSING_FILE", at + "Specified path '/nowhere' does not exist"},
	} {
		_, err := sourcetest.Configure(t, Traits(), env, "path: "+path)
		if want.reason == "" {
			if err != nil {
				t.Errorf("%s: %v", path, err)
			}
			continue
		}
		var e *stream.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", path, err)
		} else if e.Domain != stream.DomainLoad || e.Reason != want.reason || e.Message != want.message {
			t.Errorf("%s: got %s %q", path, e.Reason, e.Message)
		}
	}
	for yaml, want := range map[string]string{
		"{path: f, filename: g}": "Unexpected key: filename",
		"{directory: d}":         "path",
		"{path: [f]}":            "element.bst [line 1",
	} {
		_, err := sourcetest.Configure(t, Traits(), env, yaml)
		var e *stream.Error
		if !errors.As(err, &e) || e.Reason != "INVALID_DATA" || !strings.Contains(e.Message, want) {
			t.Errorf("%s: %#v", yaml, err)
		}
	}
}

func BenchmarkConfigureAndKey(b *testing.B) {
	env := project(b, map[string]string{"files/debian/d/usr/share/f": "content"})
	for b.Loop() {
		s := sourcetest.Must(b, Traits(), env, "path: files/debian/d")
		if _, err := s.UniqueKey(); err != nil {
			b.Fatal(err)
		}
	}
}
