package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// smallDisk mounts a file system of some bytes.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skip("mounting takes root: ", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

var fullArguments = []string{"--bst", standIn, "--strategy", "one", "--stack", "chain-3", "--command", "build", "--terminal", "none", "-n", "40", "--seed", "1"}

// Where caches have no room nothing is measured, and that is said.
func TestNoRoomForCaches(t *testing.T) {
	raw := filepath.Join(t.TempDir(), "a.txt")
	_, err := call(t, append([]string{"run", "-o", raw, "--work", smallDisk(t, "8m")}, fullArguments...)...)
	if err == nil || !strings.Contains(err.Error(), "2 runs failed and 1 things were skipped") {
		t.Errorf("%v", err)
	}
	text, err := os.ReadFile(raw)
	if err != nil || !strings.Contains(string(text), "MB left, want at least 64") || strings.Contains(string(text), "\nBenchmark") {
		t.Errorf("%v\n%s", err, text)
	}
}

// Where the record has no room, what it has stays, and with room it is gone on with.
func TestNoRoomForRecord(t *testing.T) {
	dir := smallDisk(t, "8k")
	raw := filepath.Join(dir, "a.txt")
	arguments := append([]string{"run", "-o", raw}, fullArguments...)
	_, err := call(t, arguments...)
	if err == nil || !strings.Contains(err.Error(), "no space left on device") || !strings.Contains(err.Error(), "the same command goes on with it") {
		t.Fatalf("%v", err)
	}
	before, err := os.ReadFile(raw + partial)
	if err != nil || strings.Count(string(before), "\nBenchmark") == 0 {
		t.Fatalf("%v\n%s", err, before)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=1m"); err != nil {
		t.Fatal(err)
	}
	if _, err := call(t, arguments...); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(raw)
	whole := before[:strings.LastIndex(string(before), "\n")+1]
	if err != nil || !strings.HasPrefix(string(after), string(whole)) || strings.Count(string(after), "\nBenchmark") != 40 {
		t.Errorf("%v\n%s", err, after)
	}
}
