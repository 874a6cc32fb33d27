package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bst/bench/harness"
	"bst/bench/report"
)

// The test's own program stands for bst-bench where that starts itself anew.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "stacks" || os.Args[1] == "run") {
		if err := run(untilInterrupted(), os.Args[1:], os.Stdout, os.Stderr); err != nil {
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
	text, err := os.ReadFile(filepath.Join(dir, "figures.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"### a: chain-3 (3 elements)", "### a: debian-bash (23 elements)", "| build   | bst  | two      | none     |    1 |", "order-seed"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	for _, name := range []string{"README.md", "codecs.md", "spawn.md", "index.html"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	entries, err := os.ReadDir(filepath.Join(dir, "raw"))
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// A raw file that cannot be used is named, and the rest is reported. What was made
// of files that are gone goes too, and the table of defaults is written where it is
// asked for.
func TestReportOfBadFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "raw"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"raw/foreign.txt": "BenchmarkSort-8 100 12 ns/op\n",
		"raw/good.txt":    "=== ROUND 1\nBenchmarkShow/stack=a/tool=bst/strategy=pipe/terminal=none 1 2000000000 ns/op\n",
		"runs-gone.svg":   "<svg/>",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	defaults := filepath.Join(dir, "defaults.go")
	_, err := call(t, "report", "--dir", dir, "--defaults", defaults)
	if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "raw", "foreign.txt")+" was not used: ") {
		t.Errorf("%v", err)
	}
	for name, want := range map[string]string{"README.md": "- foreign.txt: ", "figures.md": "## good", "defaults.go": "var defaults = []Choice{"} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %q: %v\n%s", name, want, err, text)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "runs-gone.svg")); !os.IsNotExist(err) {
		t.Errorf("a plot of no file is there: %v", err)
	}
}

