package element

import "iter"

// Scope is a part of the dependency graph as seen from one element.
type Scope uint8

const (
	// ScopeNone is the element itself.
	ScopeNone Scope = iota
	// ScopeBuild is what it is built from: build dependencies and what those
	// need at run time. Without the element.
	ScopeBuild
	// ScopeRun is the element and what it needs at run time.
	ScopeRun
	// ScopeAll is the element and everything that it needs in any way.
	ScopeAll
)

// Direct gives the direct dependencies in a scope, each once, in order.
// ScopeNone has none.
func (e *Element) Direct(scope Scope) []*Element {
	switch scope {
	case ScopeBuild:
		return e.Build
	case ScopeRun:
		return e.Runtime
	case ScopeAll:
		all := make([]*Element, 0, len(e.Build)+len(e.Runtime))
		all = append(all, e.Build...)
	next:
		for _, r := range e.Runtime {
			for _, b := range e.Build {
				if b == r {
					continue next
				}
			}
			all = append(all, r)
		}
		return all
	}
	return nil
}

// Dependencies walks what roots need in a scope, in staging order: what is
// needed comes before what needs it. No element is given twice.
func (g *Graph) Dependencies(scope Scope, roots ...*Element) iter.Seq[*Element] {
	return func(yield func(*Element) bool) {
		w := g.walker()
		defer g.walkers.Put(w)
		for _, root := range roots {
			if !w.walk(root, scope, yield) {
				return
			}
		}
	}
}

// Collect is Dependencies as a list.
func (g *Graph) Collect(scope Scope, roots ...*Element) []*Element {
	var list []*Element
	for e := range g.Dependencies(scope, roots...) {
		list = append(list, e)
	}
	return list
}

// Selected walks what a kind may see while e is built: with a selection, these
// dependencies and what they need at run time; without one, everything that e
// is built from.
func (g *Graph) Selected(e *Element, selection []*Element) iter.Seq[*Element] {
	if selection == nil {
		return g.Dependencies(ScopeBuild, e)
	}
	return func(yield func(*Element) bool) {
		w := g.walker()
		defer g.walkers.Put(w)
		for _, root := range selection {
			scope := ScopeRun
			if root == e {
				scope = ScopeBuild
			}
			if !w.walk(root, scope, yield) {
				return
			}
		}
	}
}

// walker is the state of one walk. An element is visited where its mark is the
// walker's epoch, so that a walk costs what it visits and nothing to clear.
type walker struct {
	epoch uint32
	// build and run are indexed by Element.Index: elements that were entered
	// for what they are built from, and for what they need at run time.
	build, run []uint32
	stack      []frame
}

// frame is an element whose dependencies are being walked. A stack of them
// stands for recursion, which chains of dependencies could take too deep.
type frame struct {
	element *Element
	scope   Scope
	// next indexes the dependency to look at: Build first where the scope has
	// them, then Runtime.
	next int
}

func (g *Graph) walker() *walker {
	w, _ := g.walkers.Get().(*walker)
	if w == nil {
		w = new(walker)
	}
	w.reset(len(g.Elements))
	return w
}

// reset makes w ready for a graph of n elements.
func (w *walker) reset(n int) {
	if len(w.run) < n {
		w.build, w.run = make([]uint32, n), make([]uint32, n)
		w.epoch = 0
	}
	w.epoch++
	if w.epoch == 0 { // wrapped: old marks could look new
		clear(w.build)
		clear(w.run)
		w.epoch = 1
	}
	w.stack = w.stack[:0]
}

// walk visits root's scope unless an earlier walk of the same epoch did.
// It returns false where yield did.
func (w *walker) walk(root *Element, scope Scope, yield func(*Element) bool) bool {
	if scope == ScopeNone {
		return yield(root)
	}
	if scope != ScopeRun && w.build[root.Index] == w.epoch ||
		scope != ScopeBuild && w.run[root.Index] == w.epoch {
		return true
	}
	w.enter(root, scope)
	for len(w.stack) > 0 {
		top := &w.stack[len(w.stack)-1]
		e, dep := top.element, (*Element)(nil)
		switch n := top.next; {
		case top.scope != ScopeRun && n < len(e.Build):
			dep = e.Build[n]
		case top.scope == ScopeRun && n < len(e.Runtime):
			dep = e.Runtime[n]
		case top.scope == ScopeAll && n < len(e.Build)+len(e.Runtime):
			dep = e.Runtime[n-len(e.Build)]
		}
		if dep == nil {
			done := top.scope
			w.stack = w.stack[:len(w.stack)-1]
			if done != ScopeBuild && !yield(e) {
				return false
			}
			continue
		}
		top.next++
		switch {
		case w.run[dep.Index] == w.epoch:
		case top.scope != ScopeAll:
			w.enter(dep, ScopeRun)
		case w.build[dep.Index] != w.epoch:
			w.enter(dep, ScopeAll)
		}
	}
	return true
}

func (w *walker) enter(e *Element, scope Scope) {
	if scope != ScopeRun {
		w.build[e.Index] = w.epoch
	}
	if scope != ScopeBuild {
		w.run[e.Index] = w.epoch
	}
	w.stack = append(w.stack, frame{element: e, scope: scope})
}
