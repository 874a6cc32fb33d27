// Package stream is the contract between a frontend and a backend: orders go
// down, events come up, nothing is ever asked.
//
// It knows the shape of what crosses and nothing else: no scheduler, no
// terminal, no codec. It imports the standard library alone, and so may
// everything else import it. The rules are in docs/design.md, section 2.
package stream

import (
	"context"
	"io"
)

// Stream is a frontend's end of a session. One goroutine may call Send while
// another calls Recv; neither method may be called twice at once.
type Stream interface {
	// Send queues an order; its effects arrive as events. It returns a
	// *LostError when the backend is gone.
	Send(context.Context, Order) error

	// Recv returns at least one event, in the order in which the backend
	// emitted them. After Finished it returns io.EOF; when the backend went
	// away before that, a *LostError.
	Recv(context.Context) ([]Event, error)

	// Close says that the frontend is gone: the backend terminates its jobs and
	// ends. It waits for that, for a bounded time, and may be called at any
	// moment and more than once.
	Close() error
}

// Backend obeys the orders of one session.
type Backend interface {
	// Run obeys orders until Finished has been emitted or orders is closed,
	// which means that the frontend is gone: it then terminates its jobs and
	// returns. The first order is a Work order, all others are Control orders.
	// emit returns nothing and never waits.
	Run(ctx context.Context, orders <-chan Order, emit func(...Event))
}

// Host is what a strategy gets from the program that opens it.
type Host struct {
	// NewBackend makes the backend of a strategy that runs it in this process.
	NewBackend func() Backend

	// Executable and Args start this program anew as a backend that speaks the
	// wire protocol on its standard input and output.
	Executable string
	Args       []string

	// Environ is the environment of a started backend, as os.Environ gives it.
	Environ []string

	// Stderr receives what a started backend writes to its standard error, for
	// a person to read; its tail also stands in LostError. Nil discards it.
	Stderr io.Writer
}

// Open starts or finds a backend: it is what a strategy is.
type Open func(context.Context, Host) (Stream, error)

// LostError says that the backend went away without a Finished event.
type LostError struct {
	// Strategy is the name of the strategy that lost its backend.
	Strategy string
	// Status says how the backend's process ended, where it had one.
	Status string
	// Stderr is the tail of what it wrote to its standard error.
	Stderr string
	// Err is the failure that was seen first.
	Err error
}

func (e *LostError) Error() string {
	text := "the backend (strategy " + e.Strategy + ") went away"
	if e.Status != "" {
		text += ": " + e.Status
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *LostError) Unwrap() error { return e.Err }
