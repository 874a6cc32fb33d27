package engine

import (
	"context"
	"path/filepath"
	"sort"
	"sync"

	"bst/impl/element"
	"bst/impl/sched"
	"bst/impl/stream"
)

// queues that sessions are made of. Pull, push and track plug in beside them.

// fetchQueue fetches sources and stages them into the store. Elements whose
// artifact is cached need none, where wanted says so.
func (r *runner) fetchQueue(skipCached bool) *sched.Queue {
	return &sched.Queue{
		Action: "Fetch", Complete: "Sources Fetched", Token: sched.Download,
		Retries: r.s.set.Settings.NetworkRetries,
		Check: func(i sched.Item) sched.Verdict {
			if skipCached && r.plan.cached[i] {
				return sched.Skip
			}
			if r.w.sourcesCached(r.w.graph.Elements[i]) {
				return sched.Skip
			}
			return sched.Ready
		},
		Run: r.task(func(ctx context.Context, e *element.Element, j *journal) error {
			return r.w.fetchSources(ctx, e, j)
		}),
		Done: func(*sched.Job, sched.Result) []sched.Item { return nil },
	}
}

// buildQueue builds elements from their dependencies' artifacts.
func (r *runner) buildQueue() *sched.Queue {
	return &sched.Queue{
		Action: "Build", Complete: "Built", Token: sched.Process, Imperative: true,
		Check: func(i sched.Item) sched.Verdict {
			switch {
			case r.plan.cached[i]:
				return sched.Skip
			case r.plan.buildable(int(i)):
				if err := r.w.resolveKey(r.w.graph.Elements[i]); err != nil && r.broken == nil {
					r.broken = err // told when the run ends: a verdict cannot fail
				}
				return sched.Ready
			}
			return sched.Wait
		},
		Run: r.task(func(ctx context.Context, e *element.Element, j *journal) error {
			return r.w.assemble(ctx, e, j)
		}),
		Done: func(j *sched.Job, result sched.Result) []sched.Item {
			if result.Failure != nil {
				return nil
			}
			return r.plan.built(int(j.Item))
		},
	}
}

// runner runs the queues of one session.
type runner struct {
	s    *session
	w    *world
	plan *plan
	// broken is the first failure on the scheduler's loop, which owns it.
	broken error

	mu sync.Mutex // guards failed
	// failed tells which element a failed job was about, for shells.
	failed map[stream.JobID]*element.Element
}

// task makes a job's function: log file, work, failure with the log's tail.
func (r *runner) task(work func(context.Context, *element.Element, *journal) error) func(context.Context, *sched.Job) sched.Result {
	return func(ctx context.Context, job *sched.Job) sched.Result {
		e := r.w.graph.Elements[job.Item]
		sub := subject{element: e.FullName, key: r.w.key(e), action: job.Queue.Action, job: job.ID}
		path := filepath.Join(r.s.set.Settings.LogDir, job.Log)
		j, err := r.s.openJournal(path, sub)
		if err != nil {
			return sched.Result{Failure: &stream.Failure{Error: *asError(err)}}
		}
		start := r.s.clock.Elapsed()
		j.record(stream.TypeStart, nil, job.Queue.Action, "")
		err = work(ctx, e, j)
		took := r.s.clock.Elapsed() - start
		switch {
		case err == nil:
			j.record(stream.TypeSuccess, &took, job.Queue.Action, "")
		case ctx.Err() != nil:
			j.record(stream.TypeInfo, &took, "Forcefully terminated", "")
		default:
			f := asError(err)
			j.record(stream.TypeFailure, &took, f.Message, f.Detail)
		}
		closeErr := j.close()
		if err == nil {
			err = closeErr
		}
		if err == nil {
			return sched.Result{}
		}
		failure := &stream.Failure{Error: *asError(err), LogPath: path}
		failure.Shell = failure.Error.Sandbox
		lines, tailErr := tail(path, r.s.set.Settings.ErrorLines)
		if tailErr != nil {
			lines = []string{"(the log file cannot be read: " + tailErr.Error() + ")"}
		}
		failure.LogTail = lines
		if failure.Shell {
			r.mu.Lock()
			if r.failed == nil {
				r.failed = make(map[stream.JobID]*element.Element)
			}
			r.failed[job.ID] = e
			r.mu.Unlock()
		}
		return sched.Result{Failure: failure}
	}
}

