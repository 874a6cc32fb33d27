package cas

import "sync"

// Digests reads each file and folder once, for many who ask: dozens of sources
// may name the same patch, or the project's own folders. It never looks again,
// so it is for as long as what is on disk shall be taken for one state: one
// loading. Its memory is that of the paths asked for. The zero value is ready;
// all methods may be called concurrently.
type Digests struct {
	files, trees sync.Map // of string (path) to func() (Digest, error)
}

// File is the digest of a file.
func (d *Digests) File(path string) (Digest, error) {
	sum, err := d.Sum(path)
	if err != nil {
		err = readError(path, err)
	}
	return sum, err
}

// Sum is File with the operating system's errors.
func (d *Digests) Sum(path string) (Digest, error) { return once(&d.files, path, sumFile) }

// Tree is DigestTree.
func (d *Digests) Tree(path string) (Digest, error) { return once(&d.trees, path, DigestTree) }

func once(known *sync.Map, path string, read func(string) (Digest, error)) (Digest, error) {
	f, ok := known.Load(path)
	if !ok {
		f, _ = known.LoadOrStore(path, sync.OnceValues(func() (Digest, error) { return read(path) }))
	}
	return f.(func() (Digest, error))()
}
