// Package socket runs the backend of one command in a process of its own, spoken
// to over one connection: a pair of Unix-domain sockets, or on Windows a named
// pipe. Both ends are made here and one is handed to the process, so that there
// is no name under which another user could reach it.
//
// It knows how such a pair is made and taken; processes are package child's, what
// is said is package wire's. A backend that stays for the next command is
// strategy warm.
package socket

import (
	"context"

	"bst/impl/stream"
	"bst/strategies/child"
)

// Name is the strategy's name.
const Name = "socket"

// Open starts host.Executable with host.Args and speaks to it.
func Open(ctx context.Context, host stream.Host) (stream.Stream, error) {
	return child.Open(ctx, host, child.Join{New: join, Of: of})
}
