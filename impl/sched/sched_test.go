package sched

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bst/impl/stream"
)

// record keeps what the loop reported, as lines.
type record struct {
	mu    sync.Mutex
	lines []string
	// on is called for each line, on the loop.
	on func(line string)
}

func (r *record) add(format string, args ...any) {
	r.mu.Lock()
	line := fmt.Sprintf(format, args...)
	r.lines = append(r.lines, line)
	r.mu.Unlock()
	if r.on != nil {
		r.on(line)
	}
}

func (r *record) JobStarted(j *Job) { r.add("start %s %d try %d", j.Queue.Action, j.Item, j.Try) }
func (r *record) JobFinished(j *Job, s stream.JobStatus, _ time.Duration, _ Result) {
	names := map[stream.JobStatus]string{stream.JobSucceeded: "ok", stream.JobSkipped: "skip",
		stream.JobFailed: "failed", stream.JobRetried: "retry", stream.JobTerminated: "terminated"}
	r.add("end %s %d %s", j.Queue.Action, j.Item, names[s])
}
func (r *record) Counts(*Queue, Counts) {}
func (r *record) State(s stream.SchedulerState) {
	names := map[stream.SchedulerState]string{stream.StateRunning: "running", stream.StateHeld: "held",
		stream.StateQuitting: "quitting", stream.StateTerminating: "terminating", stream.StateSuspended: "suspended"}
	r.add("state %s", names[s])
}

// fail is a permanent failure, or a temporary one.
func fail(temporary bool) Result {
	return Result{Failure: &stream.Failure{Error: stream.Error{Message: "no", Temporary: temporary}}}
}

func always(Item) Verdict         { return Ready }
func nothing(*Job, Result) []Item { return nil }

// chain is a queue in which item n waits for item n-1.
func chain(action string, n int, run func(context.Context, *Job) Result) *Queue {
	done := make([]bool, n)
	return &Queue{Action: action, Complete: action, Imperative: true,
		Check: func(i Item) Verdict {
			if i == 0 || done[i-1] {
				return Ready
			}
			return Wait
		},
		Run: run,
		Done: func(j *Job, r Result) []Item {
			if r.Failure != nil || int(j.Item)+1 >= n {
				return nil
			}
			done[j.Item] = true
			return []Item{j.Item + 1}
		},
	}
}

func ok(context.Context, *Job) Result { return Result{} }

func TestOrderOfWork(t *testing.T) {
	for _, test := range []struct {
		name    string
		queues  func() []*Queue
		items   []Item
		onError stream.OnError
		want    []string
		outcome Outcome
	}{{
		name:   "a chain waits for its links, whatever the order they came in",
		queues: func() []*Queue { return []*Queue{chain("Build", 3, ok)} },
		items:  []Item{2, 1, 0},
		want: []string{"state running", "start Build 0 try 1", "end Build 0 ok", "start Build 1 try 1", "end Build 1 ok",
			"start Build 2 try 1", "end Build 2 ok"},
		outcome: Outcome{Counts: []Counts{{Processed: 3}}},
	}, {
		name: "a skipped item passes on to the next queue",
		queues: func() []*Queue {
			return []*Queue{
				{Action: "Fetch", Token: Download, Check: func(Item) Verdict { return Skip }, Run: ok, Done: nothing},
				chain("Build", 1, ok)}
		},
		items:   []Item{0},
		want:    []string{"state running", "start Build 0 try 1", "end Build 0 ok"},
		outcome: Outcome{Counts: []Counts{{Skipped: 1}, {Processed: 1}}},
	}, {
		name: "temporary failures are tried again, as often as the queue says",
		queues: func() []*Queue {
			return []*Queue{{Action: "Fetch", Token: Download, Retries: 2, Check: always, Done: nothing,
				Run: func(_ context.Context, j *Job) Result { return fail(j.Try < 3) }}}
		},
		items: []Item{0},
		want: []string{"state running", "start Fetch 0 try 1", "end Fetch 0 retry", "start Fetch 0 try 2",
			"end Fetch 0 retry", "start Fetch 0 try 3", "end Fetch 0 failed", "state quitting"},
		outcome: Outcome{Failed: true, Quit: true, Counts: []Counts{{Failed: 1}}},
	}, {
		name: "on-error quit starts nothing more",
		queues: func() []*Queue {
			return []*Queue{{Action: "Build", Check: always, Done: nothing,
				Run: func(context.Context, *Job) Result { return fail(false) }}}
		},
		items:   []Item{0, 1, 2},
		want:    []string{"state running", "start Build 0 try 1", "end Build 0 failed", "state quitting"},
		outcome: Outcome{Failed: true, Quit: true, Counts: []Counts{{Failed: 1}}},
	}, {
		name: "on-error continue goes on with the rest",
		queues: func() []*Queue {
			return []*Queue{{Action: "Build", Check: always, Done: nothing,
				Run: func(_ context.Context, j *Job) Result {
					if j.Item == 0 {
						return fail(false)
					}
					return Result{}
				}}}
		},
		items:   []Item{0, 1},
		onError: stream.OnErrorContinue,
		want: []string{"state running", "start Build 0 try 1", "end Build 0 failed", "start Build 1 try 1",
			"end Build 1 ok"},
		outcome: Outcome{Failed: true, Counts: []Counts{{Processed: 1, Failed: 1}}},
	}, {
		name: "what waits for a failed item is left, and the run ends",
		queues: func() []*Queue {
			return []*Queue{chain("Build", 3, func(_ context.Context, j *Job) Result { return fail(false) })}
		},
		items:   []Item{0, 1, 2},
		onError: stream.OnErrorContinue,
		want:    []string{"state running", "start Build 0 try 1", "end Build 0 failed"},
		outcome: Outcome{Failed: true, Counts: []Counts{{Failed: 1}}},
	}, {
		name: "a panic is a failure of its job alone",
		queues: func() []*Queue {
			return []*Queue{{Action: "Build", Check: always, Done: nothing,
				Run: func(_ context.Context, j *Job) Result {
					if j.Item == 0 {
						panic("oops")
					}
					return Result{}
				}}}
		},
		items:   []Item{0, 1},
		onError: stream.OnErrorContinue,
		want: []string{"state running", "start Build 0 try 1", "end Build 0 failed", "start Build 1 try 1",
			"end Build 1 ok"},
		outcome: Outcome{Failed: true, Counts: []Counts{{Processed: 1, Failed: 1}}},
	}} {
		t.Run(test.name, func(t *testing.T) {
			var r record
			s := New(Config{Queues: test.queues(), Builders: 1, Fetchers: 1, OnError: test.onError, Report: &r})
			s.Enqueue(test.items...)
			got := s.Run(context.Background())
			if diff := cmp.Diff(test.outcome, got); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.want, r.lines); diff != "" {
				t.Errorf("reports (-want +got):\n%s", diff)
			}
		})
	}
}

