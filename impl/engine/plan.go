package engine

import (
	"bst/impl/element"
	"bst/impl/sched"
)

// plan decides what a build session needs, as it goes: the targets and what
// they need at run time are required; what is required and not cached requires
// what it is built from. Reference part G (dynamic plan).
//
// It is owned by the scheduler's loop once that runs.
type plan struct {
	graph *element.Graph
	// cached says that an element's artifact is there and was a success.
	cached []bool
	// pending says that a server has an element's artifact, which may come: until
	// that is known nothing is required for its sake.
	pending []bool
	// required says that the session needs the artifact of an element.
	required []bool
	// order holds the required elements as they became so.
	order []sched.Item
	// enqueue is told of each element that becomes required.
	enqueue func(...sched.Item)
	// rank is the place of each element among those that could go first, nil for
	// the graph's own order.
	rank []int

	// usable says that an element and its whole runtime closure are cached.
	usable []bool
	// runLeft and buildLeft count direct dependencies that are not usable.
	runLeft, buildLeft []int32
	// usedRun and usedBuild are the reverse edges.
	usedRun, usedBuild [][]int32
}

// planOf is a plan of these elements alone. cached is newPlan's.
func (w *world) planOf(list []*element.Element, cached []bool) *plan {
	p := newPlan(w.graph, cached)
	for _, e := range list {
		p.add(e)
	}
	return p
}

// newPlan makes a plan in which nothing is required yet. cached is nil where it is not
// asked what was built.
func newPlan(g *element.Graph, cached []bool) *plan {
	n := len(g.Elements)
	if cached == nil {
		cached = make([]bool, n)
	}
	p := &plan{graph: g, cached: cached, pending: make([]bool, n), required: make([]bool, n), usable: make([]bool, n),
		runLeft: make([]int32, n), buildLeft: make([]int32, n), usedRun: make([][]int32, n), usedBuild: make([][]int32, n)}
	for i, e := range g.Elements {
		p.runLeft[i] = int32(len(e.Runtime))
		p.buildLeft[i] = int32(len(e.Build))
		for _, d := range e.Runtime {
			p.usedRun[d.Index] = append(p.usedRun[d.Index], int32(i))
		}
		for _, d := range e.Build {
			p.usedBuild[d.Index] = append(p.usedBuild[d.Index], int32(i))
		}
	}
	for i := range g.Elements {
		p.settle(i)
	}
	return p
}

// buildable says of each element of a graph whether all that it is built from is
// at hand: a plan's, without what a plan needs to go on.
func buildable(g *element.Graph, cached []bool) []bool {
	n := len(g.Elements)
	usable, ready := make([]bool, n), make([]bool, n)
	all := func(list []*element.Element) bool {
		for _, d := range list {
			if !usable[d.Index] {
				return false
			}
		}
		return true
	}
	// Elements stand in the graph after what they need.
	for i, e := range g.Elements {
		usable[i] = cached[i] && all(e.Runtime)
		ready[i] = all(e.Build)
	}
	return ready
}

// prefer has the session work in this order on what is ready.
func (p *plan) prefer(order []*element.Element) {
	p.rank = make([]int, len(p.graph.Elements))
	for i, e := range order {
		p.rank[e.Index] = i
	}
}

// priority is lower for what goes first.
func (p *plan) priority(i sched.Item) int {
	if p.rank == nil {
		return int(i) // Elements stand in the graph after what they need.
	}
	return p.rank[i]
}

// require marks elements as needed; with closure, also what they need at run
// time (the reference's scopes NONE and RUN).
func (p *plan) require(closure bool, elements ...*element.Element) {
	var fresh []sched.Item
	stack := append([]*element.Element(nil), elements...)
	for first := len(stack); len(stack) > 0; {
		e := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		root := len(stack) < first
		if root {
			first = len(stack)
		}
		if p.required[e.Index] {
			continue
		}
		p.required[e.Index] = true
		fresh = append(fresh, sched.Item(e.Index))
		if closure || !root {
			stack = append(stack, e.Runtime...)
		}
		if !p.cached[e.Index] && !p.pending[e.Index] {
			stack = append(stack, e.Build...)
		}
	}
	p.order = append(p.order, fresh...)
	if p.enqueue != nil {
		p.enqueue(fresh...)
	}
}

// atHand counts the required elements whose artifact is cached.
func (p *plan) atHand() (n int) {
	for _, i := range p.order {
		if p.cached[i] {
			n++
		}
	}
	return n
}

// buildable says that everything an element is built from is at hand.
func (p *plan) buildable(i int) bool { return p.buildLeft[i] == 0 }

// built notes that an element is cached now, and returns the elements that may
// have become buildable.
func (p *plan) built(i int) []sched.Item {
	p.cached[i] = true
	return p.settle(i)
}

// pulled notes that the artifact of an element was pulled, or could not be, and
// returns the elements that may have become buildable.
func (p *plan) pulled(i int, w *world) []sched.Item {
	if !p.pending[i] {
		return nil // it was here before
	}
	p.pending[i] = false
	if a := w.usableArtifact(p.graph.Elements[i]); a != nil && a.BuildSuccess {
		return p.built(i)
	}
	p.require(true, p.graph.Elements[i].Build...)
	return nil
}

// settle passes on that element i, and whatever follows from it, is usable.
func (p *plan) settle(i int) []sched.Item {
	var woken []sched.Item
	stack := []int{i}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if p.usable[i] || !p.cached[i] || p.runLeft[i] > 0 {
			continue
		}
		p.usable[i] = true
		for _, r := range p.usedRun[i] {
			p.runLeft[r]--
			stack = append(stack, int(r))
		}
		for _, r := range p.usedBuild[i] {
			p.buildLeft[r]--
			if p.buildLeft[r] == 0 && p.required[r] {
				woken = append(woken, sched.Item(r))
			}
		}
	}
	return woken
}

// add makes an element part of the session by itself: what it needs is not
// looked at.
func (p *plan) add(e *element.Element) {
	if !p.required[e.Index] {
		p.required[e.Index] = true
		p.order = append(p.order, sched.Item(e.Index))
	}
}
