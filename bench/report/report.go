// Package report turns raw measurements into reports/README.md.
//
// It knows the harness's record and statistics. All it says comes from the raw
// files and from nowhere else, neither the clock nor this machine, so that the
// same files give the same bytes.
package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Write writes the report on files.
func Write(w io.Writer, files []*File) error {
	p := &page{w: w}
	p.printf(`# Measurements

Generated from the files in raw/ by ` + "`bst-bench report`" + `; do not edit. The raw files
are in the Go benchmark format, which benchstat reads as well.

A figure is the median of its runs with its 95 %% interval in brackets. Where there
are fewer than six runs there is no such interval, and none is given. A difference is
given where a Mann-Whitney U test tells the two apart (p < 0.05) and is "~" otherwise.
A ratio is worked out in each round, of runs that took place close together, and then
summed up like any other figure. KB, MB and GB are powers of 1000.

- wall: from the start of the process to its end.
- processor: user and system time of the process and all that it waited for.
- peak memory: the largest process's resident memory; of a tool with a backend in a
  process of its own, the peaks of both, added.
- written: bytes that reached the terminal or the pipe, exactly.
- reads: how often the other end of the terminal read something: at most as often as
  the tool wrote.
- terminal: none is a pipe; pty is a pseudo-terminal that is drained at once; pty@N is
  one that is drained at N bytes a second, a model and no real terminal.

`)
	if len(files) == 0 {
		p.printf("Nothing has been measured.\n")
		return p.err
	}
	p.goals(files)
	for _, f := range files {
		p.file(f)
	}
	p.notMeasured(files)
	return p.err
}

func (p *page) file(f *File) {
	p.printf("## %s\n\nRaw: [raw/%s.txt](raw/%s.txt)\n\n", f.Name, f.Name, f.Name)
	facts := &table{header: []string{"", "as detected"}, text: 2}
	for _, fact := range f.Facts {
		facts.add(fact.Key, fact.Value)
	}
	p.table(facts)
	p.failures(f)
	for _, stack := range axis(f, func(a Axes) string { return a.Stack }) {
		elements := f.Fact("elements-" + stack)
		p.printf("### %s: %s (%s elements)\n\n", f.Name, stack, elements)
		p.figures(f, stack)
		p.peers(f, stack)
		p.strategies(f, stack)
		p.terminals(f, stack)
		p.halves(f, stack)
	}
}

// cases are the axes of a stack that were tried, sorted: by command in the order
// in which a person meets them, ours before peers, by strategy and terminal.
func cases(f *File, stack string) []Axes {
	var all []Axes
	for _, run := range f.Runs {
		all = append(all, run.Axes)
	}
	for _, failure := range f.Failures {
		all = append(all, failure.Axes)
	}
	all = slices.DeleteFunc(all, func(a Axes) bool { return a.Stack != stack })
	key := func(a Axes) string {
		command := strings.Index("show build rebuild", a.Command)
		return fmt.Sprintf("%02d %v %s %s %s", command, f.Peer(a.Tool), a.Tool, a.Strategy, a.Terminal)
	}
	slices.SortFunc(all, func(a, b Axes) int { return strings.Compare(key(a), key(b)) })
	return slices.Compact(all)
}

// axis are the values of one axis that occur in a file, sorted.
func axis(f *File, get func(Axes) string) []string {
	seen := map[string]bool{}
	for _, run := range f.Runs {
		seen[get(run.Axes)] = true
	}
	for _, failure := range f.Failures {
		seen[get(failure.Axes)] = true
	}
	var values []string
	for v := range seen {
		values = append(values, v)
	}
	slices.Sort(values)
	return values
}

func (p *page) figures(f *File, stack string) {
	t := &table{header: []string{"command", "tool", "strategy", "terminal", "runs", "wall", "processor", "peak memory", "written", "reads"}, text: 4}
	for _, a := range cases(f, stack) {
		times := f.series(a, wall)
		runs := fmt.Sprint(len(times))
		if failed := f.failed(a); failed > 0 {
			runs += fmt.Sprintf(" (%d failed)", failed)
		}
		t.add(a.Command, a.Tool, a.Strategy, a.Terminal, runs,
			format(wall, times), format(cpu, f.series(a, cpu)), format(peak, f.series(a, peak)),
			format(written, f.series(a, written)), format(reads, f.series(a, reads)))
	}
	p.table(t)
}

