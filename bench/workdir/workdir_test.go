package workdir_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"bst/bench/workdir"
)

// fill makes n files in folders of a folder, a quarter of them deep down.
func fill(t testing.TB, dir string, n int) {
	t.Helper()
	for i := range n {
		in := filepath.Join(dir, "caches", fmt.Sprint(i%17))
		if i%4 == 0 {
			in = filepath.Join(in, "deep", "down", fmt.Sprint(i%5), "below")
		}
		if err := os.MkdirAll(in, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(in, fmt.Sprint(i)), []byte("content\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func TestRemove(t *testing.T) {
	base := t.TempDir()
	dir, beside := filepath.Join(base, "dir"), filepath.Join(base, "beside")
	fill(t, dir, 500)
	if err := os.WriteFile(beside, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "lock"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	last, of := 0, 0
	err := workdir.Remove(t.Context(), dir, func(gone, all int) {
		if gone != last+1 || !there(filepath.Join(dir, "lock")) {
			t.Errorf("%d are gone after %d; the lock is there: %v", gone, last, there(filepath.Join(dir, "lock")))
		}
		last, of = gone, all
	})
	if err != nil || there(dir) || !there(beside) {
		t.Errorf("%v; the folder is there: %v; what lies beside it: %v", err, there(dir), there(beside))
	}
	if last != of || of == 0 {
		t.Errorf("%d of %d were told to be gone", last, of)
	}
	if err := workdir.Remove(t.Context(), dir, nil); err != nil {
		t.Errorf("what is not there: %v", err)
	}
}

// Interrupted, it ends without the rest, and keeps what marks the folder.
func TestRemoveInterrupted(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, 500)
	if err := os.WriteFile(filepath.Join(dir, "a-lock"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	told := 0
	err := workdir.Remove(ctx, dir, func(gone, all int) {
		told, _ = gone, all
		cancel()
	})
	if !errors.Is(err, context.Canceled) || !there(filepath.Join(dir, "a-lock")) {
		t.Errorf("%v; the lock is there: %v", err, there(filepath.Join(dir, "a-lock")))
	}
	if told == 0 || told > 4 { // those that were being removed
		t.Errorf("%d folders were removed after the end", told)
	}
	if err := workdir.Remove(t.Context(), dir, nil); err != nil || there(dir) {
		t.Errorf("the rest: %v", err)
	}
}

// A link is removed and not what it leads to.
func TestRemoveLink(t *testing.T) {
	dir, other := filepath.Join(t.TempDir(), "dir"), t.TempDir()
	fill(t, other, 5)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(other, filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	if err := workdir.Remove(t.Context(), dir, nil); err != nil || there(dir) || !there(filepath.Join(other, "caches")) {
		t.Errorf("%v; the folder is there: %v; the other: %v", err, there(dir), there(filepath.Join(other, "caches")))
	}
}

// BenchmarkFill makes a cache's worth of files in one folder after the other, each
// removed before the next is made: what the removed ones cost those that
// follow. It is of TMPDIR's file system.
func BenchmarkFill(b *testing.B) {
	for _, where := range []string{"spread", "beside"} {
		b.Run(where, func(b *testing.B) {
			base := b.TempDir()
			if where == "spread" {
				if err := workdir.Spread(base); err != nil {
					b.Fatal(err)
				}
			}
			i := 0
			for b.Loop() {
				dir := filepath.Join(base, fmt.Sprint(i))
				i++
				fill(b, dir, 5000)
				b.StopTimer()
				if err := workdir.Remove(b.Context(), dir, nil); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}
