package harness_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bst/bench/environ"
	"bst/bench/harness"
	"bst/bench/report"
	"bst/bench/stacks"
	"bst/bench/terminal"
)

func plan(t *testing.T, strategies ...string) harness.Plan {
	t.Helper()
	tool, err := harness.FindTool(context.Background(), "bst", "testdata/bst")
	if err != nil {
		t.Fatal(err)
	}
	if tool.Version != "2.0.0-stand-in" || tool.Format != stacks.BuildStream2 {
		t.Errorf("%+v", tool)
	}
	tool.Strategies = strategies
	peer := tool
	peer.Name, peer.Peer, peer.Strategies = "peer", true, []string{harness.BuiltIn}
	return harness.Plan{
		Stacks:          []stacks.Spec{{Kind: stacks.Fan, N: 5}, {Kind: stacks.Debian, Root: "bash"}},
		Tools:           []harness.Tool{tool, peer},
		Commands:        []harness.Command{harness.Show, harness.Build, harness.Rebuild},
		Terminals:       []terminal.Terminal{{}, {PTY: true}},
		Repetitions:     3,
		PeerRepetitions: 1,
		Seed:            7,
	}
}

// optionsFor are those that tests run a plan with.
func optionsFor(t *testing.T, p harness.Plan, timeout time.Duration) harness.Options {
	return harness.Options{
		Plan: p, WorkDir: t.TempDir(), Builders: 2, Timeout: timeout,
		WriteStack: func(_ context.Context, spec stacks.Spec, format stacks.Format, dir string) error {
			s, err := stacks.Generate(spec)
			if err != nil {
				return err
			}
			return s.Write(dir, format)
		},
		Facts: []environ.Pair{{Key: "platform", Value: "linux"}},
		Log:   io.Discard,
	}
}

// run runs a plan with the stand-in and reads the record as the report does.
func run(t *testing.T, p harness.Plan) (*report.File, int) {
	t.Helper()
	f, outcome := runFor(t, p, time.Minute)
	return f, outcome.Failed
}

func runFor(t *testing.T, p harness.Plan, timeout time.Duration) (*report.File, harness.Outcome) {
	t.Helper()
	var out bytes.Buffer
	outcome, err := harness.Run(context.Background(), optionsFor(t, p, timeout), &out)
	if err != nil {
		t.Fatal(err)
	}
	f, err := report.Read("record.txt", out.Bytes())
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return f, outcome
}

