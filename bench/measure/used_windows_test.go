package measure

import (
	"syscall"
	"time"
)

// used is the processor time of this process.
func used() time.Duration {
	self, err := syscall.GetCurrentProcess()
	if err != nil {
		panic(err)
	}
	var created, exited, kernel, user syscall.Filetime
	if err := syscall.GetProcessTimes(self, &created, &exited, &kernel, &user); err != nil {
		panic(err)
	}
	return time.Duration(100 * (span(kernel) + span(user)))
}

// span is a length of time, in steps of 100 ns; Filetime's own Nanoseconds counts
// from 1970.
func span(t syscall.Filetime) int64 { return int64(t.HighDateTime)<<32 + int64(t.LowDateTime) }
