package element

// closures walks what elements are built from, by numbers alone: elements are
// large, and keys need a walk for each of them. It holds the graph in two arrays
// that are shared; marks and stack are each walk's own.
type closures struct {
	deps *adjacency
	// marks[i] is epoch where element i was entered in this walk.
	marks []uint32
	epoch uint32
	stack []visit
	list  []int32
}

// visit is an element whose dependencies from next up to end are to be looked at.
type visit struct{ element, next, end int32 }

// adjacency lists the dependencies of all elements: those of element i are
// build[buildAt[i]:buildAt[i+1]], likewise at run time.
type adjacency struct {
	buildAt, runtimeAt []int32
	build, runtime     []int32
}

func newAdjacency(elements []*Element) *adjacency {
	builds, runtimes := 0, 0
	for _, e := range elements {
		builds += len(e.Build)
		runtimes += len(e.Runtime)
	}
	a := &adjacency{
		buildAt: make([]int32, 1, len(elements)+1), runtimeAt: make([]int32, 1, len(elements)+1),
		build: make([]int32, 0, builds), runtime: make([]int32, 0, runtimes),
	}
	for _, e := range elements {
		for _, dep := range e.Build {
			a.build = append(a.build, int32(dep.Index))
		}
		for _, dep := range e.Runtime {
			a.runtime = append(a.runtime, int32(dep.Index))
		}
		a.buildAt = append(a.buildAt, int32(len(a.build)))
		a.runtimeAt = append(a.runtimeAt, int32(len(a.runtime)))
	}
	return a
}

func newClosures(deps *adjacency) closures {
	return closures{deps: deps, marks: make([]uint32, len(deps.buildAt)-1)}
}

// of lists what element i is built from, as Graph.Dependencies does with
// ScopeBuild. The list holds until the next call.
func (c *closures) of(i int) []int32 {
	if c.epoch++; c.epoch == 0 { // wrapped: old marks could look new
		clear(c.marks)
		c.epoch = 1
	}
	c.list = c.list[:0]
	for _, root := range c.deps.build[c.deps.buildAt[i]:c.deps.buildAt[i+1]] {
		if c.marks[root] != c.epoch {
			c.run(root)
		}
	}
	return c.list
}

// run lists what root needs at run time, and root, as far as it is not listed.
func (c *closures) run(root int32) {
	at, runtime, marks, epoch := c.deps.runtimeAt, c.deps.runtime, c.marks, c.epoch
	marks[root] = epoch
	stack := append(c.stack[:0], visit{root, at[root], at[root+1]})
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if top.next == top.end {
			c.list = append(c.list, top.element)
			stack = stack[:len(stack)-1]
			continue
		}
		dep := runtime[top.next]
		top.next++
		if marks[dep] != epoch {
			marks[dep] = epoch
			stack = append(stack, visit{dep, at[dep], at[dep+1]})
		}
	}
	c.stack = stack
}
