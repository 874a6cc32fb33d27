// Package batched decorates a strategy: it gathers what the backend emits and
// passes it on in larger pieces, so that fewer, larger frames cross and each end
// wakes up less often. It is the transport half of batching; the drawing half,
// a bounded rate of frames, is the frontend's.
//
// It knows nothing of what carries events; which must not wait, package wire
// says. The gathering happens on the backend's side of whatever crosses.
package batched

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"bst/impl/stream"
	"bst/impl/wire"
)

const (
	// Window is how long an event waits for others at most. A terminal is drawn
	// ten times a second, so that nobody sees the difference.
	Window = 20 * time.Millisecond
	// most is how many events are gathered at most: more would gain nothing and
	// keep the other end idle meanwhile.
	most = 1024
)

// WindowVariable names the environment variable that sets another window, as in
// 5ms: for measurements (docs/benchmarks.md).
const WindowVariable = "BST_BATCHING_WINDOW"

// The bounds of WindowVariable.
const (
	leastWindow = 100 * time.Microsecond
	mostWindow  = time.Minute
)

// windowOf is the window that an environment asks for.
func windowOf(environ []string) (time.Duration, error) {
	window := Window
	for _, pair := range environ { // the last one counts
		text, ok := strings.CutPrefix(pair, WindowVariable+"=")
		if !ok || text == "" {
			continue
		}
		var err error
		if window, err = time.ParseDuration(text); err != nil || window < leastWindow || window > mostWindow {
			return 0, &stream.Error{Domain: stream.DomainApp,
				Message: fmt.Sprintf("%s: %q is no window; want a time between %v and %v, as in 5ms", WindowVariable, text, leastWindow, mostWindow)}
		}
	}
	return window, nil
}

// Open decorates a strategy's Open: the backend of a strategy that runs it in
// this process. Of one that starts a process nothing changes here.
func Open(open stream.Open) stream.Open {
	return func(ctx context.Context, host stream.Host) (stream.Stream, error) {
		window, err := windowOf(host.Environ)
		if err != nil {
			return nil, err
		}
		if inner := host.NewBackend; inner != nil {
			host.NewBackend = func() stream.Backend { return Backend(inner(), window) }
		}
		return open(ctx, host)
	}
}

// Serve decorates a strategy's Serve.
func Serve(serve stream.Serve) stream.Serve {
	return func(ctx context.Context, s stream.Served) error {
		window, err := windowOf(os.Environ())
		if err != nil {
			return err
		}
		inner := s.NewBackend
		s.NewBackend = func() stream.Backend { return Backend(inner(), window) }
		return serve(ctx, s)
	}
}

// Backend decorates a backend: what it emits is gathered for a window of time.
func Backend(inner stream.Backend, window time.Duration) stream.Backend {
	return &backend{inner, window}
}

type backend struct {
	stream.Backend
	window time.Duration
}

func (b *backend) Run(ctx context.Context, orders <-chan stream.Order, emit func(...stream.Event)) {
	g := &gatherer{emit: emit, window: b.window}
	// Also when it panics: what it said before that is part of the story.
	defer g.end()
	b.Backend.Run(ctx, orders, g.put)
}

// gatherer holds events back.
type gatherer struct {
	emit   func(...stream.Event)
	window time.Duration

	mu      sync.Mutex // guards what follows, and the order of calls to emit
	waiting []stream.Event
	timer   *time.Timer // set while events wait
}

func (g *gatherer) put(events ...stream.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, events...)
	now := len(g.waiting) >= most
	for _, ev := range events {
		now = now || wire.Urgent(ev)
	}
	switch {
	case now:
		g.flush()
	case g.timer == nil && len(g.waiting) > 0:
		g.timer = time.AfterFunc(g.window, func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.flush()
		})
	}
}

// flush is called with the lock held.
func (g *gatherer) flush() {
	if g.timer != nil {
		g.timer.Stop()
		g.timer = nil
	}
	if len(g.waiting) > 0 {
		g.emit(g.waiting...)
		clear(g.waiting) // what takes events copies the list
		g.waiting = g.waiting[:0]
	}
}

func (g *gatherer) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.flush()
}
