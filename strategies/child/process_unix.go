//go:build unix

package child

import (
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// detach puts the backend in a process group of its own, so that the terminal's
// ^C and ^Z reach the frontend alone.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
}

// give and taken have nothing to do: a descriptor is passed as standard input.
func give(*exec.Cmd, uintptr) error { return nil }

func taken(uintptr) error { return nil }

// killGroup kills the backend and what it started in its group.
func killGroup(p *os.Process) {
	// The only error is that it is gone already.
	_ = unix.Kill(-p.Pid, unix.SIGKILL)
}

// TakeStdio moves the protocol's two ends to descriptors that children do not
// inherit and whose broken pipe is an error instead of a signal: the Go runtime
// ends a process that writes to a broken pipe on descriptor 1 or 2, and a backend
// whose frontend died has its sandboxes to stop first.
//
// From then on the process's standard input is empty and its standard output
// goes where standard error does, so that a stray print ends in front of a person
// and not in a frame. Nothing may have read standard input before.
func TakeStdio() (in, out *os.File, err error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDONLY, 0)
	if err != nil {
		return nil, nil, err
	}
	defer null.Close()
	moved := make([]*os.File, 3)
	for fd, name := range []string{"orders", "events", "stderr"} {
		dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
		if err != nil {
			return nil, nil, fmt.Errorf("cannot move descriptor %d: %w", fd, err)
		}
		moved[fd] = os.NewFile(uintptr(dup), name)
	}
	if err := dup2(int(null.Fd()), 0); err != nil {
		return nil, nil, fmt.Errorf("cannot close standard input: %w", err)
	}
	if err := dup2(2, 1); err != nil {
		return nil, nil, fmt.Errorf("cannot redirect standard output: %w", err)
	}
	os.Stdout, os.Stderr = moved[2], moved[2]
	return moved[0], moved[1], nil
}
