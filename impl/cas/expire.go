package cas

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"bst/impl/patient"
	"bst/impl/stream"

	"github.com/gofrs/flock"
)

// Expiry takes objects out of the store while other processes use it. What is to
// go is somebody else's decision (impl/expiry); here is what makes it safe:
//
//   - Nothing goes that was used since the oldest living lease began (lease.go).
//   - An object is first renamed to <dir>/expiring/<hash>, and then looked at again.
//     A use that was noted before that is seen, and the object goes back. Whoever
//     comes after it finds no object, and stores it anew. There is no lock that
//     those who store and find would have to take.
//   - Whoever knows that an object is there, by a use or by a name for it, and does
//     not find it at this moment, looks in expiring (recall) and takes it back.
//   - What a killed process left in expiring goes back before anything else goes.

// File is an object or an executable twin, as Files gives it.
type File struct {
	Digest Digest
	// Size in bytes; Used is the time of the last use in nanoseconds since 1970.
	Size, Used int64
	// Twin tells a twin from its object. Linked: it has other names, in a checkout.
	Twin, Linked bool
}

// Files calls fn for each object and each twin, in no order, until fn gives an
// error, which it returns. What comes or goes meanwhile may be missed.
func (s *Store) Files(fn func(File) error) error {
	for _, twin := range []bool{false, true} {
		root := s.objects
		if twin {
			root = s.exec
		}
		folders, err := readNames(root, -1)
		if err != nil {
			return readError(root, err)
		}
		for _, folder := range folders {
			if len(folder) != 2 {
				continue
			}
			dir := root + string(filepath.Separator) + folder
			names, err := readNames(dir, -1)
			if err != nil {
				return readError(dir, err)
			}
			for _, name := range names {
				f := File{Digest: Digest{Hash: folder + name}, Twin: twin}
				if !f.Digest.Valid() {
					continue
				}
				f.Size, f.Used, f.Linked, err = lookUse(dir + string(filepath.Separator) + name)
				if errors.Is(err, fs.ErrNotExist) {
					continue
				}
				if err != nil {
					return readError(filepath.Join(dir, name), err)
				}
				f.Digest.Size = f.Size
				if err := fn(f); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Expirer takes objects out of a store. There is one at a time for a store, of all
// processes.
type Expirer struct {
	store *Store
	lock  *flock.Flock
	count *count

	// Cutoff is the time, in nanoseconds since 1970, from which on uses are a
	// living process's: what was used then or later stays.
	Cutoff int64
}

// ErrBusy says that another process expires objects already.
var ErrBusy = errors.New("another process is making room in the cache")

// ErrNoLocks says that the cache's filesystem has no locks, so that what other
// processes use cannot be known.
var ErrNoLocks = &stream.Error{
	Domain:  stream.DomainCAS,
	Message: "The cache's filesystem has no file locks, so that nothing can be expired",
	Detail:  "Set `cachedir` in buildstream.conf to a folder on a local filesystem, or `cache: quota` to infinity.",
}

// ErrNoTimes says that the cache's filesystem does not keep times of use exactly,
// or has a clock of its own.
var ErrNoTimes = &stream.Error{
	Domain:  stream.DomainCAS,
	Message: "The cache's filesystem does not keep the exact times at which files are used, so that nothing can be expired",
	Detail:  ErrNoLocks.Detail,
}

// keepsTimes tries whether uses are noted with the time of this machine.
func (s *Store) keepsTimes(dir string) bool {
	path := filepath.Join(dir, "use")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		return false
	}
	defer os.Remove(path)
	if err := os.Chtimes(path, MTime, MTime); err != nil {
		return false
	}
	before := clock()
	noteUse(path, before)
	_, used, _, err := lookUse(path)
	return err == nil && used >= before
}

// Expire begins to take out objects, until Close. ErrBusy: somebody else does.
func (s *Store) Expire() (*Expirer, error) {
	own, err := s.temp.ensure(s)
	if err != nil {
		return nil, err
	}
	if !s.keepsTimes(own) {
		return nil, ErrNoTimes
	}
	lock := flock.New(filepath.Join(s.dir, "expire.lock"))
	switch got, err := lock.TryLock(); {
	case err != nil:
		return nil, ioError("lock", lock.Path(), err)
	case !got:
		return nil, ErrBusy
	}
	e := &Expirer{store: s, lock: lock}
	if err := e.begin(); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

func (e *Expirer) begin() error {
	s := e.store
	if err := os.MkdirAll(s.aside, 0o755); err != nil {
		return ioError("create the cache's folder", s.aside, err)
	}
	left, err := readNames(s.aside, -1)
	if err != nil {
		return ioError("read", s.aside, err)
	}
	for _, name := range left {
		if d := (Digest{Hash: name}); d.Valid() {
			if err := e.restore(d, nil); err != nil {
				return err
			}
		}
	}
	if e.count, err = s.beginCount(); err != nil {
		return err
	}
	s.temp.lease.mu.Lock()
	e.Cutoff = s.temp.lease.from
	s.temp.lease.mu.Unlock()
	others, err := s.processes()
	if err != nil {
		return ioError("read", s.tmp, err)
	}
	for _, p := range others {
		switch {
		case !p.known:
			return ErrNoLocks
		case p.live && p.leased:
			e.Cutoff = min(e.Cutoff, p.from)
		}
		// One that lives and has no lease yet has used nothing yet: whatever it
		// will use is seen when it is looked at again.
	}
	return nil
}

// Close ends it.
func (e *Expirer) Close() { _ = e.lock.Unlock() }

// Counted tells the account how many bytes there are, as Files gave them since
// Expire; what Discard takes is taken off by itself.
func (e *Expirer) Counted(bytes int64) error { return e.count.end(bytes) }

// Below gives what a directory names: other directories, and files. One that is
// not there, or is not whole, names nothing: what uses it is broken already. To
// be looked at so is no use of it.
func (e *Expirer) Below(d Digest) (trees, blobs []string) {
	s := e.store
	data := s.dirs.get(d)
	if data == nil {
		if !d.Valid() || d.Size > maxDirectorySize {
			return nil, nil
		}
		b, err := readUnused(s.Path(d), d.Size)
		if err != nil || DigestBytes(b) != d {
			return nil, nil
		}
		if data, err = decodeDirectory(b); err != nil {
			return nil, nil
		}
	}
	for i := range data.entries {
		switch e := &data.entries[i]; e.Type {
		case TypeDirectory:
			trees = append(trees, e.Digest.Hash)
		case TypeFile:
			blobs = append(blobs, e.Digest.Hash)
		}
	}
	return trees, blobs
}

// readUnused reads a file of that size and leaves the time of its last use.
func readUnused(path string, size int64) ([]byte, error) {
	f, err := openUnused(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, size)
	_, err = io.ReadFull(f, b)
	return b, err
}

// Discard takes out an object, or a twin, as Files gave it. gone is false where it
// was used since.
func (e *Expirer) Discard(f File) (gone bool, err error) {
	if f.Used >= e.Cutoff {
		return false, nil
	}
	if f.Twin {
		return e.discardTwin(f)
	}
	s := e.store
	path, aside := s.Path(f.Digest), e.asidePath(f.Digest)
	if err := patient.Rename(path, aside); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, ioError("remove the object", path, err)
	}
	return e.settle(f, aside)
}

// settle looks again at what was renamed.
func (e *Expirer) settle(f File, aside string) (gone bool, err error) {
	_, used, _, err := lookUse(aside)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil // recalled
	case err != nil:
		return false, ioError("look at the object", aside, err)
	case used != f.Used:
		return false, e.restore(f.Digest, &f)
	}
	// Between looking and this whoever knows of the object may take it back.
	err = patient.Remove(aside)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, ioError("remove the object", aside, err)
	}
	e.store.temp.lease.add(-f.Size)
	return true, nil
}

// discardTwin takes out a twin. Who uses one makes it again where it is not there
// any more, so that nothing has to go back.
func (e *Expirer) discardTwin(f File) (gone bool, err error) {
	path := objectPath(e.store.exec, f.Digest)
	if _, used, _, err := lookUse(path); err != nil || used != f.Used {
		return false, nil
	}
	if err := patient.Remove(path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, ioError("remove the object", path, err)
	}
	e.store.temp.lease.add(-f.Size)
	return true, nil
}

func (e *Expirer) asidePath(d Digest) string { return filepath.Join(e.store.aside, d.Hash) }

// restore puts an object back. f is what the account has of it, nil where it has
// nothing of another that may have been stored meanwhile.
func (e *Expirer) restore(d Digest, f *File) error {
	path, aside := e.store.Path(d), e.asidePath(d)
	err := renameNew(aside, path)
	if errors.Is(err, fs.ErrExist) {
		// It was stored anew, and counted anew.
		if f != nil {
			e.store.temp.lease.add(-f.Size)
		}
		err = os.Remove(aside)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ioError("put back the object", path, err)
	}
	return nil
}

// recall brings back an object that is being looked at by expiry, for one who
// knows that it must be there.
func (s *Store) recall(d Digest) bool {
	err := renameNew(filepath.Join(s.aside, d.Hash), s.Path(d))
	return err == nil || errors.Is(err, fs.ErrExist) || exists(s.Path(d))
}
