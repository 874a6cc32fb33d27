package cas

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"bst/impl/bug"
	"bst/impl/stream"
)

// CheckoutOptions say how a directory of the store becomes a folder.
type CheckoutOptions struct {
	// Hardlink makes files hard links to objects, and to their executable
	// twins, where the filesystem allows: fast and without space, but whoever
	// writes into such a file destroys the object. The others are copies, which
	// share blocks where the filesystem can.
	Hardlink bool
}

// CheckoutTree makes the directory's content in dest, a folder that is created
// if it does not exist. What is there stays, but a file or symlink of the same
// name as one of the directory's is replaced. A file where a folder must be, a
// folder where a file must be, and a symlink where a folder must be are errors:
// nothing is ever written outside dest.
//
// Files have mode 0644 or 0755, folders 0755, whatever the umask, and the time
// MTime, unless the tree holds a file's own; dest itself keeps its time.
func (s *Store) CheckoutTree(d Digest, dest string, opts CheckoutOptions) error {
	if err := os.MkdirAll(dest, 0o755); err != nil {
		return outsideError("create the folder", dest, err)
	}
	root, err := openFolder(dest)
	if err != nil {
		return outsideError("open the folder", dest, err)
	}
	c := &checkout{store: s, opts: opts, workers: make(chan struct{}, hashWorkers()-1)}
	c.directory(root, dest, d, 0)
	c.wait.Wait()
	return c.err
}

type checkout struct {
	store   *Store
	opts    CheckoutOptions
	workers chan struct{} // a token for each folder that a goroutine of its own fills
	wait    bug.Group
	count   atomic.Int64
	noLink  atomic.Bool // dest is on another filesystem, or knows no links

	mu     sync.Mutex // guards err
	err    error      // the first one
	failed atomic.Bool
}

func (c *checkout) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
		c.failed.Store(true)
	}
}

// directory fills the folder and closes it. path is where it lies, for
// messages.
func (c *checkout) directory(f folder, path string, d Digest, depth int) {
	defer f.close()
	if c.failed.Load() {
		return
	}
	if depth > MaxDepth {
		c.fail(depthError("'" + path + "'"))
		return
	}
	data, err := c.store.readDirectory(d)
	if err != nil {
		c.fail(err)
		return
	}
	if c.count.Add(int64(len(data.entries))) > maxTreeEntries {
		c.fail(sizeError("the directory " + d.String()))
		return
	}
	for i := range data.entries {
		if c.failed.Load() {
			return
		}
		if err := c.entry(f, path, &data.entries[i], depth); err != nil {
			c.fail(err)
			return
		}
	}
	if depth == 0 {
		return
	}
	// All of the folder's own names exist now, those of the folders in it too,
	// so nothing will change its time again.
	mtime, ok := propertiesMTime(data.properties)
	if !ok {
		mtime = MTime
	}
	if err := f.setTime(".", mtime); err != nil {
		c.fail(outsideError("set the time of", path, err))
	}
}

func (c *checkout) entry(f folder, path string, e *Entry, depth int) error {
	below := path + string(filepath.Separator) + e.Name
	switch e.Type {
	case TypeFile:
		return c.file(f, below, e)
	case TypeSymlink:
		err := replacing(f, e.Name, func() error { return f.symlink(e.Target, e.Name) })
		if err == nil {
			err = f.setTime(e.Name, MTime)
		}
		if err != nil {
			return placeError("symlink", below, err)
		}
		return nil
	}
	sub, err := f.openOrMake(e.Name)
	if err != nil {
		return placeError("folder", below, err)
	}
	select {
	case c.workers <- struct{}{}:
		c.wait.Go(func() {
			defer func() { <-c.workers }()
			c.directory(sub, below, e.Digest, depth+1)
		})
	default:
		c.directory(sub, below, e.Digest, depth+1)
	}
	return nil
}

// file makes a link to the object or a copy of it.
func (c *checkout) file(f folder, path string, e *Entry) error {
	mtime, own := e.MTime()
	if c.opts.Hardlink && !own && !c.noLink.Load() {
		object, err := c.link(f, e)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, fs.ErrNotExist):
			return missingError(e.Digest, object)
		case errors.Is(err, syscall.EMLINK):
			// ext4 allows 65,000 links: this file becomes a copy.
		case errors.Is(err, syscall.EXDEV), errors.Is(err, syscall.EPERM), errors.Is(err, syscall.ENOTSUP):
			c.noLink.Store(true)
		default:
			return placeError("file", path, err)
		}
	}
	if !own {
		mtime = MTime
	}
	src, err := c.store.OpenFile(e.Digest)
	if err != nil {
		return err
	}
	defer src.Close()
	mode := os.FileMode(0o644)
	if e.Executable {
		mode = 0o755
	}
	var dst *os.File
	err = replacing(f, e.Name, func() (err error) {
		dst, err = f.create(e.Name, mode)
		return err
	})
	if err != nil {
		return placeError("file", path, err)
	}
	err = c.store.copyContent(dst, src, e.Digest.Size)
	if err == nil {
		err = dst.Chmod(mode) // whatever the umask
	}
	if cerr := dst.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = f.setTime(e.Name, mtime)
	}
	if err != nil {
		return outsideError("write", path, err)
	}
	return nil
}

// link makes a hard link to the object or to its twin. Its path is for messages.
func (c *checkout) link(f folder, e *Entry) (object string, err error) {
	object = c.store.Path(e.Digest)
	for range 3 {
		if e.Executable {
			if object, err = c.store.ExecPath(e.Digest); err != nil {
				return object, err
			}
		}
		err = replacing(f, e.Name, func() error { return f.link(object, e.Name) })
		// A twin may expire just now, and is made again; an object comes back.
		if !errors.Is(err, fs.ErrNotExist) || !e.Executable && !c.store.recall(e.Digest) {
			break
		}
	}
	return object, err
}

// replacing runs make, and once more without what has the name, if that is a
// file or a symlink.
func replacing(f folder, name string, make func() error) error {
	err := make()
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := f.remove(name); err != nil {
		return err
	}
	return make()
}

// placeError is that of a name in dest that cannot become what it must.
func placeError(what, path string, err error) error {
	if errors.Is(err, errInTheWay) {
		return &stream.Error{
			Domain:  stream.DomainCAS,
			Message: fmt.Sprintf("Cannot make the %s '%s': %s", what, path, err),
			Detail:  "Remove it, or use an empty folder.",
		}
	}
	return outsideError("make the "+what, path, err)
}

// errInTheWay marks a refusal to replace, or to go through, what is there.
type inTheWay struct{ text string }

func (e inTheWay) Error() string        { return e.text }
func (e inTheWay) Is(target error) bool { return target == errInTheWay }

var errInTheWay = errors.New("something else is there")

// folder is an open folder in which single names are used, so that nothing that
// happens to the path that led to it, or lies in it, leads elsewhere.
// Implementations: openat and its kin on Linux, os.Root elsewhere.
type folder interface {
	// openOrMake opens the folder of this name, which it makes if there is
	// nothing. It does not follow symlinks.
	openOrMake(name string) (folder, error)
	create(name string, mode os.FileMode) (*os.File, error)
	link(object, name string) error
	symlink(target, name string) error
	// remove removes a file or a symlink; a folder is errInTheWay.
	remove(name string) error
	// setTime sets the time of the name, not of what a symlink points to; "."
	// is the folder itself.
	setTime(name string, t time.Time) error
	close()
}
