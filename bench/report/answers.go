package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"bst/bench/harness"
	"bst/bench/spawn"
	"bst/impl/platform"
)

// answer is a question of the people who would decide, and what the figures say.
type answer struct {
	question string
	// short is the answer in a sentence or two.
	short string
	// detail writes the figures that it rests on, nil where there are no more.
	detail func(*page)
	// missing is what was not measured, each with the command that would.
	missing []string
}

// lacks says that something was not measured.
func (a *answer) lacks(what, command string) string {
	a.missing = append(a.missing, what+": "+command)
	return "not measured"
}

// reported is what the split saved on some WSL1 machines in 2019, by the status
// mail of its author: 30 to 40 % of the build time of a synthetic Debian stack.
var reported = [2]float64{0.30, 0.40}

// uiShare is the part of the main process's time that drawing took then, by the
// same people (list, May 2019; issue 1036).
var uiShare = [2]float64{0.40, 0.50}

// The commands that measure what an answer lacks.
var (
	measureStrategies = withPlan("splitting")
	measureSplit      = withPlan("splitting", "--only splitting-per-event")
	measureTerminals  = withPlan("terminals")
	measureSpawn      = withPlan("spawn")
	measureWSL1       = withPlan("wsl1")
	measureGVisor     = withPlan("gvisor") + ", under runsc"
	measureTimeline   = withPlan("timeline")
)

// withPlan is the command that measures a plan of bench/plans.
func withPlan(name string, more ...string) string {
	return "`bin/bst-bench run --plan bench/plans/" + strings.Join(append([]string{name + ".yaml"}, more...), " ") + "`"
}

// backends are the strategies with a backend in a process of its own, that end
// with their session, and the control.
var backends = []string{"pipe", "socket"}

// answers are the questions that the project was begun for.
func (s *Set) answers() []answer {
	return []answer{s.whenSplitting(), s.whatBatching(), s.whatSpawning(), s.whatWSL1(), s.howIn2019(), s.howSure()}
}

// groups are the places and commands that were measured, in order.
type group struct{ platform, terminal, command string }

func (s *Set) groups() []group {
	var all []group
	for _, f := range s.Files {
		for _, a := range f.cases() {
			g := group{f.Platform(), kindOf(a.Terminal), a.Command}
			if ours(f, a) && !slices.Contains(all, g) {
				all = append(all, g)
			}
		}
	}
	slices.SortFunc(all, func(a, b group) int {
		key := func(g group) string {
			return fmt.Sprintf("%s %d %02d", g.platform, slices.Index(platform.Terminals, g.terminal), commandOrder(g.command))
		}
		return strings.Compare(key(a), key(b))
	})
	return all
}

func (g group) in() func(*File, Axes) bool {
	return also(ours, onPlatform(g.platform), onKind(g.terminal), ofCommand(g.command))
}

func (g group) String() string {
	terminal := map[string]string{platform.NoTerminal: "no terminal", platform.FastTerminal: "a fast terminal", platform.SlowTerminal: "slow terminals"}[g.terminal]
	return fmt.Sprintf("%s on %s, %s", g.command, g.platform, terminal)
}

