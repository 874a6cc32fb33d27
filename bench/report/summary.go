package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"bst/bench/harness"
	"bst/impl/platform"
)

// writeSummary writes what a person reads first: the choice and its reasons, the
// answers, the goals, and what nobody knows yet.
func (s *Set) writeSummary(w io.Writer) error {
	p := &page{w: w}
	p.printf("# Which strategy, where, and why\n\nGenerated from the files in raw/ by `bst-bench report`; do not edit. As one page: [%s](%[1]s).\n\n", pageName)
	p.printf("**%s**\n\n", s.inShort())
	p.choices(s)
	if len(s.Files) == 0 {
		p.printf("Nothing has been measured.\n\n")
	}
	answers := s.answers()
	for _, a := range answers {
		p.printf("- **%s** %s\n", a.question, a.short)
	}
	p.printf("- **Were the goals reached?** %s: [Goals](#goals).\n\n", s.goalCounts())
	p.skipped(s)
	p.printf("Every figure: [figures.md](figures.md). What is handed over when a backend starts: [spawn.md](spawn.md).\n" +
		"What the UI costs an event, and how soon it shows it: [ui.md](ui.md).\n" +
		"What events cost on their way: [codecs.md](codecs.md). How all of it is measured: [docs/benchmarks.md](../docs/benchmarks.md).\n\n")
	for _, a := range answers {
		if a.detail != nil {
			p.printf("## %s\n\n", a.question)
			a.detail(p)
		}
	}
	p.perTask(s)
	p.plots(s)
	p.goals(s)
	p.works(s)
	p.machines(s)
	p.notMeasured(s, answers)
	p.howToRead()
	return p.err
}

// inShort is the choice in a sentence: which strategy where, and on what it rests.
func (s *Set) inShort() string {
	var names []string
	where := map[string][]string{} // by strategy
	measured, standIns, guessed := 0, 0, 0
	for _, c := range s.Choices() {
		if c.Platform == "" {
			continue
		}
		switch {
		case c.Measured && c.StandIn == "":
			measured++
		case c.Measured:
			standIns++
		default:
			guessed++
		}
		if where[c.Strategy] == nil {
			names = append(names, c.Strategy)
		}
		where[c.Strategy] = append(where[c.Strategy], c.Platform+" ("+c.Terminal+")")
	}
	text := "Use " + names[0] + " everywhere"
	if len(names) > 1 {
		var parts []string
		for _, name := range names {
			parts = append(parts, name+" on "+list(where[name]))
		}
		text = "Use " + strings.Join(parts, "; ")
	}
	return fmt.Sprintf("%s. Of %d places, kinds of terminal on platforms, %d were measured, %d go by a stand-in, %d by what is simplest.",
		text, measured+standIns+guessed, measured, standIns, guessed)
}

// terminalNames are the kinds of terminal, for a person.
var terminalNames = map[string]string{
	platform.NoTerminal: "none (pipe, CI)", platform.FastTerminal: "fast", platform.SlowTerminal: "slow (Windows, ssh)", "": "any",
}

func (p *page) choices(s *Set) {
	t := &table{header: []string{"platform", "terminal", "strategy", "because"}, text: 4}
	for _, c := range s.Choices() {
		name := c.Platform
		if name == "" {
			name = "others"
		}
		t.add(name, terminalNames[c.Terminal], "**"+c.Strategy+"**", c.Why)
	}
	p.table(t)
}

// skipped names the files that could not be used.
func (p *page) skipped(s *Set) {
	if len(s.Skipped) == 0 {
		return
	}
	p.printf("Raw files that could not be used, and are in no figure:\n\n")
	for _, f := range s.Skipped {
		p.printf("- %s: %s\n", escapeText(f.Name), escapeText(f.Reason))
	}
	p.printf("\n")
}

func (p *page) plots(s *Set) {
	shown := slices.DeleteFunc(s.plots(), func(plot plotted) bool { return plot.title == "" })
	if len(shown) == 0 {
		return
	}
	p.printf("## Plots\n\nWhere there is a frontend and a backend, each has its line; drawn on every event, it is dashed.\n" +
		"Every run of every case is in [figures.md](figures.md).\n\n")
	for _, plot := range shown {
		p.printf("![%s](%s)\n\n", plot.title, plot.name)
	}
}

func (p *page) machines(s *Set) {
	if len(s.Files)+len(s.Works) == 0 {
		return
	}
	p.printf("## Files and machines\n\n")
	t := &table{header: []string{"file", "platform", "machine", "kernel", "processor", "memory", "file system", "date", "commit", "busy", "runs", "failed"}, text: 10}
	for _, f := range slices.Concat(s.Files, s.Works) {
		t.add("[raw/"+f.Name+".txt](raw/"+f.Name+".txt)", f.Platform(), f.Machine(), f.Fact("kernel"), f.Fact("cores")+" × "+f.Fact("cpu"), f.Fact("memory"),
			f.Fact("filesystem"), f.Fact("date"), f.Fact("commit"), f.busy(), fmt.Sprint(len(f.Runs)), fmt.Sprint(len(f.Failures)))
	}
	p.links(t)
}

