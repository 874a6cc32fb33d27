package harness

import (
	"fmt"
	"time"
)

// progress works out how long a plan still takes, from what its runs took so far.
type progress struct {
	rounds int
	left   map[Case]int // how often each is still to run; the key's Tool is a pointer into the plan
	exact  map[Case]mean
	alike  map[likeness]mean
	all    mean
}

// likeness is what runs have in common that take about as long.
type likeness struct {
	stack, tool string
	command     Command
}

func (c Case) likeness() likeness { return likeness{c.Stack.Name(), c.Tool.Name, c.Command} }

type mean struct {
	sum time.Duration
	n   int
}

func (m mean) with(d time.Duration) mean { return mean{m.sum + d, m.n + 1} }
func (m mean) value() time.Duration      { return m.sum / time.Duration(max(m.n, 1)) }

func newProgress(rounds [][]Case) *progress {
	p := &progress{rounds: len(rounds), left: map[Case]int{}, exact: map[Case]mean{}, alike: map[likeness]mean{}}
	for _, cases := range rounds {
		for _, c := range cases {
			p.left[c]++
		}
	}
	return p
}

// passed notes that a case need not be run after all.
func (p *progress) passed(c Case) { p.left[c]-- }

// took notes a run, with all that belongs to it.
func (p *progress) took(c Case, d time.Duration) {
	p.left[c]--
	p.exact[c] = p.exact[c].with(d)
	p.hint(c, d)
}

// hint notes a run that is not one of the plan: a warm-up.
func (p *progress) hint(c Case, d time.Duration) {
	p.alike[c.likeness()] = p.alike[c.likeness()].with(d)
	p.all = p.all.with(d)
}

// remaining is how long what is left takes by what is known of the same case, or
// of cases like it, or of all.
func (p *progress) remaining() time.Duration {
	var sum time.Duration
	for c, n := range p.left {
		m := p.all
		if known := p.alike[c.likeness()]; known.n > 0 {
			m = known
		}
		if known := p.exact[c]; known.n > 0 {
			m = known
		}
		sum += time.Duration(n) * m.value()
	}
	return sum
}

// String ends a line of the log.
func (p *progress) String() string {
	left := p.remaining()
	switch {
	case left <= 0:
		return ""
	case left < 10*time.Second:
		return fmt.Sprintf(" (about %.0f s left)", left.Seconds())
	}
	return fmt.Sprintf(" (about %v left)", left.Round(time.Second))
}
