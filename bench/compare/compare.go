// Package compare says what differs between two sets of measurements: two raw
// files, or two programs that were measured in the same rounds.
//
// It knows figures and statistics. It does not know what was changed.
package compare

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"golang.org/x/perf/benchmath"

	"bst/bench/harness"
	"bst/bench/report"
)

// measures are the units that are compared, by their short names. Of each, less is
// better.
var measures = []struct{ unit, name string }{
	{harness.BaseUnit(harness.UnitWall), "wall"},
	{harness.BaseUnit(harness.UnitCPU), "processor"},
	{harness.BaseUnit(harness.UnitPeak), "peak memory"},
	{harness.BaseUnit(harness.UnitWritten), "written"},
}

// Change is what one measure of one case became.
type Change struct {
	Axes    report.Axes
	Measure string
	// Old and New are medians, in seconds or bytes; the counts of runs are behind them.
	Old, New         float64
	OldRuns, NewRuns int
	// P is the probability of such a difference if there were none, by a Mann-Whitney
	// U test; where it is not below Alpha there is no telling.
	P float64
	// Worse says that it has become worse by more than the bound, and is Significant.
	Significant, Worse bool
}

// Ratio is New divided by Old.
func (c *Change) Ratio() float64 { return c.New / c.Old }

// Result is what a comparison found.
type Result struct {
	Changes []Change
	// OnlyOld and OnlyNew are cases that one side alone has.
	OnlyOld, OnlyNew []report.Axes
}

// Worse counts the changes for the worse.
func (r *Result) Worse() int {
	n := 0
	for _, c := range r.Changes {
		if c.Worse {
			n++
		}
	}
	return n
}

// sample collects a case's values of a unit by round.
type sample map[string]map[int]float64

func collect(f *report.File) map[report.Axes]sample {
	all := map[report.Axes]sample{}
	for _, run := range f.Runs {
		s := all[run.Axes]
		if s == nil {
			s = sample{}
			all[run.Axes] = s
		}
		for unit, v := range run.Values {
			if s[unit] == nil {
				s[unit] = map[int]float64{}
			}
			s[unit][run.Round] = v
		}
	}
	return all
}

func order(a, b report.Axes) int {
	return cmp.Or(strings.Compare(a.Stack, b.Stack), strings.Compare(a.Command, b.Command), strings.Compare(a.Tool, b.Tool),
		strings.Compare(a.Strategy, b.Strategy), strings.Compare(a.Settings, b.Settings), strings.Compare(a.Terminal, b.Terminal))
}

// Files compares two files case by case. A change is for the worse where it is
// significant and more than bound, as in 0.05 for 5 %.
func Files(before, after *report.File, bound float64) *Result {
	was, is := collect(before), collect(after)
	r := new(Result)
	for _, axes := range slices.SortedFunc(maps.Keys(was), order) {
		if is[axes] == nil {
			r.OnlyOld = append(r.OnlyOld, axes)
			continue
		}
		for _, m := range measures {
			a, b := values(was[axes][m.unit]), values(is[axes][m.unit])
			if len(a) == 0 || len(b) == 0 {
				continue
			}
			s, t := benchmath.NewSample(a, &benchmath.DefaultThresholds), benchmath.NewSample(b, &benchmath.DefaultThresholds)
			test := benchmath.AssumeNothing.Compare(s, t)
			c := Change{
				Axes: axes, Measure: m.name, OldRuns: len(a), NewRuns: len(b), P: test.P, Significant: test.P < test.Alpha,
				Old: benchmath.AssumeNothing.Summary(s, 0.95).Center, New: benchmath.AssumeNothing.Summary(t, 0.95).Center,
			}
			c.Worse = c.Significant && c.Old > 0 && c.Ratio() > 1+bound
			r.Changes = append(r.Changes, c)
		}
	}
	for _, axes := range slices.SortedFunc(maps.Keys(is), order) {
		if was[axes] == nil {
			r.OnlyNew = append(r.OnlyNew, axes)
		}
	}
	return r
}

func values(byRound map[int]float64) []float64 { return slices.Sorted(maps.Values(byRound)) }