// untilCancelled is a job that ends when it is terminated.
func untilCancelled(ctx context.Context, _ *Job) Result {
	<-ctx.Done()
	return fail(false)
}

func TestTerminateEndsRunningJobs(t *testing.T) {
	var r record
	s := New(Config{Queues: []*Queue{{Action: "Build", Check: always, Done: nothing, Run: untilCancelled}},
		Builders: 2, Report: &r})
	s.Enqueue(0, 1, 2)
	started := 0
	r.on = func(line string) {
		if len(line) > 5 && line[:5] == "start" {
			if started++; started == 2 {
				go s.Order(&stream.Terminate{})
			}
		}
	}
	got := s.Run(context.Background())
	if diff := cmp.Diff(Outcome{Terminated: true, Counts: []Counts{{Skipped: 2}}}, got); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
}

func TestCancelledContextTerminates(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	r := record{on: func(line string) {
		if line == "start Build 0 try 1" {
			cancel()
		}
	}}
	s := New(Config{Queues: []*Queue{{Action: "Build", Check: always, Done: nothing, Run: untilCancelled}}, Report: &r})
	s.Enqueue(0)
	if got := s.Run(ctx); !got.Terminated {
		t.Errorf("outcome %+v, want it terminated", got)
	}
}

func TestStuckJobsAreGivenUp(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	ctx, cancel := context.WithCancel(context.Background())
	r := record{on: func(string) { cancel() }}
	s := New(Config{Queues: []*Queue{{Action: "Build", Check: always, Done: nothing,
		Run: func(context.Context, *Job) Result { <-release; return Result{} }}}, Report: &r, Patience: time.Millisecond})
	s.Enqueue(0)
	if got := s.Run(ctx); len(got.Stuck) != 1 {
		t.Errorf("outcome %+v, want one stuck job", got)
	}
}

