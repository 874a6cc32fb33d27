// Package sched runs items through queues: queues, tokens, one loop.
//
// It knows numbers of items, when a queue says that an item may run, how many
// jobs may run at once, and what a person ordered. It does not know what an
// item is (an element), nor what a job does. One goroutine, the one that calls
// Run, owns all state; jobs run on goroutines of their own and return values.
//
// Behaviour: reference part G.
package sched

import (
	"container/heap"
	"context"
	"fmt"
	"time"

	"bst/impl/bug"
	"bst/impl/stream"
)

// Item names what goes through the queues, from 0.
type Item int

// Verdict is what a queue says of an item that stands before it.
type Verdict uint8

const (
	// Wait leaves the item until a Wake names it.
	Wait Verdict = iota
	// Skip passes the item on to the next queue.
	Skip
	// Ready lets the item run as soon as there is a token.
	Ready
)

// Token is what a job needs one of while it runs.
type Token uint8

const (
	// Process is held by builds, Download by fetches and pulls, Upload by pushes.
	Process Token = iota
	Download
	Upload
	tokens
)

// Queue is one kind of work. Check, Done and Priority are called on the loop
// and must not block; Run is called on a job's goroutine.
type Queue struct {
	// Action names the jobs ("Build"), Complete the finished work ("Built").
	Action, Complete string
	Token            Token
	// Retries is how often a job with a temporary failure is started anew.
	Retries int
	// PassFailed has items whose job failed for good go on to the next queue all the
	// same.
	PassFailed bool
	// Imperative marks the queue that a session is about: after Quit, queues
	// behind it still finish what they can.
	Imperative bool

	Check func(Item) Verdict
	Run   func(context.Context, *Job) Result
	// Done learns how an item's job ended for good and returns the items whose
	// verdict may have changed.
	Done func(*Job, Result) []Item
}

// Job is one run of one item in one queue. A retry is a new try of the same job.
type Job struct {
	ID    stream.JobID
	Item  Item
	Queue *Queue
	// Try counts from 1.
	Try int
	// Started is the wall clock, At the session's.
	Started time.Time
	At      time.Duration
	// Log is for the Reporter to set when the job starts and for Run to read.
	Log string

	cancel context.CancelFunc
}

// Result is how a try ended.
type Result struct {
	// Failure is nil unless the job failed.
	Failure *stream.Failure
	// Skipped says that there was nothing to do after all, Text why.
	Skipped bool
	Text    string
	// Terminated says that the job was ended by an order. The loop sets it.
	Terminated bool
	// Value is the queue's own.
	Value any
}

// Reporter turns what the loop does into events. Its methods are called on the
// loop and must not block.
type Reporter interface {
	JobStarted(*Job)
	JobFinished(job *Job, status stream.JobStatus, took time.Duration, r Result)
	Counts(*Queue, Counts)
	State(stream.SchedulerState)
}

// Counts is how far a queue is.
type Counts struct{ Processed, Skipped, Failed int }

// Config is what a scheduler is made of.
type Config struct {
	Queues []*Queue
	// Tokens is how many jobs may hold each token at once; at least 1 each.
	Fetchers, Builders, Pushers int
	OnError                     stream.OnError
	// Hold makes the scheduler hold on a failure and wait for an order
	// (interactive sessions).
	Hold   bool
	Clock  *Clock
	Report Reporter
	// Priority orders items that are ready: lower first, then as enqueued.
	Priority func(Item) int
	// Suspended is told when jobs must stop and go on; may be nil.
	Suspended func(bool)
	// Bug makes the failure of a job that panicked; may be nil. It is called on
	// the job's goroutine.
	Bug func(*bug.Error) *stream.Error
	// Patience bounds how long terminated jobs are waited for; 0 means 30 s.
	Patience time.Duration
}

// Outcome is how a run ended.
type Outcome struct {
	// Failed says that at least one job failed for good.
	Failed bool
	// Quit and Terminated say that an order, or on-error, ended the run early.
	Quit, Terminated bool
	// Stuck names jobs that did not end within Patience.
	Stuck []*Job
	// Counts of each queue, in order.
	Counts []Counts
}

