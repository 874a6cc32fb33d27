package wire

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"bst/impl/stream"
)

// How long a backend may take to end after its orders were closed. It needs
// time to stop sandboxes and to give up half-written objects; a terminal whose
// user pressed a key needs an end.
const (
	// Grace is how long it may take on its own.
	Grace = 15 * time.Second
	// GraceCancelled is how long it may take after that, with its context
	// cancelled, before it is abandoned.
	GraceCancelled = 3 * time.Second
)

// maxOrders bounds the orders that wait for a backend. They come from a person's
// keys, one at a time; beyond it Send waits.
const maxOrders = 64

// Local is a session with a backend that runs in this process: the inprocess
// strategy whole, and the half of Serve that lies behind the codec. It is a
// stream.Stream.
type Local struct {
	name   string
	queue  *Queue
	grace  time.Duration
	orders chan stream.Order // from Send to the pump
	hung   chan struct{}     // closed when the frontend is gone
	ended  chan struct{}     // closed when Run has returned
	cancel context.CancelFunc
	hangUp sync.Once

	// crash is set before ended is closed, where Run panicked.
	crash *PanicError
	// finished is Recv's alone: Finished was handed out.
	finished bool
	trace    *tracer // nil where nobody asked for one
}

// PanicError says that a backend panicked.
type PanicError struct {
	Value string
	Stack string
}

func (e *PanicError) Error() string { return "panic: " + e.Value }

// Start runs a backend in a goroutine. The name is the strategy's, for
// LostError. When ctx ends, the session hangs up as Close does, but waits for
// nothing; the backend's own context ends only Grace after that. A trace, where
// given, gets every order and event as a line of JSON (trace.go).
func Start(ctx context.Context, name string, backend stream.Backend, trace io.Writer) *Local {
	l := start(ctx, name, backend, Grace)
	if trace != nil {
		l.trace = &tracer{to: trace}
	}
	return l
}

func start(ctx context.Context, name string, backend stream.Backend, grace time.Duration) *Local {
	runCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l := &Local{
		name:   name,
		queue:  NewQueue(),
		grace:  grace,
		orders: make(chan stream.Order, maxOrders),
		hung:   make(chan struct{}),
		ended:  make(chan struct{}),
		cancel: cancel,
	}
	obeyed := make(chan stream.Order)
	go l.pump(obeyed)
	go l.run(runCtx, backend, obeyed)
	stop := context.AfterFunc(ctx, l.HangUp)
	context.AfterFunc(runCtx, func() { stop() })
	return l
}

func (l *Local) run(ctx context.Context, backend stream.Backend, obeyed <-chan stream.Order) {
	defer func() {
		if v := recover(); v != nil {
			l.crash = &PanicError{Value: fmt.Sprint(v), Stack: string(debug.Stack())}
		}
		close(l.ended)
		l.queue.Close()
		l.cancel()
	}()
	backend.Run(ctx, obeyed, l.queue.Put)
}

// pump hands orders on and owns the closing of the backend's channel. Orders
// that still wait when the frontend is gone are dropped: closing overrules them.
func (l *Local) pump(obeyed chan<- stream.Order) {
	defer close(obeyed)
	for {
		select {
		case o := <-l.orders:
			select {
			case obeyed <- o:
			case <-l.hung:
				return
			case <-l.ended:
				return
			}
		case <-l.hung:
			return
		case <-l.ended:
			return
		}
	}
}

// Send queues an order. After the session's end it returns a *LostError.
func (l *Local) Send(ctx context.Context, o stream.Order) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-l.ended:
		return l.lost(errEnded)
	case <-l.hung:
		return l.lost(errClosed)
	default:
	}
	l.trace.order(o, 0) // before the backend may change it
	select {
	case l.orders <- o:
		return nil
	case <-l.ended:
		return l.lost(errEnded)
	case <-l.hung:
		return l.lost(errClosed)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take queues an order for Serve. A backend that obeys takes its orders at once.
// While one does not, the frontend's end goes unseen: so this wait has an end.
func (l *Local) take(o stream.Order) error {
	slow := time.NewTimer(l.grace)
	defer slow.Stop()
	select {
	case l.orders <- o:
		return nil
	case <-l.ended:
		return errEnded
	case <-slow.C:
		return fmt.Errorf("the backend took no order for %v", l.grace)
	}
}

// Recv returns the events that are queued, at least one.
func (l *Local) Recv(ctx context.Context) ([]stream.Event, error) {
	if l.finished {
		return nil, io.EOF
	}
	events, err := l.queue.Take(ctx, nil)
	if err != nil {
		return nil, err
	}
	if len(events) == 0 {
		return nil, l.lost(errNotFinished)
	}
	for _, ev := range events {
		l.trace.event(ev, 0)
	}
	_, l.finished = events[len(events)-1].(*stream.Finished)
	return events, nil
}

// HangUp tells the backend that the frontend is gone and returns at once. A
// backend that does not end within Grace has its context cancelled.
func (l *Local) HangUp() {
	l.hangUp.Do(func() {
		close(l.hung)
		t := time.AfterFunc(l.grace, l.cancel)
		go func() {
			<-l.ended
			t.Stop()
		}()
	})
}

// Close hangs up and waits until the backend has ended, for Grace and
// GraceCancelled at most.
func (l *Local) Close() error {
	l.HangUp()
	t := time.NewTimer(l.grace + GraceCancelled)
	defer t.Stop()
	select {
	case <-l.ended:
		return nil
	case <-t.C:
		return fmt.Errorf("the backend did not end within %v of being told to", l.grace+GraceCancelled)
	}
}

// lost makes the error for a session that ended early.
func (l *Local) lost(err error) *stream.LostError {
	lost := &stream.LostError{Strategy: l.name, Err: err}
	select {
	case <-l.ended:
		if l.crash != nil {
			lost.Err, lost.Stderr = l.crash, l.crash.Stack
		}
	default:
	}
	return lost
}
