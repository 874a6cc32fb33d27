//go:build amd64 || arm64

package seen

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// stat is stat(2) or lstat(2) of a path below the folder at, a descriptor or
// AT_FDCWD, that ends with a zero. There are tens of thousands of them:
// unix.Fstatat would copy each path. The scheduler is not told, which would cost
// half as much again: on the file systems that are kept, nothing is waited for but
// a disk that has forgotten.
func stat(at int, path []byte, follow bool, st *unix.Stat_t) error {
	flags := uintptr(0)
	if !follow {
		flags = unix.AT_SYMLINK_NOFOLLOW
	}
	for {
		_, _, errno := unix.RawSyscall6(sysFstatat, uintptr(at), uintptr(unsafe.Pointer(&path[0])),
			uintptr(unsafe.Pointer(st)), flags, 0, 0)
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
		default:
			return errno
		}
	}
}