// Scheduler is made by New, filled by Enqueue and run once by Run.
type Scheduler struct {
	cfg    Config
	queues []*queueState
	free   [tokens]int

	state    stream.SchedulerState
	resumed  stream.SchedulerState // what Resume goes back to
	running  map[stream.JobID]*Job
	failed   map[stream.JobID]*Job // candidates for Retry
	nextJob  stream.JobID
	sequence int
	outcome  Outcome
	// jobs is the context of all jobs; the loop alone cancels it.
	jobs context.Context
	// stopAfter is the index of the last queue that starts nothing any more,
	// -1 while all do.
	stopAfter int

	done   chan finished
	orders chan stream.Order
	ended  chan struct{}
}

type queueState struct {
	*Queue
	index   int
	ready   readyHeap
	waiting map[Item]struct{}
	counts  Counts
	dirty   bool
	again   map[Item]struct{} // failed, and are being retried
}

type finished struct {
	job    *Job
	result Result
}

// New makes a scheduler that runs nothing yet.
func New(cfg Config) *Scheduler {
	if cfg.Patience == 0 {
		cfg.Patience = 30 * time.Second
	}
	if cfg.Bug == nil {
		cfg.Bug = func(e *bug.Error) *stream.Error {
			return &stream.Error{Domain: stream.DomainStream, Reason: stream.ReasonUnhandled, Message: e.Error(), Detail: e.Stack}
		}
	}
	if cfg.Clock == nil {
		cfg.Clock = NewClock()
	}
	s := &Scheduler{
		cfg:       cfg,
		running:   make(map[stream.JobID]*Job),
		failed:    make(map[stream.JobID]*Job),
		nextJob:   1,
		stopAfter: -1,
		orders:    make(chan stream.Order, 16),
		ended:     make(chan struct{}),
		state:     stream.StateRunning,
	}
	s.free[Process] = max(1, cfg.Builders)
	s.free[Download] = max(1, cfg.Fetchers)
	s.free[Upload] = max(1, cfg.Pushers)
	all := s.free[Process] + s.free[Download] + s.free[Upload]
	s.done = make(chan finished, all)
	for i, q := range cfg.Queues {
		s.queues = append(s.queues, &queueState{Queue: q, index: i, waiting: make(map[Item]struct{}), again: make(map[Item]struct{})})
	}
	return s
}

// Enqueue puts items before the first queue. It may be called before Run, and
// from Check and Done while Run runs.
func (s *Scheduler) Enqueue(items ...Item) {
	for _, item := range items {
		s.enter(0, item)
	}
}

// Order hands a control order to the loop. It waits only while the loop is busy
// with earlier ones, and returns at once when the run has ended.
func (s *Scheduler) Order(o stream.Order) {
	select {
	case s.orders <- o:
	case <-s.ended:
	}
}

// Run runs until nothing is left to do or an order ends it. A context that is
// cancelled terminates the jobs.
func (s *Scheduler) Run(ctx context.Context) Outcome {
	defer close(s.ended)
	var cancelJobs context.CancelFunc
	s.jobs, cancelJobs = context.WithCancel(context.WithoutCancel(ctx))
	defer cancelJobs()
	// Jobs must not outlive a loop that broke: who called it tidies up after it.
	defer bug.Catch(func(e *bug.Error) {
		cancelJobs()
		s.abandon()
		panic(e)
	})
	cancelled := ctx.Done()
	var patience <-chan time.Time

	s.cfg.Report.State(s.state)
	for {
		if s.state == stream.StateTerminating && patience == nil {
			cancelJobs()
			timer := time.NewTimer(s.cfg.Patience)
			defer timer.Stop()
			patience = timer.C
		}
		s.harvest()
		s.reportCounts()
		if len(s.running) == 0 && s.state != stream.StateHeld && s.state != stream.StateSuspended {
			break
		}
		select {
		case f := <-s.done:
			s.finish(f)
			// Take what else is there before the next harvest.
			for more := true; more; {
				select {
				case f := <-s.done:
					s.finish(f)
				default:
					more = false
				}
			}
		case o := <-s.orders:
			s.obey(o)
		case <-cancelled:
			cancelled = nil
			s.obey(&stream.Terminate{})
		case <-patience:
			for _, job := range s.running {
				s.outcome.Stuck = append(s.outcome.Stuck, job)
			}
			return s.end()
		}
	}
	return s.end()
}

