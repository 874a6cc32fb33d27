package slack

import (
	"runtime"
	"syscall"
	"time"
)

// Of prctl, by linux/prctl.h.
const (
	setTimerSlack = 29
	getTimerSlack = 30
)

// Around calls start, which starts a process that is to have this slack. Where the
// kernel does not let it be set, the process has the one of its parent.
func Around(slack time.Duration, start func() error) error {
	runtime.LockOSThread() // it is a thread's
	defer runtime.UnlockOSThread()
	before, _, failed := syscall.RawSyscall(syscall.SYS_PRCTL, getTimerSlack, 0, 0)
	if failed != 0 || before == uintptr(slack) {
		return start()
	}
	syscall.RawSyscall(syscall.SYS_PRCTL, setTimerSlack, uintptr(slack), 0)
	defer syscall.RawSyscall(syscall.SYS_PRCTL, setTimerSlack, before, 0)
	return start()
}
