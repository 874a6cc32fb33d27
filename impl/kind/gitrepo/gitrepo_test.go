package gitrepo

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bst/impl/kind/sourcetest"

	"github.com/google/go-cmp/cmp"
)

// run runs git in a repository.
func run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("this test works with real repositories, and needs the program git")
	}
	argv := append([]string{"-C", dir, "-c", "user.name=n", "-c", "user.email=e", "-c", "advice.detachedHead=false"}, args...)
	out, err := exec.Command("git", argv...).CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// repository has five commits, of which the second is tagged 1.0 (a tag with a
// text) and the fourth 2.0 (a name alone).
func repository(t *testing.T) (root, head string) {
	t.Helper()
	root = t.TempDir()
	dir := filepath.Join(root, "x.git")
	sourcetest.Write(t, dir, map[string]string{"file": "0", "sub/other": "text"})
	run(t, dir, "init", "--quiet", "--initial-branch=main")
	for i, tag := range [][]string{nil, {"tag", "-a", "-m", "text", "1.0"}, nil, {"tag", "2.0"}, nil} {
		sourcetest.Write(t, dir, map[string]string{"file": string(rune('0' + i))})
		run(t, dir, "add", ".")
		run(t, dir, "commit", "--quiet", "-m", "m")
		if tag != nil {
			run(t, dir, tag...)
		}
	}
	return root, run(t, dir, "rev-parse", "HEAD")
}

// What git says where the files are staged.
func TestHistory(t *testing.T) {
	root, head := repository(t)
	dir := filepath.Join(root, "x.git")
	env := &sourcetest.Env{Aliases: map[string]string{"up": "file://" + root + "/"}}
	second := run(t, dir, "rev-parse", "1.0^{commit}")
	for _, tt := range []struct{ name, ref, file, describe, commits string }{
		{"a commit", head, "4", head[:7], "1"},
		{"after a tag", "2.0-1-g" + head, "4", "2.0-1-g" + head[:7], "2"},
		{"long after a tag", "1.0-3-g" + head, "4", "1.0-3-g" + head[:7], "4"},
		{"on a tag", "1.0-0-g" + second, "1", "1.0", "1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, w, at := context.Background(), sourcetest.NewWork(t), t.TempDir()
			s := sourcetest.Must(t, Traits(), env, "url: up:x.git\nref: "+tt.ref)
			if err := s.Fetch(ctx, w); err != nil {
				t.Fatal(err)
			}
			if err := s.Stage(ctx, w, at); err != nil {
				t.Fatal(err)
			}
			got := map[string]string{
				"describe": run(t, at, "describe", "--tags", "--always", "--abbrev=7"),
				"commits":  run(t, at, "rev-list", "--count", "HEAD"),
				"status":   run(t, at, "status", "--porcelain"),
				"file":     sourcetest.Files(t, at)["file"],
			}
			want := map[string]string{"describe": tt.describe, "commits": tt.commits, "status": "", "file": tt.file}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			// The same again, byte by byte: sources are known by their content.
			again := t.TempDir()
			if err := s.Stage(ctx, w, again); err != nil {
				t.Fatal(err)
			}
			one, two := sourcetest.Files(t, at), sourcetest.Files(t, again)
			// git status has filled in the first one's index.
			delete(one, ".git/index")
			delete(two, ".git/index")
			if diff := cmp.Diff(one, two); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	env := &sourcetest.Env{Dir: t.TempDir()}
	for _, config := range []string{"ref: abc", "url: x\nref-format: md5", "url: x\nsubmodules: {}", "url: x\nexclude: {}"} {
		if _, err := sourcetest.Configure(t, Traits(), env, config); err == nil {
			t.Errorf("it takes %q", config)
		}
	}
}