// TestHold: a failure holds; running jobs go on, none starts; Retry and
// Continue let it go on.
func TestHold(t *testing.T) {
	var r record
	tries := 0
	q := &Queue{Action: "Build", Check: always, Done: nothing,
		Run: func(_ context.Context, j *Job) Result {
			if j.Item == 0 {
				if tries++; tries == 1 {
					return fail(false)
				}
			}
			return Result{}
		}}
	s := New(Config{Queues: []*Queue{q}, Builders: 1, Hold: true, Report: &r})
	s.Enqueue(0, 1)
	r.on = func(line string) {
		if line == "state held" {
			go s.Order(&stream.Retry{Job: 1})
		}
	}
	got := s.Run(context.Background())
	want := []string{"state running", "start Build 0 try 1", "end Build 0 failed", "state held", "state running",
		"start Build 1 try 1", "end Build 1 ok", "start Build 0 try 1", "end Build 0 ok"}
	if diff := cmp.Diff(want, r.lines); diff != "" {
		t.Errorf("reports (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Outcome{Counts: []Counts{{Processed: 2}}}, got); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
}

// TestRetryNotEnded: what failed has failed where its retry was ended, or never
// came to be.
func TestRetryNotEnded(t *testing.T) {
	for _, test := range []struct {
		name  string
		on    string // when the order is given
		order stream.Order
		want  Outcome
	}{
		{"terminated", "start Build 0 try 1", &stream.Terminate{}, Outcome{Failed: true, Terminated: true, Counts: []Counts{{Processed: 1, Failed: 1}}}},
		{"not started", "start Build 1 try 1", &stream.Quit{}, Outcome{Failed: true, Quit: true, Counts: []Counts{{Processed: 1, Failed: 1}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var r record
			var s *Scheduler
			ordered := make(chan struct{})
			tries := 0
			q := &Queue{Action: "Build", Check: always, Done: nothing,
				Run: func(ctx context.Context, j *Job) Result {
					if j.Item == 0 {
						if tries++; tries == 1 {
							return fail(false)
						}
						<-ctx.Done()
						return Result{Terminated: true}
					}
					if test.name == "not started" {
						<-ordered
					}
					return Result{}
				}}
			s = New(Config{Queues: []*Queue{q}, Builders: 1, Hold: true, Report: &r})
			s.Enqueue(0, 1)
			held := false
			r.on = func(line string) {
				switch {
				case line == "state held":
					held = true
					go s.Order(&stream.Retry{Job: 1})
				case held && line == test.on:
					go s.Order(test.order)
				case line == "state quitting":
					close(ordered)
				}
			}
			if diff := cmp.Diff(test.want, s.Run(context.Background())); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSuspendStopsClockAndJobs(t *testing.T) {
	var r record
	var told []bool
	s := New(Config{Queues: []*Queue{{Action: "Build", Check: always, Done: nothing, Run: ok}}, Builders: 1, Report: &r,
		Suspended: func(on bool) { told = append(told, on) }})
	s.Enqueue(0, 1)
	r.on = func(line string) {
		switch line {
		case "start Build 0 try 1":
			go s.Order(&stream.Suspend{})
		case "state suspended":
			go func() {
				before := s.cfg.Clock.Elapsed()
				if after := s.cfg.Clock.Elapsed(); after != before {
					t.Errorf("the clock went on while suspended: %v, then %v", before, after)
				}
				s.Order(&stream.Resume{})
			}()
		}
	}
	got := s.Run(context.Background())
	if got.Counts[0].Processed != 2 {
		t.Errorf("outcome %+v, want both processed", got)
	}
	if len(told)%2 != 0 {
		t.Errorf("told %v: every suspension must end", told)
	}
}

// TestQuitFinishesLaterQueues: after Quit in the imperative queue, the queues
// behind it still run.
func TestQuitFinishesLaterQueues(t *testing.T) {
	var r record
	var s *Scheduler
	build := &Queue{Action: "Build", Imperative: true, Check: always, Done: nothing,
		Run: func(_ context.Context, j *Job) Result { s.Order(&stream.Quit{}); return Result{} }}
	push := &Queue{Action: "Push", Token: Upload, Check: always, Done: nothing, Run: ok}
	s = New(Config{Queues: []*Queue{build, push}, Builders: 1, Report: &r})
	s.Enqueue(0, 1)
	got := s.Run(context.Background())
	if got.Counts[0].Processed != got.Counts[1].Processed || got.Counts[1].Processed == 0 || !got.Quit {
		t.Errorf("outcome %+v, want what was built pushed, and the rest left", got)
	}
}

func BenchmarkItems(b *testing.B) {
	var r quiet
	q1 := &Queue{Action: "Fetch", Token: Download, Check: always, Done: nothing, Run: ok}
	q2 := &Queue{Action: "Build", Check: always, Done: nothing, Run: ok}
	s := New(Config{Queues: []*Queue{q1, q2}, Builders: 4, Fetchers: 10, Report: r})
	for i := range b.N {
		s.Enqueue(Item(i))
	}
	b.ReportAllocs()
	b.ResetTimer()
	s.Run(context.Background())
}

type quiet struct{}

func (quiet) JobStarted(*Job)                                           {}
func (quiet) JobFinished(*Job, stream.JobStatus, time.Duration, Result) {}
func (quiet) Counts(*Queue, Counts)                                     {}
func (quiet) State(stream.SchedulerState)                               {}