// failed counts the failed runs of a case.
func (f *File) failed(a Axes) int {
	n := 0
	for _, failure := range f.Failures {
		if failure.Axes == a {
			n++
		}
	}
	return n
}

func (p *page) failures(f *File) {
	if len(f.Failures) == 0 {
		return
	}
	p.printf("Runs that failed, and are in no figure: %d.\n\n", len(f.Failures))
	for _, failure := range f.Failures {
		a := failure.Axes
		p.printf("- round %d: %s of %s with %s, strategy %s, terminal %s:\n\n", failure.Round, a.Command, a.Stack, a.Tool, a.Strategy, a.Terminal)
		for _, line := range failure.Text {
			p.printf("      %s\n", line)
		}
		p.printf("\n")
	}
}

// peers says how many times a peer's time and memory are ours.
func (p *page) peers(f *File, stack string) {
	t := &table{header: []string{"command", "terminal", "peer", "against", "wall", "processor", "peak memory", "written"}, text: 4}
	all := cases(f, stack)
	for _, peer := range all {
		if !f.Peer(peer.Tool) {
			continue
		}
		for _, ours := range all {
			if f.Peer(ours.Tool) || ours.Command != peer.Command || ours.Terminal != peer.Terminal {
				continue
			}
			cells := []string{peer.Command, peer.Terminal, peer.Tool, ours.Tool + ", " + ours.Strategy}
			for _, unit := range []string{wall, cpu, peak, written} {
				cells = append(cells, format(ratio, f.series(peer, unit).over(f.series(ours, unit))))
			}
			t.add(cells...)
		}
	}
	if len(t.rows) > 0 {
		p.printf("The peer's figure divided by ours, above 1 where the peer needs more:\n\n")
	}
	p.table(t)
}

// strategies compares each strategy with the first.
func (p *page) strategies(f *File, stack string) {
	t := &table{header: []string{"command", "terminal", "strategy", "against", "wall", "p", "processor", "p", "peak memory", "p"}, text: 4}
	first := map[string]Axes{} // by tool, command and terminal
	for _, a := range cases(f, stack) {
		same := strings.Join([]string{a.Tool, a.Command, a.Terminal}, " ")
		base, ok := first[same]
		if !ok {
			first[same] = a
			continue
		}
		cells := []string{a.Command, a.Terminal, a.Strategy, base.Strategy}
		for _, unit := range []string{wall, cpu, peak} {
			s, t := f.series(base, unit), f.series(a, unit)
			if len(s) == 0 || len(t) == 0 {
				cells = append(cells, "—", "—")
				continue
			}
			delta, probability := compare(s, t)
			cells = append(cells, delta, probability)
		}
		t.add(cells...)
	}
	if len(t.rows) > 0 {
		p.printf("How much more a strategy needs than another:\n\n")
	}
	p.table(t)
}

// terminals says what a terminal costs: the time with one divided by the time
// without.
func (p *page) terminals(f *File, stack string) {
	t := &table{header: []string{"command", "tool", "strategy", "terminal", "wall", "processor"}, text: 4}
	for _, a := range cases(f, stack) {
		if a.Terminal == "none" {
			continue
		}
		without := a
		without.Terminal = "none"
		time := f.series(a, wall).over(f.series(without, wall))
		if len(time) == 0 {
			continue
		}
		t.add(a.Command, a.Tool, a.Strategy, a.Terminal, format(ratio, time),
			format(ratio, f.series(a, cpu).over(f.series(without, cpu))))
	}
	if len(t.rows) > 0 {
		p.printf("What a terminal costs: with it, divided by without:\n\n")
	}
	p.table(t)
}

// halves gives frontend and backend apart.
func (p *page) halves(f *File, stack string) {
	t := &table{header: []string{"command", "strategy", "terminal", "frontend's processor", "backend's processor", "frontend's peak", "backend's peak"}, text: 3}
	for _, a := range cases(f, stack) {
		if back := f.series(a, backCPU); len(back) > 0 {
			t.add(a.Command, a.Strategy, a.Terminal, format(frontCPU, f.series(a, frontCPU)), format(backCPU, back),
				format(frontPeak, f.series(a, frontPeak)), format(backPeak, f.series(a, backPeak)))
		}
	}
	if len(t.rows) > 0 {
		p.printf("Frontend and backend apart, read from /proc every 20 ms; times there are in steps\nof 10 ms, and without the sandboxes':\n\n")
	}
	p.table(t)
}