func TestSelect(t *testing.T) {
	out, err := call(t, "select", "--dir", "../../bench/report/testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"platform", "wsl1", "inprocess", "pipe: "} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
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
		{"codecs"},
		{"codecs", "-o", filepath.Join(dir, "b"), "--bst", "/no/such/bst"},
		{"codecs", "-o", filepath.Join(dir, "b"), "--bst", "../../bench/harness/testdata/bst", "--stack", "cube-3"},
		{"spawn", "-o", filepath.Join(dir, "b"), "--bst", "../../bench/harness/testdata/bst", "--terminal", "vt100"},
		{"spawn", "-o", filepath.Join(dir, "b"), "--bst", "../../bench/harness/testdata/bst", "-n", "0"},
		{"compare", "a"},
		{"compare", "a", "b"},
		{"watch"},
		{"stack", "chain-3"},
		{"stack", "cube-3", filepath.Join(dir, "c")},
		{"report", "--dir", filepath.Join(dir, "missing")},
		{"nonsense"},
	} {
		if _, err := call(t, args...); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}

// quickPlan writes a plan for the stand-in.
func quickPlan(t *testing.T, records string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "test.yaml")
	if err := os.WriteFile(path, []byte("question: Does it work?\nestimate: 10s\nrecords:\n"+records), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

const standIn = "../../bench/harness/testdata/bst"

// A harness that is killed in the middle goes on where it stopped: what it had
// recorded is in the end as it was, and every case has each of its rounds once.
func TestKilled(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	dir := t.TempDir()
	plan := quickPlan(t, `- {file: one, stacks: [chain-3], strategies: [inprocess, pipe], commands: [build, rebuild], terminals: [none], repetitions: 6}
- {file: two, stacks: [fan-3], strategies: [pipe], commands: [show], terminals: [none], repetitions: 2}
`)
	arguments := []string{"run", "-plan", plan, "-o", dir, "--bst", standIn, "--seed", "5"}
	raw := filepath.Join(dir, "one.txt")
	var before []byte
	for kills := range 3 {
		cmd := exec.Command(os.Args[0], arguments...)
		var log bytes.Buffer
		cmd.Stderr = &log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Wait for results that were not there before.
		want := bytes.Count(before, []byte("\nBenchmark")) + 3
		for {
			content, _ := os.ReadFile(raw + partial)
			if bytes.Count(content, []byte("\nBenchmark")) >= want {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		content, err := os.ReadFile(raw + partial)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(content, before) {
			t.Errorf("after kill %d what was recorded has changed", kills)
		}
		before = content[:bytes.LastIndexByte(content, '\n')+1]
		// A line that was being written, as if it had been torn.
		f, err := os.OpenFile(raw+partial, os.O_WRONLY|os.O_APPEND, 0)
		if err == nil {
			_, err = f.WriteString("BenchmarkBuild/stack=chain-3/tool=bst/str")
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	// Another plan does not go on with it, and says what to do.
	other := quickPlan(t, "- {file: one, stacks: [chain-3], commands: [build], terminals: [none], repetitions: 6}\n")
	_, err := call(t, "run", "--plan", other, "-o", dir, "--bst", standIn)
	if err == nil || !strings.Contains(err.Error(), "plan-digest") || !strings.Contains(err.Error(), "--fresh begins anew") {
		t.Errorf("%v", err)
	}
	if _, err := call(t, arguments...); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(raw)
	if err != nil || !bytes.HasPrefix(content, before) {
		t.Errorf("%v; what was recorded before has changed", err)
	}
	f, err := report.ReadFile(raw)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, r := range f.Runs {
		count[fmt.Sprint(r.Command, r.Strategy, r.Round)]++
	}
	for _, strategy := range []string{"inprocess", "pipe"} {
		for _, command := range []string{"build", "rebuild"} {
			for round := 1; round <= 6; round++ {
				if n := count[fmt.Sprint(command, strategy, round)]; n != 1 {
					t.Errorf("%s with %s in round %d: %d times", command, strategy, round, n)
				}
			}
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "two.txt")); err != nil {
		t.Error(err)
	}
	for _, pattern := range []string{filepath.Join(dir, "*"+partial), filepath.Join(dir, "*.lock"), filepath.Join(os.TempDir(), workLead+"*")} {
		if left, _ := filepath.Glob(pattern); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

// What is not there is skipped with its reason, and the rest is measured.
func TestSkipped(t *testing.T) {
	dir := t.TempDir()
	plan := quickPlan(t, `- {file: a, stacks: [chain-3], projects: [sdk], strategies: [inprocess], commands: [show], terminals: [none], peers: [old, older=/no/such/bst], repetitions: 1}
`)
	_, err := call(t, "run", "--plan", plan, "-o", dir, "--bst", standIn)
	if err == nil || !strings.Contains(err.Error(), "3 things were skipped") {
		t.Errorf("%v", err)
	}
	f, err := report.ReadFile(filepath.Join(dir, "a.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var skipped []string
	for _, r := range f.Remarks {
		if r.Kind == harness.RemarkSkipped {
			skipped = append(skipped, r.Text)
		}
	}
	text := strings.Join(skipped, "\n")
	for _, want := range []string{"project sdk: say where it is: --project sdk=DIR", "peer old: say where it is: --peer old=PATH", "peer older: harness: "} {
		if !strings.Contains(text, want) {
			t.Errorf("it is not said: %s\n%s", want, text)
		}
	}
	if len(f.Runs) != 1 {
		t.Errorf("%d runs", len(f.Runs))
	}
}

// Mistakes in a plan are told with their place, before anything is measured.
func TestPlanMistake(t *testing.T) {
	plan := quickPlan(t, "- {file: a, stacks: [chain-3], commands: [show], terminals: [none], colours: [red], repetitions: 1}\n")
	_, err := call(t, "run", "--plan", plan, "-o", t.TempDir(), "--bst", standIn)
	if err == nil || !strings.Contains(err.Error(), `test.yaml:4:69: unknown key "colours"; there are file, kind, stacks, `) {
		t.Errorf("%v", err)
	}
}

func TestPlans(t *testing.T) {
	out, err := call(t, "plans", "--dir", "../../bench/plans")
	if err != nil || !strings.Contains(out, "When does splitting pay?") || !strings.Contains(out, "parts/spawn-linux") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := call(t, "plans", "--dir", t.TempDir()); err == nil {
		t.Error("no error for a folder without plans")
	}
}
