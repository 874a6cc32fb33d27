package timeline

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bst/bench/environ"
	"bst/bench/spawn"
	"bst/bench/terminal"
)

// A stand-in for bst that draws on every event when it is asked to.
const standIn = `#!/bin/sh
echo one
[ "$BST_DRAWING" = event ] && echo many more
exit 0
`

func TestRun(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "bst")
	if err := os.WriteFile(program, []byte(standIn), 0o700); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	o := Options{
		Program: program, Strategies: []string{"inprocess"}, Projects: []spawn.Project{{Name: "s", Dir: dir, Target: "a.bst", Elements: 3}},
		Terminals: []terminal.Terminal{{}}, Rounds: 3, Seed: 1, WorkDir: dir, Timeout: time.Minute,
		Facts: []environ.Pair{{Key: "platform", Value: "linux"}}, Log: io.Discard,
	}
	if err := Run(context.Background(), o, &out); err != nil {
		t.Fatal(err)
	}
	last := map[string]string{} // a case's last line
	for line := range strings.Lines(out.String()) {
		if name, _, ok := strings.Cut(line, "/at="); ok {
			last[name] = line
		}
	}
	for name, want := range map[string]string{
		"BenchmarkTimeline/stack=s/tool=bst/strategy=inprocess/terminal=none":           "\t4 written-B/op\n",
		"BenchmarkTimeline/stack=s/tool=bst-per-event/strategy=inprocess/terminal=none": "\t14 written-B/op\n",
	} {
		if !strings.HasSuffix(last[name], want) {
			t.Errorf("%s ends with %q, want %q:\n%s", name, last[name], want, out.String())
		}
	}
	if !strings.HasPrefix(out.String(), "platform: linux\norder-seed: 1\n") || !strings.Contains(out.String(), "elements-s: 3\n\n=== ROUND 1\n") {
		t.Errorf("%s", out.String())
	}
	o.Program = filepath.Join(dir, "missing")
	if err := Run(context.Background(), o, io.Discard); err == nil {
		t.Error("a program that is not there is no error")
	}
}

func TestThinned(t *testing.T) {
	at := func(ms ...int) (all []moment) {
		for _, m := range ms {
			all = append(all, moment{at: time.Duration(m) * time.Millisecond, written: int64(m)})
		}
		return all
	}
	for _, c := range []struct{ in, want []moment }{
		{nil, nil},
		{at(1), at(1)},
		{at(1, 2, 3), at(1, 2, 3)},
		{append(at(1, 2), moment{at: 2*time.Millisecond + 1, written: 9}), append(at(1), moment{at: 2*time.Millisecond + 1, written: 9})},
		{append(append(at(1), moment{at: time.Millisecond + 1, written: 5}), at(3)...), at(1, 3)},
	} {
		if diff := cmp.Diff(c.want, thinned(c.in), cmp.AllowUnexported(moment{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	var many []int
	for i := range 10_000 {
		many = append(many, i)
	}
	got := thinned(at(many...))
	if len(got) > samples+1 || got[0].written != 0 || got[len(got)-1].written != 9999 {
		t.Errorf("%d moments, from %v to %v", len(got), got[0], got[len(got)-1])
	}
}

func TestProcessorTime(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc")
	}
	if got := processorTime(os.Getpid()); got <= 0 {
		t.Errorf("this process has used %v", got)
	}
	if got := processorTime(0); got != 0 {
		t.Errorf("no process has used %v", got)
	}
}
