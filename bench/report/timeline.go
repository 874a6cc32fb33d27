package report

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"bst/bench/harness"
)

// course is what one case had used at each moment.
type course struct {
	name   string
	color  color.RGBA
	dashed bool
	points plotter.XYs
}

// timelines are the plots of what the user interface costs while a build runs: of
// each file, stack and terminal the processor time and the bytes written.
func (s *Set) timelines() []plotted {
	var all []plotted
	for _, part := range s.Timelines {
		for _, stack := range part.axis("stack") {
			for _, where := range part.axis("terminal") {
				name := clean(part.Name + "-" + stack + "-" + where)
				if courses := part.processor(stack, where); len(courses) > 0 {
					title := fmt.Sprintf("build of %s on %s (%s): processor time used so far", stack, where, part.Platform())
					all = append(all, plotted{name + "-processor.svg", title, func(w io.Writer) error {
						return writeCourses(w, name+"-processor", title, "seconds of processor time", false, courses)
					}})
				}
				if courses := part.written(stack, where); len(courses) > 0 {
					title := fmt.Sprintf("build of %s on %s (%s): bytes written so far", stack, where, part.Platform())
					all = append(all, plotted{name + "-written.svg", title, func(w io.Writer) error {
						return writeCourses(w, name+"-written", title, "bytes", true, courses)
					}})
				}
			}
		}
	}
	return all
}

// course collects a unit of a case, by moments, in seconds.
func (p *Part) course(stack, where, tool, strategy, unit string) plotter.XYs {
	var points plotter.XYs
	for _, r := range p.Results {
		if r.Keys["stack"] != stack || r.Keys["terminal"] != where || r.Keys["tool"] != tool || r.Keys["strategy"] != strategy {
			continue
		}
		at, err := time.ParseDuration(r.Keys["at"])
		v, ok := r.Values[harness.BaseUnit(unit)]
		if err == nil && ok && at >= 0 && at < 24*time.Hour && v < 1e15 {
			points = append(points, plotter.XY{X: at.Seconds(), Y: v})
		}
	}
	slices.SortStableFunc(points, func(a, b plotter.XY) int {
		switch {
		case a.X < b.X:
			return -1
		case a.X > b.X:
			return 1
		}
		return 0
	})
	return points
}

// drawings are the two ways of drawing, by the tool's name in a record.
var drawings = []struct {
	tool, name string
	dashed     bool
}{{"bst", "frames", false}, {"bst" + harness.PerEventSuffix, "every event", true}}

func (p *Part) processor(stack, where string) []course {
	var all []course
	for _, d := range drawings {
		for _, strategy := range p.axis("strategy") {
			front := p.course(stack, where, d.tool, strategy, harness.UnitFrontCPU)
			back := p.course(stack, where, d.tool, strategy, harness.UnitBackCPU)
			switch {
			case len(front) == 0:
			case len(back) == 0, back[len(back)-1].Y == 0: // there was none
				all = append(all, course{strategy + ", " + d.name, hue(0), d.dashed, front})
			default:
				all = append(all, course{strategy + ", " + d.name + ": frontend", hue(1), d.dashed, front},
					course{strategy + ", " + d.name + ": backend", hue(2), d.dashed, back})
			}
		}
	}
	return all
}

func (p *Part) written(stack, where string) []course {
	var all []course
	for _, d := range drawings {
		for i, strategy := range p.axis("strategy") {
			points := p.course(stack, where, d.tool, strategy, harness.UnitWritten)
			points = slices.DeleteFunc(points, func(xy plotter.XY) bool { return xy.Y <= 0 })
			if len(points) > 0 {
				all = append(all, course{strategy + ", " + d.name, hue(i), d.dashed, points})
			}
		}
	}
	return all
}

func writeCourses(w io.Writer, id, title, unit string, logarithmic bool, courses []course) error {
	p := newPlot(title, "wall time, s", unit)
	p.Legend.Top, p.Legend.Left = true, true
	p.X.Min, p.Y.Min = 0, 0
	if logarithmic {
		p.Legend.Top, p.Legend.Left = false, false // the curves begin where they are steepest
		p.Y.Scale, p.Y.Tick.Marker, p.Y.Min = plot.LogScale{}, powers{}, math.Inf(1)
	}
	for _, c := range courses {
		stroke, err := plotter.NewLine(c.points)
		if err != nil {
			return fmt.Errorf("report: %w", err)
		}
		stroke.Color, stroke.StepStyle = c.color, plotter.PostStep
		if !logarithmic {
			stroke.StepStyle = plotter.NoStep
		}
		if c.dashed {
			stroke.Dashes = []vg.Length{vg.Points(4), vg.Points(2)}
		}
		p.Add(stroke)
		p.Legend.Add(c.name, stroke)
	}
	if logarithmic && p.Y.Max < 10*p.Y.Min { // two marks at least
		p.Y.Max = 10 * p.Y.Min
	}
	return writePlot(w, p, strings.ReplaceAll(id, ".", "-"), 17*vg.Centimeter, 9*vg.Centimeter)
}

// powers marks a logarithmic axis of bytes at each power of ten.
type powers struct{}

func (powers) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for power := math.Floor(math.Log10(low)); power <= math.Ceil(math.Log10(high)); power++ {
		if v := math.Pow(10, power); v >= low && v <= high {
			ticks = append(ticks, plot.Tick{Value: v, Label: value(written, v)})
		}
	}
	return ticks
}
