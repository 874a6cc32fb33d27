package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/aclements/go-moremath/stats"
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
	events    = harness.BaseUnit("events/op")
	first     = harness.BaseUnit("first-event-ns/op")
	drawn     = harness.BaseUnit("first-drawn-ns/op")
	frames    = harness.BaseUnit("frames/op")
	writes    = harness.BaseUnit("writes/op")
	delay     = harness.BaseUnit(harness.UnitDelay)
	tail      = harness.BaseUnit(harness.UnitTail)
	longest   = harness.BaseUnit(harness.UnitLongest)
	others    = harness.BaseUnit("others-cpu-ns/op")
	steal     = harness.BaseUnit("steal-ns/op")
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

// plus and minus work round by round, where both have a value.
func (s series) plus(t series) series {
	return s.with(t, func(a, b float64) float64 { return a + b })
}

func (s series) minus(t series) series {
	return s.with(t, func(a, b float64) float64 { return a - b })
}

func (s series) with(t series, f func(a, b float64) float64) series {
	out := series{}
	for round, v := range s {
		if w, ok := t[round]; ok {
			out[round] = f(v, w)
		}
	}
	return out
}

// outliers counts the values that lie further from the middle half than three
// times its width. They are in every figure: a median takes little notice.
func (s series) outliers() int {
	sample := stats.Sample{Xs: s.sample().Values, Sorted: true}
	low, high := sample.Quantile(0.25), sample.Quantile(0.75)
	n := 0
	for _, v := range sample.Xs {
		if width := high - low; v < low-3*width || v > high+3*width {
			n++
		}
	}
	return n
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
	low, high := value(unit, sum.Lo), value(unit, sum.Hi)
	if low == text && high == text {
		return text // as wide as a digit that is not shown
	}
	return text + " [" + low + " – " + high + "]"
}

// Units that no raw file has: of quotients, of shares, and of powers.
const (
	ratio   = "ratio"
	percent = "percent"
	power1  = "power"
)

// value writes a value with three digits, and a count whole.
func value(unit string, v float64) string {
	switch {
	case unit == ratio:
		return digits(v) + "×"
	case unit == percent:
		return strconv.FormatFloat(100*v, 'f', 0, 64) + " %"
	case unit == perEventBytes:
		return shareOfBytes(v)
	case unit == power1:
		return digits(v)
	case strings.HasSuffix(unit, "sec/event"), strings.HasSuffix(unit, "sec/op") && v != 0 && math.Abs(v) < 1e-4:
		return digits(v*1e6) + " µs"
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
