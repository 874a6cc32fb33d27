// Package reffile keeps small files whose existence keeps objects in the store:
// names of artifacts and of sources. They are used by any number of processes at
// once, and expire, the least recently used first.
//
// It knows files, their times and who may take one away. It does not know what is
// in them.
//
// A file's time of modification is that of its last use. Whoever reads it (Use)
// notes the time, and then makes sure that the file still has its name. Whoever
// wants it gone (Expire) takes its name first, and then looks at the time: if that
// has changed, the file gets its name back. So one of the two sees the other, with
// no lock; at worst a use finds nothing while a file is being looked at.
package reffile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"bst/impl/patient"
)

// Names of files that are no names of objects.
const (
	// asidePrefix begins the name of a file that is being looked at by Expire.
	asidePrefix = ".out-"
	// TempPrefix begins the name of a file that is being written.
	TempPrefix = ".tmp-"
	// replacedPrefix begins the name of one that was replaced or retired: see Replace.
	replacedPrefix = ".was-"
)

// Hidden says that a file of this name is one of this package's own.
func Hidden(name string) bool {
	return strings.HasPrefix(name, asidePrefix) || strings.HasPrefix(name, TempPrefix) || strings.HasPrefix(name, replacedPrefix)
}

// tempAge is when a file that is being written is taken for a dead process's:
// writing one takes milliseconds. replacedAge is for how long one that was replaced
// is kept, where nothing expires: longer than any session that may use it.
const (
	tempAge     = time.Hour
	replacedAge = 30 * 24 * time.Hour
)

// Use reads the file, of at most max bytes, and notes that it was used now. In a
// cache that may only be read nothing is noted. The error is fs.ErrNotExist
// where there is no such file.
func Use(path string, max int64) ([]byte, error) {
	for range 10 {
		b, st, err := read(path, max)
		if err != nil {
			if errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR) {
				err = fmt.Errorf("%s: %w", path, fs.ErrNotExist)
			}
			return nil, err
		}
		if errors.Is(touch(path), fs.ErrNotExist) {
			continue
		}
		if again, err := os.Stat(path); err == nil && os.SameFile(st, again) {
			return b, nil
		}
		// It was replaced, or is being looked at.
	}
	return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
}

func read(path string, max int64) ([]byte, fs.FileInfo, error) {
	st, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, nil, err
	case st.IsDir():
		return nil, nil, syscall.EISDIR
	case st.Size() > max:
		return nil, nil, fmt.Errorf("it has more than %d bytes", max)
	}
	b, err := patient.ReadFileOf(path, st.Size())
	return b, st, err
}

// Write puts b at path, used now, by way of a temporary file in the same folder,
// which is made where it is missing. A file that a killed process leaves there is
// Hidden, until Walk or Replace removes it.
func Write(path string, b []byte) error {
	dir := filepath.Dir(path)
	for attempt := 0; ; attempt++ {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		err := write(dir, path, b)
		if errors.Is(err, fs.ErrNotExist) && attempt < 10 {
			// Somebody took the folder's last file, and the folder, in between.
			continue
		}
		return err
	}
}

// Replace is Write where there may be a file with other content, which another
// process may be using: that keeps what it names, under a name that only Walk
// gives, until it expires. It is for folders of few files: it looks at them all, and
// removes what is waste.
func Replace(path string, b []byte) error {
	sweep(filepath.Dir(path))
	old, err := patient.ReadFile(path)
	if err == nil && !bytes.Equal(old, b) {
		// Where it cannot be kept it is replaced all the same: it is no longer the
		// cache's.
		_ = os.Link(path, keptPath(path, old))
	}
	return Write(path, b)
}

// Retire takes the file's name away, and keeps the file as Replace does, at the path
// that it gives. The error is fs.ErrNotExist where there is no such file.
func Retire(path string) (kept string, err error) {
	old, err := patient.ReadFile(path)
	if err == nil {
		kept = keptPath(path, old)
		err = patient.Rename(path, kept)
	}
	return kept, err
}

func keptPath(path string, content []byte) string {
	sum := sha256.Sum256(content)
	dir, name := filepath.Split(path)
	return dir + replacedPrefix + name + "-" + hex.EncodeToString(sum[:4])
}

func write(dir, path string, b []byte) error {
	f, err := os.CreateTemp(dir, TempPrefix+"*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = patient.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// sweep removes what dead processes left in the folder. Of one with more than
// some files it looks at those only.
func sweep(dir string) {
	f, err := os.Open(dir)
	if err != nil {
		return
	}
	defer f.Close()
	names, _ := f.Readdirnames(64)
	for _, name := range names {
		age := tempAge
		if strings.HasPrefix(name, replacedPrefix) {
			age = replacedAge
		} else if !strings.HasPrefix(name, TempPrefix) {
			continue
		}
		removeOld(filepath.Join(dir, name), age)
	}
}

// removeOld removes a file that was written or used longer ago than that.
func removeOld(path string, age time.Duration) {
	if st, err := os.Lstat(path); err == nil && time.Since(st.ModTime()) > age {
		os.Remove(path)
	}
}

// Expire takes the file away, and the folders below root that it leaves empty,
// unless it was used since the time that Walk gave. Only one process may expire
// the files below root at a time.
func Expire(root, path string, used time.Time) (gone bool, err error) {
	aside := asidePath(path)
	if err := patient.Rename(path, aside); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	st, err := os.Lstat(aside)
	if err != nil {
		return false, err
	}
	if !st.ModTime().Equal(used) {
		return false, restore(path, aside)
	}
	if err := patient.Remove(aside); err != nil {
		return false, err
	}
	RemoveEmpty(root, filepath.Dir(path))
	return true, nil
}

// RemoveEmpty removes the folder and those above it, below root, as long as they
// are empty.
func RemoveEmpty(root, dir string) {
	for ; len(dir) > len(root); dir = filepath.Dir(dir) {
		// Not empty, or somebody else is at it: either ends it well.
		if os.Remove(dir) != nil {
			break
		}
	}
}

func asidePath(path string) string {
	dir, name := filepath.Split(path)
	return dir + asidePrefix + name
}

// restore gives a file its name back, if no other has it now.
func restore(path, aside string) error {
	if err := os.Link(aside, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return patient.Remove(aside)
}

// Walk calls fn for each file below root, by its path and its time of last use,
// through folders within folders to the given depth, in no order. What a killed
// process was about to take away gets its name back first, and what one was writing
// goes. Only the one that expires the files may call it.
func Walk(root string, depth int, fn func(path string, used time.Time) error) error {
	list, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, item := range list {
		path := filepath.Join(root, item.Name())
		switch name := item.Name(); {
		case item.IsDir():
			if depth > 0 {
				if err := Walk(path, depth-1, fn); err != nil {
					return err
				}
			}
			continue
		case !item.Type().IsRegular():
			continue
		case strings.HasPrefix(name, TempPrefix):
			removeOld(path, tempAge)
			continue
		case strings.HasPrefix(name, asidePrefix):
			aside := path
			path = filepath.Join(root, strings.TrimPrefix(name, asidePrefix))
			if _, err := os.Lstat(path); err == nil {
				// Another has the name, and is in the list.
				if err := patient.Remove(aside); err != nil {
					return err
				}
				continue
			}
			if err := restore(path, aside); err != nil {
				return err
			}
		}
		st, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := fn(path, st.ModTime()); err != nil {
			return err
		}
	}
	return nil
}
