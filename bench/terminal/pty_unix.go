//go:build unix

package terminal

import (
	"errors"
	"os"
	"os/exec"
	"syscall"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// apart gives the command a session of its own.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// hasPTY says that a pseudo-terminal can be made.
const hasPTY = true

// openPTY makes a pseudo-terminal and lets it control cmd.
func openPTY(cmd *exec.Cmd) (near, far *os.File, err error) {
	if near, far, err = pty.Open(); err != nil {
		return nil, nil, err
	}
	err = pty.Setsize(near, &pty.Winsize{Rows: Rows, Cols: Columns})
	if err == nil {
		near, err = interruptible(near)
	}
	if err != nil {
		return nil, nil, errors.Join(err, near.Close(), far.Close())
	}
	cmd.SysProcAttr.Setctty = true // the child's descriptor 0
	return near, far, nil
}

// interruptible replaces f, which package pty has set to block, by a file whose
// reads obey a deadline. On failure f is returned as it is.
func interruptible(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return f, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return f, errors.Join(err, unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), f.Name()), f.Close()
}
