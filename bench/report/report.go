// Package report turns raw measurements into all of reports/, and into the table
// of default strategies.
//
// It knows the harness's record, statistics, and the questions that the project
// was begun for. All it says comes from the raw files and from nowhere else,
// neither the clock nor this machine, so that the same files give the same bytes.
package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Generate makes every report, by its name in the folder of reports.
func (s *Set) Generate() (map[string][]byte, error) {
	all := map[string][]byte{}
	add := func(name string, write func(io.Writer) error) error {
		var text bytes.Buffer
		if err := write(&text); err != nil {
			return err
		}
		if text.Len() > 0 {
			all[name] = text.Bytes()
		}
		return nil
	}
	for _, plot := range s.plots() {
		if err := add(plot.name, plot.write); err != nil {
			return nil, err
		}
	}
	for _, doc := range documents {
		if err := add(doc.name, func(w io.Writer) error { return doc.write(s, w) }); err != nil {
			return nil, err
		}
	}
	if err := add(pageName, func(w io.Writer) error { return writeHTML(w, all) }); err != nil {
		return nil, err
	}
	return all, nil
}

// documents are the reports in Markdown, in the order of the page made of them.
var documents = []struct {
	name, title string
	write       func(*Set, io.Writer) error
}{
	{"README.md", "Summary", (*Set).writeSummary},
	{"figures.md", "Figures", (*Set).writeFigures},
	{"spawn.md", "Spawning", (*Set).writeSpawn},
	{"codecs.md", "Codecs", (*Set).writeCodecs},
	{"ui.md", "UI", (*Set).writeUI},
}

// writeFigures writes every figure, file by file.
func (s *Set) writeFigures(w io.Writer) error {
	p := &page{w: w}
	p.printf("# Figures\n\nGenerated from the files in raw/ by `bst-bench report`; do not edit. How to read them: [README.md](README.md#how-to-read).\n\n")
	if len(s.Files) == 0 {
		p.printf("Nothing has been measured.\n")
	}
	for _, f := range s.Files {
		p.file(f)
	}
	p.everyGoal(s)
	return p.err
}

func (p *page) file(f *File) {
	p.printf("## %s\n\nRaw: [raw/%s.txt](raw/%s.txt)\n\n", f.Name, f.Name, f.Name)
	facts := &table{header: []string{"fact", "as detected"}, text: 2}
	for _, fact := range f.Facts {
		facts.add(fact.Key, fact.Value)
	}
	p.table(facts)
	p.remarks(f)
	p.failures(f)
	for _, stack := range axis(f, func(a Axes) string { return a.Stack }) {
		size := "an unknown number of"
		if n := f.elements(stack); n > 0 {
			size = fmt.Sprint(n)
		}
		p.printf("### %s: %s (%s elements)\n\n", f.Name, stack, size)
		p.figures(f, stack)
		if name := stripName(f, stack); hasStrips(f, stack) {
			p.printf("![Every run of %s in %s: wall time by strategy](%s)\n\n", stack, f.Name, name)
		}
		p.peers(f, stack)
		p.strategies(f, stack)
		p.terminals(f, stack)
		p.halves(f, stack)
		p.events(f, stack)
	}
}

// remarks says what the harness noticed of itself and of the machine.
func (p *page) remarks(f *File) {
	if why := f.busy(); why != "" {
		p.printf("The machine was busy: %s.\n\n", why)
	}
	for _, r := range f.Remarks {
		p.printf("- %s%s\n", r.words(), escapeText(r.Text))
	}
	if len(f.Remarks) > 0 {
		p.printf("\n")
	}
}