// abandon waits for the running jobs' ends, for Patience.
func (s *Scheduler) abandon() {
	patience := time.NewTimer(s.cfg.Patience)
	defer patience.Stop()
	for len(s.running) > 0 {
		select {
		case f := <-s.done:
			delete(s.running, f.job.ID)
		case <-patience.C:
			return
		}
	}
}

func (s *Scheduler) end() Outcome {
	for _, q := range s.queues {
		if len(q.again) > 0 { // retries that were not even started
			q.counts.Failed += len(q.again)
			s.outcome.Failed = true
		}
		s.outcome.Counts = append(s.outcome.Counts, q.counts)
	}
	return s.outcome
}

// enter puts an item before queue i, through every queue that skips it.
func (s *Scheduler) enter(i int, item Item) {
	for ; i < len(s.queues); i++ {
		q := s.queues[i]
		switch q.Check(item) {
		case Skip:
			q.counts.Skipped++
			q.dirty = true
			continue
		case Ready:
			s.push(q, item)
		case Wait:
			q.waiting[item] = struct{}{}
		}
		return
	}
}

func (s *Scheduler) push(q *queueState, item Item) {
	priority := 0
	if s.cfg.Priority != nil {
		priority = s.cfg.Priority(item)
	}
	heap.Push(&q.ready, readyItem{priority, s.sequence, item})
	s.sequence++
}

// wake asks again about items that waited.
func (s *Scheduler) wake(items []Item) {
	for _, item := range items {
		for _, q := range s.queues {
			if _, ok := q.waiting[item]; ok {
				delete(q.waiting, item)
				s.enter(q.index, item)
			}
		}
	}
}

// harvest starts what may start, the last queue first, so that work that is
// nearly done gets the tokens.
func (s *Scheduler) harvest() {
	if s.state != stream.StateRunning && s.state != stream.StateQuitting {
		return
	}
	for i := len(s.queues) - 1; i > s.stopAfter; i-- {
		q := s.queues[i]
		for len(q.ready) > 0 && s.free[q.Token] > 0 {
			next := heap.Pop(&q.ready).(readyItem)
			job := &Job{ID: s.nextJob, Item: next.item, Queue: q.Queue}
			s.nextJob++
			s.free[q.Token]--
			q.dirty = true // it has less left to begin
			s.start(job)
		}
	}
}

func (s *Scheduler) start(job *Job) {
	job.Try++
	job.Started = time.Now()
	job.At = s.cfg.Clock.Elapsed()
	ctx, cancel := context.WithCancel(s.jobs)
	job.cancel = cancel
	s.running[job.ID] = job
	s.cfg.Report.JobStarted(job)
	bug.Start(func() { s.done <- finished{job, job.Queue.Run(ctx, job)} }, func(e *bug.Error) {
		// A bug in one job must not take the session's other jobs with it.
		s.done <- finished{job, Result{Failure: &stream.Failure{Error: *s.cfg.Bug(e)}}}
	})
}

func (s *Scheduler) finish(f finished) {
	job, r := f.job, f.result
	q := s.queueOf(job)
	job.cancel()
	delete(s.running, job.ID)
	took := s.cfg.Clock.Elapsed() - job.At

	terminated := s.state == stream.StateTerminating
	failed := r.Failure != nil
	if failed && terminated {
		r.Terminated = true
	}
	if failed && !terminated && r.Failure.Error.Temporary && job.Try <= q.Retries {
		r.Text = fmt.Sprintf("Try #%d failed, retrying", job.Try)
		s.cfg.Report.JobFinished(job, stream.JobRetried, took, r)
		// The token is kept: the retry is at once, as in the reference.
		s.start(job)
		return
	}
	s.free[q.Token]++

	status := stream.JobSucceeded
	switch {
	case r.Terminated:
		status = stream.JobTerminated
	case failed:
		status = stream.JobFailed
	case r.Skipped:
		status = stream.JobSkipped
	}
	woken := q.Done(job, r)

	switch status {
	case stream.JobFailed:
		q.counts.Failed++
		s.outcome.Failed = true
		s.failed[job.ID] = job
		r.Failure.Held = s.cfg.Hold && s.state != stream.StateQuitting
	case stream.JobSucceeded:
		q.counts.Processed++
	default:
		// What failed, and whose retry was ended, has failed.
		if _, again := q.again[job.Item]; again && status == stream.JobTerminated {
			q.counts.Failed++
			s.outcome.Failed = true
		} else {
			q.counts.Skipped++
		}
	}
	delete(q.again, job.Item)
	q.dirty = true
	s.cfg.Report.JobFinished(job, status, took, r)

	if status == stream.JobSucceeded || status == stream.JobSkipped || status == stream.JobFailed && q.PassFailed {
		s.enter(q.index+1, job.Item)
	}
	s.wake(woken)
	if status == stream.JobFailed {
		s.onFailure()
	}
}

