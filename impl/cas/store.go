package cas

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"

	"bst/impl/stream"
)

// Store is a content-addressed store in a folder. It is safe for concurrent
// use, by goroutines and by processes.
type Store struct {
	dir     string
	objects string
	exec    string
	tmp     string
	aside   string

	temp  tempDir
	dirs  dirCache
	clone atomic.Bool // false once the filesystem is known not to share blocks
}

// Open gives the store in dir, normally <cachedir>/cas. It writes nothing, not
// even the folder: a command that only looks things up works on a read-only
// cache, and a cache that does not exist is an empty one. The error is that
// dir is something other than a folder, or may not be looked at.
func Open(dir string) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, ioError("open the cache", dir, err)
	}
	if st, err := os.Stat(dir); err == nil && !st.IsDir() {
		return nil, &stream.Error{
			Domain:  stream.DomainCAS,
			Message: fmt.Sprintf("The cache '%s' is not a folder", dir),
			Detail:  "Remove that file, or set `cachedir` in buildstream.conf to another place.",
		}
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, ioError("open the cache", dir, err)
	}
	s := &Store{
		dir:     dir,
		objects: filepath.Join(dir, "objects"),
		exec:    filepath.Join(dir, "exec"),
		tmp:     filepath.Join(dir, "tmp"),
		aside:   filepath.Join(dir, "expiring"),
	}
	s.clone.Store(true)
	return s, nil
}

// Close removes this store's folder for temporary files. The store must not be
// written to during or after it. A process that ends without it leaves an
// empty folder, which the next one sweeps.
func (s *Store) Close() error { return s.temp.close(s) }

// copyBuffer is the size of the pieces in which files are read and hashed;
// smaller files are handled in one piece, in memory.
const copyBuffer = 256 << 10

// buffers are shared by all stores: most uses are short, and many at once.
var buffers = sync.Pool{New: func() any { return new([copyBuffer]byte) }}

func takeBuffer() []byte { return buffers.Get().(*[copyBuffer]byte)[:] }
func putBuffer(b []byte) { buffers.Put((*[copyBuffer]byte)(b)) }

// Dir is the folder that the store lies in.
func (s *Store) Dir() string { return s.dir }

// Path is where the object lies, or would lie. An invalid digest gives a path
// that never exists.
func (s *Store) Path(d Digest) string { return objectPath(s.objects, d) }

func objectPath(root string, d Digest) string {
	if !d.Valid() {
		return filepath.Join(root, "invalid-digest", "none")
	}
	// filepath.Join would clean what is clean already.
	const sep = string(filepath.Separator)
	return root + sep + d.Hash[:2] + sep + d.Hash[2:]
}

// Has says whether the object is in the store. It looks at its name alone, so
// the cost is one system call. A store that holds (Hold) holds it from now on.
func (s *Store) Has(d Digest) bool {
	return d.Valid() && s.found(s.Path(d))
}

// HasTree says whether the directory, all below it and all their files are in
// the store, and holds them as Has does. A directory that occurs in many places is
// looked at once.
// The error is that a directory is there but cannot be read.
func (s *Store) HasTree(d Digest) (bool, error) { return s.tree(d, s.found) }

// Whole is HasTree for a tree that a name holds whose use was just noted (package
// reffile): it need not be held too, which takes two system calls an object
// instead of one.
func (s *Store) Whole(d Digest) (bool, error) { return s.tree(d, exists) }

// Present is Has for an object that such a name holds.
func (s *Store) Present(d Digest) bool { return d.Valid() && exists(s.Path(d)) }

func (s *Store) tree(d Digest, there func(path string) bool) (bool, error) {
	seen := map[Digest]bool{}
	var visit func(d Digest, depth int) (bool, error)
	visit = func(d Digest, depth int) (bool, error) {
		if seen[d] {
			return true, nil
		}
		if depth > MaxDepth {
			return false, depthError("the directory " + d.String())
		}
		data, err := s.readDirectory(d)
		if IsMissing(err) || err == nil && d != EmptyDigest && !there(s.Path(d)) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		seen[d] = true
		for i := range data.entries {
			e := &data.entries[i]
			switch e.Type {
			case TypeFile:
				if !seen[e.Digest] {
					if !there(s.Path(e.Digest)) {
						return false, nil
					}
					seen[e.Digest] = true
				}
			case TypeDirectory:
				if ok, err := visit(e.Digest, depth+1); !ok || err != nil {
					return false, err
				}
			}
		}
		return true, nil
	}
	return visit(d, 0)
}

