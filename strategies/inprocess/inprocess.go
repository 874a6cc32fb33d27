// Package inprocess runs the backend in a goroutine of the frontend's process.
// Events go through a queue and are never encoded: it is the control against
// which the other strategies are measured. What it knows of the backend is
// stream.Backend; of the frontend, nothing.
package inprocess

import (
	"context"

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
	return wire.Start(ctx, Name, host.NewBackend()), nil
}
