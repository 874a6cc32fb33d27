package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"bst/bench/harness"
	"bst/bench/uicost"
)

// goal is a figure that the project set out to reach, where to look for it and
// how to measure it.
type goal struct {
	text string
	// command measures it.
	command string
	measure func(*Set) []figure
	bound
}

// bound is what a median must keep.
type bound struct {
	limit float64
	// least says that it must be at least the limit, else at most.
	least bool
	// open says that the limit itself is too much.
	open bool
}

func (b bound) reached(v float64) bool {
	switch {
	case math.IsNaN(v):
		return false
	case b.least:
		return v >= b.limit
	case b.open:
		return v < b.limit
	}
	return v <= b.limit
}

// worse says whether one median is further from the goal than another.
func (b bound) worse(v, than float64) bool {
	if b.least {
		return v < than
	}
	return v > than
}

// verdict judges a figure: by its median, and whether its interval leaves a doubt.
func (b bound) verdict(f figure) string {
	sum := f.values.summary()
	text := "**missed**"
	if b.reached(sum.Center) {
		text = "reached"
	}
	if b.reached(sum.Lo) != b.reached(sum.Hi) {
		text += ", in doubt"
	}
	return text
}

// figure is what was measured for a goal in one place.
type figure struct {
	file, where string
	unit        string
	values      series
}

const (
	gnome = "debian-gnome"
	rapid = "rapid-10000"
	sdk   = "freedesktop-sdk"
)

func atMost(limit float64) bound  { return bound{limit: limit} }
func under(limit float64) bound   { return bound{limit: limit, open: true} }
func atLeast(limit float64) bound { return bound{limit: limit, least: true} }

// slowTerminals are those that a build should take no notice of.
var slowTerminals = []string{"pty@200000", "pty@20000", "pty@5000", "model-conhost", "model-wsl1", "xterm"}

// perEvent are the cases of the tool that draws on every event.
func perEvent(a Axes) bool { return strings.HasSuffix(a.Tool, harness.PerEventSuffix) }

// onStack measures the cases of a stack that hold.
func onStack(stack, unit string, holds func(*File, Axes) bool, measure func(*File, Axes) series) func(*Set) []figure {
	return func(s *Set) (found []figure) {
		for _, f := range s.Files {
			for _, a := range cases(f, stack) {
				if !holds(f, a) {
					continue
				}
				if values := measure(f, a); len(values) > 0 {
					found = append(found, figure{f.Name, strings.Join([]string{a.Command, a.how(), a.Terminal}, ", "), unit, values})
				}
			}
		}
		return found
	}
}

func of(unit string) func(*File, Axes) series {
	return func(f *File, a Axes) series { return f.series(a, unit) }
}

