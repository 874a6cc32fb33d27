package engine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sort"
	"sync"
	"time"

	"bst/impl/bug"
	"bst/impl/element"
	"bst/impl/kind/host"
	"bst/impl/sched"
	"bst/impl/stream"
)

// queues that sessions are made of. Pull, push and track plug in beside them.

// fetchQueue fetches sources and stages them into the store, but of those
// elements of which have says that they are there, or not needed.
func (r *runner) fetchQueue(have func(sched.Item) bool) *sched.Queue {
	return &sched.Queue{
		Action: "Fetch", Complete: "Sources Fetched", Token: sched.Download,
		Retries: r.s.set.Settings.NetworkRetries,
		Check: func(i sched.Item) sched.Verdict {
			if have(i) {
				return sched.Skip
			}
			return sched.Ready
		},
		Run: r.task(func(ctx context.Context, e *element.Element, j *journal) error {
			if err := r.w.fetchSources(ctx, e, j); err != nil {
				return err
			}
			return r.w.room(ctx)
		}),
		Done: func(*sched.Job, sched.Result) []sched.Item { return nil },
	}
}

// actionBuild names the jobs of the build queue.
const actionBuild = "Build"

// buildQueue builds elements from their dependencies' artifacts.
func (r *runner) buildQueue() *sched.Queue {
	return &sched.Queue{
		Action: actionBuild, Complete: "Built", Token: sched.Process, Imperative: true,
		PassFailed: true, // failed builds are shared too
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
		ctx = host.WithSuspension(ctx, &r.w.programs)
		e := r.w.graph.Elements[job.Item]
		sub := subject{element: e.FullName, key: r.w.key(e), action: job.Queue.Action, job: job.ID}
		path := filepath.Join(r.s.set.Settings.LogDir, job.Log)
		j, err := r.s.openJournal(path, sub)
		if err != nil {
			return sched.Result{Failure: &stream.Failure{Error: *r.s.asError(err)}}
		}
		start := r.s.clock.Elapsed()
		j.record(stream.TypeStart, nil, job.Queue.Action, "")
		err = r.again(ctx, job, j)
		if err == nil {
			err = bug.Try(func() error { return work(ctx, e, j) })
		}
		took := r.s.clock.Elapsed() - start
		var broke *bug.Error
		var nothing skip
		switch {
		case errors.As(err, &nothing):
			j.record(stream.TypeSkipped, &took, string(nothing), "")
			err = nil
		case errors.As(err, &broke):
			// The stack is for the log, and not for the part of it that is shown.
			err = bugError(broke, path)
		case err == nil:
			j.record(stream.TypeSuccess, &took, job.Queue.Action, "")
		case ctx.Err() != nil:
			j.record(stream.TypeInfo, &took, "Forcefully terminated", "")
		default:
			f := asError(err)
			j.record(stream.TypeFailure, &took, f.Message, f.Detail)
		}
		var lines []string
		var tailErr error
		if err != nil {
			_ = j.flush() // close tells
			lines, tailErr = tail(path, r.s.set.Settings.ErrorLines)
		}
		if broke != nil {
			j.record(stream.TypeBug, &took, broke.Error(), broke.Stack)
		}
		if closeErr := j.close(); err == nil {
			err = closeErr
		}
		if err == nil {
			return sched.Result{Skipped: nothing != "", Text: string(nothing)}
		}
		failure := &stream.Failure{Error: *r.s.asError(err), LogPath: path}
		if wrong := r.w.machineFailed(); wrong != nil && wrong.Reason != failure.Error.Reason && broke == nil {
			wrong.Detail += "\nWhat failed: " + failure.Error.Message
			failure.Error = *wrong
		}
		failure.Shell = failure.Error.Sandbox
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

// Before a task is tried again after a failure that may pass, it waits: a second, and
// each time twice as long.
const (
	firstWait   = time.Second
	longestWait = time.Minute
)

func (r *runner) again(ctx context.Context, job *sched.Job, j *journal) error {
	if job.Try < 2 {
		return nil
	}
	wait := min(firstWait<<min(job.Try-2, 10), longestWait)
	j.record(stream.TypeStatus, nil, fmt.Sprintf("Try #%d begins in %s", job.Try, wait), "")
	if !pause(ctx, wait) {
		return ctx.Err()
	}
	return nil
}

// workers is how many of a queue's jobs run at once.
func (r *runner) workers(q *sched.Queue) int {
	set := &r.s.set.Settings
	switch q.Token {
	case sched.Download:
		return max(1, set.Fetchers)
	case sched.Upload:
		return max(1, set.Pushers)
	}
	return max(1, set.Builders)
}

// run runs the scheduler over what the plan requires and tells how it ended.
// fields are those of the pipeline list: the elements whose keys became known
// on the way are shown again.
func (r *runner) run(ctx context.Context, fields []string, queues ...*sched.Queue) (*stream.Summary, error) {
	for _, q := range queues {
		r.s.emit(&stream.Queue{Action: q.Action, Complete: q.Complete, Workers: r.workers(q)})
	}
	set := &r.s.set.Settings
	forecast, err := newForecast(r.w, r.plan, queues, set.CacheDir)
	if err != nil {
		r.s.say(subject{}, stream.TypeWarning, nil, "Cannot read how long tasks took in earlier sessions", err.Error())
	}
	for _, q := range queues {
		forecast.passing(q)
	}
	report := &reporter{s: r.s, w: r.w, f: forecast, failures: make(map[int]stream.ElementFailure)}
	scheduler := sched.New(sched.Config{
		Queues: queues, Fetchers: set.Fetchers, Builders: set.Builders, Pushers: set.Pushers,
		Bug: func(e *bug.Error) *stream.Error { return r.s.asError(e) }, OnError: set.OnError, Hold: set.Interactive, Clock: r.s.clock, Report: report,
		Priority:  r.plan.priority,
		Suspended: r.w.suspend,
	})
	before := make(map[sched.Item]stream.Key, len(r.plan.order))
	note := func(items ...sched.Item) {
		for _, i := range items {
			before[i] = r.w.key(r.w.graph.Elements[i])
		}
	}
	r.plan.enqueue = func(items ...sched.Item) {
		note(items...)
		forecast.add(r.plan, items...)
		scheduler.Enqueue(items...)
	}
	note(r.plan.order...)
	scheduler.Enqueue(r.plan.order...)

	r.s.mu.Lock()
	r.s.scheduler = scheduler
	r.s.stageFor = func(id stream.JobID) {
		bug.Start(func() { r.stageShell(ctx, id) }, func(e *bug.Error) {
			r.s.emit(&stream.ShellRefused{Job: id, Error: *r.s.asError(e)})
		})
	}
	r.s.answered = r.dropKept
	r.s.mu.Unlock()
	r.w.noteCache()
	stop := r.s.watchCache(ctx, r.w.store, r.w.keeper)
	outcome := scheduler.Run(ctx)
	stop()
	if err := forecast.history.Save(); err != nil {
		r.s.say(subject{}, stream.TypeWarning, nil, "Cannot keep how long tasks took", err.Error())
	}
	r.s.mu.Lock()
	r.s.scheduler, r.s.stageFor, r.s.answered = nil, nil, nil
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
