package report

import (
	"fmt"
	"image/color"
	"io"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"bst/strategies"
)

// strip is every run of a case, on a row of its own.
type strip struct {
	name   string
	values []float64 // sorted
	median float64
	// low and high are the interval's ends, equal to the median where there is none.
	low, high float64
	color     color.RGBA
}

// strips are the rows of a file's plot of a stack: of the longest command that
// was measured, by terminal and tool.
func strips(f *File, stack string) (command string, rows []strip) {
	all := cases(f, stack)
	for _, a := range all {
		if a.Command == "build" || command == "" || command != "build" && a.Command == "show" {
			command = a.Command
		}
	}
	slices.SortStableFunc(all, func(a, b Axes) int { return strings.Compare(terminalKey(a.Terminal), terminalKey(b.Terminal)) })
	for _, a := range all {
		s := f.series(a, wall).drawable()
		if a.Command != command || len(s) == 0 {
			continue
		}
		who := strings.TrimPrefix(a.Tool+" "+a.how(), "bst ")
		if f.Peer(a.Tool) {
			who = a.Tool
		}
		sum := s.summary()
		row := strip{name: a.Terminal + ": " + who, values: s.sample().Values, median: sum.Center, low: sum.Center, high: sum.Center, color: hueOf(f, a)}
		if len(s) >= enough {
			row.low, row.high = sum.Lo, sum.Hi
		}
		rows = append(rows, row)
	}
	return command, rows
}

// drawable leaves out what has no place on a logarithmic axis, or makes nothing else
// visible: no run takes a nanosecond, and none thirty years.
func (s series) drawable() series {
	out := series{}
	for round, v := range s {
		if v >= 1e-9 && v <= 1e9 {
			out[round] = v
		}
	}
	return out
}

// hueOf is the colour of a strategy, the same in every plot; drawing on every event
// and peers have their own.
func hueOf(f *File, a Axes) color.RGBA {
	switch {
	case f.Peer(a.Tool):
		return faint
	case perEvent(a):
		return hue(len(hues) - 1)
	}
	return hue(slices.IndexFunc(strategies.Every(), func(s strategies.Strategy) bool { return s.Name == a.Strategy }) + 1)
}

// terminalKey orders terminals: none, pty, the other fast ones, the slow ones.
func terminalKey(name string) string {
	switch {
	case name == "none":
		return "0"
	case name == "pty":
		return "1"
	case kindOf(name) == "fast":
		return "2" + name
	}
	return "3" + name
}

// hasStrips says whether there is anything to compare.
func hasStrips(f *File, stack string) bool {
	_, rows := strips(f, stack)
	return len(rows) > 1 && slices.ContainsFunc(rows, func(s strip) bool { return len(s.values) > 1 })
}

func stripName(f *File, stack string) string { return "runs-" + clean(f.Name+"-"+stack) + ".svg" }

// clean makes a name fit for files and links.
func clean(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_' {
			return r
		}
		return '-'
	}, name)
}

// writeStrips draws every run of each case as a stroke, and the median with its
// interval as a bar, on a logarithmic axis.
func writeStrips(w io.Writer, f *File, stack string) error {
	command, rows := strips(f, stack)
	of := f.Name
	if f.standIn() {
		of += ", on " + f.Platform() // whatever the file is called
	}
	p := newPlot(fmt.Sprintf("%s of %s (%s): every run, median and 95 %% interval", command, stack, of), "wall time, s", "")
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, decades{}
	slices.Reverse(rows) // the first stands on top
	var names []string
	for _, row := range rows {
		names = append(names, row.name)
	}
	p.NominalY(names...)
	p.Y.Tick.Label.Color, p.Y.Width = ink, 0
	p.Add(stripPlot(rows))
	// The axis needs two marks at least, even where all runs took about the same.
	for low, high := p.X.Min/1.1, p.X.Max*1.1; ; low, high = low/1.2, high*1.2 {
		p.X.Min, p.X.Max = low, high
		if len((decades{}).Ticks(low, high)) >= 2 {
			break
		}
	}
	height := vg.Length(len(rows))*0.5*vg.Centimeter + 2.2*vg.Centimeter
	return writePlot(w, p, strings.NewReplacer(".svg", "", ".", "-").Replace(stripName(f, stack)), 18*vg.Centimeter, height)
}

// stripPlot draws rows.
type stripPlot []strip

func (rows stripPlot) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for i, row := range rows {
		at := y(float64(i))
		across := func(v float64, half vg.Length, path *vg.Path) {
			path.Move(vg.Point{X: x(v), Y: at - half})
			path.Line(vg.Point{X: x(v), Y: at + half})
		}
		if row.high > row.low {
			var bar vg.Path
			bar.Move(vg.Point{X: x(row.low), Y: at})
			bar.Line(vg.Point{X: x(row.high), Y: at})
			c.SetColor(rule)
			c.SetLineWidth(vg.Points(8))
			c.Stroke(bar)
		}
		var runs, median vg.Path
		for _, v := range row.values {
			across(v, vg.Points(3), &runs)
		}
		across(row.median, vg.Points(5), &median)
		c.SetColor(row.color)
		c.SetLineWidth(vg.Points(1))
		c.Stroke(runs)
		c.SetLineWidth(vg.Points(2.5))
		c.Stroke(median)
	}
}

// DataRange is all that is drawn.
func (rows stripPlot) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, xmax = rows[0].values[0], rows[0].values[0]
	for _, row := range rows {
		xmin, xmax = min(xmin, row.values[0]), max(xmax, row.values[len(row.values)-1])
	}
	return xmin, xmax, -0.5, float64(len(rows)) - 0.5
}