// Write writes a table of what was found.
func (r *Result) Write(w io.Writer) error {
	t := tablewriter.NewWriter(w)
	t.Header("stack", "command", "tool", "strategy", "terminal", "", "old", "new", "change", "p", "runs", "")
	for _, c := range r.Changes {
		change, verdict := "~", ""
		if c.Significant && c.Old > 0 {
			change = fmt.Sprintf("%+.1f %%", 100*(c.Ratio()-1))
		}
		if c.Worse {
			verdict = "worse"
		}
		how := strings.TrimSpace(c.Axes.Strategy + " " + c.Axes.Settings)
		if err := t.Append(c.Axes.Stack, c.Axes.Command, c.Axes.Tool, how, c.Axes.Terminal, c.Measure,
			figure(c.Measure, c.Old), figure(c.Measure, c.New), change, fmt.Sprintf("%.3f", c.P), fmt.Sprintf("%d+%d", c.OldRuns, c.NewRuns), verdict); err != nil {
			return err
		}
	}
	if err := t.Render(); err != nil {
		return err
	}
	for _, only := range []struct {
		where string
		axes  []report.Axes
	}{{"old", r.OnlyOld}, {"new", r.OnlyNew}} {
		for _, a := range only.axes {
			if _, err := fmt.Fprintf(w, "only in the %s: %s of %s with %s, %s %s, terminal %s\n", only.where, a.Command, a.Stack, a.Tool, a.Strategy, a.Settings, a.Terminal); err != nil {
				return err
			}
		}
	}
	return nil
}

// figure writes a value with three digits in its unit.
func figure(measure string, v float64) string {
	units, step := []string{"ns", "µs", "ms", "s"}, 1e3
	if measure == "peak memory" || measure == "written" {
		units = []string{"B", "KB", "MB", "GB"}
	} else {
		v *= 1e9
	}
	i := 0
	for ; i < len(units)-1 && v >= step; i++ {
		v /= step
	}
	return fmt.Sprintf("%.3g %s", v, units[i])
}

// Watched is a measure of a case that two programs had in the same rounds.
type Watched struct {
	Axes    report.Axes // with the new program's tool
	Measure string
	Rounds  int
	// Ratio is the median of new divided by old, each of one round; Low and High are
	// its interval of 99 %, infinite where there are too few rounds.
	Ratio, Low, High float64
	Bound            float64
	// Worse says that the whole interval is above the bound.
	Worse bool
}

// bounds are those of the regression watch. Wall time is not watched: on a busy
// machine it is the others'.
var bounds = map[string]float64{"processor": 0.15, "peak memory": 0.20, "written": 0.25}

// watchConfidence is the level of the interval that has to be above the bound.
const watchConfidence = 0.99

// Paired compares two tools of one file round by round: what ran in one round ran
// close together, and what the machine did then it did to both.
func Paired(f *report.File, before, after string) []Watched {
	all := collect(f)
	var found []Watched
	for _, axes := range slices.SortedFunc(maps.Keys(all), order) {
		if axes.Tool != after {
			continue
		}
		other := axes
		other.Tool = before
		for _, m := range measures {
			bound, watched := bounds[m.name]
			var ratios []float64
			for round, v := range all[axes][m.unit] {
				if w := all[other][m.unit][round]; w > 0 {
					ratios = append(ratios, v/w)
				}
			}
			if !watched || len(ratios) == 0 {
				continue
			}
			slices.Sort(ratios)
			s := benchmath.AssumeNothing.Summary(benchmath.NewSample(ratios, &benchmath.DefaultThresholds), watchConfidence)
			found = append(found, Watched{
				Axes: axes, Measure: m.name, Rounds: len(ratios), Ratio: s.Center, Low: s.Lo, High: s.Hi, Bound: bound,
				Worse: !math.IsInf(s.Lo, 0) && s.Lo > 1+bound,
			})
		}
	}
	return found
}

// WriteWatched writes a table of them.
func WriteWatched(w io.Writer, all []Watched) error {
	t := tablewriter.NewWriter(w)
	t.Header("stack", "command", "strategy", "terminal", "", "new / old", "99 % interval", "bound", "rounds", "")
	for _, c := range all {
		verdict := ""
		if c.Worse {
			verdict = "worse"
		}
		interval := "too few rounds"
		if !math.IsInf(c.Low, 0) {
			interval = fmt.Sprintf("%.3f – %.3f", c.Low, c.High)
		}
		if err := t.Append(c.Axes.Stack, c.Axes.Command, c.Axes.Strategy, c.Axes.Terminal, c.Measure, fmt.Sprintf("%.3f", c.Ratio),
			interval, fmt.Sprintf("%.2f", 1+c.Bound), fmt.Sprint(c.Rounds), verdict); err != nil {
			return err
		}
	}
	return t.Render()
}
