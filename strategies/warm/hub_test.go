package warm

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

// player is a backend that plays a script.
type player func(ctx context.Context, orders <-chan stream.Order, emit func(...stream.Event))

func (p player) Run(ctx context.Context, orders <-chan stream.Order, emit func(...stream.Event)) {
	<-orders
	emit(&stream.Started{})
	p(ctx, orders, emit)
}

// teller says what it is told, and ends when it is told to, or left.
func teller(_ context.Context, orders <-chan stream.Order, emit func(...stream.Event)) {
	for o := range orders {
		switch o := o.(type) {
		case *stream.Retry:
			emit(&stream.Message{Text: fmt.Sprint("retry ", o.Job)})
		case *stream.Hold:
			emit(&stream.State{State: stream.StateHeld})
		case *stream.Suspend:
			emit(&stream.State{State: stream.StateSuspended})
		case *stream.StageShell:
			emit(&stream.ShellReady{Shell: int(o.Job), Job: o.Job})
		case *stream.Quit:
			emit(&stream.Message{Text: "quits"}, &stream.Finished{})
			return
		default:
			emit(&stream.Message{Text: fmt.Sprintf("%T %+v", o, o)})
		}
	}
	emit(&stream.Message{Text: "left"})
}

// seat is a frontend's end of a connection to a hub.
type seat struct {
	orders chan stream.Order
	gone   chan struct{} // closed when the backend has returned
	panic  any

	mu   sync.Mutex
	said []string
}

func sit(h *hub) *seat {
	s := &seat{orders: make(chan stream.Order), gone: make(chan struct{})}
	go func() {
		defer close(s.gone)
		defer func() { s.panic = recover() }()
		h.backend().Run(context.Background(), s.orders, func(events ...stream.Event) {
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, ev := range events {
				switch ev := ev.(type) {
				case *stream.Message:
					s.said = append(s.said, ev.Text)
				case *stream.Started:
					s.said = append(s.said, "started "+ev.ID)
				case *stream.Finished:
					s.said = append(s.said, "finished")
				default:
					s.said = append(s.said, strings.TrimPrefix(fmt.Sprintf("%T", ev), "*stream."))
				}
			}
		})
	}()
	return s
}

// take gives what was said since the last call, once nothing more is being said.
func (s *seat) take() []string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	said := s.said
	s.said = nil
	return said
}

func want(t *testing.T, s *seat, said ...string) {
	t.Helper()
	if diff := cmp.Diff(said, s.take()); diff != "" {
		t.Errorf("what was said (-want +got):\n%s", diff)
	}
}

func build(onError stream.OnError) *stream.Build {
	return &stream.Build{Session: stream.Session{Settings: stream.Settings{OnError: onError}}}
}

func bubble(t *testing.T, p player, f func(t *testing.T, h *hub)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f(t, newHub("abcd", func() stream.Backend { return p }))
	})
}

// A session ends with its last frontend, unless that said that it would go.
func TestLeaving(t *testing.T) {
	bubble(t, teller, func(t *testing.T, h *hub) {
		a, b := sit(h), sit(h)
		a.orders <- build("")
		want(t, a, "started abcd-1")
		a.orders <- &stream.Retry{Job: 1}
		want(t, a, "retry 1")
		b.orders <- &stream.Attach{ID: "abcd-1"}
		want(t, b, "started abcd-1", "retry 1")
		b.orders <- &stream.Retry{Job: 2}
		want(t, a, "retry 2")
		want(t, b, "retry 2")
		close(a.orders)
		<-a.gone
		b.orders <- &stream.Retry{Job: 3}
		want(t, b, "retry 3")
		close(b.orders)
		<-b.gone
		if h.busy() || remembered(h) {
			t.Error("the session goes on")
		}
	})
}

func TestDetached(t *testing.T) {
	bubble(t, teller, func(t *testing.T, h *hub) {
		a := sit(h)
		a.orders <- build("")
		want(t, a, "started abcd-1")
		a.orders <- &stream.Detach{}
		want(t, a, "Detached")
		close(a.orders)
		<-a.gone
		if !h.busy() {
			t.Fatal("the session went with its frontend")
		}
		list := sit(h)
		list.orders <- &stream.Sessions{}
		want(t, list, "started ", "SessionShown", "finished")
		// Nobody's absence ends it any more.
		for range 2 {
			b := sit(h)
			b.orders <- &stream.Attach{ID: "abcd-1"}
			b.orders <- &stream.Retry{Job: 1}
			synctest.Wait()
			close(b.orders)
			<-b.gone
		}
		// Its end is told to who comes late, once.
		c := sit(h)
		c.orders <- &stream.Attach{ID: "abcd-1"}
		c.orders <- &stream.Detach{}
		want(t, c, "started abcd-1", "retry 1", "retry 1", "Detached")
		h.find("abcd-1").send(&stream.Quit{})
		synctest.Wait()
		if h.busy() {
			t.Error("it has not ended")
		}
		d := sit(h)
		d.orders <- &stream.Attach{ID: "abcd-1"}
		want(t, d, "started abcd-1", "retry 1", "retry 1", "quits", "finished")
		d.orders <- &stream.Detach{}
		<-d.gone
		e := sit(h)
		e.orders <- &stream.Attach{ID: "abcd-1"}
		want(t, e, "started ", "finished")
		close(c.orders)
		<-c.gone
	})
}

