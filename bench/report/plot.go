package report

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// line is one tool's figures by the size of what it was given.
type line struct {
	name   string
	points []point
}

// point is a median with its interval, which is the median alone where there are
// too few runs.
type point struct{ elements, center, low, high float64 }

const debianPackages = "packages of Debian"

// scaling collects bst show by the number of elements: of packages of Debian, and
// of elements in layers.
func scaling(files []*File) []line {
	var lines []line
	for _, f := range files {
		for _, stack := range axis(f, func(a Axes) string { return a.Stack }) {
			family := ""
			switch {
			case strings.HasPrefix(stack, "debian-all"):
				family = debianPackages
			case strings.HasPrefix(stack, "layers-"):
				family = "layers, five dependencies each"
			case strings.HasPrefix(stack, "chain-"):
				family = "chain"
			}
			elements := float64(f.elements(stack))
			if family == "" || elements == 0 {
				continue
			}
			for _, a := range cases(f, stack) {
				s := f.series(a, wall).drawable()
				if a.Command != "show" || a.Terminal != "none" || a.Settings != "" || a.Strategy != control && !f.Peer(a.Tool) || len(s) == 0 {
					continue
				}
				sum := s.summary()
				p := point{elements, sum.Center, sum.Lo, sum.Hi}
				if math.IsInf(p.low, 0) || math.IsInf(p.high, 0) {
					p.low, p.high = p.center, p.center
				}
				name := a.Tool + ", " + family
				i := slices.IndexFunc(lines, func(l line) bool { return l.name == name })
				if i < 0 {
					i = len(lines)
					lines = append(lines, line{name: name})
				}
				lines[i].points = append(lines[i].points, p)
			}
		}
	}
	// One size is no line.
	lines = slices.DeleteFunc(lines, func(l line) bool { return len(l.points) < 2 })
	for _, l := range lines {
		slices.SortFunc(l.points, func(a, b point) int { return cmp.Compare(a.elements, b.elements) })
	}
	slices.SortFunc(lines, func(a, b line) int { return cmp.Compare(a.name, b.name) })
	return lines
}

// xyErrors is a line as the plotter wants it.
type xyErrors struct{ line }

func (l xyErrors) Len() int                    { return len(l.points) }
func (l xyErrors) XY(i int) (float64, float64) { return l.points[i].elements, l.points[i].center }
func (l xyErrors) YError(i int) (float64, float64) {
	p := l.points[i]
	return p.center - p.low, p.high - p.center
}

// plotted is a plot by its file's name. Those with a title stand in the summary.
type plotted struct {
	name, title string
	write       func(io.Writer) error
}

// plots are those that there are figures for.
func (s *Set) plots() []plotted {
	var all []plotted
	if lines := scaling(s.own().Files); len(lines) > 0 {
		all = append(all, plotted{"scaling.svg", "What bst show takes, by the number of elements", func(w io.Writer) error { return writeScaling(w, lines) }})
	}
	all = append(all, s.timelines()...)
	for _, f := range s.Files {
		for _, stack := range axis(f, func(a Axes) string { return a.Stack }) {
			if hasStrips(f, stack) {
				all = append(all, plotted{stripName(f, stack), "", func(w io.Writer) error { return writeStrips(w, f, stack) }})
			}
		}
	}
	return all
}

// writeScaling draws what bst show takes by the number of elements, both axes
// logarithmic: what is linear has the slope of the grey line.
func writeScaling(w io.Writer, lines []line) error {
	p := newPlot("bst show, all elements with keys", "elements", "wall time, s (median, 95 % interval)")
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = decades{}, decades{}
	p.Legend.Top, p.Legend.Left = true, true

	first, last := lines[0].points[0], lines[0].points[len(lines[0].points)-1]
	linear, err := plotter.NewLine(plotter.XYs{
		{X: first.elements, Y: first.center}, {X: last.elements, Y: first.center * last.elements / first.elements},
	})
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	linear.Color, linear.Dashes = faint, []vg.Length{vg.Points(4), vg.Points(3)}
	p.Add(linear)
	p.Legend.Add("linear", linear)
	for i, l := range lines {
		stroke, marks, err := plotter.NewLinePoints(xyErrors{l})
		if err != nil {
			return fmt.Errorf("report: %w", err)
		}
		bars, err := plotter.NewYErrorBars(xyErrors{l})
		if err != nil {
			return fmt.Errorf("report: %w", err)
		}
		stroke.Color, marks.Color, bars.Color = hue(i), hue(i), hue(i)
		marks.Shape = draw.CircleGlyph{}
		p.Add(stroke, marks, bars)
		p.Legend.Add(l.name, stroke, marks)
	}
	return writePlot(w, p, "scaling", 16*vg.Centimeter, 11*vg.Centimeter)
}
