// Package pipe runs the backend in a process of its own, spoken to over its
// standard input and output. Nothing is inherited but those pipes and standard
// error.
//
// It knows how a pair of pipes is made and taken; processes are package child's,
// what is said is package wire's.
package pipe

import (
	"context"
	"errors"
	"io"
	"os"

	"bst/impl/stream"
	"bst/impl/wire"
	"bst/strategies/child"
)

// Name is the strategy's name.
const Name = "pipe"

// Open starts host.Executable with host.Args and speaks to it.
func Open(ctx context.Context, host stream.Host) (stream.Stream, error) {
	return child.Open(ctx, host, child.Join{New: join, Of: of})
}

// join makes pipes of our own: those of exec.Cmd are closed by Wait, and with
// them goes what the backend said last.
func join() (child.Ends, error) {
	orders, toBackend, err := os.Pipe()
	if err != nil {
		return child.Ends{}, err
	}
	fromBackend, events, err := os.Pipe()
	if err != nil {
		return child.Ends{}, errors.Join(err, orders.Close(), toBackend.Close())
	}
	return child.Ends{Stdin: orders, Stdout: events, In: fromBackend, Out: toBackend}, nil
}

// of takes the pipes to a process that runs already.
func of(b *stream.Begun) (child.Ends, error) {
	return child.Ends{In: b.Events, Out: b.Orders}, nil
}

// Serve is what the started process does: it lets the backend obey what comes in
// and writes its events out (wire.Serve). Where In and Out are the process's
// standard input and output, it first takes them for itself (child.TakeStdio).
//
// It returns when the session is over; the process shall then exit, with a
// status other than 0 if there was an error.
func Serve(ctx context.Context, s stream.Served) error {
	in, out := s.In, s.Out
	if in == io.Reader(os.Stdin) && out == io.Writer(os.Stdout) {
		orders, events, err := child.TakeStdio()
		if err != nil {
			return err
		}
		in, out = orders, events
		// They are closed by the process's end: before that, the frontend would
		// learn of an end whose status it cannot have yet.
	}
	return wire.Serve(ctx, in, out, s.NewBackend())
}
