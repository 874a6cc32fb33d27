package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"bst/bench/report"
)

// raw is a file of a tool with a time for each round.
func raw(t *testing.T, seconds map[string][]float64) *report.File {
	t.Helper()
	var text strings.Builder
	for tool, list := range seconds {
		for i, v := range list {
			fmt.Fprintf(&text, "=== ROUND %d\nBenchmarkShow/stack=s/tool=%s/strategy=inprocess/terminal=none 1 %d ns/op %d cpu-ns/op\n", i+1, tool, int64(v*1e9), int64(v*1e9))
		}
	}
	f, err := report.Read("a.txt", []byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFiles(t *testing.T) {
	steady := []float64{1, 1.01, 0.99, 1.02, 0.98, 1}
	for _, test := range []struct {
		name         string
		factor       float64
		significant  bool
		worse, write string
	}{
		{"the same", 1, false, "", "~"},
		{"a little worse", 1.04, true, "", "+4.0 %"},
		{"worse", 1.2, true, "worse", "+20.0 %"},
		{"better", 0.5, true, "", "-50.0 %"},
	} {
		after := make([]float64, len(steady))
		for i, v := range steady {
			after[i] = v * test.factor
		}
		r := Files(raw(t, map[string][]float64{"bst": steady}), raw(t, map[string][]float64{"bst": after}), 0.05)
		if len(r.Changes) != 2 || r.Changes[0].Significant != test.significant || (r.Worse() == 2) != (test.worse != "") {
			t.Errorf("%s: %+v", test.name, r)
		}
		var out strings.Builder
		if err := r.Write(&out); err != nil || !strings.Contains(out.String(), test.write) || !strings.Contains(out.String(), "1 s") {
			t.Errorf("%s: %v\n%s", test.name, err, out.String())
		}
	}
	r := Files(raw(t, map[string][]float64{"bst": steady, "gone": steady}), raw(t, map[string][]float64{"bst": steady, "come": steady}), 0.05)
	if len(r.OnlyOld) != 1 || r.OnlyOld[0].Tool != "gone" || len(r.OnlyNew) != 1 || r.OnlyNew[0].Tool != "come" {
		t.Errorf("%+v", r)
	}
	var out strings.Builder
	if err := r.Write(&out); err != nil || !strings.Contains(out.String(), "only in the new: show of s with come") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// A program that takes 40 % more is found whatever the machine does to both; one
// that takes as much is never found, were the machine ten times as noisy as CI's.
func TestPaired(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	const rounds, trials = 12, 3000
	watch := func(factor, noise float64) bool {
		old, after := make([]float64, rounds), make([]float64, rounds)
		for i := range rounds {
			drift := math.Exp(random.NormFloat64()) // of the round, for both
			old[i] = drift * math.Exp(noise*random.NormFloat64())
			after[i] = factor * drift * math.Exp(noise*random.NormFloat64())
		}
		all := Paired(raw(t, map[string][]float64{"old": old, "new": after}), "old", "new")
		if len(all) != 1 || all[0].Measure != "processor" || all[0].Rounds != rounds {
			t.Fatalf("%+v", all)
		}
		return all[0].Worse
	}
	false1, false2 := 0, 0
	for range trials {
		if watch(1, 0.1) {
			false1++
		}
		if watch(1, 1) {
			false2++
		}
	}
	// One in so many; .ci asks twice before it fails, which squares it.
	if false1 > 0 || false2 > trials/100 {
		t.Errorf("of %d trials without a difference %d and %d were found", trials, false1, false2)
	}
	found := 0
	for range 100 {
		if watch(1.4, 0.05) {
			found++
		}
	}
	if found < 99 {
		t.Errorf("of 100 trials with a difference %d were found", found)
	}
	few := Paired(raw(t, map[string][]float64{"old": {1, 1}, "new": {9, 9}}), "old", "new")
	if len(few) != 1 || few[0].Worse {
		t.Errorf("two rounds: %+v", few)
	}
	var out strings.Builder
	if err := WriteWatched(&out, few); err != nil || !strings.Contains(out.String(), "too few rounds") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
