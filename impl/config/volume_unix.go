//go:build unix

package config

import "golang.org/x/sys/unix"

// volumeSize is the size, in bytes, of the file system that holds dir.
func volumeSize(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Blocks) * int64(s.Bsize), nil
}
