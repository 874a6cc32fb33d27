package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchmath"

	"bst/bench/harness"
)

// confidence is the level of every interval.
const confidence = 0.95

// The measures that tables show, in base units.
var (
	wall      = harness.BaseUnit(harness.UnitWall)
	cpu       = harness.BaseUnit(harness.UnitCPU)
	peak      = harness.BaseUnit(harness.UnitPeak)
	written   = harness.BaseUnit(harness.UnitWritten)
	reads     = harness.BaseUnit(harness.UnitReads)
	frontCPU  = harness.BaseUnit(harness.UnitFrontCPU)
	backCPU   = harness.BaseUnit(harness.UnitBackCPU)
	frontPeak = harness.BaseUnit(harness.UnitFrontPeak)
	backPeak  = harness.BaseUnit(harness.UnitBackPeak)
)

// series are a case's values by round.
type series map[int]float64

// series collects what was measured of a case in a unit.
func (f *File) series(axes Axes, unit string) series {
	s := series{}
	for _, run := range f.Runs {
		if v, ok := run.Values[unit]; ok && run.Axes == axes {
			s[run.Round] = v
		}
	}
	return s
}

func (s series) sample() *benchmath.Sample {
	values := make([]float64, 0, len(s))
	for _, v := range s {
		values = append(values, v)
	}
	slices.Sort(values)
	return benchmath.NewSample(values, &benchmath.DefaultThresholds)
}

// summary is the median and its interval, which is infinite where there are too
// few values to tell.
func (s series) summary() benchmath.Summary {
	return benchmath.AssumeNothing.Summary(s.sample(), confidence)
}

// over is s divided by t, round by round: what ran in one round ran close
// together, so that what drifts on the machine cancels out. Rounds that lack
// one of the two are left out.
func (s series) over(t series) series {
	out := series{}
	for round, v := range s {
		if w, ok := t[round]; ok && w > 0 {
			out[round] = v / w
		}
	}
	return out
}

// compare says how much more t is than s: "+3.1 %", or "~" where the two cannot
// be told apart, with the p-value of the U test.
func compare(s, t series) (delta, p string) {
	c := benchmath.AssumeNothing.Compare(s.sample(), t.sample())
	delta = c.FormatDelta(s.summary().Center, t.summary().Center)
	if number, ok := strings.CutSuffix(delta, "%"); ok {
		delta = number + " %"
	}
	return delta, fmt.Sprintf("%.3f", c.P)
}

// format writes median and interval in a form that suits the unit.
func format(unit string, s series) string {
	if len(s) == 0 {
		return "—"
	}
	sum := s.summary()
	text := value(unit, sum.Center)
	if math.IsInf(sum.Lo, 0) || math.IsInf(sum.Hi, 0) {
		return text
	}
	return text + " [" + value(unit, sum.Lo) + " – " + value(unit, sum.Hi) + "]"
}

// ratio is the unit of quotients.
const ratio = "ratio"

// value writes a value with three digits, and a count whole.
func value(unit string, v float64) string {
	switch {
	case unit == ratio:
		return digits(v) + "×"
	case strings.HasSuffix(unit, "sec/op"):
		if math.Abs(v) < 1 {
			return digits(v*1e3) + " ms"
		}
		return digits(v) + " s"
	case strings.Contains(unit, "bytes"), strings.Contains(unit, "B/op"):
		switch {
		case v >= 1e9:
			return digits(v/1e9) + " GB"
		case v >= 1e6:
			return digits(v/1e6) + " MB"
		case v >= 1e3:
			return digits(v/1e3) + " KB"
		}
		return strconv.FormatFloat(v, 'f', -1, 64) + " B"
	}
	return strconv.FormatFloat(v, 'f', -1, 64) // a count
}

// digits rounds to three significant digits, or to a whole number where that
// has more.
func digits(v float64) string {
	const most = 9 // places after the point
	if v == 0 {
		return "0"
	}
	places := 2 - int(math.Floor(math.Log10(math.Abs(v))))
	// Rounding may add a digit in front: 9.999 is 10.0.
	if rounded := math.Round(v*math.Pow10(places)) / math.Pow10(places); math.Abs(rounded) >= math.Pow10(3-places) {
		places--
	}
	return strconv.FormatFloat(v, 'f', min(max(places, 0), most), 64)
}
