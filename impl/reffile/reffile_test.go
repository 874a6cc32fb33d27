package reffile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func put(t *testing.T, path, content string, used time.Time) {
	t.Helper()
	if err := errors.Join(Write(path, []byte(content)), os.Chtimes(path, used, used)); err != nil {
		t.Fatal(err)
	}
}

// walk gives the paths below root, relative to it, and the times.
func walk(t *testing.T, root string, depth int) (names []string, used map[string]time.Time) {
	t.Helper()
	used = map[string]time.Time{}
	err := Walk(root, depth, func(path string, at time.Time) error {
		rel, err := filepath.Rel(root, path)
		names = append(names, filepath.ToSlash(rel))
		used[filepath.ToSlash(rel)] = at
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names, used
}

var then = time.Unix(1_700_000_000, 5000)

func TestUse(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "a", "b")
	put(t, path, "content", then)
	if _, used := walk(t, root, 1); !used["a/b"].Equal(then) {
		t.Errorf("written at %v", used["a/b"])
	}
	if b, err := Use(path, 100); string(b) != "content" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	if _, used := walk(t, root, 1); time.Since(used["a/b"]).Abs() > time.Hour {
		t.Errorf("used at %v", used["a/b"])
	}
	if _, err := Use(path, 6); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("more than is wanted: %v", err)
	}
	for _, none := range []string{filepath.Join(root, "none"), filepath.Join(root, "a"), filepath.Join(path, "below")} {
		if _, err := Use(none, 100); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", none, err)
		}
	}
}

func TestExpire(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"p/e/1", "p/e/2", "q/f/1"} {
		put(t, filepath.Join(root, name), name, then)
	}
	gone := func(name string, used time.Time) bool {
		t.Helper()
		gone, err := Expire(root, filepath.Join(root, name), used)
		if err != nil {
			t.Fatal(err)
		}
		return gone
	}
	if gone("p/e/1", then.Add(time.Second)) {
		t.Error("one that was used since went")
	}
	if !gone("p/e/2", then) || !gone("q/f/1", then) {
		t.Error("one that was not used stayed")
	}
	if gone("p/e/2", then) {
		t.Error("what is gone went")
	}
	names, used := walk(t, root, 9)
	if diff := cmp.Diff([]string{"p/e/1"}, names); diff != "" || !used["p/e/1"].Equal(then) {
		t.Errorf("%s %v", diff, used)
	}
	if _, err := os.Stat(filepath.Join(root, "q")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder stayed: %v", err)
	}
}

// What a killed process was about to take away comes back for the next that
// expires, but not in the place of what was written since.
func TestWalkRestores(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"a", "b"} {
		path := filepath.Join(root, name)
		put(t, path, "old", then)
		if err := os.Rename(path, asidePath(path)); err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(root, "b"), "new", then.Add(time.Hour))
	put(t, filepath.Join(root, TempPrefix+"x"), "half", then)
	names, used := walk(t, root, 0)
	if diff := cmp.Diff([]string{"a", "b"}, slices.Compact(names)); diff != "" || !used["a"].Equal(then) {
		t.Errorf("%s %v", diff, used)
	}
	if b, err := os.ReadFile(filepath.Join(root, "b")); string(b) != "new" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	if list, err := os.ReadDir(root); err != nil || len(list) != 2 {
		t.Errorf("%v, %v", list, err)
	}
}

// What a killed process was writing goes with the next look at all, or the next
// replacement in its folder; what a living one writes stays.
func TestSwept(t *testing.T) {
	for name, sweep := range map[string]func(root string) error{
		"walk": func(root string) error {
			return Walk(root, 0, func(path string, _ time.Time) error { return errors.New(path) })
		},
		"replace": func(root string) error { return Replace(filepath.Join(root, "a"), []byte("a")) },
	} {
		root := t.TempDir()
		old, young := filepath.Join(root, TempPrefix+"old"), filepath.Join(root, TempPrefix+"young")
		before := time.Now().Add(-2 * tempAge)
		if err := errors.Join(os.WriteFile(old, nil, 0o644), os.WriteFile(young, nil, 0o644), os.Chtimes(old, before, before)); err != nil {
			t.Fatal(err)
		}
		if err := sweep(root); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		list, err := filepath.Glob(filepath.Join(root, TempPrefix+"*"))
		if err != nil || !slices.Equal(list, []string{young}) {
			t.Errorf("%s: %v, %v", name, list, err)
		}
		if !Hidden(filepath.Base(young)) || !Hidden(filepath.Base(asidePath(old))) || Hidden("a") {
			t.Error("hidden")
		}
	}
}

// What is replaced stays, for who may be using it, until it expires: List and Lookup
// do not see it.
func TestReplace(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "a")
	for _, content := range []string{"old", "old", "new"} {
		if err := Replace(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	names, _ := walk(t, root, 0)
	if len(names) != 2 || !Hidden(names[0]) || names[1] != "a" {
		t.Fatalf("%q", names)
	}
	for i, want := range []string{"old", "new"} {
		if b, err := os.ReadFile(filepath.Join(root, names[i])); string(b) != want || err != nil {
			t.Errorf("%s: %q, %v", names[i], b, err)
		}
	}
}

// Either whoever uses a file gets it and it stays, or it is gone for both.
func TestUseOrExpire(t *testing.T) {
	root := t.TempDir()
	for i := range 200 {
		path := filepath.Join(root, "d", fmt.Sprint(i))
		put(t, path, "content", then)
		var wait sync.WaitGroup
		var found, gone bool
		wait.Go(func() {
			b, err := Use(path, 100)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Error(err)
			}
			found = b != nil
		})
		wait.Go(func() {
			var err error
			if gone, err = Expire(root, path, then); err != nil {
				t.Error(err)
			}
		})
		wait.Wait()
		if found && gone {
			t.Fatalf("file %d was used, and is gone", i)
		}
		if _, err := os.Stat(path); (err != nil) != gone {
			t.Fatalf("file %d: gone %v, and %v", i, gone, err)
		}
	}
}