func (s *Set) whenSplitting() answer {
	a := answer{question: "When does splitting pay?"}
	var pays, elsewhere []string // elsewhere: on stand-ins
	n, faster, slower := 0, 0, 0
	t := &table{header: []string{"platform", "terminal", "command", "strategy", "wall", "verdict", "processor", "peak memory", "cases", "shorter", "longer"}, text: 4}
	for _, g := range s.groups() {
		for _, strategy := range backends {
			p := s.pooled(wall, against(strategy, control, g.in()))
			if len(p.cases) == 0 {
				continue
			}
			shorter, longer := p.count()
			where := &pays
			if platform.StandIn(g.platform) {
				where = &elsewhere
			} else {
				n, faster, slower = n+len(p.cases), faster+shorter, slower+longer
			}
			if p.ratios.below(1) {
				*where = append(*where, fmt.Sprintf("%s (%s: %s)", g, strategy, format(ratio, p.ratios)))
			}
			t.add(g.platform, g.terminal, g.command, strategy, format(ratio, p.ratios), p.verdict(),
				format(ratio, s.pooled(cpu, against(strategy, control, g.in())).ratios),
				format(ratio, s.pooled(peak, against(strategy, control, g.in())).ratios),
				fmt.Sprint(len(p.cases)), fmt.Sprint(shorter), fmt.Sprint(longer))
		}
	}
	if len(t.rows) > 0 {
		a.detail = func(p *page) {
			p.printf("A backend in a process of its own, to one in the frontend's process (%s). Wall is the\n"+
				"geometric mean over the cases of a row; the last columns count those in which the\n"+
				"difference is beyond doubt (the 95 %% interval does not reach 1).\n\n", control)
			p.table(t)
		}
	}
	onStandIns := ""
	if len(elsewhere) > 0 {
		onStandIns = " On a stand-in, which is in none of these counts, it pays for " + strings.Join(elsewhere, "; for ") + "."
	}
	if n == 0 {
		a.short = "It was " + a.lacks("strategies with a backend of its own", measureStrategies) + "." + onStandIns
		return a
	}
	own := s.own()
	where := "Nowhere that was measured."
	if len(pays) > 0 {
		where = "For " + strings.Join(pays, "; for ") + "."
	}
	a.short = fmt.Sprintf("%s Of %s (a command on a stack and a terminal, with %s beside one process) a backend of its own is quicker beyond doubt in %d and slower in %d; "+
		"chance alone would make %.0f of each.", where, counted(n, "case"), strings.Join(backends, " or "), faster, slower, math.Ceil(float64(n)*0.025)) + onStandIns
	event := own.pooled(wall, against("pipe", control, also(drawnPerEvent, ofCommand("build"), withTerminal)))
	if len(event.ratios) == 0 {
		a.short += " Drawn on every event, as in 2019: " + a.lacks("a split without batching, as in 2019", measureSplit) + "."
	} else {
		a.short += fmt.Sprintf(" Drawn on every event, as in 2019, a build with pipe takes %s the time of one process on a terminal: %s.", event, event.verdict())
	}
	var stays []string
	for _, command := range []string{"show", "build"} {
		if p := own.pooled(wall, against("warm", control, also(ours, ofCommand(command)))); len(p.ratios) > 0 {
			stays = append(stays, format(ratio, p.ratios)+" the time for bst "+command)
		}
	}
	if len(stays) > 0 {
		a.short += " A backend that stays (warm) takes " + list(stays) + "."
	}
	return a
}

func withTerminal(_ *File, a Axes) bool { return a.Terminal != "none" }

// framesToEvents pairs what is drawn on every event with what is drawn in frames.
func framesToEvents(in func(*File, Axes) bool) func(*File, Axes) (Axes, bool) {
	return func(f *File, a Axes) (Axes, bool) {
		if !drawnPerEvent(f, a) || !in(f, a) {
			return a, false
		}
		a.Tool = strings.TrimSuffix(a.Tool, harness.PerEventSuffix)
		return a, true
	}
}

