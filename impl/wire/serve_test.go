package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

// backend is a stream.Backend made of a function.
type backend func(ctx context.Context, orders <-chan stream.Order, emit func(...stream.Event))

func (b backend) Run(ctx context.Context, orders <-chan stream.Order, emit func(...stream.Event)) {
	b(ctx, orders, emit)
}

// patience bounds what a broken test waits for; nothing waits that long in a
// test that passes.
const patience = 30 * time.Second

func pipeOf(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// connect serves a backend over pipes and dials it. served gives Serve's result.
func connect(t *testing.T, b stream.Backend, trace io.Writer) (c *Client, served <-chan error) {
	t.Helper()
	orderR, orderW := pipeOf(t)
	eventR, eventW := pipeOf(t)
	result := make(chan error, 1)
	go func() {
		err := serve(context.Background(), orderR, eventW, b, 50*time.Millisecond, 50*time.Millisecond)
		eventW.Close()
		result <- err
	}()
	return Dial(eventR, orderW, trace), result
}

func within[T any](t *testing.T, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatal("in vain: " + what)
	}
	return v
}

func TestASessionIsTraced(t *testing.T) {
	var trace bytes.Buffer
	c, served := connect(t, backend(func(_ context.Context, orders <-chan stream.Order, emit func(...stream.Event)) {
		o := (<-orders).(*stream.Show)
		emit(&stream.Started{Version: o.Targets[0]}, &stream.Finished{})
		for range orders {
		}
	}), &trace)
	if err := c.Send(t.Context(), &stream.Show{Targets: []string{"a.bst"}}); err != nil {
		t.Fatal(err)
	}
	var got []stream.Event
	for {
		events, err := c.Recv(t.Context())
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		got = append(got, events...)
	}
	if diff := cmp.Diff([]stream.Event{&stream.Started{Version: "a.bst"}, &stream.Finished{}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	c.HangUp()
	if err := within(t, "Serve's end", served); err != nil {
		t.Error(err)
	}
	within(t, "the reader's end", c.Done())
	var lines []string
	for _, line := range strings.Split(strings.TrimSpace(trace.String()), "\n") {
		var l struct {
			Way, Type string
			Bytes     int
			Value     any
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if l.Bytes < 2 || l.Value == nil {
			t.Errorf("%q lacks something", line)
		}
		lines = append(lines, l.Way+" "+l.Type)
	}
	if diff := cmp.Diff([]string{"order Show", "event Started", "event Finished"}, lines); diff != "" {
		t.Errorf("trace (-want +got):\n%s", diff)
	}
}

func TestOpenTrace(t *testing.T) {
	if f, err := OpenTrace([]string{"PATH=/bin", TraceVariable + "="}); f != nil || err != nil {
		t.Errorf("%v, %v", f, err)
	}
	path := filepath.Join(t.TempDir(), "trace")
	f, err := OpenTrace([]string{TraceVariable + "=/nonexistent/x", TraceVariable + "=" + path})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	var serr *stream.Error
	if _, err := OpenTrace([]string{TraceVariable + "=" + path + "/x"}); !errors.As(err, &serr) {
		t.Errorf("error %v", err)
	}
}

// What is no backend is recognised by its first bytes.
func TestDialFindsNoBackend(t *testing.T) {
	for _, says := range []string{"", "Usage: bst [OPTIONS]\n", "\x00"} {
		inR, inW := pipeOf(t)
		_, outW := pipeOf(t)
		if _, err := inW.WriteString(says); err != nil {
			t.Fatal(err)
		}
		inW.Close()
		c := Dial(inR, outW, nil)
		if _, err := c.Recv(t.Context()); err != ErrGone {
			t.Errorf("%q: error %v", says, err)
		}
		if c.Err() == nil {
			t.Errorf("%q: no reason is given", says)
		}
	}
}

// Serve refuses what is no frontend, and never starts the backend for it.
func TestServeRefusesStrangers(t *testing.T) {
	never := backend(func(context.Context, <-chan stream.Order, func(...stream.Event)) { t.Error("the backend was started") })
	other := own()
	other.schema = "0000"
	for name, says := range map[string]string{
		"text": "GET / HTTP/1.1\r\n", "another build": string(frameOf(t, other.encode())),
	} {
		if err := Serve(t.Context(), strings.NewReader(says), io.Discard, never); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if err := Serve(t.Context(), strings.NewReader(""), io.Discard, never); err != nil {
		t.Errorf("a frontend that went away at once: %v", err)
	}
}

// What follows the hello and is no order closes the orders.
func TestServeFacesNonsense(t *testing.T) {
	hello := frameOf(t, own().encode())
	var event bytes.Buffer
	if err := appendTo(testTables(t), &event, &stream.Queue{}); err != nil {
		t.Fatal(err)
	}
	for name, then := range map[string][]byte{
		"an event":      frameOf(t, event.Bytes()),
		"no number":     frameOf(t, []byte{63, 0xf6}),
		"half a frame":  {0, 0},
		"no CBOR":       frameOf(t, []byte{1, 0xff, 0xff}),
		"deep nesting":  frameOf(t, append([]byte{1}, bytes.Repeat([]byte{0x81}, 1000)...)),
		"a large frame": {0xff, 0xff, 0xff, 0xff},
	} {
		closed := false
		err := Serve(t.Context(), bytes.NewReader(append(bytes.Clone(hello), then...)), io.Discard,
			backend(func(_ context.Context, orders <-chan stream.Order, emit func(...stream.Event)) {
				for range orders {
				}
				closed = true
			}))
		if err == nil || !closed {
			t.Errorf("%s: error %v, orders closed %v", name, err, closed)
		}
	}
}

// A backend that does not obey the closing of its orders has its context
// cancelled, and one that ignores that too is abandoned.
func TestServeIsBounded(t *testing.T) {
	cancelled := make(chan struct{})
	c, served := connect(t, backend(func(ctx context.Context, orders <-chan stream.Order, emit func(...stream.Event)) {
		emit(&stream.Started{})
		<-ctx.Done()
		close(cancelled)
		<-t.Context().Done()
	}), nil)
	if _, err := c.Recv(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.HangUp()
	within(t, "the context's end", cancelled)
	if err := within(t, "Serve's end", served); err == nil {
		t.Error("Serve does not say that it abandoned its backend")
	}
}

// A frontend that stopped reading, and then goes away, does not hold the
// backend's process.
func TestServeDoesNotWaitForAFrontendThatIsGone(t *testing.T) {
	c, served := connect(t, backend(func(_ context.Context, orders <-chan stream.Order, emit func(...stream.Event)) {
		for range 10_000 {
			emit(&stream.Message{Text: strings.Repeat("x", 100)})
		}
		for range orders {
		}
	}), nil)
	if _, err := c.Recv(t.Context()); err != nil { // and nothing more
		t.Fatal(err)
	}
	c.HangUp()
	if err := within(t, "Serve's end", served); err == nil {
		t.Error("Serve wrote all of it to nobody")
	}
	c.Discard()
	within(t, "the reader's end", c.Done())
}

func TestServeTellsAPanic(t *testing.T) {
	c, served := connect(t, backend(func(context.Context, <-chan stream.Order, func(...stream.Event)) { panic("oh no") }), nil)
	var crash *PanicError
	if err := within(t, "Serve's end", served); !errors.As(err, &crash) || !strings.Contains(crash.Stack, "serve_test.go") {
		t.Errorf("error %v", err)
	}
	if _, err := c.Recv(t.Context()); err != ErrGone {
		t.Errorf("error %v", err)
	}
}

// One frame per batch: what is emitted together crosses together.
func TestWhatIsQueuedCrossesInOneFrame(t *testing.T) {
	c, served := connect(t, backend(func(_ context.Context, _ <-chan stream.Order, emit func(...stream.Event)) {
		var all []stream.Event
		for range 100 {
			all = append(all, &stream.Queue{Action: "Build"})
		}
		emit(append(all, &stream.Finished{})...)
	}), nil)
	events, err := c.Recv(t.Context())
	if err != nil || len(events) != 101 {
		t.Errorf("%d events, error %v", len(events), err)
	}
	if err := within(t, "Serve's end", served); err != nil {
		t.Error(err)
	}
}

// frames notes when frames are written, in milliseconds of its clock.
type frames struct {
	start time.Time
	at    []int
}

func (f *frames) Write(p []byte) (int, error) {
	f.at = append(f.at, int(time.Since(f.start).Milliseconds()))
	return len(p), nil
}

// The first event goes at once, those that follow closely go together, and what
// somebody waits for takes them along.
func TestFramesArePaced(t *testing.T) {
	ordinary, urgent := &stream.JobStarted{}, &stream.State{}
	const rest = int(watchedPace / time.Millisecond)
	const long = int(unwatchedPace / time.Millisecond)
	watched := &stream.Build{Session: stream.Session{Settings: stream.Settings{Term: "xterm"}}}
	for _, test := range []struct {
		name string
		// order is what came before.
		order stream.Order
		// emit is an event each, at a time in milliseconds.
		emit map[int]stream.Event
		want []int
	}{
		{"alone", watched, map[int]stream.Event{3: ordinary}, []int{3}},
		{"far apart", watched, map[int]stream.Event{0: ordinary, 50: ordinary, 100: ordinary}, []int{0, 50, 100}},
		{"a burst", watched, map[int]stream.Event{0: ordinary, 1: ordinary, 2: ordinary, 9: ordinary, rest + 2: ordinary, 200: ordinary}, []int{0, rest, 2 * rest, 200}},
		{"urgent", watched, map[int]stream.Event{0: ordinary, 1: ordinary, 2: urgent, 3: ordinary, 4: urgent}, []int{0, 2, 4}},
		{"urgent ones at first", watched, map[int]stream.Event{0: urgent, 1: urgent, 2: ordinary}, []int{0, 1, 1 + rest}},
		{"a burst that nobody looks at", &stream.Build{}, map[int]stream.Event{0: ordinary, 1: ordinary, long - 1: ordinary, long + 1: ordinary}, []int{0, long, 2 * long}},
		{"what nobody looks at, and somebody waits for", &stream.Build{}, map[int]stream.Event{0: ordinary, 1: ordinary, 2: urgent}, []int{0, 2}},
		{"the end", watched, map[int]stream.Event{0: ordinary, 1: ordinary, 2: &stream.Finished{}}, []int{0, 2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, out := NewQueue(), &frames{start: time.Now()}
				go func() {
					for at := range 300 {
						if ev := test.emit[at]; ev != nil {
							q.Put(ev)
						}
						time.Sleep(time.Millisecond)
					}
					q.Close()
				}()
				var pace pacing
				pace.of(test.order)
				pace.of(&stream.Quit{}) // is no work
				if err := testTables(t).report(q, &pace, out); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, out.at); diff != "" {
					t.Errorf("frames at (-want +got):\n%s", diff)
				}
			})
		})
	}
}
