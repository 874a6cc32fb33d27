package cas

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/windows"
)

// lockedStays says that a locked folder cannot be removed.
const lockedStays = true

// lockName is a file in a folder that is there, and open, for as long as the
// process that uses the folder lives: a folder itself cannot be locked here.
const lockName = ".lock"

// tryLock takes the folder's lock if it is free. The file is opened for us alone,
// and is gone when its handle is closed, which the kernel does when a process
// dies, however it dies.
func tryLock(f *os.File) (held io.Closer, got, known bool) {
	path, err := windows.UTF16PtrFromString(filepath.Join(f.Name(), lockName))
	if err != nil {
		return nil, false, false
	}
	h, err := windows.CreateFile(path, windows.GENERIC_WRITE|windows.DELETE, 0, nil,
		windows.OPEN_ALWAYS, windows.FILE_ATTRIBUTE_TEMPORARY|windows.FILE_FLAG_DELETE_ON_CLOSE, 0)
	switch {
	case err == nil:
		return os.NewFile(uintptr(h), lockName), true, true
	case errors.Is(err, windows.ERROR_SHARING_VIOLATION), errors.Is(err, windows.ERROR_ACCESS_DENIED):
		return nil, false, true
	}
	return nil, false, false
}

// withAdvice says what to do where a user may not make symbolic links.
func withAdvice(err error) error {
	if errors.Is(err, windows.ERROR_PRIVILEGE_NOT_HELD) {
		return fmt.Errorf("%w (turn on the Developer Mode in the settings of Windows, or run bst as an administrator)", err)
	}
	return err
}

// accessed is when a file was last used, in nanoseconds since 1970.
func accessed(st fs.FileInfo) int64 {
	if d, ok := st.Sys().(*syscall.Win32FileAttributeData); ok {
		return d.LastAccessTime.Nanoseconds()
	}
	return st.ModTime().UnixNano()
}
