package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The test's own program stands for bst-bench where that starts itself anew.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "stacks" {
		if err := run(context.Background(), os.Args[1:], os.Stdout, os.Stderr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func call(t *testing.T, args ...string) (stdout string, err error) {
	t.Helper()
	var out, log bytes.Buffer
	err = run(context.Background(), args, &out, &log)
	return out.String(), err
}

// From nothing to a report, with a stand-in for bst.
func TestRunAndReport(t *testing.T) {
	dir := t.TempDir()
	raw := filepath.Join(dir, "raw", "a.txt")
	if _, err := call(t, "run", "-o", raw, "--bst", "../../bench/harness/testdata/bst", "--strategy", "one,two",
		"--stack", "chain-3,debian-bash", "--command", "build", "--terminal", "none", "-n", "1", "--seed", "3"); err != nil {
		t.Fatal(err)
	}
	if _, err := call(t, "report", "--dir", dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"### a: chain-3 (3 elements)", "### a: debian-bash (23 elements)", "| build   | bst  | two      | none     |    1 |", "order-seed"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	entries, err := os.ReadDir(filepath.Join(dir, "raw"))
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// A run that fails is recorded, and the program says so.
func TestFailedRun(t *testing.T) {
	raw := filepath.Join(t.TempDir(), "a.txt")
	_, err := call(t, "run", "-o", raw, "--bst", "../../bench/harness/testdata/bst", "--strategy", "broken",
		"--stack", "chain-3", "--command", "show", "--terminal", "none", "-n", "2")
	if err == nil || !strings.Contains(err.Error(), "2 runs failed") {
		t.Errorf("%v", err)
	}
	if text, err := os.ReadFile(raw); err != nil || !strings.Contains(string(text), "something broke") {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestStacks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "p")
	out, err := call(t, "stacks", "-o", dir, "--for", "1.6", "-n", "4", "diamond")
	if want := dir + ": 4 elements, 3 dependencies; target top.bst\n"; err != nil || out != want {
		t.Errorf("%q, %v; want %q", out, err, want)
	}
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{
		{"stacks", "chain"},
		{"stacks", "-o", filepath.Join(dir, "a")},
		{"stacks", "-o", filepath.Join(dir, "a"), "cube"},
		{"run"},
		{"run", "-o", filepath.Join(dir, "b"), "--bst", "/no/such/bst"},
		{"run", "-o", filepath.Join(dir, "b"), "--bst", "", "--peer", "nameless"},
		{"run", "-o", filepath.Join(dir, "b"), "--bst", "", "--stack", "cube-3"},
		{"run", "-o", filepath.Join(dir, "b"), "--bst", "", "--terminal", "vt100"},
		{"run", "-o", filepath.Join(dir, "b"), "--bst", "", "--command", "dance"},
		{"run", "-o", filepath.Join(dir, "b"), "--bst", ""},
		{"report", "--dir", filepath.Join(dir, "missing")},
		{"nonsense"},
	} {
		if _, err := call(t, args...); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}
