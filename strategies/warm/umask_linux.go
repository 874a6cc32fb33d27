package warm

import (
	"bytes"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// umask is the process's. The kernel tells it since Linux 4.7 (proc_pid_status(5));
// to ask for it by setting another would give files of other goroutines the wrong
// modes meanwhile, and so is left to what does not tell: WSL1, gVisor.
func umask() int {
	status, _ := os.ReadFile("/proc/self/status") // where it is missing, nothing is found in it
	if mask, ok := umaskIn(status); ok {
		return mask
	}
	umaskLock.Lock()
	defer umaskLock.Unlock()
	mask := unix.Umask(0o077)
	unix.Umask(mask)
	return mask
}

// umaskLock is held while the umask is another.
var umaskLock sync.Mutex

// umaskIn finds it in the text of /proc/self/status.
func umaskIn(status []byte) (mask int, ok bool) {
	for line := range bytes.Lines(status) {
		if rest, found := bytes.CutPrefix(line, []byte("Umask:")); found {
			n, err := strconv.ParseUint(string(bytes.TrimSpace(rest)), 8, 12)
			return int(n), err == nil
		}
	}
	return 0, false
}
