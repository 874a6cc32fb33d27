package project

import (
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"bst/impl/bug"
	"bst/impl/node"
)

// reader reads and parses element files ahead of the loader, which walks the
// graph by itself: what is read ahead changes when a file is parsed, never
// what comes of it. It guesses from the text of each file which ones will be
// asked for; what it reads in vain is dropped, errors included.
type reader struct {
	project *Project

	mu sync.Mutex // guards the rest
	// changed is told when a file has been parsed or the queue has grown.
	changed sync.Cond
	// files holds every file that is known, until it is asked for: then taken.
	files map[string]*pending
	// queue are the names that nobody works on yet.
	queue   []string
	workers int
	stopped bool
}

// pending is a file that is, will be or has been read.
type pending struct {
	state pendingState
	node  *node.Node
	err   error
}

type pendingState uint8

const (
	queued pendingState = iota
	reading
	parsed
)

// taken stands for files that the loader has got.
var taken = &pending{state: parsed}

func newReader(p *Project) *reader {
	r := &reader{project: p, files: map[string]*pending{}}
	r.changed.L = &r.mu
	return r
}

// read gives a parsed file, which is the caller's to change.
func (r *reader) read(name string) (*node.Node, error) {
	r.mu.Lock()
	f := r.files[name]
	for f != nil && f.state == reading {
		r.changed.Wait()
	}
	if f != nil && f != taken && f.state == parsed {
		r.files[name] = taken
		r.mu.Unlock()
		return f.node, f.err
	}
	r.files[name] = taken
	r.mu.Unlock()
	n, err := r.parse(name)
	if err == nil {
		r.prefetch(guess(n)...)
	}
	return n, err
}

func (r *reader) parse(name string) (*node.Node, error) {
	path := filepath.Join(r.project.ElementPath, filepath.FromSlash(name))
	r.project.Seen().File(path)
	return node.Load(path, r.project.shown(name))
}

// prefetch says that files may be asked for.
func (r *reader) prefetch(names ...string) {
	if len(names) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped && r.workers > 0 {
		return // the last run's workers are ending
	}
	r.stopped = false
	r.enqueue(names)
	// The loader itself parses what is not read yet, so one core is left to it.
	for r.workers < max(runtime.GOMAXPROCS(0)-1, 1) && r.workers < len(r.queue) {
		r.workers++
		bug.Start(r.work, r.broke)
	}
}

// enqueue is called with the lock held.
func (r *reader) enqueue(names []string) {
	added := false
	for _, name := range names {
		if strings.Contains(name, ":") || !strings.HasSuffix(name, ".bst") {
			continue
		}
		name = normalize(name)
		if r.files[name] == nil && filepath.IsLocal(name) {
			r.files[name] = &pending{}
			r.queue = append(r.queue, name)
			added = true
		}
	}
	if added {
		r.changed.Broadcast()
	}
}

// work reads files until stop is called.
func (r *reader) work() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.stopped {
		if len(r.queue) == 0 {
			r.changed.Wait()
			continue
		}
		name := r.queue[len(r.queue)-1]
		r.queue = r.queue[:len(r.queue)-1]
		f := r.files[name]
		if f == nil || f.state != queued {
			continue
		}
		f.state = reading
		r.mu.Unlock()
		var n *node.Node
		var names []string
		err := bug.Try(func() (err error) {
			if n, err = r.parse(name); err == nil {
				names = guess(n)
			}
			return err
		})
		r.mu.Lock()
		f.state, f.node, f.err = parsed, n, err
		r.enqueue(names)
		r.changed.Broadcast()
	}
	r.workers--
	r.changed.Broadcast()
}

// stop ends the workers and forgets what was read in vain. The reader may be
// used again.
func (r *reader) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	r.changed.Broadcast()
	for r.workers > 0 {
		r.changed.Wait()
	}
	clear(r.files)
	r.queue = nil
}

// guess lists the elements of the same project that a file depends on, as far
// as its text tells without options and includes.
func guess(n *node.Node) []string {
	var names []string
	for _, key := range [...]string{"build-depends", "runtime-depends", "depends"} {
		for _, item := range n.Get(key).Items() {
			if item.Kind() == node.Scalar {
				names = append(names, item.Text())
				continue
			}
			file := item.Get("filename")
			if file == nil || item.Get("junction") != nil {
				continue
			}
			if file.Kind() == node.Scalar {
				names = append(names, file.Text())
			}
			for _, one := range file.Items() {
				names = append(names, one.Text())
			}
		}
	}
	return names
}

// broke notes the end of a worker with a bug; what it was parsing fails.
func (r *reader) broke(e *bug.Error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.files {
		if f.state == reading {
			f.state, f.err = parsed, e
		}
	}
	r.workers--
	r.changed.Broadcast()
}
