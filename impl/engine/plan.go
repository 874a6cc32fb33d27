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
	// required says that the session needs the artifact of an element.
	required []bool
	// order holds the required elements as they became so.
	order []sched.Item
	// enqueue is told of each element that becomes required.
	enqueue func(...sched.Item)

	// usable says that an element and its whole runtime closure are cached.
	usable []bool
	// runLeft and buildLeft count direct dependencies that are not usable.
	runLeft, buildLeft []int32
	// usedRun and usedBuild are the reverse edges.
	usedRun, usedBuild [][]int32
}

// newPlan makes a plan in which nothing is required yet.
func newPlan(g *element.Graph, cached []bool) *plan {
	n := len(g.Elements)
	p := &plan{graph: g, cached: cached, required: make([]bool, n), usable: make([]bool, n),
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
		if !p.cached[e.Index] {
			stack = append(stack, e.Build...)
		}
	}
	p.order = append(p.order, fresh...)
	if p.enqueue != nil {
		p.enqueue(fresh...)
	}
}

// buildable says that everything an element is built from is at hand.
func (p *plan) buildable(i int) bool { return p.buildLeft[i] == 0 }

// built notes that an element is cached now, and returns the elements that may
// have become buildable.
func (p *plan) built(i int) []sched.Item {
	p.cached[i] = true
	return p.settle(i)
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
