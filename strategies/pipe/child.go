package pipe

import (
	"context"

	"bst/impl/stream"
	"bst/impl/wire"
)

// Serve is what the started process does: it takes its standard input and
// output for the protocol and lets the backend obey. From then on the process's
// standard input is empty and its standard output goes where standard error
// does, so that a stray print ends in front of a person and not in a frame.
//
// It returns when the session is over; the process shall then exit, with a
// status other than 0 if there was an error. The process must not have read
// standard input before.
func Serve(ctx context.Context, backend stream.Backend) error {
	in, out, err := takeStdio()
	if err != nil {
		return err
	}
	err = wire.Serve(ctx, in, out, backend)
	// out is closed by the process's end; closing it here would tell the
	// frontend of an end before the status can be had.
	return err
}
