package host

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"bst/impl/kind/sourcetest"
)

func shell(t *testing.T, script string) Command {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("this test runs shell scripts, and needs the program sh")
	}
	return Command{Argv: []string{sh, "-c", script}}
}

func TestRun(t *testing.T) {
	t.Setenv("GONE", "x")
	w := sourcetest.NewWork(t)
	var out strings.Builder
	c := shell(t, `echo out $GONE $ADDED; printf '1%%\r2%%\r100%%, done.\n' >&2; pwd; tty; exit 3`)
	c.Env, c.Stdout, c.Dir = []string{"GONE", "ADDED=a"}, &out, t.TempDir()
	result, err := Run(context.Background(), w, c)
	if err != nil {
		t.Fatal(err)
	}
	if result.Status != 3 || out.String() != "out a\n"+c.Dir+"\nnot a tty\n" {
		t.Errorf("got %#v and %q", result, out.String())
	}
	if result.Tail != "100%, done.\n" || !strings.HasSuffix(w.LogText(), "exit 3\n100%, done.\n") {
		t.Errorf("the tail is %q and the log %q", result.Tail, w.LogText())
	}
}

// TestCancel: all that the program has started ends with it.
func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(100*time.Millisecond, cancel)
	if _, err := Run(ctx, sourcetest.NewWork(t), shell(t, "sleep 1000 & sleep 1000")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestSilence(t *testing.T) {
	c := shell(t, "echo hello >&2; sleep 1000")
	c.Silence = 100 * time.Millisecond
	result, err := Run(context.Background(), sourcetest.NewWork(t), c)
	if err != nil || !result.Silent || result.Status == 0 || result.Tail != "hello\n" {
		t.Errorf("got %#v, %v", result, err)
	}
}

func TestTail(t *testing.T) {
	result, err := Run(context.Background(), sourcetest.NewWork(t),
		shell(t, `i=0; while [ $i -lt 2000 ]; do echo "line $i" >&2; i=$((i+1)); done; kill -9 $$`))
	if err != nil || result.Status == 0 {
		t.Fatalf("got %#v, %v", result, err)
	}
	if len(result.Tail) > 3*tailSize || !strings.HasSuffix(result.Tail, "line 1999\nsignal: killed\n") {
		t.Errorf("got %d bytes, which end in %q", len(result.Tail), result.Tail[len(result.Tail)-40:])
	}
}

func TestNoProgram(t *testing.T) {
	if _, err := Run(context.Background(), sourcetest.NewWork(t), Command{Argv: []string{"/nowhere/program"}}); err == nil {
		t.Error("it ran")
	}
}
