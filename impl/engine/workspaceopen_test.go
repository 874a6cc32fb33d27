package engine

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"bst/impl/cas"
)

// TestFill: what was there stays until the new is whole and replace agrees, and
// nothing is left beside it.
func TestFill(t *testing.T) {
	top := t.TempDir()
	dir, source := filepath.Join(top, "ws"), filepath.Join(top, "source")
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(source, "sub", "new"), "new")
	write(filepath.Join(dir, "old"), "old")
	store, err := cas.Open(filepath.Join(top, "cas"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	tree, err := store.CaptureTree(source, cas.CaptureOptions{})
	if err != nil {
		t.Fatal(err)
	}
	refusal := errors.New("no")
	if err := fill(store, tree, dir, func() error { return refusal }); !errors.Is(err, refusal) {
		t.Errorf("got %v", err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "old")); err != nil || string(text) != "old" {
		t.Errorf("what was there is %q, %v", text, err)
	}
	if err := fill(store, tree, dir, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	if got, err := cas.DigestTree(dir); err != nil || got != tree {
		t.Errorf("it holds %v, not %v: %v", got, tree, err)
	}
	if list, err := os.ReadDir(top); err != nil || len(list) != 3 {
		t.Errorf("beside it are %v, %v", list, err)
	}
}
