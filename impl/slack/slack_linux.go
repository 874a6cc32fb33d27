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

// OfBackend calls start, which starts a backend. Where the kernel does not let the
// slack be set, the backend has this process's.
func OfBackend(start func() error) error {
	return around(func(time.Duration) time.Duration { return backend }, start)
}

// OfOthers calls start, which starts a program that is not bst: a backend does not
// hand its own slack on. Elsewhere the program has what this process was given.
func OfOthers(start func() error) error {
	return around(func(own time.Duration) time.Duration {
		if own == backend {
			return usual
		}
		return own
	}, start)
}

// around starts a process while this thread has the slack that is wanted.
func around(wanted func(own time.Duration) time.Duration, start func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	own, _, failed := syscall.RawSyscall(syscall.SYS_PRCTL, getTimerSlack, 0, 0)
	if slack := wanted(time.Duration(own)); failed == 0 && slack != time.Duration(own) {
		syscall.RawSyscall(syscall.SYS_PRCTL, setTimerSlack, uintptr(slack), 0)
		defer syscall.RawSyscall(syscall.SYS_PRCTL, setTimerSlack, own, 0)
	}
	return start()
}
