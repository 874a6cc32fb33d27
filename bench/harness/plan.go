package harness

import (
	"fmt"
	"math/rand/v2"

	"bst/bench/stacks"
	"bst/bench/terminal"
)

// Command is what is done with a stack.
type Command string

const (
	// Show lists the target and all that it needs, with keys; nothing is built.
	Show Command = "show"
	// Build builds everything into a cache that is empty.
	Build Command = "build"
	// Rebuild builds what has been built: there is nothing to do.
	Rebuild Command = "rebuild"
)

// Commands are all commands.
func Commands() []Command { return []Command{Show, Build, Rebuild} }

// ParseCommand finds a command by its name.
func ParseCommand(name string) (Command, error) {
	for _, c := range Commands() {
		if string(c) == name {
			return c, nil
		}
	}
	return "", fmt.Errorf("harness: no command %q; there are %v", name, Commands())
}

// Case is one thing that is measured again and again.
type Case struct {
	Stack    stacks.Spec
	Tool     *Tool
	Strategy string
	Command  Command
	Terminal terminal.Terminal
}

// Name is the benchmark's name, of which each axis is a part. The terminal
// stands last, and none ends with a dash and a number, which would read as
// GOMAXPROCS.
func (c Case) Name() string {
	base := map[Command]string{Show: "Show", Build: "Build", Rebuild: "Rebuild"}[c.Command]
	return fmt.Sprintf("%s/stack=%s/tool=%s/strategy=%s/terminal=%s", base, c.Stack.Name(), c.Tool.Name, c.Strategy, c.Terminal)
}

// Plan is what to measure.
type Plan struct {
	Stacks    []stacks.Spec
	Tools     []Tool
	Commands  []Command
	Terminals []terminal.Terminal
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
			for _, strategy := range p.Tools[i].Strategies {
				for _, command := range p.Commands {
					for _, where := range p.Terminals {
						all = append(all, Case{stack, &p.Tools[i], strategy, command, where})
					}
				}
			}
		}
	}
	return all
}

// Rounds are the cases of each round in the order in which they run. Within a
// round every case runs once, in random order, so that what drifts on the
// machine drifts for all; the same seed gives the same order.
func (p *Plan) Rounds() [][]Case {
	peers := p.PeerRepetitions
	if peers == 0 {
		peers = p.Repetitions
	}
	random := rand.New(rand.NewPCG(p.Seed, 0))
	var rounds [][]Case
	for round := range max(p.Repetitions, peers) {
		var cases []Case
		for _, c := range p.cases() {
			if !c.Tool.Peer && round < p.Repetitions || c.Tool.Peer && round < peers {
				cases = append(cases, c)
			}
		}
		random.Shuffle(len(cases), func(i, j int) { cases[i], cases[j] = cases[j], cases[i] })
		rounds = append(rounds, cases)
	}
	return rounds
}

// check refuses a plan that would measure nothing or for ever.
func (p *Plan) check() error {
	const most = 1000
	for name, n := range map[string]int{"stacks": len(p.Stacks), "tools": len(p.Tools), "commands": len(p.Commands), "terminals": len(p.Terminals), "repetitions": p.Repetitions} {
		if n < 1 || n > most {
			return fmt.Errorf("harness: %d %s: want between 1 and %d", n, name, most)
		}
	}
	if p.PeerRepetitions < 0 || p.PeerRepetitions > most {
		return fmt.Errorf("harness: %d repetitions of peers: want at most %d", p.PeerRepetitions, most)
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
