package host

import (
	"os/exec"
	"runtime"
	"syscall"

	"bst/impl/bug"
	"bst/impl/slack"

	"golang.org/x/sys/unix"
)

// keeper is the script of a shell that waits for a program and, when it is told
// that bst has died, ends the program with all that that has started: the kernel
// tells a process of its parent's death, and not of its grandparent's.
const keeper = `trap 'trap "" TERM; kill -KILL 0' TERM
exec 3<&0
"$@" <&3 3<&- &
wait $!`

const keeperShell = "/bin/sh"

// bind makes a program end when bst dies, by kill -9 too. Where kept, all that the
// program starts ends with it: a program that waits for a network may wait for
// ever. Others work on files and end on their own when the first of them is gone,
// so that they need no shell.
// It says whether there is a shell.
func bind(cmd *exec.Cmd, keep bool) (kept bool) {
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	if !keep {
		return false
	}
	if _, err := exec.LookPath(keeperShell); err != nil {
		return false
	}
	cmd.Args = append([]string{keeperShell, "-c", keeper, keeperShell, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = keeperShell
	cmd.SysProcAttr.Pdeathsig = syscall.SIGTERM
	return true
}

// stopGroup stops a kept program or lets it go on. Its keeper goes on, to hear of
// bst's death.
func stopGroup(group int, on bool) {
	if on {
		_ = syscall.Kill(-group, syscall.SIGSTOP) // gone meanwhile: fine
		_ = syscall.Kill(group, syscall.SIGCONT)
		return
	}
	_ = syscall.Kill(-group, syscall.SIGCONT)
}

// run is cmd.Run, and tells of the start and the end. The kernel takes the end of the thread that started a process
// for the parent's, so that thread is kept.
func run(cmd *exec.Cmd, started, ended func(pid int)) error {
	return bug.Go(func() error {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := slack.OfOthers(cmd.Start); err != nil {
			return err
		}
		started(cmd.Process.Pid)
		// Until Wait takes it in, the number is this process's.
		for unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
		}
		ended(cmd.Process.Pid)
		return cmd.Wait()
	})()
}
