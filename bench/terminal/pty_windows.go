package terminal

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// apart keeps the console's ^C from the command.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
}

// hasPTY says that a pseudo-terminal can be made.
const hasPTY = false

func openPTY(*exec.Cmd) (near, far *os.File, err error) { return nil, nil, errNoPTY }
