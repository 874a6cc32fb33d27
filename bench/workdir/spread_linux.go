package workdir

import (
	"os"

	"golang.org/x/sys/unix"
)

// topFolder is FS_TOPDIR_FL of linux/fs.h: as chattr +T.
const topFolder = 0x20000

// Spread asks the file system to give each folder that is made in dir a part of the
// disk of its own, as it does with those of its root. One that knows nothing of
// that is not asked; an error says that dir cannot be opened.
func Spread(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	fd := int(f.Fd())
	if flags, err := unix.IoctlGetUint32(fd, unix.FS_IOC_GETFLAGS); err == nil {
		// Refused where there is no such flag.
		_ = unix.IoctlSetPointerInt(fd, unix.FS_IOC_SETFLAGS, int(flags|topFolder))
	}
	return f.Close()
}
