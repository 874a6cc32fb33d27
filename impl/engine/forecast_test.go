package engine

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bst/impl/history"
	"bst/impl/project"
	"bst/impl/sched"
	"bst/impl/stream"
)

// TestForecast: what is left, and what waits for what, goes by earlier sessions
// as far as they tell, and by numbers where they do not.
func TestForecast(t *testing.T) {
	// 4 is built from 3 and 1; 3 needs 2 at run time; 2 is built from 0; 1 too.
	g := testGraph(5, map[int][]int{4: {3, 1}, 2: {0}, 1: {0}}, map[int][]int{3: {2}})
	p := &project.Project{}
	p.Name = "p"
	for i, e := range g.Elements {
		e.Project, e.Name = p, fmt.Sprintf("%d.bst", i)
	}
	dir := t.TempDir()
	h, err := history.Load(filepath.Join(dir, "durations"))
	if err != nil {
		t.Fatal(err)
	}
	for element, took := range map[string]time.Duration{"1.bst": 9 * time.Second, "2.bst": 2 * time.Second, "4.bst": time.Second} {
		h.Record(history.Key{Project: "p", Element: element, Action: "Build"}, took)
	}
	if err := h.Save(); err != nil {
		t.Fatal(err)
	}

	never := func(sched.Item) sched.Verdict { return sched.Wait }
	fetch := &sched.Queue{Action: "Fetch", Check: func(sched.Item) sched.Verdict { return sched.Skip }}
	build := &sched.Queue{Action: "Build", Check: never}
	plan := newPlan(g, make([]bool, 5))
	plan.require(true, g.Elements[4])
	f, err := newForecast(&world{graph: g}, plan, []*sched.Queue{fetch, build}, dir)
	if err != nil {
		t.Fatal(err)
	}
	f.passing(fetch)
	type start struct {
		Expected, BehindTime time.Duration
		Behind               int
	}
	began := func(q *sched.Queue, i sched.Item) start {
		e := &stream.JobStarted{Action: q.Action}
		f.began(e, &sched.Job{Queue: q, Item: i})
		return start{e.Expected, e.BehindTime, e.Behind}
	}
	check := func(what string, want, got any) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	left, known := f.left(build)
	check("left", 12*time.Second, left)
	check("known", 3, known)
	// The fetch of 0: its build, then 1 and 4, which take longer than 2 and 4.
	check("fetching 0", start{0, 10 * time.Second, 3}, began(fetch, 0))
	check("building 0", start{0, 10 * time.Second, 2}, began(build, 0))
	check("building 1", start{9 * time.Second, time.Second, 1}, began(build, 1))
	check("building 2", start{2 * time.Second, time.Second, 1}, began(build, 2))
	check("building 3", start{0, time.Second, 1}, began(build, 3))
	left, known = f.left(build)
	check("left then", time.Second, left)
	check("known then", 1, known)
	if fetch.Check(4) != sched.Skip || f.queues[0].pending[4] {
		t.Error("what a queue passes on is still waited for")
	}

	// Nothing is known, and nothing is read where nothing is to be done.
	cached := newPlan(g, []bool{true, true, true, true, true})
	cached.require(true, g.Elements[4])
	f, err = newForecast(&world{graph: g}, cached, []*sched.Queue{build}, dir)
	left, known = f.left(build)
	check("all cached", []any{time.Duration(0), 0, nil}, []any{left, known, err})
}
