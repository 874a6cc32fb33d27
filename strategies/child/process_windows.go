package child

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/windows"
)

// detach keeps the console's ^C from the backend.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
}

// give lets a process have a handle, whose number is its last argument.
func give(cmd *exec.Cmd, handle uintptr) error {
	if handle == 0 {
		return nil
	}
	cmd.Args = append(cmd.Args, strconv.FormatUint(uint64(handle), 10))
	cmd.SysProcAttr.AdditionalInheritedHandles = []syscall.Handle{syscall.Handle(handle)}
	return os.NewSyscallError("SetHandleInformation",
		windows.SetHandleInformation(windows.Handle(handle), windows.HANDLE_FLAG_INHERIT, windows.HANDLE_FLAG_INHERIT))
}

// taken closes a handle that a process has been given.
func taken(handle uintptr) error {
	if handle == 0 {
		return nil
	}
	return os.NewSyscallError("CloseHandle", windows.CloseHandle(windows.Handle(handle)))
}

// killGroup kills the backend. Its children end with their pipes.
func killGroup(p *os.Process) {
	// The only error is that it is gone already.
	_ = p.Kill()
}

// TakeStdio takes the process's standard input and output away from everybody
// else in it.
func TakeStdio() (in, out *os.File, err error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDONLY, 0)
	if err != nil {
		return nil, nil, err
	}
	in, out = os.Stdin, os.Stdout
	os.Stdin, os.Stdout = null, os.Stderr
	return in, out, nil
}
