package report

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A plot is drawn with the colours of a light page; each of them is then given a
// name, and a dark page's colour beside it.
var (
	paper = color.RGBA{0xff, 0xff, 0xff, 0xff}
	ink   = color.RGBA{0x1f, 0x23, 0x28, 0xff}
	faint = color.RGBA{0x8c, 0x95, 0x9f, 0xff}
	rule  = color.RGBA{0xd8, 0xde, 0xe4, 0xff}
	hues  = []color.RGBA{
		{0x1b, 0x6a, 0xa5, 0xff}, {0xc0, 0x4f, 0x15, 0xff}, {0x2d, 0x7d, 0x46, 0xff},
		{0x7a, 0x3e, 0x9d, 0xff}, {0x8a, 0x6d, 0x00, 0xff}, {0xa6, 0x1e, 0x4d, 0xff}, {0x0b, 0x72, 0x85, 0xff},
	}
	dark = []struct {
		light color.RGBA
		dark  string
	}{
		{paper, "#0d1117"}, {ink, "#e6edf3"}, {faint, "#8b949e"}, {rule, "#30363d"},
		{hues[0], "#58a6ff"}, {hues[1], "#ff9b5e"}, {hues[2], "#56d364"}, {hues[3], "#d2a8ff"},
		{hues[4], "#e3b341"}, {hues[5], "#ff7b9c"}, {hues[6], "#39c5cf"},
	}
)

func hue(i int) color.RGBA { return hues[i%len(hues)] }

func newPlot(title, x, y string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = paper
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	sans := func(size float64) font.Font {
		return font.Font{Typeface: "Liberation", Variant: "Sans", Size: font.Points(size)}
	}
	p.Title.TextStyle.Font, p.Legend.TextStyle.Font = sans(11), sans(9)
	p.Title.TextStyle.Color, p.Legend.TextStyle.Color = ink, ink
	p.Title.Padding = vg.Points(6)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font, axis.Tick.Label.Font = sans(9), sans(8)
		axis.Color, axis.Label.TextStyle.Color, axis.Tick.Color, axis.Tick.Label.Color = faint, ink, faint, ink
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = rule, rule
	p.Add(grid)
	return p
}

// decades marks a logarithmic axis at 1, 2 and 5 of each power of ten, in plain
// numbers.
type decades struct{}

func (decades) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for power := math.Floor(math.Log10(low)); power <= math.Ceil(math.Log10(high)); power++ {
		for _, digit := range []float64{1, 2, 5} {
			v := digit * math.Pow(10, power)
			if v < low || v > high {
				continue
			}
			ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'f', max(0, int(-power)), 64)})
		}
	}
	return ticks
}

// writePlot draws a plot as SVG, with colours for light and dark pages, the
// reader's own fonts and each style said once.
func writePlot(w io.Writer, p *plot.Plot, id string, width, height vg.Length) error {
	canvas := vgsvg.New(width, height)
	p.Draw(draw.New(canvas))
	var text bytes.Buffer
	if _, err := canvas.WriteTo(&text); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err := io.WriteString(w, themed(text.String(), "plot-"+id, p.Title.Text))
	return err
}

var (
	svgHead   = regexp.MustCompile(`(?s)^.*?<svg[^>]*?viewBox="([^"]*)"[^>]*>`)
	svgStyle  = regexp.MustCompile(`\s+style="([^"]*)"`)
	svgTag    = regexp.MustCompile(`<[^>]*>`)
	svgFigure = regexp.MustCompile(`-?[0-9]+\.[0-9]+`)
)

// themed rewrites gonum's SVG. Rules are bound to the picture's id, so that
// several can stand in one page.
func themed(svg, id, title string) string {
	size := strings.Fields(svgHead.FindStringSubmatch(svg)[1])
	width, height := widened(size[2], 2*margin), widened(size[3], 1.5*margin)
	box := fmt.Sprintf("%d %d %s %s", -margin, -margin, width, height)
	svg = svgHead.ReplaceAllString(svg, "")
	var rules []string
	classes := map[string]string{}
	svg = svgStyle.ReplaceAllStringFunc(svg, func(style string) string {
		style = svgStyle.FindStringSubmatch(style)[1]
		class, ok := classes[style]
		if !ok {
			class = "c" + strconv.Itoa(len(classes))
			classes[style] = class
			rules = append(rules, "#"+id+" ."+class+"{"+recolored(style)+"}")
		}
		return ` class="` + class + `"`
	})
	svg = svgTag.ReplaceAllStringFunc(svg, func(tag string) string { return svgFigure.ReplaceAllStringFunc(tag, rounded) })
	var light, night strings.Builder
	for i, c := range dark {
		fmt.Fprintf(&light, "--p%d:%s;", i, hex(c.light))
		fmt.Fprintf(&night, "--p%d:%s;", i, c.dark)
	}
	return fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" id=%q viewBox=%q width=%q height=%q role=\"img\" aria-label=%q>\n"+
		"<title>%[5]s</title>\n<style>#%[1]s{%[6]s}@media screen and (prefers-color-scheme:dark){#%[1]s{%[7]s}}\n#%[1]s text{fill:var(--p1,%[8]s)}\n%[9]s</style>\n",
		id, box, width, height, title, light.String(), night.String(), hex(ink), strings.Join(rules, "\n")) + strings.TrimLeft(svg, "\n")
}

// margin, in points, is room for text: the reader's fonts may be wider than the one
// that it was laid out with.
const margin = 10

func widened(length string, by float64) string {
	v, err := strconv.ParseFloat(length, 64)
	if err != nil {
		return length
	}
	return strconv.FormatFloat(math.Round(v+by), 'f', -1, 64)
}

// rounded keeps a tenth of a point: more is not seen.
func rounded(number string) string {
	v, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return number
	}
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

// recolored gives the colours of a style their names, and its text fonts that
// are there.
func recolored(style string) string {
	style = strings.ReplaceAll(style, "font-family:Liberation Sans", "font-family:Liberation Sans,Arial,Helvetica,sans-serif")
	style = strings.ReplaceAll(style, "font-variant:normal;font-weight:normal;font-style:normal;", "")
	for i, c := range dark {
		style = strings.ReplaceAll(style, hex(c.light), fmt.Sprintf("var(--p%d,%s)", i, strings.ToLower(hex(c.light))))
	}
	return style
}

func hex(c color.RGBA) string { return fmt.Sprintf("#%02X%02X%02X", c.R, c.G, c.B) }
