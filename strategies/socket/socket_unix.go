//go:build unix

package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"bst/impl/stream"
	"bst/impl/wire"
	"bst/strategies/child"
)

// join makes a pair of sockets.
func join() (child.Ends, error) {
	syscall.ForkLock.RLock() // not every Unix marks sockets as they are made
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fds[0])
		unix.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return child.Ends{}, os.NewSyscallError("socketpair", err)
	}
	theirs := os.NewFile(uintptr(fds[1]), "backend's socket")
	ours, err := take(os.NewFile(uintptr(fds[0]), "frontend's socket"))
	if err != nil {
		return child.Ends{}, errors.Join(err, theirs.Close())
	}
	return child.Ends{Stdin: theirs, In: ours, Out: half{ours}}, nil
}

// of takes the socket to a process that runs already.
func of(b *stream.Begun) (child.Ends, error) {
	ours, err := take(b.Orders)
	if err != nil {
		return child.Ends{}, err
	}
	return child.Ends{In: ours, Out: half{ours}}, nil
}

// take makes a connection of a socket's descriptor, which it closes.
func take(f *os.File) (*net.UnixConn, error) {
	conn, err := net.FileConn(f)
	err = errors.Join(err, f.Close())
	if err != nil {
		return nil, err
	}
	u, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("standard input is a %T, expected a Unix-domain socket", conn), conn.Close())
	}
	return u, nil
}

// half closes one direction alone: what the other end still says can be read.
type half struct{ *net.UnixConn }

func (h half) Close() error { return h.CloseWrite() }

// Serve is what the started process does: its standard input is the socket.
func Serve(ctx context.Context, s stream.Served) error {
	in := s.In
	if in == io.Reader(os.Stdin) {
		taken, out, err := child.TakeStdio()
		if err != nil {
			return err
		}
		if err := out.Close(); err != nil {
			return err
		}
		in = taken
	}
	f, ok := in.(*os.File)
	if !ok {
		return fmt.Errorf("a backend of strategy %s has a socket as its standard input, not a %T", Name, in)
	}
	if err := check(f); err != nil {
		return err
	}
	// A read waits in a thread of its own. Were the socket one that the runtime polls,
	// every processor that has nothing to do for a moment would ask for what is ready:
	// 2 % of a build's processor time. It is closed by the process's end, as pipes are.
	return wire.Serve(ctx, f, f, s.NewBackend())
}

// check refuses what is no Unix-domain socket.
func check(f *os.File) error {
	name, err := unix.Getsockname(int(f.Fd()))
	if _, ok := name.(*unix.SockaddrUnix); !ok {
		return errors.Join(errors.New("standard input is no Unix-domain socket"), err)
	}
	return nil
}
