package pipe

import (
	"context"
	"io"
	"os"

	"bst/impl/stream"
	"bst/impl/wire"
)

// Serve is what the started process does: it lets the backend obey what comes in
// and writes its events out (wire.Serve). Where in and out are the process's
// standard input and output, it first takes them for itself: from then on the
// process's standard input is empty and its standard output goes where standard
// error does, so that a stray print ends in front of a person and not in a frame.
// Nothing may have read standard input before.
//
// It returns when the session is over; the process shall then exit, with a
// status other than 0 if there was an error.
func Serve(ctx context.Context, in io.Reader, out io.Writer, backend stream.Backend) error {
	if in == io.Reader(os.Stdin) && out == io.Writer(os.Stdout) {
		orders, events, err := takeStdio()
		if err != nil {
			return err
		}
		in, out = orders, events
		// They are closed by the process's end: before that, the frontend would
		// learn of an end whose status it cannot have yet.
	}
	return wire.Serve(ctx, in, out, backend)
}
