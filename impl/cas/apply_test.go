package cas

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestApply(t *testing.T) {
	type tree = map[string]string
	for _, tc := range []struct {
		name                      string
		tree, before, after, want tree
	}{{
		name: "nothing changed: all stays",
		tree: tree{"main.c": "edited here", "main.o": "o"}, before: tree{"main.c": "c"}, after: tree{"main.c": "c"},
		want: tree{"main.c": "edited here", "main.o": "o"},
	}, {
		name: "a file is edited, added, and gone",
		tree: tree{"a/main.c": "c", "a/main.o": "o", "old.c": "c"}, before: tree{"a/main.c": "c", "old.c": "c"}, after: tree{"a/main.c": "d", "new.c": "n"},
		want: tree{"a/main.c": "d", "a/main.o": "o", "new.c": "n"},
	}, {
		name: "what both changed is as in the sources",
		tree: tree{"config": "generated"}, before: tree{"config": "1"}, after: tree{"config": "2"},
		want: tree{"config": "2"},
	}, {
		name: "a file that the build removed stays away until it changes",
		tree: tree{"x": "x"}, before: tree{"x": "x", "gone": "1", "again": "1"}, after: tree{"x": "x", "gone": "1", "again": "2"},
		want: tree{"x": "x", "again": "2"},
	}, {
		name: "a folder is removed with what was built in it",
		tree: tree{"lib/a.c": "a", "lib/a.o": "o", "x": "x"}, before: tree{"lib/a.c": "a", "x": "x"}, after: tree{"x": "x"},
		want: tree{"x": "x"},
	}, {
		name: "a new folder meets one that the build made",
		tree: tree{"out/a.o": "o"}, before: tree{}, after: tree{"out/readme": "r"},
		want: tree{"out/a.o": "o", "out/readme": "r"},
	}, {
		name: "a file becomes a folder, a folder a file, a symlink another",
		tree: tree{"a": "a", "b/x": "x", "b/x.o": "o", "l": "-> a"}, before: tree{"a": "a", "b/x": "x", "l": "-> a"}, after: tree{"a/y": "y", "b": "b", "l": "-> b"},
		want: tree{"a/y": "y", "b": "b", "l": "-> b"},
	}, {
		name: "a file becomes a folder where the build has a folder",
		tree: tree{"a/built": "b"}, before: tree{"a": "a"}, after: tree{"a/y": "y"},
		want: tree{"a/built": "b", "a/y": "y"},
	}, {
		name: "a mode",
		tree: tree{"run": "#!x"}, before: tree{"run": "x"}, after: tree{"run": "#!y"},
		want: tree{"run": "#!y"},
	}} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStore(t)
			d := openMap(t, s, tc.tree)
			if err := d.Apply(mustDigest(t, openMap(t, s, tc.before)), mustDigest(t, openMap(t, s, tc.after))); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, listing(t, d)); diff != "" {
				t.Error(diff)
			}
			again, err := s.OpenDir(mustDigest(t, d))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, listing(t, again)); diff != "" {
				t.Errorf("as stored: %s", diff)
			}
		})
	}
}

// A file that was only touched is new to make: its time comes along.
func TestApplyTimes(t *testing.T) {
	s, dir := newStore(t), t.TempDir()
	populate(t, dir, map[string]string{"main.c": "c", "other.c": "c"})
	at := func(name string, sec int64) {
		t.Helper()
		if err := os.Chtimes(filepath.Join(dir, name), time.Unix(sec, 0), time.Unix(sec, 0)); err != nil {
			t.Fatal(err)
		}
	}
	captured := func() Digest {
		t.Helper()
		d, err := s.CaptureTree(dir, CaptureOptions{MTimes: true})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	at("main.c", 1000)
	at("other.c", 1000)
	before := captured()
	at("main.c", 2000)
	after := captured()
	d, err := s.OpenDir(before)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Apply(before, after); err != nil {
		t.Fatal(err)
	}
	if got := mustDigest(t, d); got != after {
		t.Errorf("%v, want %v", got, after)
	}
}