// run runs the scheduler over what the plan requires and tells how it ended.
// fields are those of the pipeline list: the elements whose keys became known
// on the way are shown again.
func (r *runner) run(ctx context.Context, fields []string, queues ...*sched.Queue) (*stream.Summary, error) {
	for _, q := range queues {
		r.s.emit(&stream.Queue{Action: q.Action, Complete: q.Complete})
	}
	set := &r.s.set.Settings
	report := &reporter{s: r.s, w: r.w, failures: make(map[int]stream.ElementFailure)}
	scheduler := sched.New(sched.Config{
		Queues: queues, Fetchers: set.Fetchers, Builders: set.Builders, Pushers: set.Pushers,
		OnError: set.OnError, Hold: set.Interactive, Clock: r.s.clock, Report: report,
		// Elements stand in the graph after what they need.
		Priority:  func(i sched.Item) int { return int(i) },
		Suspended: r.w.suspend,
	})
	r.plan.enqueue = scheduler.Enqueue
	before := make(map[sched.Item]stream.Key, len(r.plan.order))
	for _, i := range r.plan.order {
		before[i] = r.w.key(r.w.graph.Elements[i])
	}
	scheduler.Enqueue(r.plan.order...)

	r.s.mu.Lock()
	r.s.scheduler = scheduler
	r.s.stageFor = func(id stream.JobID) { go r.stageShell(ctx, id) }
	r.s.mu.Unlock()
	outcome := scheduler.Run(ctx)
	r.s.mu.Lock()
	r.s.scheduler, r.s.stageFor = nil, nil
	r.s.ended = r.s.ended || outcome.Terminated
	r.s.mu.Unlock()

	// In non-strict mode some keys are known only now.
	var resolved []*element.Element
	for _, i := range r.plan.order {
		if e := r.w.graph.Elements[i]; r.w.key(e) != before[i] {
			resolved = append(resolved, e)
		}
	}
	sort.Slice(resolved, func(i, k int) bool { return resolved[i].FullName < resolved[k].FullName })
	if ctx.Err() == nil && !outcome.Terminated {
		if err := r.s.showElements(ctx, r.w, resolved, wanted(fields), stream.ShownResolved); err != nil {
			return nil, err
		}
	}
	summary := &stream.Summary{Total: len(r.w.graph.Elements), Session: len(r.plan.order)}
	for i, q := range queues {
		c := outcome.Counts[i]
		summary.Queues = append(summary.Queues, stream.QueueSummary{Action: q.Action, Processed: c.Processed,
			Skipped: c.Skipped, Failed: c.Failed})
	}
	for _, f := range report.failures {
		summary.Failures = append(summary.Failures, f)
	}
	sort.Slice(summary.Failures, func(i, k int) bool { return summary.Failures[i].Element < summary.Failures[k].Element })

	if len(outcome.Stuck) > 0 {
		names := ""
		for _, j := range outcome.Stuck {
			names += r.w.graph.Elements[j.Item].FullName + "\n"
		}
		return summary, &stream.Error{Domain: stream.DomainStream, Reason: "stuck",
			Message: "Some jobs did not end when they were terminated", Detail: names}
	}
	if outcome.Terminated {
		return summary, &stream.Error{Domain: stream.DomainStream, Reason: "terminated", Message: ""}
	}
	if outcome.Failed {
		// The failure itself was told when it happened: the session's error has
		// no text of its own, as in the reference.
		e := &stream.Error{Domain: stream.DomainStream}
		e.TaskDomain, e.TaskReason = report.last.Domain, report.last.Reason
		return summary, e
	}
	if ctx.Err() != nil {
		return summary, ctx.Err()
	}
	return summary, r.broken
}
