package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"bst/bench/report"
)

// Every family of stacks is built by bst itself as it should be, failures included,
// and by ninja where that is there.
func TestFamilies(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("sandboxes are of Linux")
	}
	if _, err := exec.LookPath("bwrap"); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	bst, raw := filepath.Join(dir, "bst"), filepath.Join(dir, "a.txt")
	if out, err := exec.Command("go", "build", "-o", bst, "bst/cmd/bst").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	arguments := []string{"run", "-o", raw, "--bst", bst, "--strategy", "inprocess", "--terminal", "none", "-n", "1",
		"--command", "show-cold,fetch,build,rebuild", "--stack", "long-logs-4,failures-6,deep-junctions-12,wide-files-3,sources-4,rapid-20"}
	// Each stack has each command, but for failures, which are neither fetched nor built again.
	want := 6*4 - 2
	if ninja, err := exec.LookPath("ninja"); err == nil {
		arguments = append(arguments, "--peer", "ninja="+ninja)
		want += 2 * 4 // neither failures nor subprojects, nor show or fetch
	}
	_, err := call(t, arguments...)
	if err != nil {
		text, _ := os.ReadFile(raw)
		t.Fatalf("%v\n%s", err, text)
	}
	f, err := report.ReadFile(raw)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Runs) != want || len(f.Failures) > 0 {
		t.Errorf("%d runs and not %d; %v", len(f.Runs), want, f.Failures)
	}
	for _, r := range f.Runs {
		if r.Tool == "bst" && (r.Values["events/op"] == 0 || r.Values["first-event-sec/op"] <= 0 || r.Values["first-event-sec/op"] > r.Values["sec/op"]) {
			t.Errorf("%+v", r)
		}
	}
}
