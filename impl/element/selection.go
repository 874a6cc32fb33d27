package element

import (
	"slices"
	"strings"
)

// Select gives the elements that a command's --deps asks for: "none", "build",
// "run" or "all" of targets, in staging order. Any other value is "none".
func (g *Graph) Select(deps string, targets ...*Element) []*Element {
	switch deps {
	case "build":
		return g.Collect(ScopeBuild, targets...)
	case "run":
		return g.Collect(ScopeRun, targets...)
	case "all":
		return g.Collect(ScopeAll, targets...)
	}
	return slices.Clone(targets)
}

// Except leaves out of elements what except and targets both lead to: where
// the dependencies of the excepted elements first meet those of the targets,
// the graph ends. A target is never the end of itself, and what another way
// leads to stays.
func (g *Graph) Except(targets, elements, except []*Element) []*Element {
	if len(except) == 0 {
		return elements
	}
	targeted := make([]bool, len(g.Elements))
	for e := range g.Dependencies(ScopeAll, targets...) {
		targeted[e.Index] = true
	}
	// From the excepted elements, down to the border with what is targeted.
	border, seen := make([]bool, len(g.Elements)), make([]bool, len(g.Elements))
	queue := slices.Clone(except)
	for len(queue) > 0 {
		e := pop(&queue)
		if seen[e.Index] {
			continue
		}
		seen[e.Index] = true
		if targeted[e.Index] {
			border[e.Index] = true
			continue
		}
		queue = append(append(queue, e.Build...), e.Runtime...)
	}
	// From the targets, down to that border.
	kept := seen
	clear(kept)
	queue = append(queue, targets...)
	for len(queue) > 0 {
		e := pop(&queue)
		if kept[e.Index] || border[e.Index] {
			continue
		}
		kept[e.Index] = true
		queue = append(append(queue, e.Build...), e.Runtime...)
	}
	var rest []*Element
	for _, e := range elements {
		if kept[e.Index] {
			rest = append(rest, e)
		}
	}
	return rest
}

func pop(queue *[]*Element) *Element {
	q := *queue
	last := q[len(q)-1]
	*queue = q[:len(q)-1]
	return last
}

// SortByName sorts as "bst show --order alpha" does. Elements of the same name
// in several projects stay in their order.
func SortByName(elements []*Element) {
	slices.SortStableFunc(elements, func(a, b *Element) int { return strings.Compare(a.Name, b.Name) })
}

// Plan gives everything that may have to be built for targets, or with
// onlyBuild for what targets are directly built from. What lies deepest below
// the targets, counted in build dependencies, comes first.
func (g *Graph) Plan(targets []*Element, onlyBuild bool) []*Element {
	roots := targets
	if onlyBuild {
		roots = nil
		seen := map[*Element]bool{}
		for _, t := range targets {
			for _, e := range t.Build {
				if !seen[e] {
					seen[e] = true
					roots = append(roots, e)
				}
			}
		}
	}
	depth := make([]int, len(g.Elements))
	for i := range depth {
		depth[i] = -1
	}
	for _, e := range roots {
		depth[e.Index] = 0
	}
	for _, e := range slices.Backward(g.Elements) { // dependents first
		d := depth[e.Index]
		if d < 0 {
			continue
		}
		for _, dep := range e.Runtime {
			depth[dep.Index] = max(depth[dep.Index], d)
		}
		for _, dep := range e.Build {
			depth[dep.Index] = max(depth[dep.Index], d+1)
		}
	}
	plan := g.postOrder(roots)
	slices.SortStableFunc(plan, func(a, b *Element) int { return depth[b.Index] - depth[a.Index] })
	return plan
}

// postOrder walks everything below roots: what an element needs at run time,
// then what it is built from, then itself.
func (g *Graph) postOrder(roots []*Element) []*Element {
	type step struct {
		element *Element
		next    int
	}
	var order []*Element
	var stack []step
	entered := make([]bool, len(g.Elements))
	for _, root := range roots {
		if !entered[root.Index] {
			entered[root.Index] = true
			stack = append(stack, step{element: root})
		}
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			e, n := top.element, top.next
			top.next++
			var dep *Element
			switch {
			case n < len(e.Runtime):
				dep = e.Runtime[n]
			case n < len(e.Runtime)+len(e.Build):
				dep = e.Build[n-len(e.Runtime)]
			default:
				order = append(order, e)
				stack = stack[:len(stack)-1]
				continue
			}
			if !entered[dep.Index] {
				entered[dep.Index] = true
				stack = append(stack, step{element: dep})
			}
		}
	}
	return order
}

// SourceElement is the element whose sources commands about sources work on: a
// filter stands for what it filters.
func (e *Element) SourceElement() *Element {
	for e.Kind == "filter" && len(e.Build) == 1 {
		e = e.Build[0]
	}
	return e
}
