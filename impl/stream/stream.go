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
	"os"
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
	// Strategy is the name under which the strategy was chosen, for LostError.
	Strategy string

	// NewBackend makes the backend of a strategy that runs it in this process.
	NewBackend func() Backend

	// Executable and Args start this program anew as a backend that does what
	// the strategy's Serve does.
	Executable string
	Args       []string

	// Begun is a process that was started with Executable, Args and Environ already,
	// or nil. A strategy that starts one may take it, and nobody else then.
	Begun *Begun

	// Project is the folder that a backend which stays is for, absolute: the
	// project's, where one was found.
	Project string

	// Environ is the environment of a started backend, as os.Environ gives it.
	Environ []string

	// Stderr receives what a started backend writes to its standard error, for
	// a person to read; its tail also stands in LostError. Nil discards it.
	Stderr io.Writer
}

// Begun is a backend's process that waits for its first word.
type Begun struct {
	Process *os.Process
	// Orders and Events lead to its standard input and from its standard output; they
	// are the same where both are one socket.
	Orders, Events *os.File
	// Stderr leads from its standard error.
	Stderr *os.File
}

// Open starts or finds a backend: it is what a strategy is.
type Open func(context.Context, Host) (Stream, error)

// Served is what a strategy gets from the program that was started as its
// backend.
type Served struct {
	// In and Out are the process's standard input and output.
	In  io.Reader
	Out io.Writer
	// Args are those that Open added to Host.Args.
	Args []string
	// NewBackend makes the backend of one session.
	NewBackend func() Backend
	// Keep makes a NewBackend for a process that serves several sessions, at once
	// or one after the other: they share what is worth keeping between them.
	Keep func() (newBackend func() Backend)
}

// Serve is the other half of a strategy that starts a process: what that process
// does. It returns when there is nothing left to do; an error is for a person to
// read, and the process shall exit with a status other than 0.
type Serve func(context.Context, Served) error

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
