//go:build unix

package expiry

import "golang.org/x/sys/unix"

// diskFree is how many bytes are left for this user on the filesystem of dir.
func diskFree(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}
