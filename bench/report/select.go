package report

import (
	"bytes"
	"fmt"
	gofmt "go/format"
	"io"
	"slices"
	"strings"

	"bst/impl/platform"
	"bst/strategies"
)

// The rule by which the default strategy of a platform and a kind of terminal is
// chosen; docs/strategies.md has it in words:
//
//  1. Candidates are the strategies of strategies.Every, in its order: it is that
//     of simplicity. One whose backend stays when the command has ended is none:
//     a person who did not ask for it must not find it there.
//  2. The first is the choice until another takes its place.
//  3. Another does if its wall time, over all commands and stacks measured in this
//     place and within rounds, is at least 2 % shorter than the choice's: the whole
//     95 % interval of the ratio lies below 0.98.
//  4. And if in no single case it is more than 2 % longer beyond doubt.
//  5. A place without such measurements takes those of its named stand-in, the
//     first that has any; else it gets the simplest strategy.
const worth = 0.98

// place is where a choice holds.
type place struct{ platform, terminal string }

// standIn is where else to look, in words and as a condition.
type standIn struct {
	name string
	in   func(*File, Axes) bool
}

// places are the rows of the table of defaults, with their stand-ins.
func places() []struct {
	place
	standIns []standIn
} {
	model := func(names ...string) standIn {
		return standIn{"linux with " + strings.Join(names, " and ") + ", models of its terminals",
			also(onPlatform(platform.Linux), onTerminals(names...))}
	}
	kind := func(name, terminal string) standIn {
		return standIn{name, also(onPlatform(name), onKind(terminal))}
	}
	return []struct {
		place
		standIns []standIn
	}{
		{place{platform.Linux, platform.NoTerminal}, nil},
		{place{platform.Linux, platform.FastTerminal}, nil},
		{place{platform.Linux, platform.SlowTerminal}, nil},
		{place{platform.WSL1, platform.NoTerminal}, []standIn{kind(platform.GVisor, platform.NoTerminal)}},
		{place{platform.WSL1, platform.SlowTerminal}, []standIn{kind(platform.GVisor, platform.SlowTerminal), model("model-wsl1")}},
		{place{platform.WSL2, platform.NoTerminal}, []standIn{kind(platform.Linux, platform.NoTerminal)}},
		{place{platform.WSL2, platform.SlowTerminal}, []standIn{model("model-windows-terminal", "model-conhost")}},
		{place{platform.Windows, platform.NoTerminal}, nil},
		{place{platform.Windows, platform.SlowTerminal}, []standIn{model("model-windows-terminal", "model-conhost")}},
		{place{}, nil},
	}
}

// Choice is a row of the table of defaults with what it rests on.
type Choice struct {
	strategies.Choice
	// StandIn is whose figures it rests on, "" for the place's own or none.
	StandIn string
	// Measured says that it rests on figures.
	Measured bool
	// Evidence are the other strategies that were measured.
	Evidence []Evidence
}

// Evidence is how another strategy compares with the simplest.
type Evidence struct {
	Strategy string
	// Stays says that it is no candidate.
	Stays bool
	pool  *pool
}

func (e Evidence) String() string {
	note := ""
	if e.Stays {
		note = "; no candidate, its backend stays"
	}
	return e.Strategy + ": " + e.pool.String() + note
}

// Choices applies the rule to every place.
func (s *Set) Choices() []Choice {
	var all []Choice
	for _, p := range places() {
		c := Choice{Choice: strategies.Choice{Platform: p.platform, Terminal: p.terminal}}
		own := standIn{"", also(onPlatform(p.platform), onKind(p.terminal))}
		for _, from := range append([]standIn{own}, p.standIns...) {
			if s.choose(&c, from.in) {
				c.StandIn, c.Measured = from.name, true
				break
			}
		}
		switch {
		case p.place == place{}:
			c.Strategy, c.Why = simplest(), "this platform was not measured: it gets the simplest strategy"
		case !c.Measured && len(p.standIns) == 0:
			c.Strategy, c.Why = simplest(), "not measured, and nothing stands in for it: it gets the simplest strategy"
		case !c.Measured:
			c.Strategy, c.Why = simplest(), "not measured, nor what could stand in for it: it gets the simplest strategy"
		case c.StandIn != "":
			c.Why = "not measured; on its stand-in, " + c.StandIn + ", " + c.Why
		}
		all = append(all, c)
	}
	return all
}

