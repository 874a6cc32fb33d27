package socket

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/windows"

	"bst/impl/stream"
	"bst/impl/wire"
	"bst/strategies/child"
)

// bufferSize is how much each direction of the pipe takes before a writer waits:
// as much as wire's frames.
const bufferSize = 64 << 10

// of is nil: no process is started before one is asked for.
var of func(*stream.Begun) (child.Ends, error)

// join makes a named pipe with one instance and opens its other end at once. Its
// name is random and used once; other users and other machines are refused by
// the default security descriptor and by the mode. Handles are overlapped, so
// that a read that waits does not hold a write; the backend's is no file of this
// process, whose poller would then be the only one to hear of what was read.
func join() (child.Ends, error) {
	name, err := windows.UTF16PtrFromString(`\\.\pipe\bst-` + rand.Text())
	if err != nil {
		return child.Ends{}, err
	}
	server, err := windows.CreateNamedPipe(name,
		windows.PIPE_ACCESS_DUPLEX|windows.FILE_FLAG_FIRST_PIPE_INSTANCE|windows.FILE_FLAG_OVERLAPPED,
		windows.PIPE_TYPE_BYTE|windows.PIPE_READMODE_BYTE|windows.PIPE_WAIT|windows.PIPE_REJECT_REMOTE_CLIENTS,
		1, bufferSize, bufferSize, 0, nil)
	if err != nil {
		return child.Ends{}, os.NewSyscallError("CreateNamedPipe", err)
	}
	client, err := windows.CreateFile(name, windows.GENERIC_READ|windows.GENERIC_WRITE, 0, nil,
		windows.OPEN_EXISTING, windows.FILE_FLAG_OVERLAPPED, 0)
	if err != nil {
		return child.Ends{}, errors.Join(os.NewSyscallError("CreateFile", err), windows.CloseHandle(server))
	}
	ours := os.NewFile(uintptr(server), "frontend's pipe")
	// A pipe has no half to close: with the orders the events end, too. The
	// backend's process is waited for all the same.
	return child.Ends{Handle: uintptr(client), In: ours, Out: ours}, nil
}

// Serve is what the started process does: its last argument is the handle of the
// pipe, in both directions.
func Serve(ctx context.Context, s stream.Served) error {
	if len(s.Args) != 1 {
		return fmt.Errorf("a backend of strategy %s is started with a pipe's handle, not with %q", Name, s.Args)
	}
	handle, err := strconv.ParseUint(s.Args[0], 10, 64)
	if err != nil {
		return fmt.Errorf("a backend of strategy %s is started with a pipe's handle, not with %q", Name, s.Args)
	}
	if _, _, err := child.TakeStdio(); err != nil {
		return err
	}
	pipe := os.NewFile(uintptr(handle), "frontend")
	return wire.Serve(ctx, pipe, pipe, s.NewBackend())
}
