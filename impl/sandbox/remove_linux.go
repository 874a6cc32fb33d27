package sandbox

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// removeTree removes the path and all below it, directories without write
// permission too: builds leave those, and so does overlayfs. It never follows a
// symbolic link. A path that does not exist is no error.
func removeTree(path string) error {
	err := os.RemoveAll(path)
	if err == nil || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	unlock(path, 0o700)
	return os.RemoveAll(path)
}

// unlock adds the owner's permissions in mode to every directory at and below
// path, and, where mode asks for reading only what builds left unreadable, to
// files. What cannot be changed is found by whoever uses it next.
func unlock(path string, mode fs.FileMode) {
	st, err := os.Lstat(path)
	if err != nil {
		return
	}
	switch {
	case st.IsDir():
		if st.Mode().Perm()&mode != mode {
			_ = os.Chmod(path, st.Mode().Perm()|mode)
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return
		}
		for _, e := range entries {
			if e.IsDir() || e.Type().IsRegular() && mode&0o200 == 0 {
				unlock(filepath.Join(path, e.Name()), mode)
			}
		}
	case st.Mode().IsRegular() && mode&0o200 == 0 && st.Mode().Perm()&0o400 == 0:
		_ = os.Chmod(path, st.Mode().Perm()|0o400)
	}
}

// isWhiteout says whether overlayfs means "nothing is here" by this file of an
// upper layer.
func isWhiteout(st fs.FileInfo) bool {
	if st.Mode()&fs.ModeCharDevice == 0 {
		return false
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	return ok && sys.Rdev == 0
}

// isOpaque says whether the directory of an upper layer hides those below it.
func isOpaque(path string) (bool, error) {
	for _, name := range []string{"user.overlay.opaque", "trusted.overlay.opaque"} {
		var value [8]byte
		n, err := unix.Lgetxattr(path, name, value[:])
		switch {
		case err == nil:
			if n == 1 && value[0] == 'y' {
				return true, nil
			}
		case err == unix.ENODATA, err == unix.ENOTSUP, err == unix.EPERM:
			// An ordinary user cannot read trusted.*, nor has such attributes.
		default:
			return false, &fs.PathError{Op: "getxattr", Path: path, Err: err}
		}
	}
	return false, nil
}

// setOpaque makes the directory of an upper layer hide those below it.
func setOpaque(path string, user bool) error {
	name := "trusted.overlay.opaque"
	if user {
		name = "user.overlay.opaque"
	}
	if err := unix.Lsetxattr(path, name, []byte("y"), 0); err != nil {
		return &fs.PathError{Op: "setxattr", Path: path, Err: err}
	}
	return nil
}
