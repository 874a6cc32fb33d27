package harness_test

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
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
		Commands:        harness.Commands(),
		Terminals:       []terminal.Terminal{{}, {PTY: true}},
		Repetitions:     3,
		PeerRepetitions: 1,
		Seed:            7,
	}
}

// run runs a plan with the stand-in and reads the record as the report does.
func run(t *testing.T, p harness.Plan) (*report.File, int) {
	t.Helper()
	var out bytes.Buffer
	failed, err := harness.Run(context.Background(), harness.Options{
		Plan: p, WorkDir: t.TempDir(), Builders: 2, Timeout: time.Minute,
		WriteStack: func(_ context.Context, spec stacks.Spec, format stacks.Format, dir string) error {
			s, err := stacks.Generate(spec)
			if err != nil {
				return err
			}
			return s.Write(dir, format)
		},
		Facts: []environ.Pair{{Key: "platform", Value: "linux"}},
		Log:   io.Discard,
	}, &out)
	if err != nil {
		t.Fatal(err)
	}
	f, err := report.Read("record.txt", out.Bytes())
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return f, failed
}

func TestRun(t *testing.T) {
	f, failed := run(t, plan(t, "one", "two"))
	// 2 stacks × 3 commands × 2 terminals, of ours 2 strategies in 3 rounds and
	// of the peer one in one round.
	if failed != 0 || len(f.Failures) != 0 || len(f.Runs) != 12*(2*3+1) {
		t.Errorf("%d runs, %d failures: %v", len(f.Runs), failed, f.Failures)
	}
	for _, r := range f.Runs {
		if r.Values["sec/op"] <= 0 || r.Values["peak-RSS-bytes"] <= 0 || r.Command == "show" && r.Values["written-B/op"] == 0 {
			t.Errorf("%+v", r)
		}
		if r.Tool == "peer" && r.Round != 1 {
			t.Errorf("a peer in round %d", r.Round)
		}
	}
	for key, want := range map[string]string{
		"platform": "linux", "order-seed": "7", "builders": "2", "elements-fan-5": "5", "elements-debian-bash": "23",
		"tool-bst": "ours, version 2.0.0-stand-in", "tool-peer": "peer, version 2.0.0-stand-in",
	} {
		if got := f.Fact(key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
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
