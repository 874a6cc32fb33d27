package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// work is a folder for projects and caches, which goes when all has been measured.
type work struct {
	dir  string
	made bool // by this process, and to be removed by it
	lock *flock.Flock
}

// workLead starts the names of folders that are made.
const workLead = "bst-bench-"

// openWork makes a folder, or takes the one that was given.
func openWork(given string) (*work, error) {
	if given != "" {
		dir, err := filepath.Abs(given)
		return &work{dir: dir}, err
	}
	dir, err := os.MkdirTemp("", workLead)
	if err != nil {
		return nil, err
	}
	w := &work{dir: dir, made: true, lock: flock.New(filepath.Join(dir, "owner.lock"))}
	if _, err := w.lock.TryLock(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return w, nil
}

// close removes what was made, and what others made who were killed. It is the end
// of the measuring: removing many files makes making others slow for a while.
func (w *work) close() error {
	if !w.made {
		return nil
	}
	err := errors.Join(w.lock.Unlock(), os.RemoveAll(w.dir))
	left, globErr := filepath.Glob(filepath.Join(os.TempDir(), workLead+"*", "owner.lock"))
	err = errors.Join(err, globErr)
	for _, path := range left {
		lock := flock.New(path)
		if held, lockErr := lock.TryLock(); lockErr != nil || !held {
			continue // somebody measures there
		}
		err = errors.Join(err, lock.Unlock(), os.RemoveAll(filepath.Dir(path)))
	}
	return err
}