func (s *Scheduler) queueOf(job *Job) *queueState {
	for _, q := range s.queues {
		if q.Queue == job.Queue {
			return q
		}
	}
	panic("a job of no queue")
}

// onFailure does what the settings say when a job failed for good.
func (s *Scheduler) onFailure() {
	if s.cfg.Hold {
		if s.state == stream.StateRunning {
			s.to(stream.StateHeld)
		}
		return
	}
	switch s.cfg.OnError {
	case stream.OnErrorContinue:
	case stream.OnErrorTerminate:
		s.obey(&stream.Terminate{})
	default:
		s.obey(&stream.Quit{})
	}
}

// obey does what was ordered; an order that no longer makes sense is ignored.
func (s *Scheduler) obey(o stream.Order) {
	switch o := o.(type) {
	case *stream.Hold:
		if s.state == stream.StateRunning {
			s.to(stream.StateHeld)
		}
	case *stream.Continue:
		if s.state == stream.StateHeld {
			s.to(stream.StateRunning)
		}
	case *stream.Quit:
		if s.state == stream.StateRunning || s.state == stream.StateHeld {
			s.outcome.Quit = true
			s.stopAfter = s.imperative()
			s.to(stream.StateQuitting)
		}
	case *stream.Terminate:
		if s.state == stream.StateSuspended {
			s.resume()
		}
		if s.state != stream.StateTerminating {
			s.outcome.Terminated = true
			s.to(stream.StateTerminating)
		}
	case *stream.Retry:
		job := s.failed[o.Job]
		if job == nil || s.state == stream.StateTerminating || s.state == stream.StateQuitting {
			return
		}
		delete(s.failed, o.Job)
		q := s.queueOf(job)
		q.counts.Failed--
		q.again[job.Item] = struct{}{}
		q.dirty = true
		s.outcome.Failed = s.anyFailed()
		s.push(q, job.Item)
		if s.state == stream.StateHeld {
			s.to(stream.StateRunning)
		}
	case *stream.Suspend:
		if s.state != stream.StateSuspended && s.state != stream.StateTerminating {
			s.resumed = s.state
			s.cfg.Clock.Suspend()
			if s.cfg.Suspended != nil {
				s.cfg.Suspended(true)
			}
			s.to(stream.StateSuspended)
		}
	case *stream.Resume:
		if s.state == stream.StateSuspended {
			s.resume()
		}
	}
}

func (s *Scheduler) resume() {
	s.cfg.Clock.Resume()
	if s.cfg.Suspended != nil {
		s.cfg.Suspended(false)
	}
	s.to(s.resumed)
}

// imperative is the index of the queue that Quit stops at.
func (s *Scheduler) imperative() int {
	for i, q := range s.queues {
		if q.Imperative {
			return i
		}
	}
	return len(s.queues) - 1
}

func (s *Scheduler) anyFailed() bool {
	for _, q := range s.queues {
		if q.counts.Failed > 0 {
			return true
		}
	}
	return false
}

func (s *Scheduler) to(state stream.SchedulerState) {
	if s.state != state {
		s.state = state
		s.cfg.Report.State(state)
	}
}

func (s *Scheduler) reportCounts() {
	for _, q := range s.queues {
		if q.dirty {
			q.dirty = false
			s.cfg.Report.Counts(q.Queue, q.counts)
		}
	}
}

type readyItem struct {
	priority, sequence int
	item               Item
}

type readyHeap []readyItem

func (h readyHeap) Len() int { return len(h) }
func (h readyHeap) Less(i, j int) bool {
	if h[i].priority != h[j].priority {
		return h[i].priority < h[j].priority
	}
	return h[i].sequence < h[j].sequence
}
func (h readyHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *readyHeap) Push(x any)   { *h = append(*h, x.(readyItem)) }
func (h *readyHeap) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}
