package engine

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bst/impl/element"
	"bst/impl/sched"
)

// testGraph makes a graph: edges[i] lists what element i needs, "b" for build
// and "r" for runtime before the number.
func testGraph(n int, build, runtime map[int][]int) *element.Graph {
	g := &element.Graph{}
	for i := range n {
		g.Elements = append(g.Elements, &element.Element{Index: i})
	}
	for i, deps := range build {
		for _, d := range deps {
			g.Elements[i].Build = append(g.Elements[i].Build, g.Elements[d])
		}
	}
	for i, deps := range runtime {
		for _, d := range deps {
			g.Elements[i].Runtime = append(g.Elements[i].Runtime, g.Elements[d])
		}
	}
	return g
}

func TestPlanRequires(t *testing.T) {
	// 3 is built from 2, which needs 1 at run time; 1 is built from 0.
	build := map[int][]int{3: {2}, 1: {0}}
	runtime := map[int][]int{2: {1}}
	for _, test := range []struct {
		name    string
		cached  []int
		closure bool
		targets []int
		want    []sched.Item
	}{
		{"nothing cached: all of it", nil, true, []int{3}, []sched.Item{3, 2, 1, 0}},
		{"the target cached: nothing but the target", []int{3}, true, []int{3}, []sched.Item{3}},
		{"what it is built from cached: what that needs at run time is asked for, and what that is built from",
			[]int{2}, true, []int{3}, []sched.Item{3, 2, 1, 0}},
		{"a cached runtime dependency needs no build dependencies", []int{2, 1}, true, []int{3}, []sched.Item{3, 2, 1}},
		{"without the closure of the target", []int{2}, false, []int{2}, []sched.Item{2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := testGraph(4, build, runtime)
			cached := make([]bool, 4)
			for _, i := range test.cached {
				cached[i] = true
			}
			p := newPlan(g, cached)
			var targets []*element.Element
			for _, i := range test.targets {
				targets = append(targets, g.Elements[i])
			}
			p.require(test.closure, targets...)
			if diff := cmp.Diff(test.want, p.order); diff != "" {
				t.Errorf("required (-want +got):\n%s", diff)
			}
		})
	}
}

// What bst show calls buildable is what a plan does.
func TestBuildable(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n := 1 + r.IntN(30)
		build, runtime := map[int][]int{}, map[int][]int{}
		cached := make([]bool, n)
		for i := range n {
			cached[i] = r.IntN(3) > 0
			for range r.IntN(4) {
				if i > 0 {
					to := map[bool]map[int][]int{false: build, true: runtime}[r.IntN(2) == 0]
					to[i] = append(to[i], r.IntN(i))
				}
			}
		}
		g := testGraph(n, build, runtime)
		p := newPlan(g, cached)
		want := make([]bool, n)
		for i := range n {
			want[i] = p.buildable(i)
		}
		if diff := cmp.Diff(want, buildable(g, cached)); diff != "" {
			t.Fatalf("build %v, runtime %v, cached %v (-want +got):\n%s", build, runtime, cached, diff)
		}
	}
}

func TestPlanWakes(t *testing.T) {
	g := testGraph(4, map[int][]int{3: {2}, 1: {0}}, map[int][]int{2: {1}})
	p := newPlan(g, make([]bool, 4))
	p.require(true, g.Elements[3])
	var woken [][]sched.Item
	for _, i := range []int{2, 0, 1} { // 2 is built first: 3 waits for 2's runtime dependency 1
		if p.buildable(3) {
			t.Errorf("3 is buildable before %d is built", i)
		}
		woken = append(woken, p.built(i))
	}
	if diff := cmp.Diff([][]sched.Item{nil, {1}, {3}}, woken); diff != "" {
		t.Errorf("woken (-want +got):\n%s", diff)
	}
	if !p.buildable(3) {
		t.Error("3 is not buildable although all that it is built from is there")
	}
}

// What most has to wait for is built first, whatever the order of the graph.
func TestPlanPrefers(t *testing.T) {
	const leaf, base, middle, app, other, target = 0, 1, 2, 3, 4, 5
	g := testGraph(6, map[int][]int{middle: {base}, app: {middle}, target: {leaf, base, middle, app, other}}, nil)
	p := newPlan(g, make([]bool, 6))
	p.prefer(g.Plan([]*element.Element{g.Elements[target]}, false))
	order := []sched.Item{leaf, base, middle, app, other, target}
	slices.SortFunc(order, func(a, b sched.Item) int { return p.priority(a) - p.priority(b) })
	if diff := cmp.Diff([]sched.Item{base, middle, leaf, app, other, target}, order); diff != "" {
		t.Error(diff)
	}
}
