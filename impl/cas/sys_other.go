//go:build !linux

package cas

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Elsewhere than on Linux the store works by what package os offers.

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
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
	return os.Chtimes(path, MTime, MTime)
}

func renameNew(tmp, path string) error {
	if err := os.Link(tmp, path); err != nil {
		return err
	}
	return os.Remove(tmp)
}

func cloneFile(w, src *os.File) bool { return false }

// tryLock knows no locks: nothing is swept.
func tryLock(f *os.File) (got, known bool) { return false, false }

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

func (f rootFolder) symlink(target, name string) error { return f.root.Symlink(target, name) }

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
