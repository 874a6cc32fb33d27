package sandbox

import (
	"context"
	"errors"
	"os"
	"sync"

	"bst/impl/cas"
)

// Root is one staged root file system. What commands change in it stays until
// Close, from one Run to the next. Suspend, Resume and Close may be called at
// any moment; the other methods wait for one another.
type Root struct {
	factory *Factory
	store   *cas.Store
	dir     string // the work directory
	lock    *os.File
	layers  []cas.Digest
	wanted  cas.Digest // what was asked for, before any command

	use sync.Mutex // held by the methods that wait for one another; guards what follows
	// shown is what the root looks like, as far as it was read back, without
	// what is in the marked directories.
	shown *cas.Dir
	// changed says that commands may have changed the root since.
	changed bool
	marks   []*mark
	// wide says that the root itself is marked: it is never read-only.
	wide bool
	// times says that marked directories are captured with times of modification.
	times   bool
	state   state
	tree    cas.Digest // in state tree: which checkout is bound
	lower   []string   // in state overlay: the layers' names
	lease   *lease
	overlay bool // an overlay is possible here
	plain   bool // but not of this Root's layers
	own     bool // the helper gets namespaces of its own
	plans   int
	runs    int

	mu        sync.Mutex // guards what follows
	running   map[*process]struct{}
	suspended chan struct{} // not nil: closed by Resume
	closed    bool
}

// state says how the root lies on disk.
type state int

const (
	// unstaged: nothing yet; no command has run.
	unstaged state = iota
	// overlaid: checkouts under an upper layer in the work directory.
	overlaid
	// bound: a checkout of the whole root, bound read-only. Without overlayfs,
	// until a command wants to write.
	bound
	// copied: a private copy in the work directory.
	copied
)

var errClosed = errors.New("the sandbox is closed")

func (r *Root) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

// Suspend stops the commands that run; one that starts meanwhile waits.
func (r *Root) Suspend() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.suspended == nil {
		r.suspended = make(chan struct{})
	}
	for p := range r.running {
		p.stop()
	}
}

// Resume lets them go on.
func (r *Root) Resume() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.suspended == nil {
		return
	}
	close(r.suspended)
	r.suspended = nil
	for p := range r.running {
		p.cont()
	}
}

// enter notes a process that runs.
func (r *Root) enter(p *process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running[p] = struct{}{}
	switch {
	case r.closed:
		p.kill()
	case r.suspended != nil:
		p.stop()
	}
}

func (r *Root) leave(p *process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, p)
}

// awake waits while the Root is suspended.
func (r *Root) awake(ctx context.Context) error {
	for {
		r.mu.Lock()
		wait := r.suspended
		closed := r.closed
		r.mu.Unlock()
		if closed {
			return errClosed
		}
		if wait == nil {
			return nil
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Close ends what runs and removes the work directory. It may be called more
// than once.
func (r *Root) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil
	}
	r.closed = true
	for p := range r.running {
		p.kill()
	}
	if r.suspended != nil {
		close(r.suspended)
		r.suspended = nil
	}
	r.mu.Unlock()

	r.use.Lock() // until the command has ended
	defer r.use.Unlock()
	var errs []error
	if r.lease != nil {
		errs = append(errs, r.lease.release())
	}
	errs = append(errs, removeTree(r.dir), r.lock.Close())
	r.factory.mu.Lock()
	delete(r.factory.roots, r)
	r.factory.mu.Unlock()
	if err := errors.Join(errs...); err != nil {
		return stagingError("remove", r.dir, err)
	}
	return nil
}
