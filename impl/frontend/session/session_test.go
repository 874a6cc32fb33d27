package session

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bst/impl/frontend"
	"bst/impl/stream"
	"bst/impl/term"
)

// scripted is a stream whose backend is a function: it gets the orders and
// emits events.
type scripted struct {
	orders chan stream.Order
	events chan []stream.Event
	err    error // what Recv gives at the end

	mu   sync.Mutex
	sent []string // the orders, by name
}

func (s *scripted) Send(_ context.Context, o stream.Order) error {
	s.mu.Lock()
	s.sent = append(s.sent, orderName(o))
	s.mu.Unlock()
	s.orders <- o
	return nil
}

func (s *scripted) Recv(ctx context.Context) ([]stream.Event, error) {
	select {
	case e, ok := <-s.events:
		if !ok {
			return nil, s.err
		}
		return e, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *scripted) Close() error { return nil }

func orderName(o stream.Order) string {
	switch o := o.(type) {
	case *stream.Build:
		return "build"
	case *stream.Shell:
		return "shell"
	case *stream.Checkout:
		return "checkout"
	case *stream.Continue:
		return "continue"
	case *stream.Hold:
		return "hold"
	case *stream.Quit:
		return "quit"
	case *stream.Terminate:
		return "terminate"
	case *stream.Retry:
		return "retry " + string('0'+rune(o.Job))
	case *stream.StageShell:
		return "stage " + string('0'+rune(o.Job))
	case *stream.ShellDone:
		return "done " + string('0'+rune(o.Status))
	}
	return "other"
}

// backend is the other side of a script.
type backend struct {
	t *testing.T
	s *scripted
}

func (b backend) emit(events ...stream.Event) { b.s.events <- events }

// expect waits for an order.
func (b backend) expect(name string) stream.Order {
	select {
	case o := <-b.s.orders:
		if got := orderName(o); got != name {
			b.t.Errorf("order %s, want %s", got, name)
		}
		return o
	case <-time.After(20 * time.Second):
		b.t.Errorf("no order %s came", name)
		return nil
	}
}

func failed(id stream.JobID, held bool) stream.Event {
	return &stream.JobFinished{Job: id, Action: "Build", Element: "e" + string('0'+rune(id)) + ".bst", Status: stream.JobFailed,
		Failure: &stream.Failure{Error: stream.Error{Message: "it broke"}, Held: held, Shell: true}}
}

var running = &stream.State{State: stream.StateRunning}

func newModel(t *testing.T, o frontend.Options) *frontend.Model {
	t.Helper()
	var err error
	o.MessageFormat, err = frontend.ParseMessageFormat("%{action} %{message}")
	if err == nil {
		o.ElementFormat, err = frontend.ParseElementFormat("%{name}")
	}
	if err != nil {
		t.Fatal(err)
	}
	o.Verbose, o.ErrorLines = true, 20
	return frontend.New(o)
}

// play runs a session against a script.
func play(t *testing.T, o Options, script func(backend)) (Result, []string) {
	t.Helper()
	s := &scripted{orders: make(chan stream.Order, 16), events: make(chan []stream.Event, 16), err: io.EOF}
	b := backend{t, s}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		script(b)
	}()
	if o.Order == nil {
		o.Order = &stream.Build{}
	}
	if o.Model == nil {
		o.Model = newModel(t, frontend.Options{Session: "Build"})
	}
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	o.Interval = time.Millisecond
	result := Run(context.Background(), s, o)
	<-ended
	s.mu.Lock()
	defer s.mu.Unlock()
	return result, s.sent
}

func piped(in string, out, log io.Writer) *term.Console {
	return term.Open(strings.NewReader(in), out, log)
}

func TestPipe(t *testing.T) {
	var out, log, file bytes.Buffer
	stderr := NewStderr()
	result, sent := play(t, Options{
		Console: piped("", &out, &log),
		LogFile: &file,
		Model:   newModel(t, frontend.Options{Session: "Build", Copy: true}),
		Backend: stderr,
	}, func(b backend) {
		b.expect("build")
		io.WriteString(stderr, "said by the backend")
		b.emit(&stream.Started{}, running)
		b.emit(&stream.JobStarted{Job: 1, Action: "Build", Log: "x.log"}, &stream.JobFinished{Job: 1, Action: "Build", Log: "x.log"})
		b.emit(&stream.Finished{})
	})
	if result != (Result{}) {
		t.Errorf("%+v", result)
	}
	if diff := cmp.Diff([]string{"build"}, sent); diff != "" {
		t.Error(diff)
	}
	const lines = "START   Build\nSTART   x.log\nSUCCESS x.log\nSUCCESS Build\n"
	if diff := cmp.Diff(lines, strings.Replace(log.String(), "said by the backend\n", "", 1)); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if !strings.Contains(log.String(), "said by the backend\n") {
		t.Errorf("the backend's words are missing: %q", log.String())
	}
	if diff := cmp.Diff(lines, strings.Replace(file.String(), "said by the backend\n", "", 1)); diff != "" {
		t.Errorf("log file (-want +got):\n%s", diff)
	}
	if out.Len() > 0 {
		t.Errorf("output %q", out.String())
	}
}

