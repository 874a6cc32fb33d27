package cas

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDigests asks side by side, for what is there and what is not, and again
// after both have changed.
func TestDigests(t *testing.T) {
	dir := t.TempDir()
	file, missing := filepath.Join(dir, "f"), filepath.Join(dir, "missing")
	if err := os.WriteFile(file, []byte("first"), 0o644); err != nil {
		t.Fatal(err)
	}
	wantTree, err := DigestTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	var d Digests
	look := func() {
		t.Helper()
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if got, err := d.File(file); err != nil || got != DigestBytes([]byte("first")) {
					t.Errorf("file: %v, %v", got, err)
				}
				if got, err := d.Tree(dir); err != nil {
					t.Errorf("tree: %v", err)
				} else if diff := cmp.Diff(wantTree, got); diff != "" {
					t.Errorf("tree: %s", diff)
				}
				if _, err := d.Sum(missing); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("a missing file: %v", err)
				}
				if _, err := d.File(missing); err == nil || errors.Is(err, fs.ErrNotExist) {
					t.Errorf("a missing file: %v", err)
				}
			})
		}
		all.Wait()
	}
	look()
	for name, content := range map[string]string{file: "second", missing: "there now"} {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	look()
}