func (s *Set) whatBatching() answer {
	a := answer{question: "What does batching alone give?"}
	drawing := &table{header: []string{"platform", "terminal", "strategy", "wall", "verdict", "processor", "written"}, text: 3}
	var worst, other *pool // in one process on a terminal: where it tells, and at all
	var worstOn string
	for _, c := range s.drawn() {
		in := also(onPlatform(c.platform), onTerminals(c.terminal), ofCommand("build"), ofStrategy(c.strategy))
		p := s.pooled(wall, framesToEvents(in))
		drawing.add(c.platform, c.terminal, c.strategy, format(ratio, p.ratios), p.verdict(),
			format(ratio, s.pooled(cpu, framesToEvents(in)).ratios), format(ratio, s.pooled(written, framesToEvents(in)).ratios))
		switch {
		case c.strategy != control || c.terminal == "none" || len(p.ratios) == 0 || platform.StandIn(c.platform):
		case p.ratios.above(1) && (worst == nil || p.ratios.summary().Center > worst.ratios.summary().Center):
			worst, worstOn = p, c.terminal
		case other == nil || p.ratios.summary().Center > other.ratios.summary().Center:
			other = p
		}
	}
	switch {
	case worst != nil:
		a.short = fmt.Sprintf("What pays is drawing in frames, in one process and without a split: on %s a build drawn on every event takes %s as long.", worstOn, worst)
	case other != nil:
		a.short = fmt.Sprintf("Drawing in frames saves nothing that can be told: drawn on every event, a build takes at most %s as long.", other)
	default:
		a.short = "Drawing in frames instead of on every event: " + a.lacks("drawing on every event", measureTerminals) + "."
	}
	own := s.own()
	gathering := &table{header: []string{"strategy", "to", "wall", "verdict", "processor", "cases", "shorter", "longer"}, text: 2}
	for _, strategy := range []string{"batched", "pipe+batched", "socket+batched"} {
		base := strings.TrimSuffix(strings.TrimSuffix(strategy, "batched"), "+")
		if base == "" {
			base = control
		}
		p := own.pooled(wall, against(strategy, base, ours))
		if len(p.cases) == 0 {
			continue
		}
		shorter, longer := p.count()
		gathering.add(strategy, base, format(ratio, p.ratios), p.verdict(), format(ratio, own.pooled(cpu, against(strategy, base, ours)).ratios),
			fmt.Sprint(len(p.cases)), fmt.Sprint(shorter), fmt.Sprint(longer))
	}
	alone := own.pooled(wall, against("batched", control, ours))
	if len(alone.ratios) == 0 {
		a.short += " Gathering events on their way: " + a.lacks("the strategy batched", measureStrategies) + "."
	} else {
		a.short += fmt.Sprintf(" Gathering events on their way besides (batched) takes %s the time: %s.", format(ratio, alone.ratios), alone.verdict())
	}
	a.detail = func(p *page) {
		if len(drawing.rows) > 0 {
			p.printf("Builds drawn on every event, to the same drawn in frames:\n\n")
			p.table(drawing)
		}
		if len(gathering.rows) > 0 {
			p.printf("Events gathered for up to 20 ms before they are handed over, to each at once:\n\n")
			p.table(gathering)
		}
	}
	return a
}

// drawnCase is where something was drawn on every event.
type drawnCase struct{ platform, terminal, strategy string }

func (s *Set) drawn() []drawnCase {
	var all []drawnCase
	for _, f := range s.Files {
		for _, a := range f.cases() {
			c := drawnCase{f.Platform(), a.Terminal, a.Strategy}
			if drawnPerEvent(f, a) && a.Command == "build" && !slices.Contains(all, c) {
				all = append(all, c)
			}
		}
	}
	slices.SortFunc(all, func(a, b drawnCase) int {
		key := func(c drawnCase) string {
			return fmt.Sprintf("%s %d %s %s", c.platform, slices.Index(platform.Terminals, kindOf(c.terminal)), c.terminal, c.strategy)
		}
		return strings.Compare(key(a), key(b))
	})
	return all
}

func ofStrategy(name string) func(*File, Axes) bool {
	return func(_ *File, a Axes) bool { return a.Strategy == name }
}

func (s *Set) whatSpawning() answer {
	a := answer{question: "What does spawning cost?"}
	var texts []string
	base := harness.BaseUnit
	for _, part := range s.Spawn {
		stack := smallest(part)
		for _, strategy := range backends {
			of := func(unit, strategy string) series {
				return part.series(base(unit), map[string]string{"stack": stack, "strategy": strategy, "command": "show"})
			}
			first := of(spawn.UnitFirst, strategy).minus(of(spawn.UnitFirst, control))
			if len(first) == 0 {
				continue
			}
			texts = append(texts, fmt.Sprintf("with %s on %s the first event comes %s later, the end %s later, and %s bytes are handed over",
				strategy, part.Platform(), millis(first), millis(of(spawn.UnitWall, strategy).minus(of(spawn.UnitWall, control))),
				plain(of(spawn.UnitOrderBytes, strategy).plus(of(spawn.UnitHello, strategy)).plus(of(spawn.UnitEnviron, strategy)))))
		}
	}
	if len(texts) == 0 {
		a.short = "It was " + a.lacks("spawning a backend", measureSpawn) + "."
		return a
	}
	a.short = "For bst show of a small project, " + strings.Join(texts, "; ") + " (order, hello, environment): [spawn.md](spawn.md)."
	return a
}

