//go:build linux

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"bst/impl/cas"
)

func newTrees(t testing.TB, max int64) (*trees, *cas.Store) {
	t.Helper()
	dir := t.TempDir()
	store, err := cas.Open(filepath.Join(dir, "cas"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return &trees{store: store, dir: filepath.Join(dir, "trees"), max: max}, store
}

func register(t testing.TB, tr *trees) *lease {
	t.Helper()
	l, err := tr.register(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func exists(t testing.TB, path string) bool {
	t.Helper()
	_, err := os.Stat(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

// The least recently used checkouts go first, those in use stay.
func TestPrune(t *testing.T) {
	tr, store := newTrees(t, 1000)
	var all []cas.Digest
	for i := range 5 {
		all = append(all, makeTree(t, store, map[string]string{"a/b": fmt.Sprint(i), "c": "same"}))
	}
	user := register(t, tr)
	if err := user.ensure(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	if err := user.release(); err != nil {
		t.Fatal(err)
	}
	for i, d := range all {
		old := time.Now().Add(time.Duration(i-10) * time.Hour)
		if err := os.Chtimes(filepath.Join(tr.treeDir(d.Hash), "info"), old, old); err != nil {
			t.Fatal(err)
		}
	}
	keep := register(t, tr)
	if err := keep.ensure(t.Context(), all[1:2]); err != nil {
		t.Fatal(err)
	}
	// Waste of a dead process, and work of a live one.
	for _, name := range []string{"new-1-00000000-123", "gone-1", "new-" + keep.id + "-9"} {
		if err := os.MkdirAll(filepath.Join(tr.dir, name, "x"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// Each has 4 entries: root, a, a/b, c.
	if err := tr.prune(t.Context(), 12); err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{false, true, false, true, true} {
		if got := exists(t, tr.path(all[i])); got != want {
			t.Errorf("checkout %d: %v", i, got)
		}
	}
	for name, want := range map[string]bool{"new-1-00000000-123": false, "gone-1": false, "new-" + keep.id + "-9": true} {
		if got := exists(t, filepath.Join(tr.dir, name)); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if err := tr.prune(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if !exists(t, tr.path(all[1])) {
		t.Error("a checkout in use is gone")
	}
	if err := keep.release(); err != nil {
		t.Fatal(err)
	}
	if err := tr.prune(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(filepath.Join(tr.dir, "t")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// Many users of many checkouts, while others prune: what a lease has ensured is
// there until it is released.
func TestTreesTogether(t *testing.T) {
	tr, store := newTrees(t, 20)
	other := &trees{store: store, dir: tr.dir, max: 20} // as another process
	var all []cas.Digest
	for i := range 12 {
		all = append(all, makeTree(t, store, map[string]string{fmt.Sprintf("d/%d", i): fmt.Sprint(i)}))
	}
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			use := tr
			if i%2 == 1 {
				use = other
			}
			for j := range 15 {
				l, err := use.register(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				mine := []cas.Digest{all[(i+j)%len(all)], all[(i*5+j*7)%len(all)]}
				if err := l.ensure(t.Context(), mine); err != nil {
					t.Error(err)
				}
				for _, d := range mine {
					if _, err := os.ReadDir(filepath.Join(use.path(d), "d")); err != nil {
						t.Error(err)
					}
				}
				if err := l.release(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Go(func() {
		for range 30 {
			if err := other.prune(t.Context(), 0); err != nil {
				t.Error(err)
			}
		}
	})
	wait.Wait()
}

// A checkout of what the store lacks fails, leaves nothing, and can be tried
// again.
func TestCheckoutFails(t *testing.T) {
	tr, store := newTrees(t, 1000)
	d := makeTree(t, store, map[string]string{"a/b": "content", "c": "other"})
	gone := store.Path(cas.DigestBytes([]byte("content")))
	if err := os.Rename(gone, gone+".away"); err != nil {
		t.Fatal(err)
	}
	l := register(t, tr)
	defer l.release()
	if err := l.ensure(t.Context(), []cas.Digest{d}); !cas.IsMissing(err) {
		t.Errorf("%v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(tr.dir, "new-*")); len(left) > 0 || exists(t, tr.path(d)) {
		t.Errorf("left: %v", left)
	}
	if err := os.Rename(gone+".away", gone); err != nil {
		t.Fatal(err)
	}
	if err := l.ensure(t.Context(), []cas.Digest{d}); err != nil || !exists(t, tr.path(d)) {
		t.Error(err)
	}
}