func remembered(h *hub) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.sessions) > 0
}

// slow ends a while after its last event. What it does then is up to the test.
func slow(last func()) player {
	return func(_ context.Context, orders <-chan stream.Order, emit func(...stream.Event)) {
		<-orders
		emit(&stream.Finished{})
		last()
	}
}

// Whoever has got the last event may be gone, and come back, before the backend has
// ended: the session is over all the same.
func TestToldBeforeTheBackendHasEnded(t *testing.T) {
	for name, crash := range map[string]bool{"ends": false, "panics": true} {
		t.Run(name, func(t *testing.T) {
			var end chan struct{}
			bubble(t, slow(func() {
				<-end
				if crash {
					panic("oh")
				}
			}), func(t *testing.T, h *hub) {
				end = make(chan struct{})
				a := sit(h)
				a.orders <- build("")
				want(t, a, "started abcd-1")
				a.orders <- &stream.Detach{}
				want(t, a, "Detached")
				b, c := sit(h), sit(h)
				b.orders <- &stream.Attach{ID: "abcd-1"}
				c.orders <- &stream.Attach{ID: "abcd-1"}
				c.orders <- &stream.Quit{}
				want(t, b, "started abcd-1", "finished")
				want(t, c, "started abcd-1", "finished")
				b.orders <- &stream.Detach{} // it has heard
				close(b.orders)
				close(c.orders)
				<-b.gone
				<-c.gone
				nobody := func() {
					t.Helper()
					list, late := sit(h), sit(h)
					list.orders <- &stream.Sessions{}
					want(t, list, "started ", "finished")
					late.orders <- &stream.Attach{ID: "abcd-1"}
					want(t, late, "started ", "finished")
				}
				nobody()
				close(end)
				synctest.Wait()
				nobody()
				if remembered(h) {
					t.Error("the session is remembered")
				}
				close(a.orders)
				<-a.gone
			})
		})
	}
}

// How a session that was left has ended is told until somebody has heard it: a
// frontend that is killed with the last event on its way has not. This holds while
// the backend still ends, and afterwards.
func TestTheEndIsToldUntilItIsHeard(t *testing.T) {
	for _, late := range []bool{false, true} {
		t.Run(fmt.Sprint(late), func(t *testing.T) {
			var end chan struct{}
			bubble(t, slow(func() { <-end }), func(t *testing.T, h *hub) {
				end = make(chan struct{})
				a := sit(h)
				a.orders <- build("")
				want(t, a, "started abcd-1")
				a.orders <- &stream.Detach{}
				want(t, a, "Detached")
				close(a.orders)
				<-a.gone
				attached := sit(h)
				attached.orders <- &stream.Attach{ID: "abcd-1"}
				want(t, attached, "started abcd-1")
				attached.orders <- &stream.Quit{}
				want(t, attached, "finished")
				if late {
					close(end)
					synctest.Wait()
				}
				close(attached.orders) // without a word
				<-attached.gone
				b := sit(h)
				b.orders <- &stream.Attach{ID: "abcd-1"}
				want(t, b, "started abcd-1", "finished")
				close(b.orders)
				<-b.gone
				c := sit(h)
				c.orders <- &stream.Attach{ID: "abcd-1"}
				want(t, c, "started abcd-1", "finished")
				c.orders <- &stream.Detach{}
				close(c.orders)
				<-c.gone
				d := sit(h)
				d.orders <- &stream.Attach{ID: "abcd-1"}
				want(t, d, "started ", "finished")
				if !late {
					close(end)
					synctest.Wait()
				}
				if remembered(h) {
					t.Error("the session is remembered")
				}
			})
		})
	}
}

// Nobody finds a session whose frontend has been let go.
func TestForgottenBeforeTheFrontendGoes(t *testing.T) {
	for range 50 {
		bubble(t, slow(func() {}), func(t *testing.T, h *hub) {
			a := sit(h)
			a.orders <- build("")
			a.orders <- &stream.Quit{}
			close(a.orders)
			<-a.gone
			if h.find("abcd-1") != nil {
				t.Error("the session is found")
			}
		})
	}
}

