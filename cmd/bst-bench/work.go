package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"bst/bench/workdir"
)

// work is a folder for projects and caches, which goes when all has been measured.
type work struct {
	dir  string
	made bool // by this process, and to be removed by it
	lock *flock.Flock
}

// workLead starts the names of folders that are made.
const workLead = "bst-bench-"

// onDisk and inMemory say where openWork makes a folder.
const (
	onDisk   = false
	inMemory = true
)

// openWork makes a folder, on the disk or in memory where this machine can, or takes
// the one that was given.
func openWork(given string, memory bool) (*work, error) {
	if given != "" {
		dir, err := filepath.Abs(given)
		return &work{dir: dir}, err
	}
	parent := os.TempDir()
	if memory {
		parent = cmp.Or(workdir.Memory(), parent)
	}
	dir, err := os.MkdirTemp(parent, workLead)
	if err != nil {
		return nil, err
	}
	w := &work{dir: dir, made: true, lock: flock.New(filepath.Join(dir, "owner.lock"))}
	_, err = w.lock.TryLock()
	if err := errors.Join(err, workdir.Spread(dir)); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return w, nil
}

// close removes what was made, and what others made who were killed. Where ctx has
// ended, and when it ends, what is left stays for the next measuring to remove, and
// log hears where.
func (w *work) close(ctx context.Context, log io.Writer) error {
	if !w.made {
		return nil
	}
	err := errors.Join(w.lock.Unlock(), remove(ctx, w.dir, log))
	left, globErr := filepath.Glob(filepath.Join(filepath.Dir(w.dir), workLead+"*", "owner.lock"))
	err = errors.Join(err, globErr)
	for _, path := range left {
		if ctx.Err() != nil {
			break
		}
		lock := flock.New(path)
		if held, lockErr := lock.TryLock(); lockErr != nil || !held {
			continue // somebody measures there
		}
		// What was started by one who was killed may still write there.
		if err := errors.Join(lock.Unlock(), remove(ctx, filepath.Dir(path), log)); err != nil {
			fmt.Fprintf(log, "what an earlier measuring left in %s is not all removed: %v\n", filepath.Dir(path), err)
		}
	}
	return err
}

// removeTold is how often a person hears that removing goes on.
const removeTold = 2 * time.Second

// remove removes a folder, and says how far it is. Interrupted, it says what is left.
func remove(ctx context.Context, dir string, log io.Writer) error {
	said := time.Now()
	err := workdir.Remove(ctx, dir, func(gone, all int) {
		if time.Since(said) >= removeTold {
			said = time.Now()
			fmt.Fprintf(log, "removing %s: %d of %d folders are gone; ^C leaves the rest\n", dir, gone, all)
		}
	})
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		fmt.Fprintf(log, "%s is left: the next bst-bench removes it, or you do\n", dir)
		return nil
	}
	return err
}
