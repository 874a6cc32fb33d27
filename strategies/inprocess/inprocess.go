// Package inprocess runs the backend in a goroutine of the frontend's process.
// Events go through a queue and are never encoded: it is the control against
// which the other strategies are measured. What it knows of the backend is
// stream.Backend; of the frontend, nothing.
package inprocess

import (
	"context"
	"errors"
	"io"
	"sync"

	"bst/impl/stream"
	"bst/impl/wire"
)

// Name is the strategy's name.
const Name = "inprocess"

// Open starts host.NewBackend in a goroutine.
func Open(ctx context.Context, host stream.Host) (stream.Stream, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	trace, err := wire.OpenTrace(host.Environ)
	if err != nil {
		return nil, err
	}
	if trace == nil {
		return wire.Start(ctx, host.Strategy, host.NewBackend(), nil), nil
	}
	return &traced{Local: wire.Start(ctx, host.Strategy, host.NewBackend(), trace), trace: trace}, nil
}

// traced is a session whose trace ends with it.
type traced struct {
	*wire.Local
	trace  io.Closer
	closed sync.Once
	result error // of the first Close
}

// Close ends the session and its trace.
func (t *traced) Close() error {
	t.closed.Do(func() { t.result = errors.Join(t.Local.Close(), t.trace.Close()) })
	return t.result
}
