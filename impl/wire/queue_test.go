package wire

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

func take(t testing.TB, q *Queue) []stream.Event {
	t.Helper()
	events, err := q.Take(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func TestQueueKeepsTheLastOfWhatMayBeReplaced(t *testing.T) {
	q := NewQueue()
	q.Put(
		&stream.State{State: stream.StateRunning},
		&stream.JobStarted{Job: 1},
		&stream.JobProgress{Job: 1, Current: 1},
		&stream.JobProgress{Job: 2, Current: 7},
		&stream.Counts{Action: "Build", Processed: 1},
	)
	q.Put(&stream.JobProgress{Job: 1, Current: 2}, &stream.Message{Text: "a"}, &stream.Counts{Action: "Fetch"})
	q.Put(&stream.Counts{Action: "Build", Processed: 2}, &stream.State{State: stream.StateHeld}, &stream.Message{Text: "a"})
	want := []stream.Event{
		&stream.JobStarted{Job: 1},
		&stream.JobProgress{Job: 2, Current: 7},
		&stream.JobProgress{Job: 1, Current: 2},
		&stream.Message{Text: "a"},
		&stream.Counts{Action: "Fetch"},
		&stream.Counts{Action: "Build", Processed: 2},
		&stream.State{State: stream.StateHeld},
		&stream.Message{Text: "a"},
	}
	if q.Len() != len(want) {
		t.Errorf("length %d", q.Len())
	}
	if diff := cmp.Diff(want, take(t, q)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// What was taken is not replaced any more.
	q.Put(&stream.State{State: stream.StateRunning})
	if diff := cmp.Diff([]stream.Event{&stream.State{State: stream.StateRunning}}, take(t, q)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A step that begins inside another ends before it, also when nobody takes.
func TestQueueKeepsTheBeginAndEndOfAStep(t *testing.T) {
	q := NewQueue()
	all := []stream.Event{
		&stream.Stage{Name: "Loading elements"},
		&stream.Stage{Name: "Resolving elements", Total: 2},
		&stream.Stage{Name: "Resolving elements", Current: 1, Total: 2},
		&stream.Stage{Name: "Resolving elements", Current: 2, Total: 2},
		&stream.Stage{Name: "Resolving elements", Current: 2, Total: 2, Done: true},
		&stream.Stage{Name: "Loading elements", Done: true},
	}
	q.Put(all...)
	want := append(all[:2:2], all[3:]...)
	if diff := cmp.Diff(want, take(t, q)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// While nobody takes, a queue grows with lossless events alone.
func TestQueueIsBoundedByTheGraph(t *testing.T) {
	q := NewQueue()
	const jobs, steps = 20, 10_000
	for i := range steps {
		for job := range jobs {
			q.Put(&stream.JobProgress{Job: stream.JobID(job), Current: i})
		}
		q.Put(&stream.CacheUsage{Used: int64(i)}, &stream.Stage{Name: "Query cache", Current: i + 1})
	}
	if n := q.Len(); n != jobs+2 {
		t.Errorf("%d events are queued, want %d", n, jobs+2)
	}
	if c := cap(q.items); c > 1024 {
		t.Errorf("the queue holds room for %d events", c)
	}
	for _, ev := range take(t, q) {
		if p, ok := ev.(*stream.JobProgress); ok && p.Current != steps-1 {
			t.Errorf("job %d arrived as %d", p.Job, p.Current)
		}
	}
}

func TestQueueEndsWithFinished(t *testing.T) {
	q := NewQueue()
	q.Put(&stream.Finished{}, &stream.Message{})
	q.Put(&stream.Message{})
	q.Close()
	q.Put(&stream.Message{})
	if n := len(take(t, q)); n != 1 {
		t.Errorf("%d events", n)
	}
	for range 2 {
		if n := len(take(t, q)); n != 0 {
			t.Errorf("%d events after the end", n)
		}
	}
}

func TestQueueTakeIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	q := NewQueue()
	go cancel()
	if _, err := q.Take(ctx, nil); err != context.Canceled {
		t.Errorf("error %v", err)
	}
}

// Many put, one takes with recycled storage: per putter the order is kept and
// nothing lossless is lost; the last of what may be replaced arrives last.
func TestQueueUnderLoad(t *testing.T) {
	const putters, each = 8, 2_000
	q := NewQueue()
	var wg sync.WaitGroup
	for p := range putters {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(p), 0))
			for i := range each {
				if r.IntN(3) == 0 {
					q.Put(&stream.JobProgress{Job: stream.JobID(p), Current: i})
				}
				q.Put(&stream.Message{Job: stream.JobID(p), Text: fmt.Sprint(i)})
			}
			q.Put(&stream.JobProgress{Job: stream.JobID(p), Current: each})
		})
	}
	go func() {
		wg.Wait()
		q.Close()
	}()
	var next, progress [putters]int
	var batch []stream.Event
	for {
		var err error
		if batch, err = q.Take(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		if len(batch) == 0 {
			break
		}
		for _, ev := range batch {
			switch ev := ev.(type) {
			case *stream.Message:
				if ev.Text != fmt.Sprint(next[ev.Job]) {
					t.Fatalf("putter %d: %s came, want %d", ev.Job, ev.Text, next[ev.Job])
				}
				next[ev.Job]++
			case *stream.JobProgress:
				progress[ev.Job] = ev.Current
			}
		}
	}
	for p := range putters {
		if next[p] != each || progress[p] != each {
			t.Errorf("putter %d: %d messages, progress %d", p, next[p], progress[p])
		}
	}
}

func BenchmarkQueue(b *testing.B) {
	q := NewQueue()
	ev := &stream.JobStarted{Job: 1}
	b.ReportAllocs()
	go func() {
		for b.Loop() {
			q.Put(ev)
		}
		q.Close()
	}()
	var batch []stream.Event
	for {
		var err error
		if batch, err = q.Take(context.Background(), batch); err != nil || len(batch) == 0 {
			return
		}
	}
}

// What nobody waits for is gathered; what somebody waits for, much, and the end are
// not.
func TestQueueGathers(t *testing.T) {
	ordinary := &stream.JobStarted{}
	for _, test := range []struct {
		name string
		put  func(q *Queue)
	}{
		{"urgent", func(q *Queue) { q.Put(&stream.State{}) }},
		{"a failure", func(q *Queue) { q.Put(&stream.JobFinished{Failure: &stream.Failure{}}) }},
		{"the end", func(q *Queue) { q.Put(&stream.Finished{}) }},
		{"much", func(q *Queue) {
			for range hurryLength {
				q.Put(ordinary)
			}
		}},
		{"closed", func(q *Queue) { q.Close() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, before := range []bool{true, false} {
				q := NewQueue()
				if before {
					test.put(q)
					q.Gather(nil) // returns at once
					continue
				}
				until, gathered := make(chan time.Time), make(chan struct{})
				go func() {
					defer close(gathered)
					q.Gather(until)
					q.Gather(until)
				}()
				q.Put(ordinary)
				until <- time.Time{} // it waited for this, in spite of what was put
				test.put(q)
				<-gathered
			}
		})
	}
}
