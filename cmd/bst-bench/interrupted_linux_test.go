package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// SIGTERM in the middle of a run ends all of it soon, and is answered with what is
// left and where; the next measuring removes that.
func TestTerminated(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	dir := t.TempDir()
	plan := quickPlan(t, "- {file: one, stacks: [chain-3], commands: [show], terminals: [none], repetitions: 900}\n")
	raw := filepath.Join(dir, "one.txt"+partial)
	cmd := exec.Command(os.Args[0], "run", "--plan", plan, "-o", dir, "--bst", standIn)
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if content, _ := os.ReadFile(raw); bytes.Contains(content, []byte("\nBenchmark")) {
			break
		}
		if time.Since(begin) > time.Minute {
			t.Fatalf("it does not begin: %v", cmd.Process.Kill())
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	watchdog := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() }) // unless it ends, as it should
	err := cmd.Wait()
	if !watchdog.Stop() || err == nil {
		t.Errorf("it ended with %v\n%s", err, &log)
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), workLead+"*"))
	if err != nil || len(left) != 1 {
		t.Fatalf("%v, %v", left, err)
	}
	for _, want := range []string{left[0] + " is left: ", "what was measured is in " + raw + "; the same command goes on with it"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, &log)
		}
	}
	other := quickPlan(t, "- {file: two, stacks: [chain-3], strategies: [inprocess], commands: [build], terminals: [none], repetitions: 1}\n")
	if _, err := call(t, "run", "--plan", other, "-o", dir, "--bst", standIn); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), workLead+"*")); err != nil || len(left) != 0 {
		t.Errorf("the next left %v, %v", left, err)
	}
}
