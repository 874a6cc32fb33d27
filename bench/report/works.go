package report

import (
	"fmt"
	"slices"
	"strings"

	"bst/bench/harness"
)

// measureWine measures what works under Wine.
const measureWine = "`contrib/bench-wine`"

// works says what works under Wine: commands, strategies and terminals that worked,
// failed or were skipped, and why.
func (p *page) works(s *Set) {
	p.printf("## What works under Wine\n\nWine runs the programs that are built for Windows. It stands in for Windows as to whether they\n" +
		"work, and not as to how fast: its times are its own, and none of them is published.\n\n")
	if len(s.Works) == 0 {
		p.printf("Not measured. This does: %s\n\n", measureWine)
		return
	}
	t := &table{header: []string{"file", "command", "strategy", "terminal", "works", "runs", "failed"}, text: 5}
	for _, f := range s.Works {
		if version := f.Fact("wine"); version != "" {
			p.printf("- %s: Wine %s, commit %s\n", f.Name, escapeText(version), escapeText(f.Fact("commit")))
		}
		for _, g := range f.worked() {
			t.add(f.Name, g.of.Command, g.of.how(), g.of.Terminal, g.String(), fmt.Sprint(g.runs), fmt.Sprint(g.failed))
		}
	}
	p.printf("\n")
	p.table(t)
	var whys []string
	for _, f := range s.Works {
		for _, g := range f.reasons() {
			whys = append(whys, fmt.Sprintf("- %s: failed: %s: %s\n", f.Name, list(g.where), escapeText(g.why)))
		}
		for _, r := range f.Remarks {
			if r.Kind == harness.RemarkSkipped {
				whys = append(whys, fmt.Sprintf("- %s: skipped: %s\n", f.Name, escapeText(r.Text)))
			}
		}
	}
	if len(whys) > 0 {
		p.printf("%s\n", strings.Join(whys, ""))
	}
}

// worked is how one command went, with a strategy on a terminal, over all stacks.
type worked struct {
	of           Axes // its stack is empty
	good, bad    []string
	runs, failed int
}

// worked are the commands in the order of cases. A stack of which one run failed does
// not work.
func (f *File) worked() []*worked {
	var all []*worked
	for _, a := range f.cases() {
		of := a
		of.Stack = ""
		i := slices.IndexFunc(all, func(g *worked) bool { return g.of == of })
		if i < 0 {
			i = len(all)
			all = append(all, &worked{of: of})
		}
		g := all[i]
		failed := f.failed(a)
		for _, run := range f.Runs {
			if run.Axes == a {
				g.runs++
			}
		}
		g.runs += failed
		g.failed += failed
		if failed > 0 {
			g.bad = append(g.bad, a.Stack)
		} else {
			g.good = append(g.good, a.Stack)
		}
	}
	slices.SortStableFunc(all, func(a, b *worked) int { return commandOrder(a.of.Command) - commandOrder(b.of.Command) })
	return all
}

func (g *worked) String() string {
	switch {
	case len(g.bad) == 0:
		return "yes: " + list(g.good)
	case len(g.good) == 0:
		return "**no**: " + list(g.bad)
	}
	return "**not all**: " + list(g.good) + "; not " + list(g.bad)
}

// reason is why runs failed, and which.
type reason struct {
	why   string
	where []string
}

// reasons are those of all failures, each once.
func (f *File) reasons() []*reason {
	var all []*reason
	for _, failure := range f.Failures {
		why := failure.why()
		i := slices.IndexFunc(all, func(r *reason) bool { return r.why == why })
		if i < 0 {
			i = len(all)
			all = append(all, &reason{why: why})
		}
		a := failure.Axes
		where := fmt.Sprintf("%s of %s with %s, terminal %s", a.Command, a.Stack, a.how(), a.Terminal)
		if r := all[i]; !slices.Contains(r.where, where) {
			r.where = append(r.where, where)
		}
	}
	return all
}

// why is the status, and what the program said of it: the first line that it wrote as
// an error, else its last.
func (f *Failure) why() string {
	if len(f.Text) == 0 {
		return "no reason is told"
	}
	status := f.Text[0]
	if i := strings.LastIndex(status, ".bst: "); i >= 0 {
		status = status[i+len(".bst: "):] // without the command line
	}
	said := ""
	for _, line := range f.Text[1:] {
		line = strings.TrimSpace(line)
		if strings.Contains(line, "FAILURE") || strings.Contains(line, "Error") {
			said = line
			break
		}
		if line != "" {
			said = line
		}
	}
	if said == "" {
		return status
	}
	return status + ": " + said
}
