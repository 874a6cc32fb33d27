//go:build unix

package host

import (
	"os/exec"
	"syscall"
)

// detach gives the program a session of its own: it has no terminal to ask for
// passwords on, ^C does not reach it, and it can be killed with its children.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