// smallest is the stack of a part with the fewest elements.
func smallest(part *Part) string {
	stacks := part.axis("stack")
	return slices.MinFunc(stacks, func(a, b string) int { return part.elements(a) - part.elements(b) })
}

// nearWSL1 are the places that tell of WSL1: itself, a kernel in its class, and the
// model of its console.
func (s *Set) nearWSL1() []place {
	var found []place
	for _, f := range s.Files {
		for _, a := range f.cases() {
			at := place{f.Platform(), a.Terminal}
			if f.Peer(a.Tool) || a.Command != "build" || a.Settings != "" || slices.Contains(found, at) {
				continue
			}
			if at.platform == platform.WSL1 || at.platform == platform.GVisor || at.platform == platform.Linux && at.terminal == "model-wsl1" {
				found = append(found, at)
			}
		}
	}
	slices.SortFunc(found, func(a, b place) int { return strings.Compare(a.key(), b.key()) })
	return found
}

// key orders places by platform and terminal.
func (p place) key() string { return p.platform + " " + terminalKey(p.terminal) }

// in is where a place is among files and cases; its terminal is one of the
// harness's.
func (p place) in() func(*File, Axes) bool {
	return also(onPlatform(p.platform), onTerminals(p.terminal), ofCommand("build"))
}

func (p place) String() string { return p.platform + " with terminal " + p.terminal }

func (s *Set) whatWSL1() answer {
	a := answer{question: "What would WSL1 see, by the model?"}
	t := &table{header: []string{"platform", "terminal", "drawn", "strategy", "build's wall time", "verdict"}, text: 4}
	var texts []string
	for _, at := range s.nearWSL1() {
		var here []string
		for _, strategy := range append([]string{control}, backends...) {
			for _, d := range []struct {
				how   string
				holds func(*File, Axes) bool
			}{{"on every event", drawnPerEvent}, {"in frames", ours}} {
				if at.terminal == "none" && (strategy == control || d.how == "on every event") {
					continue // what the others are compared with, and nothing is drawn
				}
				// To a build without a terminal, in one process, drawn in frames.
				p := s.pooled(wall, func(f *File, a Axes) (Axes, bool) {
					if !also(d.holds, at.in(), ofStrategy(strategy))(f, a) {
						return a, false
					}
					a.Tool, a.Strategy, a.Terminal = strings.TrimSuffix(a.Tool, harness.PerEventSuffix), control, "none"
					return a, true
				})
				if len(p.ratios) > 0 {
					t.add(at.platform, at.terminal, d.how, strategy, format(ratio, p.ratios), p.verdict())
					here = append(here, fmt.Sprintf("drawn %s %s, %s", d.how, processes(strategy), format(ratio, p.ratios)))
				}
			}
		}
		// Of the terminals that are no console, the table tells.
		if len(here) > 0 && (at.terminal == "pty" || kindOf(at.terminal) == platform.SlowTerminal) {
			texts = append(texts, fmt.Sprintf("%s: %s", at, strings.Join(here, "; ")))
		}
	}
	if len(t.rows) == 0 {
		a.short = "It was " + a.lacks("builds on the model of WSL1's console", measureWSL1) + "."
		return a
	}
	a.short = "A build takes, to one without a terminal in one process: on " + strings.Join(texts, ". On ") + "."
	if !slices.ContainsFunc(s.Files, func(f *File) bool { return f.Platform() == platform.WSL1 }) {
		a.short += " The model is of WSL1's console, not of its kernel; WSL1 itself was not measured."
	}
	if !slices.ContainsFunc(s.Files, func(f *File) bool { return f.Platform() == platform.GVisor }) {
		a.lacks("a kernel that translates system calls, as WSL1's does (gVisor)", measureGVisor)
	}
	a.detail = func(p *page) {
		p.printf("A build in a place like WSL1, to the same build without a terminal, in one process and\ndrawn in frames:\n\n")
		p.table(t)
	}
	return a
}

// processes says of a strategy where its backend is.
func processes(strategy string) string {
	if strategy == control {
		return "in one process"
	}
	return "with " + strategy
}