// simplest is the strategy that others have to beat.
func simplest() string { return strategies.Every()[0].Name }

// choose applies the rule to what was measured in one place. It is false where
// nothing was.
func (s *Set) choose(c *Choice, in func(*File, Axes) bool) bool {
	in = also(ours, in)
	c.Strategy = simplest()
	var vetoed string
	for _, candidate := range strategies.Every()[1:] {
		beside := s.pooled(wall, against(candidate.Name, simplest(), in))
		if len(beside.ratios) == 0 {
			continue
		}
		c.Evidence = append(c.Evidence, Evidence{candidate.Name, candidate.Stays(), beside})
		against := s.pooled(wall, against(candidate.Name, c.Strategy, in))
		if candidate.Stays() || !against.ratios.below(worth) {
			continue
		}
		worse := slices.IndexFunc(against.cases, func(p pooledCase) bool { return p.ratios.above(1 / worth) })
		if worse >= 0 {
			a := against.cases[worse].axes
			vetoed = fmt.Sprintf("; %s, shorter by and large, is longer for %s of %s", candidate.Name, a.Command, a.Stack)
			continue
		}
		c.Strategy = candidate.Name
	}
	if len(c.Evidence) == 0 {
		return false
	}
	c.Why = c.reason() + vetoed
	return true
}

// reason says in words why the choice is what it is.
func (c *Choice) reason() string {
	var best *Evidence
	for i, e := range c.Evidence {
		switch {
		case e.Strategy == c.Strategy:
			return fmt.Sprintf("%s takes %s the wall time of %s", c.Strategy, format(ratio, e.pool.ratios), simplest())
		case !e.Stays && (best == nil || e.pool.ratios.summary().Center < best.pool.ratios.summary().Center):
			best = &c.Evidence[i]
		}
	}
	if best == nil {
		return "no other strategy that may be a default was measured"
	}
	if len(best.pool.ratios) < enough {
		return fmt.Sprintf("%s of others are too few to choose by", counted(len(best.pool.ratios), "round"))
	}
	return fmt.Sprintf("no other is 2 %% quicker beyond doubt; the nearest, %s, takes %s the wall time", best.Strategy, format(ratio, best.pool.ratios))
}

// WriteDefaults writes strategies/defaults.go.
func (s *Set) WriteDefaults(w io.Writer) error {
	var text bytes.Buffer
	text.WriteString("// Code generated by bst-bench report from reports/raw; DO NOT EDIT.\n\npackage strategies\n\n" +
		"// defaults are the strategies where the user names none: see Choose. The rule is\n" +
		"// in docs/strategies.md. Above each row stands what was measured: wall time, as\n" +
		"// many times that of " + simplest() + ", over all commands and stacks of the files named.\n" +
		"var defaults = []Choice{\n")
	for _, c := range s.Choices() {
		if len(c.Evidence) > 0 {
			fmt.Fprintf(&text, "// From %s:\n", strings.Join(c.from(), ", "))
		}
		for _, e := range c.Evidence {
			fmt.Fprintf(&text, "// %s\n", e)
		}
		fmt.Fprintf(&text, "{Platform: %q, Terminal: %q, Strategy: %q,\nWhy: %q},\n", c.Platform, c.Terminal, c.Strategy, c.Why)
	}
	text.WriteString("}\n")
	source, err := gofmt.Source(text.Bytes())
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err = w.Write(source)
	return err
}

// from names the files that a choice rests on.
func (c *Choice) from() []string {
	var cases []pooledCase
	for _, e := range c.Evidence {
		cases = append(cases, e.pool.cases...)
	}
	return (&pool{cases: cases}).files()
}
