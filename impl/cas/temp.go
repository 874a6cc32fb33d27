package cas

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// tempDir is where one Store writes what is not an object yet: a folder of its
// own below <dir>/tmp, locked (flock) for as long as the process lives. The
// kernel drops the lock when a process dies, however it dies, so a folder that
// can be locked by somebody else is a dead one, and its files are waste.
type tempDir struct {
	mu   sync.Mutex // guards path and lock
	path string     // "" until the first write
	lock *os.File
	next atomic.Uint64
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
		dir, err := s.temp.ensure(s.tmp)
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

// ensure gives the folder, made and locked.
func (t *tempDir) ensure(root string) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.path != "" {
		return t.path, nil
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", ioError("create the cache's folder", root, err)
	}
	sweep(root)
	// A sweep of another process may lock and remove the folder between its
	// making and its locking: then the next attempt has another name.
	for range 100 {
		path := filepath.Join(root, fmt.Sprintf("%s%d-%08x", tempPrefix, os.Getpid(), rand.Uint32()))
		if err := os.Mkdir(path, 0o755); errors.Is(err, fs.ErrExist) {
			continue
		} else if err != nil {
			return "", ioError("create the cache's folder", path, err)
		}
		lock, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", ioError("open the cache's folder", path, err)
		}
		st, err := lock.Stat()
		if err != nil {
			lock.Close()
			return "", ioError("open the cache's folder", path, err)
		}
		if got, known := tryLock(lock); known && !got || !isStill(st, path) {
			lock.Close()
			continue
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
		t.lock.Close()
		t.path, t.lock = "", nil
	}
}

func (t *tempDir) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.path == "" {
		return nil
	}
	path := t.path
	t.path = ""
	err := os.RemoveAll(path)
	t.lock.Close()
	t.lock = nil
	if err != nil {
		return ioError("remove the cache's folder", path, err)
	}
	return nil
}

// isStill says whether path still leads to the file that st is of.
func isStill(st fs.FileInfo, path string) bool {
	now, err := os.Stat(path)
	return err == nil && os.SameFile(st, now)
}

// sweep removes what dead processes left in root. It reports nothing: whoever
// cannot remove a stranger's folder can still use the store.
func sweep(root string) {
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
		lock, err := os.Open(path)
		if err != nil {
			continue
		}
		if got, known := tryLock(lock); known && got {
			// Locked by us: a process that has just made it sees, once it has
			// the lock, that the folder is no longer there.
			waste, _ := lock.Readdirnames(files)
			for _, w := range waste {
				os.Remove(filepath.Join(path, w))
			}
			files -= len(waste)
			folders--
			os.Remove(path)
		}
		lock.Close()
	}
}
