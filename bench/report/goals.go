package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// goal is a figure that the project set out to reach, and where to look for it.
type goal struct {
	text  string
	stack string
	// holds says of a case of ours whether it is one to look at.
	holds func(Axes) bool
	// measure gives the figure of a case.
	measure func(*File, Axes) series
	unit    string
	reached func(median float64) bool
}

const gnome = "debian-gnome"

func commands(names ...string) func(Axes) bool {
	return func(a Axes) bool { return slices.Contains(names, a.Command) }
}

func onPTY(a Axes) bool { return a.Command == "build" && a.Terminal == "pty" }

func of(unit string) func(*File, Axes) series {
	return func(f *File, a Axes) series { return f.series(a, unit) }
}

// overPeer is the peer's figure divided by ours; the peer is BuildStream 1.6.8.
func overPeer(unit string) func(*File, Axes) series {
	return func(f *File, a Axes) series {
		for _, peer := range cases(f, a.Stack) {
			if f.Fact("tool-"+peer.Tool) == "peer, version 1.6.8" && peer.Command == a.Command && peer.Terminal == a.Terminal {
				return f.series(peer, unit).over(f.series(a, unit))
			}
		}
		return nil
	}
}

func overNoTerminal(f *File, a Axes) series {
	without := a
	without.Terminal = "none"
	return f.series(a, wall).over(f.series(without, wall))
}

// goals are those of the project's main job.
var goals = []goal{
	{"`bst show` and `bst build` of gnome at least 40 times as fast as BuildStream 1.6.8", gnome,
		func(a Axes) bool {
			return commands("show", "build")(a) && slices.Contains([]string{"none", "pty"}, a.Terminal)
		}, overPeer(wall), ratio, func(v float64) bool { return v >= 40 }},
	{"under 1 MB written to a pty by `bst build` of gnome", gnome, onPTY, of(written), written, func(v float64) bool { return v < 1e6 }},
	{"`bst build` of gnome on a pty at most 3 % longer than without", gnome, onPTY, overNoTerminal, ratio, func(v float64) bool { return v <= 1.03 }},
	{"`bst build` of gnome with no more peak memory than BuildStream 1.6.8", gnome, commands("build"), overPeer(peak), ratio, func(v float64) bool { return v >= 1 }},
	{"`bst show` of all of Debian in under 8 s", "debian-all", commands("show"), of(wall), wall, func(v float64) bool { return v < 8 }},
	{"`bst show` of all of Debian in under 2 GiB", "debian-all", commands("show"), of(peak), peak, func(v float64) bool { return v < 2<<30 }},
}

// goals says which goals are reached, by the median, wherever they were measured.
func (p *page) goals(files []*File) {
	p.printf("## Goals\n\nA goal is reached or not by the median. A ratio to a peer is the peer's figure\ndivided by ours.\n\n")
	t := &table{header: []string{"goal", "file", "case", "", "measured"}, text: 4}
	for _, g := range goals {
		before := len(t.rows)
		for _, f := range files {
			for _, a := range cases(f, g.stack) {
				if f.Peer(a.Tool) || !g.holds(a) {
					continue
				}
				name := strings.Join([]string{a.Command, a.Strategy, a.Terminal}, ", ")
				s := g.measure(f, a)
				if len(s) == 0 {
					continue
				}
				verdict := "**missed**"
				if median := s.summary().Center; !math.IsNaN(median) && g.reached(median) {
					verdict = "reached"
				}
				t.add(g.text, f.Name, name, verdict, fmt.Sprintf("%s (n=%d)", format(g.unit, s), len(s)))
			}
		}
		if len(t.rows) == before {
			t.add(g.text, "—", "—", "not measured", "—")
		}
	}
	p.table(t)
}