// What would wait for a person does not, while nobody is there.
func TestUnattended(t *testing.T) {
	for onError, said := range map[stream.OnError]string{
		stream.OnErrorContinue: "*stream.Continue &{Answered:[]}", stream.OnErrorTerminate: "*stream.Terminate &{}",
	} {
		bubble(t, teller, func(t *testing.T, h *hub) {
			a := sit(h)
			a.orders <- build(onError)
			a.orders <- &stream.Hold{}
			want(t, a, "started abcd-1", "State") // somebody is there
			a.orders <- &stream.Detach{}
			want(t, a, "Detached")
			b := sit(h)
			b.orders <- &stream.Attach{ID: "abcd-1"}
			want(t, b, "started abcd-1", said, "State")
			b.orders <- &stream.Suspend{}
			want(t, b, "State")
			b.orders <- &stream.Detach{}
			synctest.Wait()
			c := sit(h)
			c.orders <- &stream.Attach{ID: "abcd-1"}
			want(t, c, "started abcd-1", said, "*stream.Resume &{}", "State")
			c.orders <- &stream.Quit{}
			close(c.orders)
			<-c.gone
			close(a.orders)
			close(b.orders)
			<-a.gone
			<-b.gone
		})
	}
}

// A shell is for the terminal of whoever asked for it, and ends with it.
func TestShellsAreTheirAskers(t *testing.T) {
	bubble(t, teller, func(t *testing.T, h *hub) {
		a, b := sit(h), sit(h)
		a.orders <- build("")
		synctest.Wait()
		b.orders <- &stream.Attach{ID: "abcd-1"}
		b.orders <- &stream.StageShell{Job: 7}
		want(t, a, "started abcd-1")
		want(t, b, "started abcd-1", "ShellReady")
		close(b.orders)
		<-b.gone
		want(t, a, "*stream.ShellDone &{Shell:7 Status:1}")
		close(a.orders)
		<-a.gone
	})
}

func TestPanicIsTold(t *testing.T) {
	bubble(t, func(context.Context, <-chan stream.Order, func(...stream.Event)) { panic("oh") }, func(t *testing.T, h *hub) {
		var told any
		h.crashed = func(value any, _ []byte) { told = value }
		a := sit(h)
		a.orders <- build("")
		<-a.gone
		if told != "oh" || !strings.Contains(fmt.Sprint(a.panic), "oh") {
			t.Errorf("the process was told %v, the frontend %v", told, a.panic)
		}
	})
}

// Commands that need their own frontend cannot be left.
func TestNotEverythingCanBeLeft(t *testing.T) {
	bubble(t, teller, func(t *testing.T, h *hub) {
		a := sit(h)
		a.orders <- &stream.Shell{}
		a.orders <- &stream.Detach{}
		want(t, a, "started ")
		close(a.orders)
		<-a.gone
		if h.busy() {
			t.Error("the session goes on")
		}
	})
}

// However long a session lasts, what a late frontend gets is bounded, and tells of
// all that runs and has failed.
func TestRecordIsBounded(t *testing.T) {
	r := newRecord()
	r.add(&stream.Queue{Action: "Build"})
	r.add(&stream.JobStarted{Job: 1, Element: "long.bst"})
	r.add(&stream.JobStarted{Job: 2, Element: "bad.bst"})
	r.add(&stream.JobFinished{Job: 2, Element: "bad.bst", Status: stream.JobFailed, Failure: &stream.Failure{Held: true}})
	detail := strings.Repeat("x", 1000)
	for i := range 20_000 {
		job := stream.JobID(i + 10)
		r.add(&stream.JobStarted{Job: job, Element: "e.bst"})
		r.add(&stream.JobProgress{Job: job, Current: i})
		r.add(&stream.Message{Text: "staging", Detail: detail, Job: job})
		r.add(&stream.JobFinished{Job: job, Element: "e.bst"})
		r.add(&stream.Counts{Action: "Build", Processed: i + 1})
	}
	events := r.events(false)
	if len(events) > maxLines+10 || r.bytes > maxBytes {
		t.Errorf("%d events, and %d bytes of log", len(events), r.bytes)
	}
	var running, failed, cut, counts, bytes int
	for _, ev := range events {
		switch ev := ev.(type) {
		case *stream.JobStarted:
			if ev.Job == 1 {
				running++
			}
		case *stream.JobFinished:
			if ev.Job == 2 {
				failed++
				if ev.Failure.Held {
					t.Error("a failure that was answered is asked about again")
				}
			}
		case *stream.Counts:
			counts = ev.Processed
		case *stream.Message:
			bytes += len(ev.Detail)
			if ev.Type == stream.TypeInfo {
				cut++
			}
		}
	}
	if diff := cmp.Diff([]int{1, 1, 1, 20_000}, []int{running, failed, cut, counts}); diff != "" {
		t.Errorf("running, failed, cut, counts (-want +got):\n%s", diff)
	}
	held := r.events(true)
	if f := held[2].(*stream.JobFinished); !f.Failure.Held {
		t.Error("a failure that is held for is not asked about")
	}
}
