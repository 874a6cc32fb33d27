package report

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"bst/bench/harness"
	"bst/bench/uicost"
)

// ofUI are the figures of a case of bench/uicost, with each strategy or the one.
func ofUI(what, strategy, unit string) func(*Set) []figure {
	return func(s *Set) (found []figure) {
		for _, p := range s.UI {
			for _, name := range p.axis("strategy") {
				values := p.series(harness.BaseUnit(unit), map[string]string{"what": what, "strategy": name})
				if len(values) > 0 && (strategy == "" || strategy == name) {
					found = append(found, figure{p.Name, what + ", " + name, harness.BaseUnit(unit), values})
				}
			}
		}
		return found
	}
}

// replays are the times of a million events, of recordings of whatever length.
func replays(s *Set) []figure {
	found := ofUI("replay", "", uicost.UnitWall)(s)
	for i, f := range found {
		n := math.NaN()
		for _, p := range s.UI {
			if replayed, err := strconv.ParseFloat(p.Fact("events-replayed"), 64); err == nil && p.Name == f.file {
				n = replayed
			}
		}
		found[i].values = f.values.with(f.values, func(v, _ float64) float64 { return v * 1e6 / n })
	}
	return found
}

// writeUI writes the report on what the UI costs and how soon it shows things.
func (s *Set) writeUI(w io.Writer) error {
	p, parts := &page{w: w}, s.UI
	p.printf("# What the UI costs an event, and how soon it shows it\n\n"+partIntro, "ui")
	p.printf(`The events are those of tasks that do nothing, five a task, as fast as they can be told
(cost) or at random moments (delay). The terminal takes all at once and is part of the
measuring program: what a real one costs is in the [README](README.md). The cost of an event is the
processor time of all processes, the session's start taken off; the engine's part is its
thread's. A run gives one median and one 99th percentile of its delays; of the latter, the
longest of all runs stands here. A recording is replayed twice, and the bytes compared.

`)
	for _, part := range parts {
		p.ui(part)
	}
	p.partGaps(parts, "ui", nil)
	p.printf("- strategy warm: the processor time of a backend that stays is not the command's\n")
	return p.err
}

func (p *page) ui(part *Part) {
	p.printf("## %s: platform %s\n\nRaw: [raw/parts/%[1]s.txt](raw/parts/%[1]s.txt)\n\n", part.Name, part.Fact("platform"))
	p.partFacts(part)
	base := harness.BaseUnit
	of := func(what, strategy, unit string) series {
		keys := map[string]string{"what": what}
		if strategy != "" {
			keys["strategy"] = strategy
		}
		return part.series(base(unit), keys)
	}
	costs := &table{header: []string{"strategy", "CPU of an event", "the engine's part", "writes of a run", "bytes of a run"}, text: 1}
	delays := &table{header: []string{"strategy", "to a line: median", "99 %", "to the status area: median", "99 %", "^C to the menu", "longest"}, text: 1}
	for _, strategy := range part.axis("strategy") {
		if len(of("event", strategy, uicost.UnitEvent)) == 0 {
			continue
		}
		costs.add(strategy, scaled(of("event", strategy, uicost.UnitEvent), 1e6, " µs"), scaled(of("event", strategy, uicost.UnitEngine), 1e6, " µs"),
			plain(of("event", strategy, uicost.UnitWrites)), plain(of("event", strategy, uicost.UnitBytes)))
		line, status, interrupt := of("delay-line", strategy, uicost.UnitTail), of("delay-status", strategy, uicost.UnitTail), of("interrupt", strategy, uicost.UnitWall)
		delays.add(strategy, millis(of("delay-line", strategy, uicost.UnitMedian)), short(line.most()),
			millis(of("delay-status", strategy, uicost.UnitMedian)), short(status.most()), millis(interrupt), short(interrupt.most()))
	}
	p.table(costs)
	p.table(delays)
}

// most is the largest value; 0 of none.
func (s series) most() float64 {
	var most float64
	for _, v := range s {
		most = max(most, v)
	}
	return most
}

// short is a time in seconds, in the unit that suits it; nothing measured is a dash.
func short(seconds float64) string {
	switch {
	case seconds == 0:
		return "—"
	case seconds < 100e-6:
		return fmt.Sprintf("%.2f µs", seconds*1e6)
	case seconds < 1:
		return fmt.Sprintf("%.1f ms", seconds*1e3)
	}
	return fmt.Sprintf("%.2f s", seconds)
}