// PutBytes stores b and gives its digest. The store keeps no reference to b.
func (s *Store) PutBytes(b []byte) (Digest, error) {
	d := DigestBytes(b)
	return d, s.putKnown(d, b)
}

// putKnown stores b, whose digest is d, unless the store has it.
func (s *Store) putKnown(d Digest, b []byte) error {
	if s.found(s.Path(d)) {
		return nil
	}
	tmp, err := s.createTemp(func(path string) error {
		return writeObject(path, b, s.temp.masked.Load())
	})
	if err != nil {
		return err
	}
	return s.commit(tmp, s.Path(d), d.Size)
}

// PutFile stores the content of the file at path, which stays as it is. It
// follows a symbolic link.
func (s *Store) PutFile(path string) (Digest, error) {
	f, err := os.Open(path)
	if err != nil {
		return Digest{}, readError(path, err)
	}
	defer f.Close()
	d, err := s.putFile(f)
	if err != nil {
		return Digest{}, readError(path, err)
	}
	return d, nil
}

// putFile stores f from where it stands. A small file is read once. A large
// one is hashed first and copied only when the store does not have it, and the
// copy is hashed again while it is made: the object's name must be the digest
// of what was written, even of a file that changes meanwhile.
func (s *Store) putFile(f *os.File) (Digest, error) {
	buf := takeBuffer()
	defer putBuffer(buf)
	n, err := io.ReadFull(f, buf)
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return s.PutBytes(buf[:n])
	case err != nil:
		return Digest{}, err
	}
	h := sha256.New()
	h.Write(buf[:n])
	more, err := io.CopyBuffer(onlyWriter{h}, onlyReader{f}, buf)
	if err != nil {
		return Digest{}, err
	}
	d := newDigest(h.Sum(nil), int64(n)+more)
	if s.Has(d) {
		return d, nil
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return Digest{}, err
	}
	return s.PutReader(f)
}

// PutReader stores what r gives until its end. An error of r is returned as it
// is, and nothing is stored.
func (s *Store) PutReader(r io.Reader) (Digest, error) {
	buf := takeBuffer()
	defer putBuffer(buf)
	n, err := io.ReadFull(r, buf)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return s.PutBytes(buf[:n])
	}
	if err != nil {
		return Digest{}, err
	}
	var d Digest
	tmp, err := s.createTemp(func(path string) error {
		w, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return err
		}
		h := &hashWriter{w: w, h: sha256.New()}
		_, err = h.Write(buf[:n])
		if err == nil {
			_, err = io.CopyBuffer(h, onlyReader{r}, buf)
		}
		if cerr := w.Close(); err == nil && cerr != nil {
			err = writeFailure{cerr}
		}
		if err != nil {
			return err
		}
		d = newDigest(h.h.Sum(nil), h.n)
		return sealObject(path, 0o644)
	})
	if err != nil {
		return Digest{}, err
	}
	return d, s.commit(tmp, s.Path(d), d.Size)
}

// hashWriter writes to a temporary file and hashes. Its errors are marked, so
// that they are told from those of the reader it is copied from.
type hashWriter struct {
	w *os.File
	h hash.Hash
	n int64
}

func (w *hashWriter) Write(b []byte) (int, error) {
	w.h.Write(b)
	n, err := w.w.Write(b)
	w.n += int64(n)
	if err != nil {
		err = writeFailure{err}
	}
	return n, err
}

// writeFailure marks an error of the store's own file.
type writeFailure struct{ error }

func (w writeFailure) Unwrap() error { return w.error }

// onlyReader and onlyWriter hide the methods that would take io.CopyBuffer
// past the buffer it is given.
type onlyReader struct{ io.Reader }
type onlyWriter struct{ io.Writer }

// commit gives the temporary file of so many bytes its name, unless that exists
// already.
func (s *Store) commit(tmp, path string, size int64) error {
	err := renameNew(tmp, path)
	if errors.Is(err, fs.ErrNotExist) {
		// The first object of its folder. (Or the temporary file is gone: then
		// the second attempt says so.)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			os.Remove(tmp)
			return ioError("create the folder", filepath.Dir(path), err)
		}
		err = renameNew(tmp, path)
	}
	for range 100 {
		if !errors.Is(err, fs.ErrExist) {
			break
		}
		// Somebody else was first, with the same content.
		if s.found(path) {
			os.Remove(tmp)
			return nil
		}
		// And it has expired, before our use of it was noted.
		err = renameNew(tmp, path)
	}
	if err != nil {
		os.Remove(tmp)
		return ioError("write the object", path, err)
	}
	s.temp.lease.add(size)
	return nil
}