func (s *Set) howIn2019() answer {
	a := answer{question: fmt.Sprintf("How does that compare with the %.0f–%.0f %% reported in 2019?", 100*reported[0], 100*reported[1])}
	t := &table{header: []string{"what", "where", "saved of the wall time", "to 2019"}, text: 2}
	var texts []string
	split := false
	add := func(what, where string, p *pool) {
		if len(p.ratios) == 0 {
			return
		}
		saved := p.ratios.saved()
		t.add(what, where, format(percent, saved), toReported(saved))
		verb := "saves"
		if saved.summary().Center < 0 {
			verb, saved = "costs", saved.negative()
		}
		texts = append(texts, fmt.Sprintf("%s %s %s on %s: %s", what, verb, format(percent, saved), where, toReported(p.ratios.saved())))
	}
	for _, at := range s.nearWSL1() {
		if at.terminal == "none" {
			continue
		}
		p := s.pooled(wall, against("pipe", control, also(drawnPerEvent, at.in())))
		split = split || len(p.ratios) > 0
		add("splitting alone (pipe, drawn on every event)", at.String(), p)
		add("batching alone (drawn in frames, one process)", at.String(), s.pooled(wall, framesToEvents(also(at.in(), ofStrategy(control)))).inverse())
		add("both (drawn in frames, pipe)", at.String(), s.pooled(wall, eventsInOne(at)).inverse())
	}
	// What BuildStream of those years spends on its terminal is all that a split
	// could have saved.
	for _, f := range s.Files {
		for _, tool := range axis(f, func(a Axes) string { return a.Tool }) {
			if !f.Peer(tool) {
				continue
			}
			p := (&Set{Files: []*File{f}}).pooled(wall, func(_ *File, a Axes) (Axes, bool) {
				ok := a.Tool == tool && a.Command == "build" && a.Terminal == "none"
				a.Terminal = "pty"
				return a, ok
			})
			if len(p.ratios) > 0 {
				saved := p.ratios.saved()
				t.add("no terminal instead of a pty, with "+tool, f.Platform()+", file "+f.Name, format(percent, saved), toReported(saved))
			}
		}
	}
	if len(texts) == 0 {
		a.short = "It was " + a.lacks("saving by splitting and by batching", measureSplit) + "."
	} else {
		texts[0] = strings.ToUpper(texts[0][:1]) + texts[0][1:]
		a.short = strings.Join(texts, "; ") + "."
		if !split {
			a.short += " Splitting alone, drawn on every event as then: " + a.lacks("a split without batching on WSL1's console", measureSplit) + "."
		}
	}
	shares := &table{header: []string{"platform", "file", "stack", "terminal", "drawn", "frontend's share of the processor time"}, text: 5}
	for _, d := range []struct {
		how   string
		holds func(*File, Axes) bool
	}{{"in frames", ours}, {"on every event", drawnPerEvent}} {
		middle := series{} // of the cases on a terminal
		for _, f := range s.Files {
			for _, c := range f.cases() {
				share := f.series(c, frontCPU).over(f.series(c, frontCPU).plus(f.series(c, backCPU)))
				if !d.holds(f, c) || c.Command != "build" || c.Strategy != "pipe" || len(share) == 0 {
					continue
				}
				shares.add(f.Platform(), f.Name, c.Stack, c.Terminal, d.how, format(percent, share))
				if c.Terminal != "none" && !f.standIn() {
					middle[len(middle)+1] = share.summary().Center
				}
			}
		}
		if len(middle) > 0 {
			a.short += fmt.Sprintf(" Drawn %s on a terminal, the frontend uses %.0f %% of the processor time (the middle one of %s); in 2019 it was %.0f–%.0f %%.",
				d.how, 100*middle.summary().Center, counted(len(middle), "case"), 100*uiShare[0], 100*uiShare[1])
		}
	}
	a.detail = func(p *page) {
		p.printf("In 2019 the split saved %.0f to %.0f %% of the build time of a Debian stack on some WSL1 machines and\n"+
			"nothing on others (status mail of its author). Negative figures are losses.\n\n", 100*reported[0], 100*reported[1])
		p.table(t)
		if len(shares.rows) > 0 {
			p.printf("What the frontend uses of the processor time of both, with pipe; before there was a split, the\n"+
				"UI was found to take %.0f to %.0f %% of the main process's:\n\n", 100*uiShare[0], 100*uiShare[1])
		}
		p.table(shares)
	}
	return a
}

