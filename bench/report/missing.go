package report

import (
	"fmt"
	"slices"
	"strings"
)

// platforms are those that the project is for.
var platforms = []string{"linux", "wsl1", "wsl2", "windows"}

// unmeasured are the figures that a run should have and that the harness does
// not take yet.
var unmeasured = []string{
	"the time to the first event, the number of events and of frames, the delay from an event to its drawing",
	"the bytes handed over when a backend starts",
	"writes: counted as reads at the terminal's other end, which are fewer where two writes are read at once",
	"real terminals: no xterm, no tmux, no console; a pty that is drained at once costs the least of all",
}

// notMeasured says what the reader must not conclude from the figures.
func (p *page) notMeasured(files []*File) {
	p.printf("## What was not measured\n\n")
	var seen []string
	for _, f := range files {
		seen = append(seen, f.Fact("platform"))
	}
	for _, platform := range platforms {
		if !slices.Contains(seen, platform) {
			p.printf("- platform %s: no file was taken there\n", platform)
		}
	}
	for _, what := range unmeasured {
		p.printf("- %s\n", what)
	}
	for _, f := range files {
		for _, line := range gaps(f) {
			p.printf("- %s: %s\n", f.Name, line)
		}
	}
}

// gaps are the cases that a file's axes span and that it has no figures of, and
// the cases that have too few runs for an interval.
func gaps(f *File) []string {
	const enough = 6
	few := map[int][]string{}
	tools := map[string]bool{}
	for _, run := range f.Runs {
		tools[run.Tool+" "+run.Strategy] = true
	}
	for _, failure := range f.Failures {
		tools[failure.Tool+" "+failure.Strategy] = true
	}
	for _, stack := range axis(f, func(a Axes) string { return a.Stack }) {
		for tool := range tools {
			for _, command := range axis(f, func(a Axes) string { return a.Command }) {
				for _, terminal := range axis(f, func(a Axes) string { return a.Terminal }) {
					name, strategy, _ := strings.Cut(tool, " ")
					n := len(f.series(Axes{command, stack, name, strategy, terminal}, wall))
					if n < enough {
						few[n] = append(few[n], fmt.Sprintf("%s of %s with %s, %s, terminal %s", command, stack, name, strategy, terminal))
					}
				}
			}
		}
	}
	var lines []string
	for n := range enough {
		if len(few[n]) == 0 {
			continue
		}
		slices.Sort(few[n])
		what := fmt.Sprintf("runs per case: %d, too few for an interval", n)
		if n == 0 {
			what = "no figures"
		}
		lines = append(lines, what+": "+strings.Join(few[n], "; "))
	}
	return lines
}