// What a session costs is counted: what arrived, and what was written.
func TestTally(t *testing.T) {
	var log bytes.Buffer
	var tally Tally
	began := time.Now()
	play(t, Options{Console: piped("", io.Discard, &log), Tally: &tally}, func(b backend) {
		b.expect("build")
		b.emit(&stream.Started{}, running)
		b.emit(&stream.JobStarted{Job: 1, Action: "Build", Log: "x.log"}, &stream.JobFinished{Job: 1, Action: "Build", Log: "x.log"})
		b.emit(&stream.Finished{})
	})
	if tally.Events != 5 || tally.Bytes != int64(log.Len()) || tally.Bytes == 0 {
		t.Errorf("%d events, %d bytes of %d", tally.Events, tally.Bytes, log.Len())
	}
	if tally.Frames < 1 || tally.Writes < tally.Frames {
		t.Errorf("%d frames, %d writes", tally.Frames, tally.Writes)
	}
	if tally.FirstEvent.Before(began) || tally.FirstDrawn.Before(began) {
		t.Errorf("begun %v, first event %v, first drawn %v", began, tally.FirstEvent, tally.FirstDrawn)
	}
	median, tail, longest := tally.Delay()
	if median <= 0 || tail < median || longest < tail || longest > time.Since(began) {
		t.Errorf("delays %v, %v, %v", median, tail, longest)
	}
	// Nobody asks: nothing is counted, and nothing breaks.
	var none *Tally
	none.arrived(1, began)
	none.drew()
	none.landed(began, term.Written{Writes: 1})
}

// Delays are of events, not of frames: one that came just before a frame waited
// for less than one that came just after the frame before.
func TestTallyDelays(t *testing.T) {
	var tally Tally
	if m, tail, l := tally.Delay(); m != 0 || tail != 0 || l != 0 {
		t.Errorf("of nothing: %v, %v, %v", m, tail, l)
	}
	at := func(ms int) time.Time { return time.UnixMilli(int64(ms)) }
	written := term.Written{Writes: 1}
	for i := range 60 {
		tally.arrived(1, at(i))
	}
	tally.drew()
	tally.arrived(39, at(95)) // while the frame is on its way
	tally.landed(at(100), written)
	tally.drew()
	tally.landed(at(110), term.Written{}) // nothing to be seen changed
	tally.arrived(39, at(150))
	tally.drew()
	tally.landed(at(160), written)
	tally.arrived(1, at(200))
	tally.drew()
	tally.landed(at(5200), written)
	median, tail, longest := tally.Delay()
	want := []time.Duration{52 * time.Millisecond, 101 * time.Millisecond, 5 * time.Second}
	if diff := cmp.Diff(want, []time.Duration{median, tail, longest}); diff != "" {
		t.Error(diff)
	}
	for i := range 10_000 {
		tally.arrived(1, at(6000+i))
	}
	if n := len(tally.waiting); n > 3000 {
		t.Errorf("%d arrivals are kept", n)
	}
}

