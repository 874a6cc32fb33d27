package harness

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"bst/bench/rounds"
	"bst/bench/stacks"
	"bst/bench/terminal"
)

// Command is what is done with a stack.
type Command string

const (
	// ShowCold is Show without a backend that stayed, with empty caches, and with
	// the project's files and the program out of the page cache where the platform
	// can do that; where it cannot, the record says so.
	ShowCold Command = "show-cold"
	// Show lists the target and all that it needs, with keys; nothing is built.
	Show Command = "show"
	// Fetch fetches all sources into a cache that is empty.
	Fetch Command = "fetch"
	// Build builds everything into a cache that is empty.
	Build Command = "build"
	// Rebuild builds what has been built: there is nothing to do.
	Rebuild Command = "rebuild"
)

// Commands are all commands, in the order in which a person meets them.
func Commands() []Command { return []Command{ShowCold, Show, Fetch, Build, Rebuild} }

// fresh says whether a command wants a cache that is empty.
func (c Command) fresh() bool { return c == ShowCold || c == Fetch || c == Build }

// ParseCommand finds a command by its name.
func ParseCommand(name string) (Command, error) {
	for _, c := range Commands() {
		if string(c) == name {
			return c, nil
		}
	}
	return "", fmt.Errorf("harness: no command %q; there are %v", name, Commands())
}

// Settings are what is set besides, where it is the question. Zero is what the
// tool does by itself; of Builders, what Options say.
type Settings struct {
	Builders int
	// Frame is the shortest time between two frames (BST_FRAME).
	Frame time.Duration
	// Window is how long a strategy that gathers events holds them back at most
	// (BST_BATCHING_WINDOW).
	Window time.Duration
}

// SettingNames are the parts of a benchmark's name that tell settings, in their
// order.
var SettingNames = []string{"builders", "frame", "window"}

// parts are those of SettingNames that are not zero, as parts of a name.
func (s Settings) parts() string {
	var text strings.Builder
	if s.Builders != 0 {
		fmt.Fprintf(&text, "/builders=%d", s.Builders)
	}
	if s.Frame != 0 {
		fmt.Fprintf(&text, "/frame=%v", s.Frame)
	}
	if s.Window != 0 {
		fmt.Fprintf(&text, "/window=%v", s.Window)
	}
	return text.String()
}

// environ tells them to this project's program.
func (s Settings) environ() []string {
	var list []string
	if s.Frame != 0 {
		list = append(list, "BST_FRAME="+s.Frame.String())
	}
	if s.Window != 0 {
		list = append(list, "BST_BATCHING_WINDOW="+s.Window.String())
	}
	return list
}

// Case is one thing that is measured again and again.
type Case struct {
	Stack    stacks.Spec
	Tool     *Tool
	Strategy string
	Settings
	Command  Command
	Terminal terminal.Terminal
}

// Name is the benchmark's name, of which each axis is a part. The terminal
// stands last, and none ends with a dash and a number, which would read as
// GOMAXPROCS.
func (c Case) Name() string {
	base := strings.ToUpper(string(c.Command[:1])) + string(c.Command[1:])
	return fmt.Sprintf("%s/stack=%s/tool=%s/strategy=%s%s/terminal=%s", base, c.Stack.Name(), c.Tool.Name, c.Strategy, c.parts(), c.Terminal)
}

// Plan is what to measure.
type Plan struct {
	Stacks    []stacks.Spec
	Tools     []Tool
	Commands  []Command
	Terminals []terminal.Terminal
	// Builders, Frames and Windows are settings to compare; empty stands for what
	// is so by default. Frames are of our tools only, Windows of our strategies
	// that gather.
	Builders        []int
	Frames, Windows []time.Duration
	// Repetitions is how often each case is measured, once a round.
	Repetitions int
	// PeerRepetitions is the same for peers, which may be slow: they take part
	// in the first rounds only. 0 stands for Repetitions.
	PeerRepetitions int
	// Seed draws the order within each round.
	Seed uint64
}