// cases are the axes that were tried, sorted: by stack, by command in the order
// in which a person meets them, ours before peers, by strategy and terminal.
func (f *File) cases() []Axes {
	if f.sorted != nil {
		return f.sorted
	}
	seen := map[Axes]bool{}
	for _, run := range f.Runs {
		seen[run.Axes] = true
	}
	for _, failure := range f.Failures {
		seen[failure.Axes] = true
	}
	all := make([]Axes, 0, len(seen))
	for a := range seen {
		all = append(all, a)
	}
	key := func(a Axes) string {
		return fmt.Sprintf("%s %02d %v %s %s %s %s", a.Stack, commandOrder(a.Command), f.Peer(a.Tool), a.Tool, a.Strategy, a.Settings, a.Terminal)
	}
	slices.SortFunc(all, func(a, b Axes) int { return strings.Compare(key(a), key(b)) })
	f.sorted = all
	return all
}

// cases are those of one stack.
func cases(f *File, stack string) []Axes {
	return slices.DeleteFunc(slices.Clone(f.cases()), func(a Axes) bool { return a.Stack != stack })
}

// axis are the values of one axis that occur in a file, sorted.
func axis(f *File, get func(Axes) string) []string { return distinct(f.cases(), get) }

func (p *page) figures(f *File, stack string) {
	t := &table{header: []string{"command", "tool", "strategy", "terminal", "runs", "wall", "processor", "peak memory", "written", "reads"}, text: 4}
	for _, a := range cases(f, stack) {
		times := f.series(a, wall)
		var odd []string
		if n := times.outliers(); n > 0 {
			odd = append(odd, fmt.Sprintf("%d far off", n))
		}
		if n := f.failed(a); n > 0 {
			odd = append(odd, fmt.Sprintf("%d failed", n))
		}
		runs := fmt.Sprint(len(times))
		if len(odd) > 0 {
			runs += " (" + strings.Join(odd, ", ") + ")"
		}
		t.add(a.Command, a.Tool, a.how(), a.Terminal, runs,
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
		p.printf("- round %d: %s of %s with %s, strategy %s, terminal %s:\n\n", failure.Round, a.Command, a.Stack, a.Tool, a.how(), a.Terminal)
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
		for _, our := range all {
			if f.Peer(our.Tool) || our.Command != peer.Command || our.Terminal != peer.Terminal {
				continue
			}
			cells := []string{peer.Command, peer.Terminal, peer.Tool, our.Tool + ", " + our.how()}
			for _, unit := range []string{wall, cpu, peak, written} {
				cells = append(cells, format(ratio, f.series(peer, unit).over(f.series(our, unit))))
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
		cells := []string{a.Command, a.Terminal, a.how(), base.how()}
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
		t.add(a.Command, a.Tool, a.how(), a.Terminal, format(ratio, time),
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
			t.add(a.Command, a.how(), a.Terminal, format(frontCPU, f.series(a, frontCPU)), format(backCPU, back),
				format(frontPeak, f.series(a, frontPeak)), format(backPeak, f.series(a, backPeak)))
		}
	}
	if len(t.rows) > 0 {
		p.printf("Frontend and backend apart, read from /proc every 20 ms; times there are in steps\nof 10 ms, and without the sandboxes':\n\n")
	}
	p.table(t)
}

// events gives what the program tells of its own events and frames, and what else
// the machine did.
func (p *page) events(f *File, stack string) {
	t := &table{header: []string{"command", "tool", "strategy", "terminal", "events", "first event", "first drawn", "frames", "writes", "delay, median", "99 %", "longest", "others' processor", "steal"}, text: 4}
	for _, a := range cases(f, stack) {
		if len(f.series(a, events)) == 0 && len(f.series(a, others)) == 0 {
			continue
		}
		cells := []string{a.Command, a.Tool, a.how(), a.Terminal}
		for _, unit := range []string{events, first, drawn, frames, writes, delay, tail, longest, others, steal} {
			cells = append(cells, format(unit, f.series(a, unit)))
		}
		t.add(cells...)
	}
	if len(t.rows) > 0 {
		p.printf("What the program tells itself (delay: from an event's arrival to the end of the write that\nshows it), and what ran beside it:\n\n")
	}
	p.table(t)
}
