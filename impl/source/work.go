package source

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"bst/impl/element"
	"bst/impl/patient"
	"bst/impl/stream"

	"github.com/gofrs/flock"
)

// work is what a source kind works with during one call.
type work struct {
	Reporter
	c    *Cache
	kind string

	mu    sync.Mutex // guards temps
	temps []string
}

func (c *Cache) work(s *element.Source, r Reporter) *work {
	return &work{Reporter: r, c: c, kind: s.Kind}
}

// MirrorDir implements kind.SourceWork.
func (w *work) MirrorDir() (string, error) {
	dir := filepath.Join(w.c.sourceDir, w.kind)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fault("Cannot make the source directory", err)
	}
	return dir, nil
}

// TempDir implements kind.SourceWork.
func (w *work) TempDir() (string, error) {
	dir, err := w.c.temp.make()
	if err != nil {
		return "", err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.temps = append(w.temps, dir)
	return dir, nil
}

// close removes the temporary directories.
func (w *work) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, dir := range w.temps {
		remove(dir)
	}
	w.temps = nil
}

// silent is a Reporter for questions, which nobody wants to read about.
type silent struct{}

func (silent) Log() io.Writer                             { return io.Discard }
func (silent) Progress(int, int)                          {}
func (silent) Count(int, int)                             {}
func (silent) Message(stream.MessageType, string, string) {}
func (silent) Activity(_ string, f func() error) error    { return f() }
func (silent) Warn(string, string, string) error          { return nil }

// tempDirs makes temporary directories in one that belongs to this process.
// A lock on a file in it says that its process lives; what belonged to a dead
// one is swept when the first directory is made.
type tempDirs struct {
	// root holds the directories of all processes.
	root string

	mu   sync.Mutex // guards own and lock
	own  string     // "" until it is made
	lock *flock.Flock
}

const (
	tempPrefix = "sources-"
	tempLock   = "lock"
)

func (t *tempDirs) make() (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.own == "" {
		if err := t.start(); err != nil {
			return "", err
		}
	}
	dir, err := os.MkdirTemp(t.own, "")
	if err == nil {
		// What is staged has the mode that everybody's has.
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		return "", fault("Cannot make a temporary directory", err)
	}
	return dir, nil
}

func (t *tempDirs) start() error {
	if err := os.MkdirAll(t.root, 0o755); err != nil {
		return fault("Cannot make the directory for temporary files", err)
	}
	t.sweep()
	var last error
	for range 10 {
		own, err := os.MkdirTemp(t.root, tempPrefix)
		if err != nil {
			return fault("Cannot make a temporary directory", err)
		}
		lock := flock.New(filepath.Join(own, tempLock))
		ok, err := lock.TryLock()
		if ok {
			// Another process's sweep may have come between making the file
			// and locking it.
			if _, err = os.Stat(filepath.Join(own, tempLock)); err == nil {
				t.own, t.lock = own, lock
				return nil
			}
			lock.Unlock()
		}
		last = err
	}
	return fault("Cannot lock a temporary directory", fmt.Errorf("%s: %v", t.root, last))
}

// sweep removes the directories of processes that are no more. One that has no
// lock file yet belongs to a process that is just starting.
func (t *tempDirs) sweep() {
	entries, err := os.ReadDir(t.root)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), tempPrefix) {
			continue
		}
		dir := filepath.Join(t.root, entry.Name())
		if _, err := os.Stat(filepath.Join(dir, tempLock)); err != nil {
			continue
		}
		lock := flock.New(filepath.Join(dir, tempLock))
		if ok, err := lock.TryLock(); err == nil && ok {
			remove(dir)
			lock.Unlock()
			if lockedStays {
				remove(dir)
			}
		}
	}
}

func (t *tempDirs) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.own == "" {
		return nil
	}
	remove(t.own)
	err := t.lock.Unlock()
	if lockedStays {
		remove(t.own)
	}
	t.own, t.lock = "", nil
	return err
}

// lockedStays says that a file that is locked, and so open, cannot be removed.
// Elsewhere it goes first: who locks it after that sees that it is gone.
const lockedStays = runtime.GOOS == "windows"

// remove removes a directory and all in it, even where a source has made
// directories that their owner may not write to.
func remove(dir string) {
	if patient.RemoveAll(dir) == nil {
		return
	}
	filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			os.Chmod(path, 0o700)
		}
		return nil
	})
	patient.RemoveAll(dir)
}
