//go:build unix

package harness

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// syncDisks waits until what was written is on disk.
func syncDisks() { syscall.Sync() }

// ownTime is the processor time of this process.
func ownTime() time.Duration {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// freeSpace is how many bytes an ordinary user can still write below dir.
func freeSpace(dir string) (int64, bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}
