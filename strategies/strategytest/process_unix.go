//go:build unix

package strategytest

import (
	"time"

	"golang.org/x/sys/unix"
)

// alive tells whether a process exists. A child that ended and that nobody waits
// for does not.
func alive(pid int) bool {
	if ended, err := unix.Wait4(pid, nil, unix.WNOHANG, nil); err == nil && ended == pid {
		return false
	}
	return unix.Kill(pid, 0) == nil
}

// cpu is the processor time of this process and of the children it waited for.
func cpu() time.Duration {
	var total time.Duration
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if unix.Getrusage(who, &u) == nil {
			total += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return total
}
