// Package patient renames, removes, replaces and reads files that another process may
// have open. Where that is no obstacle (Unix) it is package os. On Windows an open
// file can be neither removed nor replaced, and is not readable while it is: a
// virus scanner, an indexer or another bst mostly has it for milliseconds, so
// that what fails for that reason is tried again, for a bounded time.
//
// It knows the operating system's reasons and nothing of what the files are.
package patient

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"syscall"

	"bst/impl/rawfile"
)

// Rename is os.Rename.
func Rename(from, to string) error {
	return again(func() error { return os.Rename(from, to) })
}

// Remove is os.Remove.
func Remove(path string) error {
	return again(func() error { return os.Remove(path) })
}

// RemoveAll is os.RemoveAll.
func RemoveAll(path string) error {
	return again(func() error { return os.RemoveAll(path) })
}

// Nameless makes a file to write and read that is gone once it is closed, or the
// process has ended: nothing is left of it whatever happens. Nothing else may have
// the path.
func Nameless(path string) (*os.File, error) { return nameless(path) }

// Sync says whether a file that is replaced is on the disk before it has its name.
type Sync bool

const (
	// Synced files survive a power cut, the old one or the new one: for what a person
	// wrote. It takes milliseconds.
	Synced Sync = true
	// Unsynced ones can be made again.
	Unsynced Sync = false
)

// WriteFile is os.WriteFile beside the file, which is then renamed: whoever reads it,
// and kill -9, finds the old one or the new one. The mode is the file's whatever the
// umask. Of an attempt that failed nothing is left.
func WriteFile(path string, data []byte, mode fs.FileMode, sync Sync) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil && sync == Synced {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// ReadFile is os.ReadFile, for files that are mostly small: see package rawfile.
func ReadFile(path string) (data []byte, err error) { return ReadFileOf(path, small-1) }

// ReadFileOf is ReadFile of a file that has as many bytes, or so it seems: then it
// is read at once.
func ReadFileOf(path string, size int64) (data []byte, err error) {
	err = again(func() error {
		data, err = rawfile.Append(path, make([]byte, 0, size+1), math.MaxInt)
		return err
	})
	if errors.As(err, new(syscall.Errno)) && !errors.As(err, new(*fs.PathError)) {
		err = &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return data, err
}

// small is how many bytes most files have less than.
const small = 2 << 10
