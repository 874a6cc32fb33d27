//go:build !linux

package warm

import (
	"context"
	"errors"

	"bst/impl/stream"
)

var errPlatform = &stream.Error{
	Domain: stream.DomainApp, Reason: "not-available",
	Message: "Strategy '" + Name + "' is for Linux",
	Detail:  "Whose a connection is, and when a file was changed, is asked in ways of Linux. Choose pipe or socket.",
}

// Open refuses.
func Open(context.Context, stream.Host) (stream.Stream, error) { return nil, errPlatform }

// Find refuses.
func Find(context.Context, stream.Host) ([]stream.Open, error) { return nil, errPlatform }

// Serve refuses.
func Serve(context.Context, stream.Served) error { return errors.New(errPlatform.Message) }