// Get reads the whole object and verifies it. For objects that may be large
// use OpenFile.
func (s *Store) Get(d Digest) ([]byte, error) {
	path := s.Path(d)
	if !d.Valid() {
		return nil, missingError(d, path)
	}
	f, err := s.OpenFile(d)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, d.Size)
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, ioError("read the object", path, err)
	}
	if got := DigestBytes(b); got != d {
		return nil, corruptError(d, path, "its content has the hash "+got.Hash)
	}
	return b, nil
}

// OpenFile opens the object for reading. It verifies the size alone: what is
// read is as it lies on disk.
func (s *Store) OpenFile(d Digest) (*os.File, error) {
	path := s.Path(d)
	if !d.Valid() {
		return nil, missingError(d, path)
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && s.recall(d) {
		f, err = os.Open(path)
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, missingError(d, path)
	}
	if err != nil {
		return nil, ioError("read the object", path, err)
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, ioError("read the object", path, err)
	}
	if !st.Mode().IsRegular() {
		f.Close()
		return nil, corruptError(d, path, "it is not a regular file")
	}
	if st.Size() != d.Size {
		f.Close()
		return nil, corruptError(d, path, fmt.Sprintf("it has %d bytes", st.Size()))
	}
	return f, nil
}

// ExecPath is the object's executable twin, which it makes if it has to: a
// file of the same content with mode 0755. See the package's comment.
func (s *Store) ExecPath(d Digest) (string, error) {
	path := objectPath(s.exec, d)
	if s.found(path) {
		return path, nil
	}
	f, err := s.OpenFile(d)
	if err != nil {
		return "", err
	}
	defer f.Close()
	tmp, err := s.createTemp(func(tmp string) error {
		w, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
		if err != nil {
			return err
		}
		err = s.copyContent(w, f, d.Size)
		if cerr := w.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return err
		}
		return sealObject(tmp, 0o755)
	})
	if err != nil {
		return "", ioError("copy the object", s.Path(d), err)
	}
	return path, s.commit(tmp, path, d.Size)
}

// copyContent fills the new file w with the object in f, sharing blocks where
// the filesystem can.
func (s *Store) copyContent(w, f *os.File, size int64) error {
	if size >= minClone && s.clone.Load() {
		if cloneFile(w, f) {
			return nil
		}
		s.clone.Store(false)
	}
	// os.File.ReadFrom lets the kernel copy (copy_file_range) where it can.
	n, err := io.Copy(w, f)
	if err == nil && n != size {
		err = fmt.Errorf("copied %d bytes of %d: %w", n, size, io.ErrUnexpectedEOF)
	}
	return err
}

// minClone is the size below which sharing blocks saves nothing: a block.
const minClone = 4096

// Objects calls fn for each object in the store, in no order, until fn gives
// an error, which it returns. Objects that come or go meanwhile may be missed.
func (s *Store) Objects(fn func(d Digest) error) error {
	folders, err := os.ReadDir(s.objects)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return readError(s.objects, err)
	}
	for _, folder := range folders {
		if !folder.IsDir() || len(folder.Name()) != 2 {
			continue
		}
		files, err := os.ReadDir(filepath.Join(s.objects, folder.Name()))
		if err != nil {
			return readError(filepath.Join(s.objects, folder.Name()), err)
		}
		for _, file := range files {
			d := Digest{Hash: folder.Name() + file.Name()}
			if !d.Valid() {
				continue
			}
			st, err := file.Info()
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return readError(s.Path(d), err)
			}
			d.Size = st.Size()
			if err := fn(d); err != nil {
				return err
			}
		}
	}
	return nil
}

// Verify reads the object and compares its hash.
func (s *Store) Verify(d Digest) error {
	f, err := s.OpenFile(d)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return ioError("read the object", s.Path(d), err)
	}
	if hash := hex.EncodeToString(h.Sum(nil)); hash != d.Hash {
		return corruptError(d, s.Path(d), "its content has the hash "+hash)
	}
	return nil
}
