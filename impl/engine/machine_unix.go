//go:build unix

package engine

import "golang.org/x/sys/unix"

// freeSpace gives how many bytes an ordinary user may still write below dir.
func freeSpace(dir string) (bytes uint64, known bool) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, false
	}
	return uint64(st.Bavail) * uint64(st.Bsize), true
}