func TestBackendLost(t *testing.T) {
	var log bytes.Buffer
	result, _ := play(t, Options{Console: piped("", io.Discard, &log)}, func(b backend) {
		b.expect("build")
		b.s.err = &stream.LostError{Strategy: "pipe", Status: "signal: killed", Stderr: "bst backend: oh\n\tno\n"}
		b.emit(&stream.Started{}, running)
		close(b.s.events)
	})
	if result.Status != 255 || !result.Lost || result.Error == nil {
		t.Errorf("%+v", result)
	}
	want := "START   Build\n\nthe backend (strategy pipe) went away: signal: killed\n\n    bst backend: oh\n    \tno\n"
	if diff := cmp.Diff(want, log.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

// TestNobodyReads: the work is ended, not left running for nobody.
func TestNobodyReads(t *testing.T) {
	for _, test := range []struct {
		err    error
		status int
	}{{syscall.EPIPE, 1}, {errors.New("disk full"), 255}} {
		result, sent := play(t, Options{Console: piped("", io.Discard, brokenWriter{test.err})}, func(b backend) {
			b.expect("build")
			b.emit(&stream.Started{}, running)
			b.expect("terminate")
			b.emit(&stream.Finished{Terminated: true, Error: &stream.Error{Domain: stream.DomainStream}})
		})
		if result.Status != test.status {
			t.Errorf("%v: status %d, want %d", test.err, result.Status, test.status)
		}
		if diff := cmp.Diff([]string{"build", "terminate"}, sent); diff != "" {
			t.Error(diff)
		}
	}
}

func TestTarToStdout(t *testing.T) {
	tar := filepath.Join(t.TempDir(), "artifact.tar")
	if err := os.WriteFile(tar, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	result, _ := play(t, Options{
		Console: piped("", &out, io.Discard),
		Order:   &stream.Checkout{TarToStdout: true, Tar: tar},
		Model:   newModel(t, frontend.Options{}),
	}, func(b backend) {
		b.expect("checkout")
		b.emit(&stream.CheckoutDone{Tar: tar}, &stream.Finished{})
	})
	if result.Status != 0 || out.String() != "content" {
		t.Errorf("%+v, output %q", result, out.String())
	}
	if _, err := os.Stat(tar); !os.IsNotExist(err) {
		t.Errorf("the tarball was not removed: %v", err)
	}
}

func TestSignals(t *testing.T) {
	end := &stream.Finished{Terminated: true, Error: &stream.Error{Domain: stream.DomainStream}}
	for _, test := range []struct {
		name        string
		interactive bool
		input       string
		script      func(b backend, signals chan<- term.Signal)
		sent        []string
		status      int
	}{
		{"interrupt, not interactive", false, "", func(b backend, signals chan<- term.Signal) {
			b.emit(running)
			time.Sleep(20 * time.Millisecond)
			signals <- term.Interrupt
			b.expect("terminate")
			b.emit(end)
		}, []string{"build", "terminate"}, 255},
		{"interrupt while loading", true, "", func(b backend, signals chan<- term.Signal) {
			signals <- term.Interrupt
			b.expect("terminate")
			b.emit(end)
		}, []string{"build", "terminate"}, 1},
		{"interrupt and continue", true, "c\n", func(b backend, signals chan<- term.Signal) {
			b.emit(running)
			time.Sleep(20 * time.Millisecond)
			signals <- term.Interrupt
			b.expect("hold")
			b.expect("continue")
			b.emit(&stream.Finished{})
		}, []string{"build", "hold", "continue"}, 0},
		{"interrupt and quit", true, "nonsense\nq\n", func(b backend, signals chan<- term.Signal) {
			b.emit(running)
			time.Sleep(20 * time.Millisecond)
			signals <- term.Interrupt
			b.expect("hold")
			b.expect("quit")
			b.emit(&stream.Finished{})
		}, []string{"build", "hold", "quit"}, 0},
		{"interrupt without an answer", true, "", func(b backend, signals chan<- term.Signal) {
			b.emit(running)
			time.Sleep(20 * time.Millisecond)
			signals <- term.Interrupt
			b.expect("hold")
			b.expect("terminate")
			b.emit(end)
		}, []string{"build", "hold", "terminate"}, 255},
		{"terminated", true, "", func(b backend, signals chan<- term.Signal) {
			b.emit(running)
			signals <- term.Terminate
			b.expect("terminate")
			b.emit(end)
		}, []string{"build", "terminate"}, 255},
	} {
		t.Run(test.name, func(t *testing.T) {
			signals := make(chan term.Signal, 4)
			result, sent := play(t, Options{
				Console:     piped(test.input, io.Discard, io.Discard),
				Interactive: test.interactive,
				Signals:     signals,
			}, func(b backend) {
				b.expect("build")
				test.script(b, signals)
			})
			if result.Status != test.status {
				t.Errorf("status %d, want %d", result.Status, test.status)
			}
			if diff := cmp.Diff(test.sent, sent); diff != "" {
				t.Errorf("orders (-want +got):\n%s", diff)
			}
		})
	}
}

// TestImpatience: ^C while jobs are being terminated gives up on the backend.
func TestImpatience(t *testing.T) {
	signals := make(chan term.Signal, 4)
	var log bytes.Buffer
	result, _ := play(t, Options{Console: piped("", io.Discard, &log), Signals: signals}, func(b backend) {
		b.expect("build")
		b.emit(running)
		signals <- term.Interrupt
		b.expect("terminate")
		signals <- term.Interrupt
	})
	if result.Status != 255 || !strings.Contains(log.String(), "Interrupted while jobs were being terminated") {
		t.Errorf("%+v, %q", result, log.String())
	}
}

// TestFailuresNotInteractive: a session that nobody can be asked about is not
// left held.
func TestFailuresNotInteractive(t *testing.T) {
	_, sent := play(t, Options{Console: piped("", io.Discard, io.Discard)}, func(b backend) {
		b.expect("build")
		b.emit(running, failed(1, true))
		b.expect("continue")
		b.emit(&stream.Finished{})
	})
	if diff := cmp.Diff([]string{"build", "continue"}, sent); diff != "" {
		t.Error(diff)
	}
}

// writes counts the writes that it gets.
type writes struct{ n int }

func (w *writes) Write(p []byte) (int, error) {
	w.n++
	return len(p), nil
}

// TestPerEvent: drawing on every event writes at least once for each line, frames
// do not.
func TestPerEvent(t *testing.T) {
	const n = 50
	for _, perEvent := range []bool{false, true} {
		var log writes
		result, _ := play(t, Options{Console: piped("", io.Discard, &log), PerEvent: perEvent}, func(b backend) {
			b.expect("build")
			events := []stream.Event{&stream.Started{}, running}
			for range n {
				events = append(events, &stream.Message{Type: stream.TypeInfo, Text: "line"})
			}
			b.emit(append(events, &stream.Finished{})...)
		})
		if result.Status != 0 || perEvent != (log.n >= n) {
			t.Errorf("per event: %v: %d writes of %d lines, %+v", perEvent, log.n, n, result)
		}
	}
}
