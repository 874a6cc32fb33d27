package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/aclements/go-moremath/stats"

	"bst/impl/platform"
)

// enough is the number of rounds from which benchmath gives an interval at 95 %.
const enough = 6

// kindOf is the kind of a terminal of the harness, in package platform's words.
func kindOf(terminal string) string {
	switch terminal {
	case "none":
		return platform.NoTerminal
	case "pty", "xterm", "tmux":
		return platform.FastTerminal
	}
	return platform.SlowTerminal // drained at a rate, stopped, or a model of a slow one
}

// pool is one thing compared with another in all cases that have both.
type pool struct {
	// ratios has one figure for each round of each file, of mostOfFile at most: the
	// geometric mean over the cases of that round. Cases weigh the same, however long
	// they take.
	ratios series
	// cases are those cases, with the name of the file.
	cases []pooledCase
}

type pooledCase struct {
	file   *File
	axes   Axes
	ratios series
}

// pooled divides the figures of cases by those of others, within rounds, over
// all files. pair gives for a case the one that it is divided by. A round that
// lacks a case of its file is left out, or it would weigh another mix.
func (s *Set) pooled(unit string, pair func(*File, Axes) (base Axes, ok bool)) *pool {
	p := &pool{ratios: series{}}
	for _, f := range s.Files {
		logs, have := map[int]float64{}, map[int]int{}
		cases := 0
		for _, a := range f.cases() {
			base, ok := pair(f, a)
			if !ok {
				continue
			}
			ratios := f.series(a, unit).over(f.series(base, unit))
			for round, r := range ratios {
				if r <= 0 {
					delete(ratios, round)
				}
			}
			if len(ratios) == 0 {
				continue
			}
			p.cases = append(p.cases, pooledCase{f, a, ratios})
			cases++
			for round, r := range ratios {
				logs[round] += math.Log(r)
				have[round]++
			}
		}
		var means []float64
		for _, round := range sortedKeys(logs) {
			if have[round] == cases {
				means = append(means, math.Exp(logs[round]/float64(cases)))
			}
		}
		for _, mean := range gathered(means) {
			p.ratios[len(p.ratios)+1] = mean
		}
	}
	return p
}

// mostOfFile is for how many rounds a file counts in a pool. Hundreds, of a plan that
// looks for one percent in one place, tell of that place more exactly, and not of
// more places.
const mostOfFile = 10

// gathered gives the medians of as many groups of successive values, or the values
// where they are no more.
func gathered(values []float64) []float64 {
	if len(values) <= mostOfFile {
		return values
	}
	var medians []float64
	for i := range mostOfFile {
		group := slices.Sorted(slices.Values(values[i*len(values)/mostOfFile : (i+1)*len(values)/mostOfFile]))
		medians = append(medians, stats.Sample{Xs: group, Sorted: true}.Quantile(0.5))
	}
	return medians
}

// sortedKeys gives the keys in order: floating-point sums depend on it.
func sortedKeys[V any](m map[int]V) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// below and above say that a ratio's whole interval lies there.
func (s series) below(bound float64) bool {
	return len(s) >= enough && s.summary().Hi < bound
}

func (s series) above(bound float64) bool {
	sum := s.summary()
	return len(s) >= enough && sum.Lo > bound && !math.IsInf(sum.Lo, 0)
}

// faster and slower count the cases in which that is beyond doubt.
func (p *pool) count() (faster, slower int) {
	for _, c := range p.cases {
		switch {
		case c.ratios.below(1):
			faster++
		case c.ratios.above(1):
			slower++
		}
	}
	return faster, slower
}

// files and stacks name what the pool is of.
func (p *pool) files() []string {
	return distinct(p.cases, func(c pooledCase) string { return c.file.Name })
}

func distinct[T any](all []T, name func(T) string) []string {
	var found []string
	for _, v := range all {
		if n := name(v); !slices.Contains(found, n) {
			found = append(found, n)
		}
	}
	slices.Sort(found)
	return found
}

// verdict says in words what the ratios tell, for a time of which less is better.
func (p *pool) verdict() string {
	switch {
	case len(p.ratios) == 0:
		return "not measured"
	case len(p.ratios) < enough:
		return "too few rounds to tell"
	case p.ratios.below(1):
		return "shorter"
	case p.ratios.above(1):
		return "longer"
	}
	return "no difference that can be told"
}

// String is the ratio with its interval and what it is of.
func (p *pool) String() string {
	if len(p.ratios) == 0 {
		return "not measured"
	}
	return fmt.Sprintf("%s (%s, %s)", format(ratio, p.ratios), counted(len(p.cases), "case"), counted(len(p.ratios), "round"))
}

// counted writes a number and its noun.
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// ours says of a case that it is this project's tool, as it is.
func ours(f *File, a Axes) bool {
	return !f.Peer(a.Tool) && !perEvent(a) && a.Settings == ""
}

// against pairs the cases of one strategy, in a place, with those of another.
func against(strategy, base string, in func(*File, Axes) bool) func(*File, Axes) (Axes, bool) {
	return func(f *File, a Axes) (Axes, bool) {
		if a.Strategy != strategy || !in(f, a) {
			return a, false
		}
		a.Strategy = base
		return a, true
	}
}

// also is true where all are.
func also(all ...func(*File, Axes) bool) func(*File, Axes) bool {
	return func(f *File, a Axes) bool {
		for _, holds := range all {
			if !holds(f, a) {
				return false
			}
		}
		return true
	}
}

func onPlatform(name string) func(*File, Axes) bool {
	return func(f *File, _ Axes) bool { return f.Platform() == name }
}

func onKind(kind string) func(*File, Axes) bool {
	return func(_ *File, a Axes) bool { return kindOf(a.Terminal) == kind }
}

func onTerminals(names ...string) func(*File, Axes) bool {
	return func(_ *File, a Axes) bool { return slices.Contains(names, a.Terminal) }
}

func ofCommand(names ...string) func(*File, Axes) bool {
	return func(_ *File, a Axes) bool { return slices.Contains(names, a.Command) }
}

func drawnPerEvent(f *File, a Axes) bool { return !f.Peer(a.Tool) && perEvent(a) && a.Settings == "" }

// list joins names as a person would.
func list(names []string) string {
	switch len(names) {
	case 0:
		return "none"
	case 1:
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
