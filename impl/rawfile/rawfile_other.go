//go:build !unix

package rawfile

import (
	"errors"
	"io/fs"
	"os"
)

// File is an open file, which must be closed by hand, once.
type File struct{ f *os.File }

// Open opens a file for reading. follow says whether a symbolic link at the
// path's end is followed; where it is not, one is an error. Errors are
// *fs.PathError.
func Open(path string, follow bool) (File, error) {
	if !follow {
		info, err := os.Lstat(path)
		if err != nil {
			return File{}, err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			return File{}, &fs.PathError{Op: "open", Path: path, Err: errors.New("it is a symbolic link")}
		}
	}
	f, err := os.Open(path)
	return File{f}, err
}

// Read is io.Reader's.
func (f File) Read(p []byte) (int, error) { return f.f.Read(p) }

// Close closes the file. There is nothing that could be lost.
func (f File) Close() { _ = f.f.Close() }

// Stat tells whether the file is a regular one, and whether its owner may
// execute it.
func (f File) Stat() (regular, executable bool, err error) {
	info, err := f.f.Stat()
	if err != nil {
		return false, false, err
	}
	return info.Mode().IsRegular(), info.Mode()&0o100 != 0, nil
}
