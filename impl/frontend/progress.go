package frontend

import "time"

// work is how far a session is.
type work struct {
	// done and failed of total tasks of the last queue are over. Those that had
	// nothing to do (the artifact was cached) are in none of the three.
	done, failed, total int
	// left is how long the rest may take, 0 where nobody can tell.
	left time.Duration
	// critical is the running job that most work waits for, nil where none does.
	critical *job
}

func (w *work) percent() int {
	if w.total <= 0 {
		return 0
	}
	return min(w.done*100/w.total, 100)
}

// rateNeeds is how much must have happened before the rate so far tells
// anything about the rest.
const (
	rateNeedsDone = 20
	rateNeedsTime = 3 * time.Second
)

// progress works out how far the session is. The estimate is the longer of what
// the critical path takes and what the work takes that is left, shared out among
// the workers; where earlier builds tell too little, the rate so far stands in.
func (m *Model) progress(elapsed time.Duration) work {
	var w work
	if len(m.queues) == 0 {
		return w
	}
	last := &m.queues[len(m.queues)-1]
	w.done, w.failed = last.processed+last.failed, last.failed
	if m.heading != nil {
		w.total = max(m.heading.SessionElements-last.skipped, w.done)
	}
	var path time.Duration
	for _, j := range m.jobs {
		rest := max(j.expected-(elapsed-j.at), 0) + j.behindTime
		if j.behind > 0 && (w.critical == nil || rest > path || rest == path && j.behind > w.critical.behind) {
			w.critical = j
		}
		path = max(path, rest)
	}
	rest := w.total - w.done
	if rest <= 0 {
		return w
	}
	for i := range m.queues {
		q := &m.queues[i]
		if q.left <= 0 {
			continue
		}
		left := q.left
		for _, j := range m.jobs {
			if j.action == q.action {
				left += max(j.expected-(elapsed-j.at), 0)
			}
		}
		path = max(path, left/time.Duration(max(q.workers, 1)))
	}
	if last.known*2 >= rest-len(m.jobs) && path > 0 {
		w.left = path
		return w
	}
	if since := elapsed - m.workFrom; w.done >= rateNeedsDone && since >= rateNeedsTime {
		w.left = max(path, time.Duration(float64(since)/float64(w.done)*float64(rest)))
	}
	return w
}

// Progress is how far the session is in percent, and how many tasks have failed.
// known is false while nobody can tell.
func (m *Model) Progress(now time.Time) (percent, failed int, known bool) {
	w := m.progress(m.clock.elapsed(now))
	return w.percent(), w.failed, w.total > 0
}