// overPeer is the peer's figure divided by ours; the peer is BuildStream 1.6.8.
func overPeer(unit string) func(*File, Axes) series {
	return func(f *File, a Axes) series {
		for _, peer := range cases(f, a.Stack) {
			if strings.HasPrefix(f.Fact("tool-"+peer.Tool)+",", "peer, version 1.6.8,") && peer.Command == a.Command && peer.Terminal == a.Terminal {
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

func overControl(f *File, a Axes) series {
	base := a
	base.Strategy = control
	return f.series(a, wall).over(f.series(base, wall))
}

func perFrame(f *File, a Axes) series { return f.series(a, writes).over(f.series(a, frames)) }

// smallShow is how much later bst show of a small project ends than in one process.
func smallShow(s *Set) (found []figure) {
	for _, f := range s.Files {
		for _, a := range f.cases() {
			small := f.elements(a.Stack) > 0 && f.elements(a.Stack) <= 20
			base := a
			base.Strategy = control
			if added := f.series(a, wall).minus(f.series(base, wall)); small && ours(f, a) && slices.Contains(backends, a.Strategy) && a.Command == "show" && len(added) > 0 {
				found = append(found, figure{f.Name, strings.Join([]string{a.Stack, a.Strategy, a.Terminal}, ", "), wall, added})
			}
		}
	}
	for _, p := range s.Spawn {
		for _, stack := range p.axis("stack") {
			if p.elements(stack) > 20 {
				continue
			}
			for _, strategy := range backends {
				of := func(strategy string) series {
					return p.series(wall, map[string]string{"stack": stack, "strategy": strategy, "command": "show"})
				}
				if added := of(strategy).minus(of(control)); len(added) > 0 {
					found = append(found, figure{p.Name, strings.Join([]string{stack, strategy, p.Fact("terminal")}, ", "), wall, added})
				}
			}
		}
	}
	return found
}

// elements is the number of elements of a stack, 0 where the file does not say.
func (f *File) elements(stack string) int {
	n, err := strconv.Atoi(f.Fact("elements-" + stack))
	if err != nil {
		return 0
	}
	return n
}

// growth is by what power of the number of packages bst show of Debian grows, from
// the smallest to the largest that was measured.
func growth(s *Set) (found []figure) {
	for _, l := range scaling(s.Files) {
		if !strings.HasSuffix(l.name, debianPackages) || len(l.points) < 3 {
			continue
		}
		first, last := l.points[0], l.points[len(l.points)-1]
		power := math.Log(last.center/first.center) / math.Log(last.elements/first.elements)
		found = append(found, figure{"scaling.svg", fmt.Sprintf("%s, %.0f to %.0f", l.name, first.elements, last.elements), power1, series{1: power}})
	}
	return found
}

// goBench are the figures of a benchmark of go test.
func goBench(benchmark, unit string) func(*Set) []figure {
	return func(s *Set) (found []figure) {
		for _, p := range s.GoBench {
			if values := p.series(harness.BaseUnit(unit), map[string]string{"benchmark": benchmark}); len(values) > 0 {
				found = append(found, figure{p.Name, benchmark, harness.BaseUnit(unit), values})
			}
		}
		return found
	}
}

// whileStopped are how builds whose frontend is stopped compare with others, by
// strategy (bench/stopped).
func whileStopped(unit string) func(*Set) []figure {
	return func(s *Set) (found []figure) {
		for _, p := range s.GoBench {
			for _, benchmark := range p.axis("benchmark") {
				values := p.series(unit, map[string]string{"benchmark": benchmark})
				if strings.HasPrefix(benchmark, "Stopped/") && len(values) > 0 {
					found = append(found, figure{p.Name, benchmark, ratio, values})
				}
			}
		}
		return found
	}
}

// unmeasurable is for what a test holds and no figure tells.
func unmeasurable(*Set) []figure { return nil }

var (
	measureSize       = withPlan("scaling", "--only size")
	measureSDK        = withPlan("scaling", "--only size --project freedesktop-sdk=DIR")
	measureShape      = withPlan("scaling", "--only shapes")
	measurePeer       = withPlan("splitting", "--only gnome --peer bst-1.6.8=/usr/bin/bst")
	measureWarm       = withPlan("warm")
	measureRapidEvent = withPlan("terminals", "--only rapid-per-event")
	measureUI         = withPlan("timeline", "--only parts/ui-linux")
	// Differences of a few percent.
	measurePrecise = withPlan("precise")
)

const (
	measureGo      = "`make bench-go`"
	measureSharing = "`make bench-sharing`"
	measureStopped = "`make bench-stopped`"
)

func showsAlone(strategy string) func(*File, Axes) bool {
	return also(ours, ofCommand("show"), onTerminals("none"), ofStrategy(strategy))
}

// builds are our own builds on the terminals named.
func builds(terminals ...string) func(*File, Axes) bool {
	return also(ours, ofCommand("build"), onTerminals(terminals...))
}

// oneProcess are those with the strategy that others are compared with. What a
// terminal costs is judged by it: the others' own cost is another goal's.
func oneProcess(terminals ...string) func(*File, Axes) bool {
	return also(builds(terminals...), ofStrategy(control))
}

var eventBuilds = also(drawnPerEvent, ofCommand("build"), onTerminals(slowTerminals...))

// goals are those of the project, by the issue that set them.
var goals = []struct {
	title string
	goals []goal
}{
	{"Against BuildStream 1.6.8", []goal{
		{"`bst show` and `bst build` of gnome at least 40 times as fast", measurePeer,
			onStack(gnome, ratio, also(ours, ofCommand("show", "build"), onTerminals("none", "pty")), overPeer(wall)), atLeast(40)},
		{"`bst build` of gnome with no more peak memory", measurePeer,
			onStack(gnome, ratio, also(ours, ofCommand("build")), overPeer(peak)), atLeast(1)},
	}},
	{"Format and keys (issue 3)", []goal{
		{"`bst show` with keys of Freedesktop SDK's 1,826 elements in under 0.25 s", measureSDK, onStack(sdk, wall, showsAlone(control), of(wall)), under(0.25)},
		{"the same in under 200 MB", measureSDK, onStack(sdk, peak, showsAlone(control), of(peak)), under(200e6)},
		{"`bst show` with keys of all of Debian in under 3 s", measureSize, onStack("debian-all", wall, showsAlone(control), of(wall)), under(3)},
		{"the same in under 1 GiB", measureSize, onStack("debian-all", peak, showsAlone(control), of(peak)), under(1 << 30)},
		{"linear: 1,000, 10,000 and 63,436 packages of Debian on one plot, growing by a power of at most 1.1", measureSize, growth, atMost(1.1)},
		{"`bst show` with keys of 5,000 elements in layers, five dependencies each, in under 4 s", measureSize, onStack("layers-5000", wall, showsAlone(control), of(wall)), under(4)},
		{"`bst show` with keys of a chain of 10,000 works", measureSize, onStack("chain-10000", wall, showsAlone(control), of(wall)), under(math.Inf(1))},
		{"`bst show` without keys of a chain of 100,000 works", "`bin/bst-bench stacks -o tmp/chain -n 100000 chain && bin/bst -C tmp/chain show --format '%{name}'`", unmeasurable, bound{}},
	}},
	{"The split (issue 4)", []goal{
		{"pipe and socket add under 8 ms to `bst show` of a small project", measureSpawn, smallShow, under(0.008)},
		{"pipe and socket add under 3 % to `bst build` of gnome", measurePrecise,
			onStack(gnome, ratio, also(ours, ofCommand("build"), onBackends), overControl), under(1.03)},
		{"warm `bst show` of gnome in under 15 ms", measureWarm, onStack(gnome, wall, showsAlone("warm"), of(wall)), under(0.015)},
		{"warm `bst show` of Freedesktop SDK in under 30 ms", withPlan("warm", "--project freedesktop-sdk=DIR"), onStack(sdk, wall, showsAlone("warm"), of(wall)), under(0.030)},
		{"warm `bst show` of all of Debian in under 300 ms", measureWarm, onStack("debian-all", wall, showsAlone("warm"), of(wall)), under(0.300)},
		{"an event through pipe costs both ends together under 3 µs of processor time", measureGo, goBench("Strategies/pipe/Events", "cpu-ns/event"), under(3e-6)},
		{"the same batched, under 1.5 µs", measureGo, goBench("Strategies/pipe+batched/Events", "cpu-ns/event"), under(1.5e-6)},
		{"a backend whose frontend reads nothing keeps its memory within bounds", "`go test ./strategies -run Strategies/.*/SleepingReaderIsBounded`", unmeasurable, bound{}},
		{"its build takes at most 5 % longer", measureStopped, whileStopped("wall-ratio"), atMost(1.05)},
		{"and at most half as much memory again", measureStopped, whileStopped("RSS-ratio"), atMost(1.5)},
	}},
	{"The user interface (issue 5)", []goal{
		{"`bst build` of gnome on a pty at most 1 % longer than without a terminal, in one process", measurePrecise, onStack(gnome, ratio, oneProcess("pty"), overNoTerminal), atMost(1.01)},
		{"the same of 10,000 rapid tasks", measurePrecise, onStack(rapid, ratio, oneProcess("pty"), overNoTerminal), atMost(1.01)},
		{"`bst build` of gnome on slow terminals at most 2 % longer", measurePrecise, onStack(gnome, ratio, oneProcess(slowTerminals...), overNoTerminal), atMost(1.02)},
		{"the same of 10,000 rapid tasks", measurePrecise, onStack(rapid, ratio, oneProcess(slowTerminals...), overNoTerminal), atMost(1.02)},
		{"where drawing on every event takes at least 40 % longer: gnome", measureTerminals, onStack(gnome, ratio, eventBuilds, overNoTerminal), atLeast(1.4)},
		{"and 10,000 rapid tasks", measureRapidEvent, onStack(rapid, ratio, eventBuilds, overNoTerminal), atLeast(1.4)},
		{"what is still to be shown when the work has ended is at most one screen", "`go test ./impl/frontend/session -run 'SlowTerminals|StoppedTerminal'`", unmeasurable, bound{}},
		{"`bst build` of gnome writes under 100 KB to a pty of 160×50", measureStrategies, onStack(gnome, written, builds("pty"), of(written)), under(100e3)},
		{"`bst build` of 2,000 rapid tasks under 10 KB", measureShape, onStack("rapid-2000", written, builds("pty"), of(written)), under(10e3)},
		{"one write a frame, on a pty", measureStrategies, onStack(gnome, ratio, builds("pty"), perFrame), atMost(1)},
		{"an event costs under 2 µs of processor time from the scheduler to the screen, in one process", measureUI, ofUI("event", control, uicost.UnitEvent), under(2e-6)},
		{"through pipe under 3 µs", measureUI, ofUI("event", "pipe", uicost.UnitEvent), under(3e-6)},
		{"the engine alone pays under 0.3 µs for it", measureUI, ofUI("event", "", uicost.UnitEngine), under(0.3e-6)},
		{"from an event to its line on a fast terminal, median: under 60 ms", measureUI, ofUI("delay-line", "", uicost.UnitMedian), under(0.060)},
		{"the same, 99th percentile: under 150 ms", measureUI, ofUI("delay-line", "", uicost.UnitTail), under(0.150)},
		{"from an event to the status area, median: under 60 ms", measureUI, ofUI("delay-status", "", uicost.UnitMedian), under(0.060)},
		{"the same, 99th percentile: under 150 ms", measureUI, ofUI("delay-status", "", uicost.UnitTail), under(0.150)},
		{"from an event to the frame that shows it, the median of all events of a `bst build` of gnome: under 60 ms", measureStrategies, onStack(gnome, delay, builds("pty"), of(delay)), under(0.060)},
		{"their 99th percentile: under 150 ms", measureStrategies, onStack(gnome, tail, builds("pty"), of(tail)), under(0.150)},
		{"^C is acknowledged within 100 ms while events arrive at full rate", measureUI, ofUI("interrupt", "", uicost.UnitWall), under(0.100)},
		{"a million recorded events replay in under 2 s, to the same bytes", measureUI, replays, under(2)},
	}},
	{"Shared caches, on loopback (issue 7)", []goal{
		{"`bst artifact push` of gnome's 1,139 artifacts in under 3 s", measureSharing, goBench("Sharing/push", "ns/op"), under(3)},
		{"`bst artifact pull` of them in under 3 s", measureSharing, goBench("Sharing/pull", "ns/op"), under(3)},
		{"5 GiB of large objects are uploaded at 80 % of the speed of a plain copy through the same gRPC", measureSharing, copied("Upload"), atLeast(0.8)},
		{"the same downloaded", measureSharing, copied("Download"), atLeast(0.8)},
		{"10,000 names are asked for in under 2 s at a round trip of 1 ms", measureSharing, goBench("Names/rtt=1ms", "ns/op"), under(2)},
	}},
}

// copied is how quick the server moves a large object, divided by how quick a plain
// copy through the same gRPC does.
func copied(benchmark string) func(*Set) []figure {
	return func(s *Set) (found []figure) {
		for _, p := range s.GoBench {
			of := func(who string) series {
				return p.series(harness.BaseUnit("ns/op"), map[string]string{"benchmark": benchmark + "/" + who})
			}
			if values := of("copy").over(of("server")); len(values) > 0 {
				found = append(found, figure{p.Name, benchmark, ratio, values})
			}
		}
		return found
	}
}

func onBackends(_ *File, a Axes) bool { return slices.Contains(backends, a.Strategy) }

// goals gives each goal's verdict by the case that is furthest from it.
func (p *page) goals(s *Set) {
	s = s.own()
	p.printf("## Goals\n\nA goal is reached or not by the median, in the worst case that was measured; it is in doubt\n" +
		"where the interval reaches over the bound. Of a case that several files have, the one with the\n" +
		"most rounds counts; no stand-in for a platform is in it. A ratio to a peer is the peer's figure\n" +
		"divided by ours. What a test holds has the test. Every case: [figures.md](figures.md#goals-case-by-case).\n\n")
	for _, part := range goals {
		t := &table{header: []string{"goal", "verdict", "worst measured", "where", "cases that reach it"}, text: 4}
		for _, g := range part.goals {
			found := g.sharpest(s)
			if len(found) == 0 {
				t.add(g.text, g.unmeasured(), "", g.command, "")
				continue
			}
			worst, reached := g.worst(found)
			t.add(g.text, g.verdict(worst), worst.String(), worst.file+": "+worst.where, fmt.Sprintf("%d of %d", reached, len(found)))
		}
		p.printf("### %s\n\n", part.title)
		p.table(t)
	}
}

// sharpest is what was measured for the goal, and of a case that several files have
// the figure with the most rounds: a difference of a percent is lost in six.
func (g *goal) sharpest(s *Set) (found []figure) {
	at := map[string]int{}
	for _, f := range g.measure(s) {
		i, there := at[f.where]
		switch {
		case !there:
			at[f.where] = len(found)
			found = append(found, f)
		case len(f.values) > len(found[i].values),
			len(f.values) == len(found[i].values) && g.worse(f.values.summary().Center, found[i].values.summary().Center):
			found[i] = f
		}
	}
	return found
}

// worst is the figure furthest from the goal; reached counts those that reach it.
func (g *goal) worst(found []figure) (worst figure, reached int) {
	worst = found[0]
	for _, f := range found {
		median := f.values.summary().Center
		if g.reached(median) {
			reached++
		}
		if g.worse(median, worst.values.summary().Center) {
			worst = f
		}
	}
	return worst, reached
}

func (f figure) String() string {
	return fmt.Sprintf("%s (n=%d)", format(f.unit, f.values), len(f.values))
}

// unmeasured says why there is no figure.
func (g *goal) unmeasured() string {
	if strings.HasPrefix(g.command, "`go test") {
		return "held by a test"
	}
	return "not measured"
}

// everyGoal gives every case of every goal.
func (p *page) everyGoal(s *Set) {
	s = s.own()
	t := &table{header: []string{"goal", "verdict", "measured", "file", "case"}, text: 5}
	for _, part := range goals {
		for _, g := range part.goals {
			text := g.text
			for _, f := range g.measure(s) {
				t.add(text, g.verdict(f), f.String(), f.file, f.where)
				text = "" // said once
			}
		}
	}
	if len(t.rows) > 0 {
		p.printf("## Goals, case by case\n\n")
	}
	p.table(t)
}

// goalCounts says how many goals are reached wherever they were measured, missed
// somewhere, and not measured.
func (s *Set) goalCounts() string {
	s = s.own()
	reached, missed, unmeasured, tested := 0, 0, 0, 0
	for _, part := range goals {
		for _, g := range part.goals {
			found := g.sharpest(s)
			if len(found) == 0 && g.unmeasured() == "held by a test" {
				tested++
			} else if len(found) == 0 {
				unmeasured++
			} else if _, n := g.worst(found); n < len(found) {
				missed++
			} else {
				reached++
			}
		}
	}
	return fmt.Sprintf("%d in every case that was measured, %d in some or none of them, %d are held by tests, %d were not measured", reached, missed, tested, unmeasured)
}

// commandOrder is a command's place among those that a person meets.
func commandOrder(command string) int {
	i := slices.Index(harness.Commands(), harness.Command(command))
	return cmp.Or(max(i, -1)+1, 99) // an unknown one stands last
}
