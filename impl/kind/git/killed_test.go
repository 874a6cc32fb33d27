package git

import (
	"os"
	"path/filepath"
	"testing"

	"bst/impl/kind/sourcetest"

	"github.com/google/go-cmp/cmp"
)

// A fetch that was killed had written the commit, not yet its files, and left locks:
// the next one begins anew.
func TestKilledFetch(t *testing.T) {
	w := newWorld(t)
	w.create("repo")
	first := w.commit("repo", map[string]string{"a/file": "content"})
	ref := w.commit("repo", map[string]string{"a/file": "new content"})
	yaml := "url: 'up:repo'\ntrack: master\nref: " + ref

	work := sourcetest.NewWork(t)
	s := sourcetest.Must(t, Traits(), w.env, yaml)
	if err := s.Fetch(t.Context(), work); err != nil {
		t.Fatal(err)
	}
	mirrors, err := work.MirrorDir()
	if err != nil {
		t.Fatal(err)
	}
	mirror := filepath.Join(mirrors, "up_repo")
	// As after the kill: the objects are loose, and the tree is missing.
	pack := filepath.Join(mirror, "objects", "pack")
	if packs, _ := filepath.Glob(filepath.Join(pack, "*.pack")); len(packs) > 0 {
		t.Fatalf("the mirror has packs: %v", packs)
	}
	for _, what := range []string{ref + "^{tree}", first} {
		id := w.git("repo", "rev-parse", what)
		if err := os.Remove(filepath.Join(mirror, "objects", id[:2], id[2:])); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"refs/heads/master", "packed-refs"} {
		if err := os.Remove(filepath.Join(mirror, name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	sourcetest.Write(t, mirror, map[string]string{fetchingName: "", "packed-refs.lock": "", "refs/heads/master.lock": ""})

	s = sourcetest.Must(t, Traits(), w.env, yaml)
	if s.Cached(t.Context(), work) {
		t.Error("half a commit counts as one")
	}
	s = sourcetest.Must(t, Traits(), w.env, yaml)
	if err := s.Fetch(t.Context(), work); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := s.Stage(t.Context(), work, dir); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a/": "", "a/file": "new content"}, sourcetest.Files(t, dir)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := os.Lstat(filepath.Join(mirror, fetchingName)); !os.IsNotExist(err) {
		t.Errorf("the mark of the fetch: %v", err)
	}
}
