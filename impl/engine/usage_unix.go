//go:build unix

package engine

import (
	"runtime"
	"syscall"
	"time"

	"bst/impl/stream"
)

// usage is what this process used so far, its ended children included.
func usage() stream.Usage {
	var u stream.Usage
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var r syscall.Rusage
		if syscall.Getrusage(who, &r) != nil {
			continue
		}
		u.UserCPU += time.Duration(r.Utime.Nano())
		u.SystemCPU += time.Duration(r.Stime.Nano())
		if who == syscall.RUSAGE_SELF {
			u.MaxRSS = int64(r.Maxrss)
			if runtime.GOOS == "linux" {
				u.MaxRSS *= 1024 // kibibytes there, bytes on Darwin
			}
		}
	}
	return u
}
