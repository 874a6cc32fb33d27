//go:build linux

package sandbox

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bst/impl/cas"
)

// runVictim is a bst that runs a command without end in the lab at dir, whose
// root file system has the digest in dir/base; it is to be killed.
func runVictim(dir string) int {
	fail := func(err error) int { fmt.Println("error:", err); return 1 }
	store, err := cas.Open(filepath.Join(dir, "cas"))
	if err != nil {
		return fail(err)
	}
	f, err := New(Config{Store: store, WorkDir: filepath.Join(dir, "build"), TreesDir: filepath.Join(dir, "trees")})
	if err != nil {
		return fail(err)
	}
	var base cas.Digest
	b, err := os.ReadFile(filepath.Join(dir, "base"))
	if err != nil {
		return fail(err)
	}
	if _, err := fmt.Sscan(string(b), &base.Hash, &base.Size); err != nil {
		return fail(err)
	}
	r, err := f.Stage(context.Background(), []cas.Digest{base}, nil)
	if err != nil {
		return fail(err)
	}
	if err := r.Writable("/work", cas.Digest{}); err != nil {
		return fail(err)
	}
	_, err = r.Run(context.Background(), Spec{
		Argv: []string{"sh", "-c", "mkdir -p /work/a; touch /work/a/b; chmod 0 /work/a; (sleep 1000 & sleep 1000) & echo ready; sleep 1000"},
		Env:  map[string]string{"PATH": "/usr/bin"}, Stdout: os.Stdout, Stderr: os.Stdout,
	})
	return fail(err)
}

// After kill -9 of bst no process and no mount is left; the next bst removes the
// work directory, and no checkout that lives is lost.
func TestKilled(t *testing.T) {
	l := newLab(t, nil)
	if err := os.WriteFile(filepath.Join(l.dir, "base"), fmt.Appendf(nil, "%s %d", l.base.Hash, l.base.Size), 0o644); err != nil {
		t.Fatal(err)
	}
	mine := l.stage()
	l.sh(mine, "true", nil)

	cmd := exec.Command("/proc/self/exe", "__victim", l.dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q %v", line, err)
	}
	if n := len(sleepers(t, l)); n < 5 {
		t.Fatalf("the victim has %d processes", n)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	// The kernel ends the tree while nobody waits for it; give it a moment.
	var left []string
	for range 500 {
		if left = sleepers(t, l); len(left) == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if len(left) > 0 {
		t.Errorf("processes are left:\n%s", strings.Join(left, "\n"))
	}
	if n := l.mounts(); n > 0 {
		t.Errorf("%d mounts are left", n)
	}

	dirs := func() (n int) {
		all, err := filepath.Glob(filepath.Join(l.dir, "build", "s*-*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	if n := dirs(); n != 2 {
		t.Errorf("%d work directories before the sweep", n)
	}
	if err := l.factory.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 500 {
		if dirs() == 1 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if n := dirs(); n != 1 {
		t.Errorf("%d work directories after the sweep", n)
	}
	if err := l.factory.Prune(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if users, _ := os.ReadDir(l.factory.trees.usersDir()); len(users) != 1 {
		t.Errorf("users after a prune: %v", users)
	}
	l.sh(mine, "test -x /usr/bin/sh", nil) // in use: not pruned
}
