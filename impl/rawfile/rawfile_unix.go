//go:build unix

package rawfile

import (
	"io"
	"io/fs"

	"golang.org/x/sys/unix"
)

// File is an open file: a descriptor and nothing else, so that it must be closed
// by hand, once.
type File int

// Open opens a file for reading. follow says whether a symbolic link at the
// path's end is followed; where it is not, one is an error. Errors are
// *fs.PathError.
func Open(path string, follow bool) (File, error) {
	// Non-blocking, so that a named pipe is an empty file and not a wait.
	flags := unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK
	if !follow {
		flags |= unix.O_NOFOLLOW
	}
	for {
		fd, err := unix.Open(path, flags, 0)
		if err == nil {
			return File(fd), nil
		}
		if err != unix.EINTR {
			return -1, &fs.PathError{Op: "open", Path: path, Err: err}
		}
	}
}

// Read is io.Reader's.
func (f File) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		n, err := unix.Read(int(f), p)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 0, err
		case n <= 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// Close closes the file. There is nothing that could be lost.
func (f File) Close() { _ = unix.Close(int(f)) }

// Stat tells whether the file is a regular one, and whether its owner may
// execute it.
func (f File) Stat() (regular, executable bool, err error) {
	var st unix.Stat_t
	for {
		if err := unix.Fstat(int(f), &st); err == nil {
			return st.Mode&unix.S_IFMT == unix.S_IFREG, st.Mode&0o100 != 0, nil
		} else if err != unix.EINTR {
			return false, false, err
		}
	}
}
