//go:build unix

package usage

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// Of asks what this process and its children have used, nil where that fails.
func Of() (self, children *Usage) {
	self = account(syscall.RUSAGE_SELF)
	// Linux starts a process's account of memory at what its parent had.
	if peak := ownPeak(); self != nil && peak > 0 {
		self.PeakRSS = peak
	}
	return self, account(syscall.RUSAGE_CHILDREN)
}

// ownPeak is VmHWM of this process in bytes, 0 where the kernel does not tell.
func ownPeak() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	line, _, _ := strings.Cut(rest, "\n")
	kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(line), "kB")), 10, 64)
	if err != nil {
		return 0
	}
	return kib << 10
}

func account(who int) *Usage {
	var r syscall.Rusage
	if err := syscall.Getrusage(who, &r); err != nil {
		return nil
	}
	peak := int64(r.Maxrss) // KiB, but for Darwin, which counts bytes
	if runtime.GOOS != "darwin" {
		peak <<= 10
	}
	return &Usage{User: r.Utime.Nano(), System: r.Stime.Nano(), PeakRSS: peak}
}
