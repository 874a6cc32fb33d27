package engine

import (
	"path/filepath"
	"slices"
	"time"

	"bst/impl/history"
	"bst/impl/sched"
	"bst/impl/stream"
)

// forecast tells what is still to be done: how long tasks took in earlier
// sessions, and how long a chain of builds waits for each. It is a hint for the
// person; nothing is scheduled by it.
//
// It is owned by the scheduler's loop once that runs.
type forecast struct {
	w       *world
	history *history.History
	queues  []queueForecast
	index   map[*sched.Queue]int
	// build is the queue whose jobs wait for each other, -1 for none.
	build int
	// behind counts, by element, the builds of the longest chain that waits for
	// it; behindTime is how long they took.
	behind     []int32
	behindTime []time.Duration
}

// queueForecast is what a queue has still to do.
type queueForecast struct {
	action string
	// pending says, by item, that it has not begun yet.
	pending []bool
	// expected is, by item that is or was pending, how long it took; 0 where
	// that is not known.
	expected []time.Duration
	left     time.Duration
	known    int
}

// newForecast looks at the plan as it is before anything runs. What cannot be
// read of earlier sessions is not known: the error is for a warning.
func newForecast(w *world, p *plan, queues []*sched.Queue, cacheDir string) (*forecast, error) {
	n := len(w.graph.Elements)
	f := &forecast{w: w, build: -1, queues: make([]queueForecast, len(queues)),
		index:  make(map[*sched.Queue]int, len(queues)),
		behind: make([]int32, n), behindTime: make([]time.Duration, n)}
	path := ""
	some := func(i sched.Item) bool { return !p.cached[i] }
	if slices.ContainsFunc(p.order, some) || slices.ContainsFunc(queues, func(q *sched.Queue) bool { return q.Token == sched.Upload }) {
		path = filepath.Join(cacheDir, "durations") // there is something to do
	}
	var err error
	f.history, err = history.Load(path)
	for i, q := range queues {
		f.index[q] = i
		f.queues[i] = queueForecast{action: q.Action, pending: make([]bool, n), expected: make([]time.Duration, n)}
		if q.Action == actionBuild {
			f.build = i
		}
	}
	f.add(p, p.order...)
	if f.build >= 0 {
		f.chains(p)
	}
	return f, err
}

// add takes in items that have to go through the queues.
func (f *forecast) add(p *plan, items ...sched.Item) {
	for _, i := range items {
		if p.cached[i] {
			continue
		}
		for k := range f.queues {
			q := &f.queues[k]
			if q.pending[i] {
				continue
			}
			q.pending[i] = true
			if took, known := f.history.Expect(f.key(q.action, int(i))); known {
				// What took no time at all is known too.
				q.expected[i] = max(took, time.Nanosecond)
				q.left += q.expected[i]
				q.known++
			}
		}
	}
}

// settle notes that an item begins in a queue, or is passed on by it.
func (f *forecast) settle(q *sched.Queue, i sched.Item) {
	k := &f.queues[f.index[q]]
	if !k.pending[i] {
		return
	}
	k.pending[i] = false
	if took := k.expected[i]; took > 0 {
		k.left -= took
		k.known--
	}
}

// passing makes a queue tell the forecast of what it passes on.
func (f *forecast) passing(q *sched.Queue) {
	check := q.Check
	q.Check = func(i sched.Item) sched.Verdict {
		v := check(i)
		if v == sched.Skip {
			f.settle(q, i)
		}
		return v
	}
}

// left is how long what a queue has not begun took before, and of how many
// tasks that is known.
func (f *forecast) left(q *sched.Queue) (time.Duration, int) {
	k := &f.queues[f.index[q]]
	return k.left, k.known
}

// ended takes in how long a task took.
func (f *forecast) ended(action string, i int, took time.Duration) {
	f.history.Record(f.key(action, i), took)
}

func (f *forecast) key(action string, i int) history.Key {
	e := f.w.graph.Elements[i]
	return history.Key{Project: e.Project.Name, Element: e.Name, Action: action}
}

// chains works out what waits for each element, from the last one on: elements
// stand in the graph after what they need. What needs an element at run time is
// usable only after it, and hands on what waits for itself.
func (f *forecast) chains(p *plan) {
	waits := func(i int, count int32, took time.Duration) {
		if took > f.behindTime[i] || took == f.behindTime[i] && count > f.behind[i] {
			f.behind[i], f.behindTime[i] = count, took
		}
	}
	expected := f.queues[f.build].expected
	for i := len(f.behind) - 1; i >= 0; i-- {
		for _, b := range p.usedBuild[i] {
			if int(b) > i && p.required[b] && !p.cached[b] {
				waits(i, f.behind[b]+1, f.behindTime[b]+expected[b])
			}
		}
		for _, r := range p.usedRun[i] {
			if int(r) > i {
				waits(i, f.behind[r], f.behindTime[r])
			}
		}
	}
}

// began notes that a job begins, and fills in what its start tells of it.
func (f *forecast) began(e *stream.JobStarted, j *sched.Job) {
	f.settle(j.Queue, j.Item)
	e.Expected = f.queues[f.index[j.Queue]].expected[j.Item]
	e.Behind, e.BehindTime = int(f.behind[j.Item]), f.behindTime[j.Item]
	if f.build > f.index[j.Queue] && f.queues[f.build].pending[j.Item] {
		// Its own build waits for it too.
		e.Behind++
		e.BehindTime += f.queues[f.build].expected[j.Item]
	}
}
