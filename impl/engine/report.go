package engine

import (
	"path/filepath"
	"strings"
	"time"

	"bst/impl/sched"
	"bst/impl/stream"
)

// reporter turns what the scheduler's loop does into events.
type reporter struct {
	s *session
	w *world
	f *forecast
	// failures are what the summary lists, by element: the last failure of each
	// that did not succeed afterwards.
	failures map[int]stream.ElementFailure
	// last is the error of the last job that failed for good.
	last stream.Error
}

func (r *reporter) JobStarted(j *sched.Job) {
	sub := r.subject(j)
	// As the reference names log files, but without question marks for a key that is
	// not known; a second try has a file of its own.
	elt := r.w.graph.Elements[j.Item]
	j.Log = filepath.Join(elt.Project.Name, elt.NormalName,
		strings.ReplaceAll(brief(sub.key.Full), "?", "_")+"-"+strings.ToLower(j.Queue.Action)+"."+j.Started.Format("20060102-150405")+".log")
	e := &stream.JobStarted{Job: j.ID, Action: j.Queue.Action, Element: sub.element, Key: sub.key,
		Time: j.Started, At: j.At, Log: j.Log}
	r.f.began(e, j)
	r.s.emit(e)
}

func (r *reporter) JobFinished(j *sched.Job, status stream.JobStatus, took time.Duration, result sched.Result) {
	sub := r.subject(j)
	i := int(j.Item)
	switch status {
	case stream.JobFailed:
		r.last = result.Failure.Error
		r.failures[i] = stream.ElementFailure{Element: sub.element, Key: sub.key, Action: j.Queue.Action,
			Error: result.Failure.Error}
	case stream.JobSucceeded:
		delete(r.failures, i)
		r.f.ended(j.Queue.Action, i, took)
	}
	r.s.emit(&stream.JobFinished{Job: j.ID, Action: j.Queue.Action, Element: sub.element, Key: sub.key,
		Time: time.Now(), At: r.s.clock.Elapsed(), Took: took, Status: status, Log: j.Log, Text: result.Text,
		Failure: result.Failure})
}

func (r *reporter) Counts(q *sched.Queue, c sched.Counts) {
	left, known := r.f.left(q)
	r.s.emit(&stream.Counts{Action: q.Action, Processed: c.Processed, Skipped: c.Skipped, Failed: c.Failed,
		Left: left, Known: known})
}

func (r *reporter) State(state stream.SchedulerState) {
	r.s.emit(&stream.State{State: state, At: r.s.clock.Elapsed()})
}

func (r *reporter) subject(j *sched.Job) subject {
	e := r.w.graph.Elements[j.Item]
	return subject{element: e.FullName, key: r.w.key(e), action: j.Queue.Action, job: j.ID}
}