func TestRun(t *testing.T) {
	f, failed := run(t, plan(t, "one", "two"))
	// 2 stacks × 3 commands × 2 terminals, of ours 2 strategies in 3 rounds and
	// of the peer one in one round.
	if failed != 0 || len(f.Failures) != 0 || len(f.Runs) != 12*(2*3+1) {
		t.Errorf("%d runs, %d failures: %v", len(f.Runs), failed, f.Failures)
	}
	peaks := 0 // of runs that lasted until somebody looked
	for _, r := range f.Runs {
		if r.Values["peak-RSS-bytes"] > 0 {
			peaks++
		}
		if r.Values["sec/op"] <= 0 || r.Command == "show" && r.Values["written-B/op"] == 0 {
			t.Errorf("%+v", r)
		}
		if r.Tool == "peer" && r.Round != 1 {
			t.Errorf("a peer in round %d", r.Round)
		}
	}
	if peaks < len(f.Runs)/4 {
		t.Errorf("the peak memory of %d of %d runs is known", peaks, len(f.Runs))
	}
	for key, want := range map[string]string{
		"platform": "linux", "order-seed": "7", "builders": "2", "elements-fan-5": "5", "elements-debian-bash": "23",
		"tool-bst": "ours, version 2.0.0-stand-in", "tool-peer": "peer, version 2.0.0-stand-in",
	} {
		if got, _, _ := strings.Cut(f.Fact(key), ", sha256 "); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
}

// Where only is told whether something works, a record has no time, processor or memory
// in it, and is read as any other.
func TestOnlyWhether(t *testing.T) {
	p := plan(t, "one", "broken")
	p.Stacks, p.Tools, p.Repetitions = p.Stacks[:1], p.Tools[:1], 2
	o := optionsFor(t, p, time.Minute)
	var out, log bytes.Buffer
	o.OnlyWhether, o.Log = true, &log
	outcome, err := harness.Run(context.Background(), o, &out)
	if err != nil {
		t.Fatal(err)
	}
	f, err := report.Read("record.txt", out.Bytes())
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if outcome.Failed != 12 || len(f.Runs) != 12 || len(f.Failures) != 12 {
		t.Errorf("%d runs, %d failures, %+v", len(f.Runs), len(f.Failures), outcome)
	}
	for _, r := range f.Runs {
		if r.Values[harness.UnitWorks] != 1 || r.Command == "show" && r.Values[harness.UnitWritten] == 0 {
			t.Errorf("%+v", r)
		}
		for unit := range r.Values {
			if !slices.Contains(harness.Whether, unit) {
				t.Errorf("it tells %s", unit)
			}
		}
	}
	for line := range strings.Lines(out.String()) {
		if key, _, _ := strings.Cut(line, ": "); key == "date" || key == "time-limit" {
			continue
		}
		for _, unit := range []string{"ns/op", "RSS", "cpu", "NOISE", " s\n"} {
			if strings.Contains(line, unit) && !strings.HasPrefix(line, "=== END") {
				t.Errorf("the record has a figure: %s", line)
			}
		}
	}
	if !strings.Contains(log.String(), ": works") || strings.Contains(log.String(), "0.0") {
		t.Errorf("whoever waits reads:\n%s", log.String())
	}
}

func TestWithoutTimes(t *testing.T) {
	for line, want := range map[string]string{
		"[00:01:02][a.bst] SUCCESS":     "[--:--:--][a.bst] SUCCESS",
		"[00:01:02.123456][a] FAILURE":  "[--:--:--][a] FAILURE",
		"ratio 1:2, sha256:00:11, 3 of": "ratio 1:2, sha256:00:11, 3 of",
	} {
		if got := harness.WithoutTimes(line); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

// What fails is recorded as failed, with what it wrote, and gives no figure;
// so does what ends well without having done its work.
func TestFailures(t *testing.T) {
	p := plan(t, "one", "broken", "lazy")
	p.Stacks, p.Tools, p.Repetitions = p.Stacks[:1], p.Tools[:1], 1
	f, failed := run(t, p)
	if failed != 6+4 || len(f.Failures) != failed || len(f.Runs) != 6+2 {
		t.Errorf("%d runs, %d failures: %v", len(f.Runs), failed, f.Failures)
	}
	for _, r := range f.Runs {
		if r.Strategy == "broken" || r.Strategy == "lazy" && r.Command != "show" {
			t.Errorf("figures of a failure: %+v", r)
		}
	}
	for _, failure := range f.Failures {
		text := strings.Join(failure.Text, "\n")
		want := "something broke\nround: 77"
		if failure.Strategy == "lazy" {
			want = "cannot be counted"
		}
		if failure.Round != 1 || !strings.Contains(text, want) {
			t.Errorf("%+v", failure)
		}
	}
}

// A case that fails again and again, or takes all of its time, is left out of the
// rounds that remain, and that is said; the others go on.
func TestGivesUp(t *testing.T) {
	p := plan(t, "one", "broken", "hanging")
	p.Stacks, p.Tools, p.Repetitions = p.Stacks[:1], p.Tools[:1], 4
	p.Commands, p.Terminals = []harness.Command{harness.Build}, p.Terminals[:1]
	f, outcome := runFor(t, p, 3*time.Second)
	if len(f.Runs) != 4 || outcome.Failed != 2+1 || outcome.Skipped != 2 {
		t.Errorf("%d runs, %+v", len(f.Runs), outcome)
	}
	var skipped []string
	for _, r := range f.Remarks {
		if r.Kind == harness.RemarkSkipped {
			skipped = append(skipped, r.Text)
		}
	}
	slices.Sort(skipped)
	if diff := cmp.Diff([]string{
		"Build/stack=fan-5/tool=bst/strategy=broken/terminal=none: it failed 2 times and never went well; it is not tried again",
		"Build/stack=fan-5/tool=bst/strategy=hanging/terminal=none: it took all of its time once; it is not tried again",
	}, skipped); diff != "" {
		t.Error(diff)
	}
}

// Settings stand in names, and only where they make a difference.
func TestSettings(t *testing.T) {
	p := plan(t, "pipe", "pipe+batched")
	p.Stacks, p.Commands, p.Terminals, p.Repetitions = p.Stacks[:1], p.Commands[:1], p.Terminals[:1], 1
	p.Builders, p.Frames, p.Windows = []int{1, 8}, []time.Duration{45 * time.Millisecond}, []time.Duration{time.Millisecond, 5 * time.Millisecond}
	var names []string
	for _, c := range p.Rounds()[0] {
		names = append(names, strings.TrimPrefix(c.Name(), "Show/stack=fan-5/tool="))
	}
	slices.Sort(names)
	want := []string{
		"bst/strategy=pipe+batched/builders=1/frame=45ms/window=1ms/terminal=none",
		"bst/strategy=pipe+batched/builders=1/frame=45ms/window=5ms/terminal=none",
		"bst/strategy=pipe+batched/builders=8/frame=45ms/window=1ms/terminal=none",
		"bst/strategy=pipe+batched/builders=8/frame=45ms/window=5ms/terminal=none",
		"bst/strategy=pipe/builders=1/frame=45ms/terminal=none",
		"bst/strategy=pipe/builders=8/frame=45ms/terminal=none",
		"peer/strategy=built-in/builders=1/terminal=none",
		"peer/strategy=built-in/builders=8/terminal=none",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	f, _ := run(t, p)
	if len(f.Runs) != len(want) || len(f.Failures) != 0 {
		t.Errorf("%d runs, %v", len(f.Runs), f.Failures)
	}
}

// A record that ends anywhere is gone on with: what it has is not measured again,
// a line that was being written is dropped, and in the end every case has each of
// its rounds once.
func TestResume(t *testing.T) {
	p := plan(t, "one", "broken")
	p.Stacks, p.Repetitions, p.PeerRepetitions = p.Stacks[:1], 3, 2
	p.Commands, p.Terminals = []harness.Command{harness.Build}, p.Terminals[:1]
	options := func() harness.Options { return optionsFor(t, p, time.Minute) }
	var whole bytes.Buffer
	first, err := harness.Run(context.Background(), options(), &whole)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{whole.Len(), whole.Len() * 19 / 20, whole.Len() * 4 / 5, whole.Len() * 2 / 3, whole.Len() / 2} {
		before, err := harness.ReadInterrupted(bytes.NewReader(whole.Bytes()[:size]))
		if err != nil {
			t.Fatal(err)
		}
		if ended := size == whole.Len(); before.Ended != ended || before.Seed != p.Seed || before.Size > int64(size) {
			t.Errorf("%+v", before)
		}
		o := options()
		o.Before = before
		rest := bytes.NewBuffer(slices.Clone(whole.Bytes()[:before.Size]))
		outcome, err := harness.Run(context.Background(), o, rest)
		if err != nil {
			t.Fatal(err)
		}
		outcome.Noisy = first.Noisy // the machine's affair
		if diff := cmp.Diff(first, outcome); diff != "" {
			t.Error(diff)
		}
		f, err := report.Read("r.txt", rest.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		count := map[string]int{}
		for _, r := range f.Runs {
			count[fmt.Sprint(r.Tool, r.Strategy, r.Round)]++
		}
		for _, r := range f.Failures {
			count[fmt.Sprint(r.Tool, r.Strategy, r.Round)]++
		}
		want := map[string]int{"bstone1": 1, "bstone2": 1, "bstone3": 1, "bstbroken1": 1, "bstbroken2": 1, "peerbuilt-in1": 1, "peerbuilt-in2": 1}
		if diff := cmp.Diff(want, count); diff != "" {
			t.Errorf("cut at %d of %d:\n%s\n%s", size, whole.Len(), diff, rest)
		}
	}

	// Another plan, or another program, does not go on with it.
	before, err := harness.ReadInterrupted(bytes.NewReader(whole.Bytes()[:whole.Len()/2]))
	if err != nil {
		t.Fatal(err)
	}
	var other *harness.OtherError
	o := options()
	o.Before, o.Plan.Repetitions = before, 5
	if _, err := harness.Run(context.Background(), o, io.Discard); !errors.As(err, &other) || other.Key != "plan-digest" {
		t.Errorf("%v", err)
	}
	o = options()
	o.Before, o.Facts = before, []environ.Pair{{Key: "platform", Value: "wsl1"}}
	if _, err := harness.Run(context.Background(), o, io.Discard); !errors.As(err, &other) || other.Key != "platform" {
		t.Errorf("%v", err)
	}
	if _, err := harness.ReadInterrupted(strings.NewReader("hello\n")); err == nil {
		t.Error("no error for a file of something else")
	}
}

// broken is a file on a disk that is full.
type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	n := min(len(p), f.left)
	f.left -= n
	if n < len(p) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

// A record that cannot be written any more ends the plan, and the error says so.
func TestFullRecord(t *testing.T) {
	p := plan(t, "one")
	p.Stacks = p.Stacks[:1]
	if _, err := harness.Run(context.Background(), optionsFor(t, p, time.Minute), &full{1500}); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v", err)
	}
}

// Every case runs once a round, in an order that the seed alone decides.
func TestRounds(t *testing.T) {
	p := plan(t, "one", "two")
	names := func(p harness.Plan) [][]string {
		var all [][]string
		for _, cases := range p.Rounds() {
			var round []string
			for _, c := range cases {
				round = append(round, c.Name())
			}
			all = append(all, round)
		}
		return all
	}
	first := names(p)
	if diff := cmp.Diff(first, names(p)); diff != "" {
		t.Errorf("the same seed, another order:\n%s", diff)
	}
	p.Seed++
	if cmp.Equal(first, names(p)) {
		t.Error("another seed, the same order")
	}
	if len(first) != 3 || len(first[0]) != 36 || len(first[1]) != 24 {
		t.Errorf("rounds of %d, %d, ...", len(first[0]), len(first[1]))
	}
	for _, round := range first {
		slices.Sort(round)
		if len(slices.Compact(round)) != len(round) {
			t.Error("a case runs twice in a round")
		}
	}
}

func TestRefused(t *testing.T) {
	for name, change := range map[string]func(*harness.Plan){
		"no stacks":      func(p *harness.Plan) { p.Stacks = nil },
		"no repetitions": func(p *harness.Plan) { p.Repetitions = 0 },
		"too many":       func(p *harness.Plan) { p.Repetitions = 1 << 30 },
		"twice":          func(p *harness.Plan) { p.Commands = append(p.Commands, harness.Show) },
	} {
		p := plan(t, "one")
		change(&p)
		if _, err := harness.Run(context.Background(), harness.Options{Plan: p, WorkDir: t.TempDir()}, io.Discard); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, name := range []string{"", "A", "a/b", "a b"} {
		if _, err := harness.FindTool(context.Background(), name, "testdata/bst"); err == nil {
			t.Errorf("%q: no error", name)
		}
	}
	if _, err := harness.FindTool(context.Background(), "none", "/no/such/program"); err == nil {
		t.Error("no error for a program that is not there")
	}
}

// TestPerEvent: the tool that draws on every event is another in results, and the
// tool that it was made of stays as it is.
func TestPerEvent(t *testing.T) {
	tool := harness.Tool{Name: "bst", Version: "1", Env: []string{"A=b"}}
	got := tool.PerEvent()
	want := harness.Tool{Name: "bst-per-event", Version: "1, drawing on every event", Env: []string{"A=b", "BST_DRAWING=event"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(harness.Tool{Name: "bst", Version: "1", Env: []string{"A=b"}}, tool); diff != "" {
		t.Error(diff)
	}
}