// eventsInOne pairs what is drawn on every event in one process with the same drawn
// in frames through pipe.
func eventsInOne(at place) func(*File, Axes) (Axes, bool) {
	return func(f *File, a Axes) (Axes, bool) {
		if !also(drawnPerEvent, at.in(), ofStrategy(control))(f, a) {
			return a, false
		}
		a.Tool, a.Strategy = strings.TrimSuffix(a.Tool, harness.PerEventSuffix), "pipe"
		return a, true
	}
}

// saved is the share of a time that a ratio leaves out.
func (s series) saved() series {
	out := series{}
	for round, v := range s {
		out[round] = 1 - v
	}
	return out
}

func (s series) negative() series {
	out := series{}
	for round, v := range s {
		out[round] = -v
	}
	return out
}

// inverse turns the comparison round.
func (p *pool) inverse() *pool {
	q := &pool{ratios: series{}, cases: p.cases}
	for round, v := range p.ratios {
		q.ratios[round] = 1 / v
	}
	return q
}

// toReported compares what is saved with what was reported.
func toReported(saved series) string {
	sum := saved.summary()
	switch {
	case len(saved) < enough:
		return "too few rounds to tell"
	case sum.Hi < reported[0]:
		return "less than was reported"
	case sum.Lo > reported[1]:
		return "more than was reported"
	case sum.Lo >= reported[0] && sum.Hi <= reported[1]:
		return "as was reported"
	}
	return "cannot be told from what was reported"
}

func (s *Set) howSure() answer {
	a := answer{question: "How sure is this, and which gaps are there?"}
	files := s.own().Files
	machines := distinct(files, func(f *File) string { return f.Platform() + " " + f.Machine() })
	runs, failures, busy := 0, 0, 0
	half := series{}
	for _, f := range files {
		runs += len(f.Runs)
		failures += len(f.Failures)
		if f.busy() != "" {
			busy++
		}
		for _, c := range f.cases() {
			values := f.series(c, wall)
			sum := values.summary()
			if len(values) >= enough && sum.Center > 0 {
				half[len(half)+1] = (sum.Hi - sum.Lo) / 2 / sum.Center
			}
		}
	}
	var besides []string
	for _, name := range distinct(s.standIns(), (*File).Platform) {
		n := 0
		for _, f := range s.standIns() {
			if f.Platform() == name {
				n += len(f.Runs)
			}
		}
		besides = append(besides, counted(n, "run")+" on "+name)
	}
	onStandIns := ""
	if len(besides) > 0 {
		onStandIns = "On stand-ins, besides, and in none of these figures: " + list(besides) + ". "
	}
	if runs == 0 {
		a.short = strings.TrimSpace("Nothing was measured. " + onStandIns)
		return a
	}
	spread := "no case has the six rounds that an interval needs"
	if len(half) > 0 {
		spread = fmt.Sprintf("the middle one of %d cases has an interval of ±%.0f %% around its median", len(half), 100*half.summary().Center)
	}
	a.short = fmt.Sprintf("%s on %s (%s), %d failed; %s. ", counted(runs, "run"), counted(len(machines), "machine"), strings.Join(machines, ", "), failures, spread)
	if busy > 0 {
		a.short += fmt.Sprintf("%d of %s from busy machines, where a few percent mean little. ", busy, counted(len(files), "file"))
	}
	commits := distinct(files, func(f *File) string {
		commit, _, _ := strings.Cut(f.Fact("commit"), "+")
		return commit
	})
	if len(commits) > 1 {
		a.short += fmt.Sprintf("They are of %s: %s. ", counted(len(commits), "commit"), list(commits))
	}
	var missing []string
	for _, name := range platforms {
		if !slices.ContainsFunc(s.Files, func(f *File) bool { return f.Platform() == name }) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		a.short += "No file is from " + list(missing) + ". "
	}
	a.short += onStandIns
	if n := len(s.Skipped); n > 0 {
		a.short += counted(n, "raw file") + " could not be used. "
	}
	a.short += "The gaps, with commands: [What was not measured](#what-was-not-measured)."
	return a
}
