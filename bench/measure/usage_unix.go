//go:build unix

package measure

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
)

// maxRSS is the peak memory of the largest process that was waited for, in bytes.
func maxRSS(p *os.ProcessState) (int64, error) {
	usage, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, fmt.Errorf("measure: no rusage on this platform: %T", p.SysUsage())
	}
	if runtime.GOOS == "darwin" {
		return int64(usage.Maxrss), nil
	}
	return int64(usage.Maxrss) << 10, nil // KiB
}

// terminate asks a process to end.
func terminate(p *os.Process) error { return p.Signal(syscall.SIGTERM) }
