package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// two writes a raw file whose times are some seconds, more or less.
func two(t *testing.T, name string, seconds float64) string {
	t.Helper()
	text := "platform: linux\n"
	for round, noise := range []float64{0, 0.01, -0.01, 0.02, -0.02, 0.005} {
		text += fmt.Sprintf("\n=== ROUND %d\nBenchmarkShow/stack=s/tool=bst/strategy=inprocess/terminal=none\t1\t%d ns/op\t%d cpu-ns/op\n", round+1,
			int64((seconds+noise)*1e9), int64((seconds+noise)*1e9))
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text+"=== END now\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCompare(t *testing.T) {
	before := two(t, "old.txt", 1)
	if out, err := call(t, "compare", before, two(t, "new.txt", 1)); err != nil || !strings.Contains(out, "~") {
		t.Errorf("%v\n%s", err, out)
	}
	out, err := call(t, "compare", before, two(t, "new.txt", 1.5))
	if err == nil || !strings.Contains(err.Error(), "2 figures have become worse by more than 5 %") || !strings.Contains(out, "+49.9 %") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := call(t, "compare", "--bound", "60", before, two(t, "new.txt", 1.5)); err != nil {
		t.Errorf("%v", err)
	}
	foreign := filepath.Join(t.TempDir(), "foreign.txt")
	if err := os.WriteFile(foreign, []byte("hello\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := call(t, "compare", before, foreign); err == nil || !strings.Contains(err.Error(), "foreign.txt") {
		t.Errorf("%v", err)
	}
}

// benchstat, of golang.org/x/perf, reads raw files.
func TestBenchstat(t *testing.T) {
	out, err := exec.Command("go", "run", "golang.org/x/perf/cmd/benchstat", two(t, "old.txt", 1), two(t, "new.txt", 1.5)).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "+49.88%") || !strings.Contains(string(out), "platform: linux") {
		t.Errorf("%v\n%s", err, out)
	}
}

// The watch passes a program that is compared with itself, on whatever machine, and
// fails one that takes three times as long.
func TestWatch(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in is a shell's")
	}
	common := []string{"--bst", standIn, "--stack", "chain-3", "--strategy", "one", "-n", "8"}
	if out, err := call(t, append([]string{"watch", "--old", standIn}, common...)...); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	self, err := filepath.Abs(standIn)
	if err != nil {
		t.Fatal(err)
	}
	slow := filepath.Join(t.TempDir(), "slow")
	script := "#!/bin/sh\n[ \"$1\" = --version ] || { i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; }\nexec " + self + " \"$@\"\n"
	if err := os.WriteFile(slow, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	common[1] = slow
	out, err := call(t, append([]string{"watch", "--old", standIn}, common...)...)
	if err == nil || !strings.Contains(err.Error(), "by more than their bound, twice") || !strings.Contains(out, "measuring again") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := call(t, "watch", "--old", standIn, "-n", "3"); err == nil {
		t.Error("no error for too few rounds")
	}
}