func (p *page) howToRead() {
	p.printf(`## How to read

The raw files are in the Go benchmark format, which benchstat reads as well.

A figure is the median of its runs with its 95 %% interval in brackets. Where there are fewer
than six runs there is no such interval, and none is given; nor where it is narrower than the
last digit. A difference is given where a
Mann-Whitney U test tells the two apart (p < 0.05) and is "~" otherwise. A ratio is worked out
in each round, of runs that took place close together, and then summed up like any other
figure; over several cases it is their geometric mean within a round. A run is an outlier
where it lies further from the middle half of the runs than three times that half's width;
outliers are in every figure and in the plots; of wall times, column runs counts them ("far off"). KB, MB and GB are powers of 1000.

- wall: from the start of the process to its end.
- processor: user and system time of the process and all that it waited for.
- peak memory: the largest process's resident memory; of a tool with a backend in a
  process of its own, the peaks of both, added.
- written: bytes that reached the terminal or the pipe, exactly.
- reads: how often the other end of the terminal read something: at most as often as
  the tool wrote.
- terminal: none is a pipe; pty is a pseudo-terminal that is drained at once; pty@N is
  one that is drained at N bytes a second; pty-stopped is one on which ^S is pressed for
  a while; model-NAME is a model of a slow terminal and not the terminal, its figures with
  their sources stand in the table of facts; xterm and tmux are the real programs. Kinds: pty,
  xterm and tmux are fast; those that are drained slowly, stopped or modelled are slow.
- bst-per-event is bst drawing on every event, for comparison.
`)
}

// platforms are those that the project is for.
var platforms = []string{platform.Linux, platform.WSL1, platform.WSL2, platform.Windows}

// elsewhere are the commands that measure a platform.
var elsewhere = "`bst-bench run --plan bench/plans/platform.yaml`, with its bst, and put what it writes into reports/raw as PLATFORM.txt"

// notMeasured says what the reader must not conclude from the figures.
func (p *page) notMeasured(s *Set, answers []answer) {
	p.printf("## What was not measured\n\n")
	for _, name := range platforms {
		if !slices.ContainsFunc(s.Files, func(f *File) bool { return f.Platform() == name }) {
			p.printf("- platform %s. There, run %s\n", name, strings.ReplaceAll(elsewhere, "PLATFORM", name))
		}
	}
	for _, c := range s.Choices() {
		switch {
		case c.Platform == "" || c.Measured && c.StandIn == "":
		case c.Platform != platform.Linux:
			if c.StandIn != "" {
				p.printf("- strategies on %s, terminal %s: what stands in its place is %s\n", c.Platform, terminalNames[c.Terminal], c.StandIn)
			}
		default:
			p.printf("- strategies on %s, terminal %s: %s\n", c.Platform, terminalNames[c.Terminal], measureTerminals)
		}
	}
	if len(s.Works) == 0 {
		p.printf("- what works under Wine: %s\n", measureWine)
	}
	if len(s.Timelines) == 0 {
		p.printf("- what the user interface costs while a build runs: %s\n", measureTimeline)
	}
	for _, a := range answers {
		for _, line := range a.missing {
			p.printf("- %s\n", line)
		}
	}
	p.printf("- delays and frames of peers, and of files whose tables have no events: those tell nothing of it\n" +
		"- a WSL1 kernel, a console of Windows: models and stand-ins are named as such\n")
	for _, f := range s.Files {
		for _, line := range gaps(f) {
			p.printf("- %s: %s: `bst-bench run` with the same plan, and more repetitions\n", f.Name, line)
		}
		for _, r := range f.Remarks {
			if r.Kind == harness.RemarkSkipped {
				p.printf("- %s: %s\n", f.Name, escapeText(r.Text))
			}
		}
	}
	p.printf("\n")
}

// gaps are the cases that were tried and have too few runs for an interval, by
// how many they have.
func gaps(f *File) []string {
	few := map[int][]string{}
	for _, a := range f.cases() {
		if n := len(f.series(a, wall)); n < enough {
			few[n] = append(few[n], fmt.Sprintf("%s of %s with %s, %s, terminal %s", a.Command, a.Stack, a.Tool, a.how(), a.Terminal))
		}
	}
	var lines []string
	for n := range enough {
		switch {
		case len(few[n]) == 0:
		case n == 0:
			lines = append(lines, "no figures: "+strings.Join(few[n], "; "))
		default:
			lines = append(lines, fmt.Sprintf("%s per case, too few for an interval: %s", counted(n, "run"), strings.Join(few[n], "; ")))
		}
	}
	return lines
}
