package patchqueue

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"bst/impl/kind/sourcetest"
	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

func patch(from, to string) string {
	return "--- a/f.txt\n+++ b/f.txt\n@@ -1 +1 @@\n-" + from + "\n+" + to + "\n"
}

func TestStage(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("this test applies real patches, and needs the program git")
	}
	env := &sourcetest.Env{Dir: t.TempDir()}
	sourcetest.Write(t, env.Dir, map[string]string{
		"queue/02.patch": patch("two", "three"), "queue/01.patch": patch("one", "two"), "empty/": "",
	})
	// The directory lies in a repository that knows nothing of its files.
	outer := t.TempDir()
	if out, err := exec.Command("git", "init", "--quiet", outer).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dir := filepath.Join(outer, "sources")
	sourcetest.Write(t, dir, map[string]string{"f.txt": "one\n"})
	w := sourcetest.NewWork(t)
	s := sourcetest.Must(t, Traits(), env, "path: queue")
	if err := s.Stage(context.Background(), w, dir); err != nil {
		t.Fatalf("%v\n%s", err, w.LogText())
	}
	if diff := cmp.Diff(map[string]string{"f.txt": "three\n"}, sourcetest.Files(t, dir)); diff != "" {
		t.Error(diff)
	}

	var told *stream.Error
	if err := s.Stage(context.Background(), w, dir); !errors.As(err, &told) || told.Domain != stream.DomainPlugin || told.Detail == "" {
		t.Errorf("patches that do not apply: %v", err)
	}
	if err := sourcetest.Must(t, Traits(), env, "path: empty").Stage(context.Background(), w, dir); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
	if err := os.WriteFile(filepath.Join(env.Dir, "queue/01.patch"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.Stage(context.Background(), w, dir); !errors.As(err, &told) || told.Reason != "source-changed" {
		t.Errorf("a patch that was edited: %v", err)
	}
}

// A plugin that applies patches with the program patch does so.
func TestPlain(t *testing.T) {
	if _, err := exec.LookPath("patch"); err != nil {
		t.Skip("this test applies real patches, and needs the program patch")
	}
	env, dir := &sourcetest.Env{Dir: t.TempDir()}, t.TempDir()
	sourcetest.Write(t, env.Dir, map[string]string{"queue/02.patch": patch("two", "three"), "queue/01.patch": patch("one", "two")})
	sourcetest.Write(t, dir, map[string]string{"f.txt": "one\n"})
	w := sourcetest.NewWork(t)
	s := sourcetest.Must(t, variant(`utils.get_host_tool("patch")`), env, "path: queue")
	if err := s.Stage(context.Background(), w, dir); err != nil {
		t.Fatalf("%v\n%s", err, w.LogText())
	}
	if diff := cmp.Diff(map[string]string{"f.txt": "three\n"}, sourcetest.Files(t, dir)); diff != "" {
		t.Error(diff)
	}
	if err := s.Stage(context.Background(), w, dir); err == nil {
		t.Error("patches that do not apply are taken")
	}
}

// Each patch is told of, by one name however the folder is written.
func TestInfo(t *testing.T) {
	env := &sourcetest.Env{Dir: t.TempDir()}
	sourcetest.Write(t, env.Dir, map[string]string{"queue/01.patch": "x"})
	for _, path := range []string{"queue", "queue/"} {
		infos, err := sourcetest.Must(t, Traits(), env, "path: "+path).(*source).SourceInfo()
		if err != nil || len(infos) != 1 || infos[0].URL != "queue/01.patch" {
			t.Errorf("%s: %v, %v", path, infos, err)
		}
	}
}

func TestConfigure(t *testing.T) {
	env := &sourcetest.Env{Dir: t.TempDir()}
	sourcetest.Write(t, env.Dir, map[string]string{"file": "x", "queue/folder/": ""})
	for _, config := range []string{"{}", "path: nowhere", "path: file", "path: ..", "path: queue\nother: x", "path: queue\nstrip: 1"} {
		if _, err := sourcetest.Configure(t, Traits(), env, config); err == nil {
			t.Errorf("%q is taken", config)
		}
	}
	if _, err := sourcetest.Must(t, Traits(), env, "path: queue").UniqueKey(); err == nil {
		t.Error("a folder is taken for a patch")
	}
}
