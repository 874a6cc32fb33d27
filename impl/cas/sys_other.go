//go:build !linux

package cas

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"bst/impl/patient"
)

// Elsewhere than on Linux the store works by what package os offers.

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// clock is the time, in nanoseconds since 1970, as uses are noted.
func clock() int64 { return time.Now().UnixNano() }

// noteUse says whether there is a file, and notes that it was used now, unless a
// use from since on is noted already. Where two processes note a use in the same
// moment the earlier time may stay.
func noteUse(path string, since int64) bool {
	for range 100 {
		st, err := os.Lstat(path)
		if err != nil {
			return false
		}
		if accessed(st) >= since {
			return true
		}
		// It counts when it is seen: the file may be on its way out.
		if err := os.Chtimes(path, time.Now(), MTime); err != nil {
			return !errors.Is(err, fs.ErrNotExist)
		}
	}
	return true // it is there, where times are not kept: nothing expires there (Expire)
}

// lookUse gives a file's size, the time of its last use in nanoseconds since
// 1970, and whether it has other names, which is not known here.
func lookUse(path string) (size, used int64, linked bool, err error) {
	st, err := os.Lstat(path)
	if err != nil {
		return 0, 0, false, err
	}
	return st.Size(), accessed(st), false, nil
}

func writeObject(path string, b []byte, _ bool) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return sealObject(path, 0o644)
}

func sealObject(path string, mode os.FileMode) error {
	if err := os.Chmod(path, mode); err != nil {
		return err
	}
	return os.Chtimes(path, time.Now(), MTime)
}

func renameNew(tmp, path string) error {
	if err := os.Link(tmp, path); err != nil {
		return err
	}
	return patient.Remove(tmp)
}

func cloneFile(w, src *os.File) bool { return false }

func openUnused(path string) (*os.File, error) { return os.Open(path) }

func openNoFollow(path string) (*os.File, error) { return os.Open(path) }

// rootFolder is a folder as an os.Root.
type rootFolder struct{ root *os.Root }

func openFolder(path string) (folder, error) {
	r, err := os.OpenRoot(path)
	return rootFolder{r}, err
}

func (f rootFolder) openOrMake(name string) (folder, error) {
	if err := f.root.Mkdir(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	st, err := f.root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !st.IsDir() {
		return nil, inTheWay{"a file or symlink is in its place"}
	}
	sub, err := f.root.OpenRoot(name)
	return rootFolder{sub}, err
}

func (f rootFolder) create(name string, mode os.FileMode) (*os.File, error) {
	return f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
}

func (f rootFolder) link(object, name string) error {
	return os.Link(object, filepath.Join(f.root.Name(), name))
}

func (f rootFolder) symlink(target, name string) error {
	return withAdvice(f.root.Symlink(filepath.FromSlash(target), name))
}

func (f rootFolder) remove(name string) error {
	st, err := f.root.Lstat(name)
	if err != nil {
		return err
	}
	if st.IsDir() {
		return inTheWay{"a folder is in its place"}
	}
	return f.root.Remove(name)
}

func (f rootFolder) setTime(name string, t time.Time) error {
	if st, err := f.root.Lstat(name); err != nil || st.Mode()&fs.ModeSymlink != 0 {
		return err // no portable way to set a symlink's own time
	}
	return f.root.Chtimes(name, t, t)
}

func (f rootFolder) close() { f.root.Close() }
