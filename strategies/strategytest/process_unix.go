//go:build unix

package strategytest

import (
	"time"

	"golang.org/x/sys/unix"
)

// alive tells whether a process exists.
func alive(pid int) bool { return unix.Kill(pid, 0) == nil }

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