// cases are all cases, in the plan's order.
func (p *Plan) cases() []Case {
	var all []Case
	for _, stack := range p.Stacks {
		for i := range p.Tools {
			t := &p.Tools[i]
			for _, strategy := range t.Strategies {
				for _, settings := range p.settings(t, strategy) {
					for _, command := range p.Commands {
						for _, where := range p.Terminals {
							c := Case{stack, t, strategy, settings, command, where}
							if t.can(c) {
								all = append(all, c)
							}
						}
					}
				}
			}
		}
	}
	return all
}

// settings are those that make a difference to a tool and a strategy.
func (p *Plan) settings(t *Tool, strategy string) []Settings {
	all := []Settings{{}}
	if len(p.Builders) > 0 {
		all = nil
		for _, n := range p.Builders {
			all = append(all, Settings{Builders: n})
		}
	}
	each := func(values []time.Duration, set func(*Settings, time.Duration)) {
		if len(values) == 0 {
			return
		}
		var more []Settings
		for _, s := range all {
			for _, v := range values {
				set(&s, v)
				more = append(more, s)
			}
		}
		all = more
	}
	if !t.Peer {
		each(p.Frames, func(s *Settings, v time.Duration) { s.Frame = v })
		if gathers(strategy) {
			each(p.Windows, func(s *Settings, v time.Duration) { s.Window = v })
		}
	}
	return all
}

// gathers says whether a strategy holds events back for a while.
func gathers(strategy string) bool { return strings.HasSuffix(strategy, "batched") }

// Rounds are the cases of each round in the order in which they run. Within a
// round every case runs once, in random order, so that what drifts on the
// machine drifts for all; the same seed gives the same order.
func (p *Plan) Rounds() [][]Case {
	peers := p.PeerRepetitions
	if peers == 0 {
		peers = p.Repetitions
	}
	var all [][]Case
	for round, cases := range rounds.Of(p.cases(), max(p.Repetitions, peers), rounds.Random(p.Seed)) {
		all = append(all, slices.DeleteFunc(cases, func(c Case) bool {
			return !c.Tool.Peer && round > p.Repetitions || c.Tool.Peer && round > peers
		}))
	}
	return all
}

// ErrNoCases says that a plan has nothing to measure, perhaps because all of it was
// skipped.
var ErrNoCases = errors.New("harness: nothing is left to measure")

// Check refuses a plan that would measure nothing, with ErrNoCases, or for ever, or
// what cannot be measured.
func (p *Plan) Check() error {
	const most = 1000
	if len(p.cases()) == 0 {
		return ErrNoCases
	}
	for name, n := range map[string]int{"stacks": len(p.Stacks), "tools": len(p.Tools), "commands": len(p.Commands), "terminals": len(p.Terminals), "repetitions": p.Repetitions} {
		if n < 1 || n > most {
			return fmt.Errorf("harness: %d %s: want between 1 and %d", n, name, most)
		}
	}
	if p.PeerRepetitions < 0 || p.PeerRepetitions > most {
		return fmt.Errorf("harness: %d repetitions of peers: want at most %d", p.PeerRepetitions, most)
	}
	for _, n := range p.Builders {
		if n < 1 || n > most {
			return fmt.Errorf("harness: %d builders: want between 1 and %d", n, most)
		}
	}
	for _, list := range [][]time.Duration{p.Frames, p.Windows} {
		for _, d := range list {
			if d < time.Millisecond || d > time.Minute {
				return fmt.Errorf("harness: %v between frames or in a window: want between %v and %v", d, time.Millisecond, time.Minute)
			}
		}
	}
	for _, spec := range p.Stacks {
		for _, command := range p.Commands {
			if spec.Kind == stacks.Real && command != Show && command != ShowCold {
				return fmt.Errorf("harness: %s is a real project, which is not built: measure show alone", spec.Name())
			}
		}
	}
	names := map[string]bool{}
	for _, c := range p.cases() {
		if names[c.Name()] {
			return fmt.Errorf("harness: %s is twice in the plan", c.Name())
		}
		names[c.Name()] = true
	}
	return nil
}
