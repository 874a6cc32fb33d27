package uicost

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpu is the processor time of this process and of the children it waited for.
func cpu() (total time.Duration, err error) {
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if err := unix.Getrusage(who, &u); err != nil {
			return 0, err
		}
		total += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return total, nil
}

// threadCPU is the processor time of the calling thread, where that is known.
func threadCPU() (time.Duration, bool) {
	var u unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &u)
	return time.Duration(u.Nano()), err == nil
}
