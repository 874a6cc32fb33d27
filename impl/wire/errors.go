package wire

import "errors"

// ErrGone is what Client returns when the other end is gone or the stream was
// closed; the strategy turns it into a stream.LostError.
var ErrGone = errors.New("the backend is gone")

var (
	errEnded       = errors.New("its session has ended")
	errClosed      = errors.New("the stream was closed")
	errNotFinished = errors.New("it ended without saying so")
	errNotStarted  = errors.New("it ended before it said anything")
)
