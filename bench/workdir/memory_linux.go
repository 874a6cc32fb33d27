package workdir

import (
	"golang.org/x/sys/unix"
)

const (
	// shared is where Linux keeps files in memory (shm_overview(7)).
	shared = "/dev/shm"
	// room is what must be free there, in bytes: no stack that is built needs more.
	room = 4 << 30
)

// Memory is a folder whose files lie in memory and which has room for what is
// measured; "" where this machine has none.
func Memory() string {
	var s unix.Statfs_t
	if err := unix.Statfs(shared, &s); err != nil || s.Type != unix.TMPFS_MAGIC || unix.Access(shared, unix.W_OK) != nil {
		return ""
	}
	if s.Bavail*uint64(s.Bsize) < room {
		return ""
	}
	return shared
}
