package gitmodule

import (
	"context"
	"maps"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bst/impl/kind"
	"bst/impl/kind/gitrepo"
	"bst/impl/kind/gittag"
	"bst/impl/kind/sourcetest"

	"github.com/google/go-cmp/cmp"
)

// repository makes one with a file, and gives its only commit.
func repository(t *testing.T, dir string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("this test works with real repositories, and needs the program git")
	}
	sourcetest.Write(t, dir, map[string]string{"file": "text"})
	commit := ""
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main"}, {"add", "file"},
		{"-c", "user.name=n", "-c", "user.email=e", "commit", "--quiet", "-m", "m"}, {"rev-parse", "HEAD"},
	} {
		out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		commit = strings.TrimSpace(string(out))
	}
	return commit
}

// The kinds stage a commit: git_repo and git_tag at the top, git_module at its path.
func TestStage(t *testing.T) {
	root := t.TempDir()
	commit := repository(t, filepath.Join(root, "x.git"))
	env := &sourcetest.Env{Aliases: map[string]string{"up": "file://" + root + "/"}}
	for _, tt := range []struct {
		traits kind.SourceTraits
		config string
		want   map[string]string
	}{
		{gitrepo.Traits(), "", map[string]string{"file": "text"}},
		{gittag.Traits(), "", map[string]string{"file": "text"}},
		{Traits(), "\npath: deps/x", map[string]string{"deps/": "", "deps/x/": "", "deps/x/file": "text"}},
	} {
		t.Run(tt.traits.Kind, func(t *testing.T) {
			ctx, w, dir := context.Background(), sourcetest.NewWork(t), t.TempDir()
			s := sourcetest.Must(t, tt.traits, env, "url: up:x.git\nref: "+commit+tt.config)
			if s.Cached(ctx, w) {
				t.Error("it is cached before it is fetched")
			}
			if err := s.Fetch(ctx, w); err != nil {
				t.Fatal(err)
			}
			if !s.Cached(ctx, w) {
				t.Error("it is not cached after it is fetched")
			}
			if err := s.Stage(ctx, w, dir); err != nil {
				t.Fatal(err)
			}
			got := sourcetest.Files(t, dir)
			// What git_repo tells of the history is in its own test.
			maps.DeleteFunc(got, func(name, _ string) bool { return strings.HasPrefix(name, ".git/") })
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("this test fetches, and needs the program git")
	}
	env := &sourcetest.Env{Aliases: map[string]string{"up": "file://" + t.TempDir() + "/"}}
	ctx, w := context.Background(), sourcetest.NewWork(t)
	err := sourcetest.Must(t, Traits(), env, "url: up:none.git\npath: x\nref: abc").Fetch(ctx, w)
	if err == nil || !strings.HasPrefix(err.Error(), "git_module source at ") {
		t.Errorf("error: %v", err)
	}
	err = sourcetest.Must(t, gittag.Traits(), env, "url: up:none.git\nuse-lfs: True\nref: abc").Fetch(ctx, w)
	if err == nil || !strings.Contains(err.Error(), "git_tag source at ") || !strings.Contains(err.Error(), "lfs") {
		t.Errorf("error: %v", err)
	}
	err = sourcetest.Must(t, Traits(), env, "url: up:none.git\npath: ../x\nref: abc").Stage(ctx, w, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "leads out") {
		t.Errorf("error: %v", err)
	}
}
