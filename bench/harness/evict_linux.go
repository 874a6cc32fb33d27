package harness

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"bst/impl/platform"
)

// evicts says that evict takes files out of the page cache: gVisor takes the advice
// and does nothing about it.
func evicts() bool { return platform.Name() != platform.GVisor }

// evict takes the files below some paths out of the page cache. What the kernel
// knows of names and inodes stays; to lose that, it would have to be root and
// disturb everybody.
func evict(paths ...string) error {
	for _, root := range paths {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			return errors.Join(unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED), f.Close())
		})
		if err != nil {
			return err
		}
	}
	return nil
}
