package cas

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"bst/impl/patient"
)

// tempDir is where one Store writes what is not an object yet: a folder of its
// own below <dir>/tmp, locked (flock) for as long as the process lives. The
// kernel drops the lock when a process dies, however it dies, so a folder that
// can be locked by somebody else is a dead one, and its files are waste.
type tempDir struct {
	mu    sync.Mutex // guards path and lock
	path  string     // "" until the first write
	lock  *folderLock
	next  atomic.Uint64
	lease lease // lies in the folder
	// masked says that the process's umask takes something from mode 0644, so
	// that each object's mode must be set: a system call saved in most
	// processes.
	masked atomic.Bool
}

const (
	tempPrefix = "bst-"
	// A sweep removes at most this many folders and files, so that the first
	// write after a disaster is not held up; the next process goes on.
	sweepFolders = 64
	sweepFiles   = 4096
)

// createTemp has write make a file at a new path below <dir>/tmp and gives the
// path. After an error nothing is left there.
func (s *Store) createTemp(write func(path string) error) (string, error) {
	for attempt := 0; ; attempt++ {
		dir, err := s.temp.ensure(s)
		if err != nil {
			return "", err
		}
		path := dir + string(filepath.Separator) + strconv.FormatUint(s.temp.next.Add(1), 36)
		err = write(path)
		if err == nil {
			return path, nil
		}
		os.Remove(path)
		if errors.Is(err, fs.ErrNotExist) && attempt == 0 && !exists(dir) {
			// Somebody emptied the cache under our feet: start anew, once.
			s.temp.forget(dir)
			continue
		}
		var own writeFailure
		if errors.As(err, &own) {
			err = own.error
		} else if !isPathError(err, path) {
			return "", err // of the reader that was being stored
		}
		return "", ioError("write to the cache", path, err)
	}
}

// isPathError says whether err is of an operation on path itself, or bare: an
// error number from a system call of this package. What is wrapped deeper came
// from whatever is being stored, a network connection for one.
func isPathError(err error, path string) bool {
	switch e := err.(type) {
	case *fs.PathError:
		return e.Path == path
	case syscall.Errno:
		return true
	}
	return false
}

// ensure gives the folder of this process's store, made, locked and leased.
func (t *tempDir) ensure(s *Store) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.path != "" {
		return t.path, nil
	}
	root := s.tmp
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", ioError("create the cache's folder", root, err)
	}
	if err := s.beginAccount(); err != nil {
		return "", err
	}
	s.sweep()
	// A sweep of another process may lock and remove the folder between its
	// making and its locking: then the next attempt has another name.
	for range 100 {
		path := filepath.Join(root, fmt.Sprintf("%s%d-%08x", tempPrefix, os.Getpid(), rand.Uint32()))
		if err := os.Mkdir(path, 0o755); errors.Is(err, fs.ErrExist) {
			continue
		} else if err != nil {
			return "", ioError("create the cache's folder", path, err)
		}
		lock, err := lockFolder(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", ioError("open the cache's folder", path, err)
		}
		st, err := lock.file.Stat()
		if err != nil {
			lock.close()
			return "", ioError("open the cache's folder", path, err)
		}
		if lock.known && !lock.got || !isStill(st, path) {
			lock.close()
			continue
		}
		if err := t.lease.begin(path); err != nil {
			lock.close()
			return "", ioError("write to the cache", filepath.Join(path, leaseName), err)
		}
		t.masked.Store(st.Mode().Perm() != 0o755)
		t.path, t.lock = path, lock
		return path, nil
	}
	return "", ioError("create a folder in", root, errors.New("other processes take it away again and again"))
}

// forget makes the next ensure begin anew, if dir is still the folder in use.
func (t *tempDir) forget(dir string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.path == dir {
		t.lease.end()
		t.lock.close()
		t.path, t.lock = "", nil
	}
}

func (t *tempDir) close(s *Store) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.path == "" {
		return nil
	}
	path := t.path
	t.path = ""
	accounted := s.account(t.lease.end())
	// Not before the folder is gone, where that can be: see sweep.
	if lockedStays {
		t.lock.close()
	}
	err := patient.RemoveAll(path)
	if !lockedStays {
		t.lock.close()
	}
	t.lock = nil
	if err != nil {
		return ioError("remove the cache's folder", path, err)
	}
	return accounted
}

// folderLock is a folder's lock, or the try to get it.
type folderLock struct {
	// file is the folder, opened.
	file *os.File
	// got says that the lock is ours; known is false where there are no locks.
	got, known bool
	// held is what holds it, where that is not file.
	held io.Closer
}

// close gives the lock back. It may be called twice.
func (l *folderLock) close() {
	if l.held != nil {
		_ = l.held.Close()
	}
	_ = l.file.Close()
}

// lockFolder opens a folder and takes its lock if it is free.
func lockFolder(path string) (*folderLock, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	l := &folderLock{file: f}
	l.held, l.got, l.known = tryLock(f)
	return l, nil
}

// isStill says whether path still leads to the file that st is of.
func isStill(st fs.FileInfo, path string) bool {
	now, err := os.Stat(path)
	return err == nil && os.SameFile(st, now)
}

// sweep removes what dead processes left in tmp, and accounts for what they had
// stored. It reports nothing: whoever cannot remove a stranger's folder can still
// use the store.
func (s *Store) sweep() {
	root := s.tmp
	f, err := os.Open(root)
	if err != nil {
		return
	}
	names, err := f.Readdirnames(8 * sweepFolders)
	f.Close()
	if err != nil {
		return
	}
	folders, files := sweepFolders, sweepFiles
	for _, name := range names {
		if !strings.HasPrefix(name, tempPrefix) {
			continue
		}
		if folders == 0 || files <= 0 {
			return
		}
		path := filepath.Join(root, name)
		lock, err := lockFolder(path)
		if err != nil {
			continue
		}
		if lock.known && lock.got {
			// Locked by us: a process that has just made it sees, once it has
			// the lock, that the folder is no longer there.
			if _, added, ok := readLease(path); ok && added != 0 && s.account(added) != nil {
				lock.close()
				continue
			}
			waste, _ := lock.file.Readdirnames(files)
			for _, w := range waste {
				os.Remove(filepath.Join(path, w))
			}
			files -= len(waste)
			folders--
			if lockedStays {
				lock.close()
			}
			os.Remove(path)
		}
		lock.close()
	}
}
