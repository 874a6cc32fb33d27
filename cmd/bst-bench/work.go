package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sync/errgroup"
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
// of the measuring: removing many files makes making others slow for a while. Where
// ctx has ended, and when it ends, what is left stays for the next measuring to
// remove, and log hears where.
func (w *work) close(ctx context.Context, log io.Writer) error {
	if !w.made {
		return nil
	}
	err := errors.Join(w.lock.Unlock(), remove(ctx, w.dir, log))
	left, globErr := filepath.Glob(filepath.Join(os.TempDir(), workLead+"*", "owner.lock"))
	err = errors.Join(err, globErr)
	for _, path := range left {
		if ctx.Err() != nil {
			break
		}
		lock := flock.New(path)
		if held, lockErr := lock.TryLock(); lockErr != nil || !held {
			continue // somebody measures there
		}
		err = errors.Join(err, lock.Unlock(), remove(ctx, filepath.Dir(path), log))
	}
	return err
}

const (
	// removers is how many folders are removed at a time; a file system's locks
	// leave little for more.
	removers = 4
	// splitDepth is how far down folders are counted and shared among them.
	splitDepth = 4
	// removeTold is how often a person hears that it goes on.
	removeTold = 5 * time.Second
)

// remove removes a folder of very many files. The file that marks it as somebody's
// goes last, so that what is left when ctx ends is found again.
func remove(ctx context.Context, dir string, log io.Writer) error {
	var parts []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || path == dir {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if e.IsDir() && depth(rel) == splitDepth {
			parts = append(parts, path)
			return fs.SkipDir
		}
		return ctx.Err()
	})
	var count atomic.Int64
	done := make(chan struct{})
	defer close(done)
	go func() {
		tick := time.NewTicker(removeTold)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				fmt.Fprintf(log, "removing %s: %d of %d folders are gone; ^C leaves the rest\n", dir, count.Load(), len(parts))
			}
		}
	}()
	var group errgroup.Group
	group.SetLimit(removers)
	for _, part := range parts {
		group.Go(func() error {
			if ctx.Err() != nil {
				return nil
			}
			err := removeAll(ctx, part)
			count.Add(1)
			return err
		})
	}
	err = errors.Join(err, group.Wait())
	if ctx.Err() != nil {
		fmt.Fprintf(log, "%s is left: the next bst-bench removes it, or you do\n", dir)
		return nil
	}
	return errors.Join(err, os.RemoveAll(dir))
}

// depth is how many components a path has.
func depth(path string) int {
	n := 1
	for _, c := range path {
		if c == filepath.Separator {
			n++
		}
	}
	return n
}

// removeAll is os.RemoveAll that ends soon after ctx.
func removeAll(ctx context.Context, dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if ctx.Err() != nil {
			return nil
		}
		path := filepath.Join(dir, e.Name())
		if e.IsDir() {
			err = errors.Join(err, removeAll(ctx, path))
		} else {
			err = errors.Join(err, gone(os.Remove(path)))
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return errors.Join(err, gone(os.Remove(dir)))
}

// gone makes no error of what somebody else has removed.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
