package cas

import (
	"io"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// The small files of a store are many, so their system calls are made
// directly: os.File would add, for each, a descriptor's registration with the
// poller and a finalizer.

var objectTimes = []unix.Timespec{{Sec: MTime.Unix()}, {Sec: MTime.Unix()}}

// omitTime leaves a time as it is, and nowTime makes it the kernel's.
var (
	omitTime = unix.Timespec{Nsec: unix.UTIME_OMIT}
	nowTime  = unix.Timespec{Nsec: unix.UTIME_NOW}
)

// exists looks at the name alone.
func exists(path string) bool {
	for {
		err := unix.Access(path, unix.F_OK)
		if err != unix.EINTR {
			return err == nil
		}
	}
}

// clock is the time, in nanoseconds since 1970, by which the kernel notes times in
// files: some milliseconds behind, and never ahead of what it notes then.
func clock() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_REALTIME_COARSE, &ts); err != nil {
		return time.Now().UnixNano()
	}
	return ts.Nano()
}

// noteUse says whether there is a file, and notes that it was used now, unless a
// use from since on is noted already. The kernel puts in the time, so that of two
// who note a use the later time stays.
//
// Setting a time finds the file by its path first, and sets the time then: the file
// may have been renamed, looked at and removed in between. So it counts when it is
// seen at the path.
func noteUse(path string, since int64) bool {
	var st unix.Stat_t
	for range 100 {
		err := unix.Lstat(path, &st)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return false
		}
		if st.Atim.Nano() >= since {
			return true
		}
		err = unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{nowTime, omitTime}, unix.AT_SYMLINK_NOFOLLOW)
		if err != nil && err != unix.EINTR {
			// A file of somebody else's, or on a filesystem that may only be read,
			// keeps its time: it is not ours to keep.
			return err != unix.ENOENT
		}
	}
	return true // it is there, where times are not kept: nothing expires there (Expire)
}

// lookUse gives a file's size, the time of its last use in nanoseconds since
// 1970, and whether it has other names.
func lookUse(path string) (size, used int64, linked bool, err error) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return 0, 0, false, err
	}
	return st.Size, st.Atim.Nano(), st.Nlink > 1, nil
}

// openUnused opens a file so that reading it does not change the time of its last
// use, where that is allowed: to the owner. Otherwise the filesystem notes it as
// a use, now and then.
func openUnused(path string) (*os.File, error) {
	fd, err := openRetry(unix.AT_FDCWD, path, unix.O_RDONLY|unix.O_NOATIME|unix.O_CLOEXEC, 0)
	if err == unix.EPERM {
		fd, err = openRetry(unix.AT_FDCWD, path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

// writeObject makes the file at path, which is new, an object with content b,
// used now. masked says that its mode must be set because the umask spoils it.
func writeObject(path string, b []byte, masked bool) error {
	fd, err := openRetry(unix.AT_FDCWD, path, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return err
	}
	for len(b) > 0 {
		n, err := unix.Write(fd, b)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			unix.Close(fd)
			return err
		}
		b = b[n:]
	}
	if masked {
		if err := unix.Fchmod(fd, 0o644); err != nil {
			unix.Close(fd)
			return err
		}
	}
	// Errors of delayed writes (NFS, quotas) come with close.
	if err := unix.Close(fd); err != nil && err != unix.EINTR {
		return err
	}
	return setObjectTimes(path)
}

// sealObject gives a finished file its mode and its times, the last use being now.
func sealObject(path string, mode os.FileMode) error {
	if err := unix.Chmod(path, uint32(mode.Perm())); err != nil {
		return err
	}
	return setObjectTimes(path)
}

func setObjectTimes(path string) error {
	times := []unix.Timespec{nowTime, objectTimes[1]}
	return unix.UtimesNanoAt(unix.AT_FDCWD, path, times, unix.AT_SYMLINK_NOFOLLOW)
}

func setTimes(dirfd int, name string) error {
	return unix.UtimesNanoAt(dirfd, name, objectTimes, unix.AT_SYMLINK_NOFOLLOW)
}

func openRetry(dirfd int, name string, flags int, mode uint32) (int, error) {
	for {
		fd, err := unix.Openat(dirfd, name, flags, mode)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// noRename is set once the filesystem has turned out not to know
// RENAME_NOREPLACE (NFS, 9p, some FUSE filesystems).
var noRename atomic.Bool

// renameNew moves tmp to path, or says fs.ErrExist and leaves both.
func renameNew(tmp, path string) error {
	if !noRename.Load() {
		err := unix.Renameat2(unix.AT_FDCWD, tmp, unix.AT_FDCWD, path, unix.RENAME_NOREPLACE)
		if err != unix.EINVAL && err != unix.ENOSYS {
			return err
		}
		noRename.Store(true)
	}
	if err := unix.Link(tmp, path); err != nil {
		return err
	}
	return unix.Unlink(tmp)
}

// cloneFile makes w share src's blocks; false where that cannot be.
func cloneFile(w, src *os.File) bool {
	return unix.IoctlFileClone(int(w.Fd()), int(src.Fd())) == nil
}

// lockedStays says that a locked folder cannot be removed.
const lockedStays = false

// tryLock takes the folder's lock if it is free. known is false where the
// filesystem has no locks.
func tryLock(f *os.File) (held io.Closer, got, known bool) {
	switch err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err {
	case nil:
		return nil, true, true
	case unix.EWOULDBLOCK:
		return nil, false, true
	default:
		return nil, false, false
	}
}

// openNoFollow opens a regular file for reading. It neither follows a symlink
// nor waits for the other end of a pipe that took the file's place.
func openNoFollow(path string) (*os.File, error) {
	fd, err := openRetry(unix.AT_FDCWD, path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

// fdFolder is a folder by its descriptor.
type fdFolder int

const openFolderFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC

func openFolder(path string) (folder, error) {
	fd, err := openRetry(unix.AT_FDCWD, path, openFolderFlags, 0)
	return fdFolder(fd), err
}

func (f fdFolder) openOrMake(name string) (folder, error) {
	err := unix.Mkdirat(int(f), name, 0o755)
	made := err == nil
	if err != nil && err != unix.EEXIST {
		return nil, err
	}
	fd, err := openRetry(int(f), name, openFolderFlags|unix.O_NOFOLLOW, 0)
	if err == unix.ENOTDIR || err == unix.ELOOP {
		return nil, inTheWay{"a file or symlink is in its place"}
	}
	if err != nil {
		return nil, err
	}
	if made {
		if err := unix.Fchmod(fd, 0o755); err != nil { // whatever the umask
			unix.Close(fd)
			return nil, err
		}
	}
	return fdFolder(fd), nil
}

func (f fdFolder) create(name string, mode os.FileMode) (*os.File, error) {
	fd, err := openRetry(int(f), name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, uint32(mode))
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

func (f fdFolder) link(object, name string) error {
	return unix.Linkat(unix.AT_FDCWD, object, int(f), name, 0)
}

func (f fdFolder) symlink(target, name string) error { return unix.Symlinkat(target, int(f), name) }

func (f fdFolder) remove(name string) error {
	err := unix.Unlinkat(int(f), name, 0)
	if err == unix.EISDIR || err == unix.EPERM {
		return inTheWay{"a folder is in its place"}
	}
	return err
}

func (f fdFolder) setTime(name string, t time.Time) error {
	if t.Equal(MTime) {
		return setTimes(int(f), name)
	}
	ts := unix.NsecToTimespec(t.UnixNano())
	return unix.UtimesNanoAt(int(f), name, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW)
}

func (f fdFolder) close() { unix.Close(int(f)) }
