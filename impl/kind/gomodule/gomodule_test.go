package gomodule

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bst/impl/kind/sourcetest"

	"github.com/google/go-cmp/cmp"
)

// repository makes one with files, and gives its only commit.
func repository(t *testing.T, dir string, files map[string]string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("this test works with real repositories, and needs the program git")
	}
	sourcetest.Write(t, dir, files)
	commit := ""
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main"}, {"add", "."},
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

// Modules are staged one after the other, the second inside of the first.
func TestStage(t *testing.T) {
	root := t.TempDir()
	one := repository(t, filepath.Join(root, "one.git"), map[string]string{
		"go.mod": "module x.invalid/one\n\ngo 1.21 // at least\n", "a.go": "package one\n", "doc/text": "t", "b/b.go": "package b\n", "b/c/c.go": "package c\n",
	})
	two := repository(t, filepath.Join(root, "two.git"), map[string]string{
		"sub/v2/go.mod": "module x.invalid/one/b\n", "sub/v2/b.go": "package b // second\n", "sub/old.go": "package old\n", "README": "r",
	})
	env := &sourcetest.Env{Aliases: map[string]string{"up": "file://" + root + "/"}}
	ctx, dir := context.Background(), t.TempDir()
	for _, config := range []string{
		"url: up:one.git\nmodule: x.invalid/one\nref: {go-version: v1.2.3, git-ref: " + one + ", explicit: True}",
		"url: up:two.git\nmodule: x.invalid/one/b\nref: {go-version: v2.0.1+incompatible, git-ref: " + two + ", explicit: False, subdirectory: sub}",
		"url: up:two.git\nmodule: x.invalid/two\nref: {go-version: v0.0.0-20200101000000-abcdef, git-ref: " + two + ", explicit: True, subdirectory: sub}",
	} {
		w := sourcetest.NewWork(t)
		s := sourcetest.Must(t, Traits(), env, config)
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
	}
	want := map[string]string{
		"vendor/": "", "vendor/x.invalid/": "", "vendor/x.invalid/one/": "", "vendor/x.invalid/one/b/": "",
		"vendor/x.invalid/one/b/c/": "", "vendor/x.invalid/one/doc/": "", "vendor/x.invalid/two/": "", "vendor/x.invalid/two/v2/": "",
		"vendor/x.invalid/one/go.mod": "module x.invalid/one\n\ngo 1.21 // at least\n", "vendor/x.invalid/one/a.go": "package one\n",
		"vendor/x.invalid/one/doc/text": "t", "vendor/x.invalid/one/b/b.go": "package b // second\n",
		"vendor/x.invalid/one/b/c/c.go": "package c\n", "vendor/x.invalid/one/b/go.mod": "module x.invalid/one/b\n",
		"vendor/x.invalid/two/old.go": "package old\n", "vendor/x.invalid/two/v2/go.mod": "module x.invalid/one/b\n",
		"vendor/x.invalid/two/v2/b.go": "package b // second\n",
		"vendor/modules.txt": "# x.invalid/one v1.2.3\n## explicit; go 1.21 // at least\nx.invalid/one\nx.invalid/one/b\nx.invalid/one/b/c\n" +
			"# x.invalid/one/b\nx.invalid/one/b\nx.invalid/one/b/c\n" +
			"# x.invalid/two v0.0.0-20200101000000-abcdef\n## explicit\nx.invalid/two\nx.invalid/two/v2\n",
	}
	if diff := cmp.Diff(want, sourcetest.Files(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestRefusals(t *testing.T) {
	env := &sourcetest.Env{Dir: t.TempDir()}
	const commit = "0123456789012345678901234567890123456789"
	for _, config := range []string{
		"module: m", "url: x", "url: x\nmodule: m\ntrack: main", "url: x\nmodule: m\nref: abc",
		"url: x\nmodule: m\nref: {go-version: v1, git-ref: " + commit + "}",
		"url: x\nmodule: m\nref: {go-version: v1, git-ref: abc, explicit: True}",
		"url: x\nmodule: m\nref: {go-version: v1, git-ref: " + commit + ", explicit: True, more: x}",
	} {
		if _, err := sourcetest.Configure(t, Traits(), env, config); err == nil {
			t.Errorf("it takes %q", config)
		}
	}
	ref := "\nref: {go-version: v1, git-ref: " + commit + ", explicit: True}"
	s := sourcetest.Must(t, Traits(), env, "url: x\nmodule: ../m"+ref)
	if err := s.Stage(context.Background(), sourcetest.NewWork(t), t.TempDir()); err == nil {
		t.Error("it leads out of the sources")
	}
	old := sourcetest.Must(t, variant(`{"ref": self.ref, "module": self.module, "bugfix": 0}`), env, "url: x\nmodule: m"+ref)
	if err := old.Fetch(context.Background(), sourcetest.NewWork(t)); err == nil || !strings.Contains(err.Error(), "release") {
		t.Errorf("a release whose files are not known is fetched: %v", err)
	}
}

// A symbolic link that earlier sources have put there is not followed out.
func TestLinkInTheWay(t *testing.T) {
	root, outside, dir := t.TempDir(), t.TempDir(), t.TempDir()
	commit := repository(t, filepath.Join(root, "one.git"), map[string]string{"a.go": "package a\n"})
	if err := os.Symlink(outside, filepath.Join(dir, "vendor")); err != nil {
		t.Fatal(err)
	}
	env := &sourcetest.Env{Aliases: map[string]string{"up": "file://" + root + "/"}}
	s := sourcetest.Must(t, Traits(), env, "url: up:one.git\nmodule: m\nref: {go-version: v1.0.0, git-ref: "+commit+", explicit: True}")
	ctx, w := context.Background(), sourcetest.NewWork(t)
	if err := s.Fetch(ctx, w); err != nil {
		t.Fatal(err)
	}
	if err := s.Stage(ctx, w, dir); err == nil {
		t.Error("the module is staged through the link")
	}
	if files := sourcetest.Files(t, outside); len(files) > 0 {
		t.Errorf("outside of the sources: %v", files)
	}
}
