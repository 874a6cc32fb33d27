package cas

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"bst/impl/bug"
	"bst/impl/rawfile"
	"bst/impl/stream"
)

// CaptureOptions say how a folder becomes a directory in the store.
type CaptureOptions struct {
	// MTimes keeps the files' times of modification, as the reference does for
	// what is built in workspaces; to the microsecond, as its buildbox-casd.
	MTimes bool
	// Skipped, if set, is told the path of each thing that is neither file,
	// folder nor symlink: a socket, a pipe, a device. Like the reference,
	// CaptureTree leaves those out. It is called by one goroutine.
	Skipped func(path string)
}

// DigestTree is the digest that CaptureTree would give, with nothing stored.
// It depends on names, contents, the owner's permission to execute, and
// symlinks alone, so it is the reference's key of a `local` source.
// The path may also be a symlink to a folder.
func DigestTree(path string) (Digest, error) {
	return capture(path, nil, CaptureOptions{})
}

// DigestWorkTree is DigestTree with the files' times of modification, as
// CaptureOptions.MTimes keeps them: the reference's key of a workspace.
func DigestWorkTree(path string) (Digest, error) {
	return capture(path, nil, CaptureOptions{MTimes: true})
}

// CaptureTree stores the folder and all below it, and gives the digest of its
// Directory. Files are hashed in parallel. Nothing may be changing the folder
// meanwhile; if something does, the objects are whole all the same, each some
// state of its file.
func (s *Store) CaptureTree(path string, opts CaptureOptions) (Digest, error) {
	return capture(path, s, opts)
}

// captured is a folder whose files are being hashed.
type captured struct {
	data *dirData
	subs []subCaptured
}

type subCaptured struct {
	entry int // in data.entries
	dir   *captured
}

// fileJob is a file to hash; the entry gets its digest.
type fileJob struct {
	path  string
	entry *Entry
}

type capturer struct {
	store *Store // nil: digests alone
	opts  CaptureOptions
	count int

	// few holds the first files. Most trees of sources have no more: for them
	// goroutines would cost more than the hashing.
	few     []fileJob
	jobs    chan fileJob // nil until there are more
	workers bug.Group

	mu   sync.Mutex // guards err
	err  error      // the first one
	stop chan struct{}
}

// fewFiles is how many files are hashed without starting workers.
const fewFiles = 16

func capture(path string, s *Store, opts CaptureOptions) (Digest, error) {
	c := &capturer{store: s, opts: opts, stop: make(chan struct{})}
	root, err := c.scan(path, 0)
	if err != nil {
		c.fail(err)
	}
	if c.jobs != nil {
		close(c.jobs)
		c.workers.Wait()
	} else {
		c.hash(slices.Values(c.few))
	}
	if c.err != nil {
		return Digest{}, c.err
	}
	return c.finish(root)
}

// add has a file hashed, by a worker or at the end.
func (c *capturer) add(job fileJob) error {
	if c.jobs == nil {
		if c.few = append(c.few, job); len(c.few) <= fewFiles {
			return nil
		}
		c.jobs = make(chan fileJob, 256)
		for range hashWorkers() {
			c.workers.Go(func() {
				// Nobody may wait for a worker that is gone.
				defer bug.Catch(func(e *bug.Error) { c.fail(e) })
				c.hash(func(yield func(fileJob) bool) {
					for job := range c.jobs {
						if !yield(job) {
							return
						}
					}
				})
			})
		}
		for _, job := range c.few {
			c.jobs <- job
		}
		return nil
	}
	select {
	case c.jobs <- job:
		return nil
	case <-c.stop:
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.err
	}
}

// hashWorkers is how many files are hashed at a time.
func hashWorkers() int { return min(max(runtime.GOMAXPROCS(0), 2), 8) }

func (c *capturer) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
		close(c.stop)
	}
}

