package expiry

import (
	"time"

	"golang.org/x/sys/unix"
)

// tick waits until the kernel's clock of files has come to what is now: it goes in
// steps of milliseconds, and files that were looked at have finer times than it.
func tick() {
	now := time.Now().UnixNano()
	for {
		var ts unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_REALTIME_COARSE, &ts); err != nil {
			panic(err)
		}
		if ts.Nano() > now {
			return
		}
		time.Sleep(100 * time.Microsecond)
	}
}
