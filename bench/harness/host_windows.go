package harness

import (
	"time"

	"golang.org/x/sys/windows"
)

// syncDisks does nothing: Windows writes out one volume at a time, to those who
// may open it whole.
func syncDisks() {}

// ownTime is not needed: nothing is known there of what others do.
func ownTime() time.Duration { return 0 }

// freeSpace is how many bytes this user can still write below dir.
func freeSpace(dir string) (int64, bool) {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, false
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(name, &free, nil, nil); err != nil {
		return 0, false
	}
	return int64(min(free, 1<<62)), true
}