// scan lists the folder and what is below it, and sends the files to the
// workers as it goes.
func (c *capturer) scan(path string, depth int) (*captured, error) {
	if depth > MaxDepth {
		return nil, depthError("'" + path + "'")
	}
	list, err := os.ReadDir(path) // sorted by name
	if err != nil {
		return nil, readError(path, err)
	}
	if c.count += len(list); c.count > maxTreeEntries {
		return nil, sizeError("'" + path + "'")
	}
	dir := &captured{data: &dirData{entries: make([]Entry, 0, len(list))}}
	for _, item := range list {
		e := Entry{Name: item.Name()}
		if err := checkName(e.Name); err != nil {
			return nil, badTree(path, err)
		}
		below := path + string(filepath.Separator) + e.Name
		switch item.Type() {
		case 0:
			e.Type = TypeFile
		case fs.ModeDir:
			e.Type = TypeDirectory
		case fs.ModeSymlink:
			e.Type = TypeSymlink
			if e.Target, err = os.Readlink(below); err != nil {
				return nil, readError(below, err)
			}
			if err := checkTarget(e.Name, e.Target); err != nil {
				return nil, badTree(path, err)
			}
		default:
			if c.opts.Skipped != nil {
				c.opts.Skipped(below)
			}
			continue
		}
		dir.data.entries = append(dir.data.entries, e)
		// The slice never grows beyond its capacity, so this stays where it is.
		entry := &dir.data.entries[len(dir.data.entries)-1]
		switch e.Type {
		case TypeFile:
			if err := c.add(fileJob{below, entry}); err != nil {
				return nil, err
			}
		case TypeDirectory:
			sub, err := c.scan(below, depth+1)
			if err != nil {
				return nil, err
			}
			dir.subs = append(dir.subs, subCaptured{len(dir.data.entries) - 1, sub})
		}
	}
	return dir, nil
}

func badTree(path string, err error) error {
	return &stream.Error{Domain: stream.DomainCAS, Message: fmt.Sprintf("The folder '%s' cannot be stored: %s", path, err)}
}

// hash hashes files until one fails, here or elsewhere.
func (c *capturer) hash(jobs iter.Seq[fileJob]) {
	for job := range jobs {
		select {
		case <-c.stop:
			continue
		default:
		}
		if err := c.file(job); err != nil {
			c.fail(readError(job.path, err))
		}
	}
}

func (c *capturer) file(job fileJob) error {
	if c.store == nil && !c.opts.MTimes {
		return digestOnly(job)
	}
	f, err := openNoFollow(job.path)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return errNotRegular
	}
	job.entry.Executable = st.Mode()&0o100 != 0
	if c.opts.MTimes {
		job.entry.Properties = mtimeProperties(st.ModTime().Truncate(time.Microsecond))
	}
	if c.store != nil {
		job.entry.Digest, err = c.store.putFile(f)
		return err
	}
	sum, size, err := rawfile.Sum(f)
	job.entry.Digest = newDigest(sum[:], size)
	return err
}

var errNotRegular = errors.New("it is no longer a regular file")

// digestOnly is file where nothing is stored.
func digestOnly(job fileJob) error {
	f, err := rawfile.Open(job.path, false)
	if err != nil {
		return err
	}
	defer f.Close()
	regular, executable, err := f.Stat()
	if err != nil {
		return err
	}
	if !regular {
		return errNotRegular
	}
	sum, size, err := rawfile.Sum(f)
	job.entry.Executable, job.entry.Digest = executable, newDigest(sum[:], size)
	return err
}

// finish makes the Directory messages, from the leaves up.
func (c *capturer) finish(dir *captured) (Digest, error) {
	for _, sub := range dir.subs {
		d, err := c.finish(sub.dir)
		if err != nil {
			return Digest{}, err
		}
		dir.data.entries[sub.entry].Digest = d
	}
	if c.store != nil {
		return c.store.writeDirectory(dir.data)
	}
	return DigestBytes(encodeDirectory(dir.data.entries, "")), nil
}
