package generated

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"bst/impl/kind/local"
	"bst/impl/kind/sourcetest"

	"github.com/google/go-cmp/cmp"
)

// What was generated is a source as if it lay in the project.
func TestGenerated(t *testing.T) {
	user := t.TempDir()
	t.Setenv("HOME", user)
	env := &sourcetest.Env{Dir: t.TempDir()}
	sourcetest.Write(t, env.Dir, map[string]string{"keys/Makefile": "all:\n", "same/a": "key", "same/b/c": "more"})
	config := "template: keys\nname: gnome keys\nargs: [DAYS=5, all]\npath: made"
	_, err := sourcetest.Configure(t, Traits(), env, config)
	if err == nil || !strings.Contains(err.Error(), "must be generated") {
		t.Fatalf("files that are not there: %v", err)
	}
	sourcetest.Write(t, filepath.Join(user, home, "gnome keys"), map[string]string{"made/a": "key", "made/b/c": "more"})
	s := sourcetest.Must(t, Traits(), env, config)
	same := sourcetest.Must(t, local.Traits(), env, "path: same")
	got, err := s.UniqueKey()
	if err != nil {
		t.Fatal(err)
	}
	want, err := same.UniqueKey()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	dir, w := t.TempDir(), sourcetest.NewWork(t)
	if !s.Resolved() || !s.Cached(context.Background(), w) {
		t.Error("it must be fetched")
	}
	if err := s.Stage(context.Background(), w, dir); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "key", "b/": "", "b/c": "more"}, sourcetest.Files(t, dir)); diff != "" {
		t.Error(diff)
	}
	for _, config := range []string{
		"name: x\npath: made", "template: keys\npath: made", "template: keys\nname: gnome keys", "template: none\nname: gnome keys\npath: made",
		"template: keys\nname: gnome keys\npath: made\nmore: x",
	} {
		if _, err := sourcetest.Configure(t, Traits(), env, config); err == nil {
			t.Errorf("it takes %q", config)
		}
	}
}
