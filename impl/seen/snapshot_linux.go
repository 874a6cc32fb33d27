//go:build amd64 || arm64

package seen

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"bst/impl/bug"

	"golang.org/x/sys/unix"
)

// Snapshot is what files were. It is not changed, and safe for concurrent use.
type Snapshot struct {
	entries []entry
	real    map[string]string
}

// entry is one file and its signature.
type entry struct {
	path []byte // ends with a zero, as the kernel wants it
	// follow is for what was opened by its path: the file that a symbolic link
	// leads to.
	follow bool
	signature
}

// signature is what the kernel says of a file, the zero value of one that is not
// there.
type signature struct {
	identity
	mode             uint32
	size             int64
	modified, change unix.Timespec // of the content; of the inode
}

// look asks for the file's signature. in is an open folder that it lies in, or
// AT_FDCWD.
func (e *entry) look(in int) (signature, error) {
	path := e.path
	if in != unix.AT_FDCWD {
		path = path[len(e.folder()):]
	}
	var st unix.Stat_t
	switch err := stat(in, path, e.follow, &st); err {
	case nil:
		return signature{identity{st.Dev, st.Ino}, st.Mode, st.Size, st.Mtim, st.Ctim}, nil
	case unix.ENOENT, unix.ENOTDIR:
		return signature{}, nil
	default:
		return signature{}, &os.PathError{Op: "stat", Path: e.name(), Err: err}
	}
}

func (e *entry) name() string { return string(e.path[:len(e.path)-1]) }

// folder is the path up to its last slash.
func (e *entry) folder() []byte { return e.path[:bytes.LastIndexByte(e.path, '/')+1] }

func identify(path string) identity {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return identity{}
	}
	return identity{st.Dev, st.Ino}
}

// reliable are file systems that keep both times in nanoseconds, and change the
// inode's with each change of the file: by the numbers in linux/magic.h and
// their own sources.
var reliable = map[int64]bool{
	0xef53:     true, // ext2, ext3, ext4
	0x58465342: true, // xfs
	0x9123683e: true, // btrfs
	0x01021994: true, // tmpfs
	0x858458f6: true, // ramfs
	0x794c7630: true, // overlayfs
	0x2fc12fc1: true, // zfs
	0xf2f52010: true, // f2fs
	0xca451a4e: true, // bcachefs
	0x73717368: true, // squashfs
	0xe0f5e1e2: true, // erofs
}

// Close ends the record. The error says why there can be no snapshot.
func (r *Record) Close(margin time.Duration) (*Snapshot, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.clockSet(time.Now()) {
		return nil, errors.New("the clock was set")
	}
	s := &Snapshot{real: r.real}
	for path := range r.files {
		s.add(path, true)
	}
	for path := range r.trees {
		err := filepath.WalkDir(path, func(at string, _ fs.DirEntry, err error) error {
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			s.add(at, false)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	// Neighbours are asked about one after the other.
	sort.Slice(s.entries, func(i, k int) bool { return string(s.entries[i].path) < string(s.entries[k].path) })
	latest := r.start.Add(-margin)
	err := s.each(func(e *entry, in int) (err error) {
		if e.signature, err = e.look(in); err != nil || e.inode == 0 {
			return err
		}
		if !time.Unix(e.change.Unix()).Before(latest) {
			return fmt.Errorf("%s was changed just now, or will have been", e.name())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := s.checkFileSystems(); err != nil {
		return nil, err
	}
	for path, was := range r.folders {
		if identify(path) != was {
			return nil, fmt.Errorf("%s is another folder now", path)
		}
	}
	for path, was := range s.real {
		if resolve(path) != was {
			return nil, fmt.Errorf("%s leads elsewhere now", path)
		}
	}
	return s, nil
}

func (s *Snapshot) add(path string, follow bool) {
	s.entries = append(s.entries, entry{path: append([]byte(path), 0), follow: follow})
}

// checkFileSystems refuses file systems that may change a file without a sign.
func (s *Snapshot) checkFileSystems() error {
	known := make(map[uint64]bool)
	for i := range s.entries {
		e := &s.entries[i]
		if e.inode == 0 || known[e.device] {
			continue
		}
		var fs unix.Statfs_t
		if err := unix.Statfs(e.name(), &fs); err != nil {
			return &os.PathError{Op: "statfs", Path: e.name(), Err: err}
		}
		if !reliable[int64(fs.Type)] {
			return fmt.Errorf("%s lies on a file system (%#x) that is not known to tell of every change", e.name(), fs.Type)
		}
		known[e.device] = true
	}
	return nil
}

var errChanged = errors.New("changed")

// Same tells whether nothing has changed since.
func (s *Snapshot) Same() bool {
	for path, was := range s.real {
		if resolve(path) != was {
			return false
		}
	}
	return s.each(func(e *entry, in int) error {
		if now, err := e.look(in); err != nil || now != e.signature {
			return errChanged
		}
		return nil
	}) == nil
}

// Len is how many files it speaks for.
func (s *Snapshot) Len() int { return len(s.entries) }

// each calls f for every entry, on all processors, until one fails. in is the open
// folder of the entry where there are several of it, else AT_FDCWD: the kernel
// takes a third of the time for a name in a folder that it takes for a long path.
func (s *Snapshot) each(f func(e *entry, in int) error) error {
	const chunk = 256
	var (
		next  atomic.Int64
		stop  atomic.Bool
		wg    bug.Group
		once  sync.Once
		first error
	)
	work := func() {
		for !stop.Load() {
			end := int(next.Add(chunk))
			if end-chunk >= len(s.entries) {
				return
			}
			if err := inFolders(s.entries[end-chunk:min(end, len(s.entries))], f); err != nil {
				stop.Store(true)
				once.Do(func() { first = err })
				return
			}
		}
	}
	for range min(runtime.GOMAXPROCS(0)-1, len(s.entries)/chunk) {
		wg.Go(work)
	}
	work()
	wg.Wait()
	return first
}

// severalInFolder is how many files of one folder make it worth to open it.
const severalInFolder = 4

// inFolders calls f for each entry of a sorted list, until it fails.
func inFolders(entries []entry, f func(e *entry, in int) error) error {
	for len(entries) > 0 {
		folder := entries[0].folder()
		n := 1
		for n < len(entries) && bytes.Equal(entries[n].folder(), folder) {
			n++
		}
		if err := inFolder(folder, entries[:n], f); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

func inFolder(folder []byte, entries []entry, f func(e *entry, in int) error) error {
	in := unix.AT_FDCWD
	if len(entries) >= severalInFolder {
		// One that cannot be opened, or is not there, is asked about file by file.
		if fd, err := unix.Open(string(folder), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err == nil {
			defer unix.Close(fd)
			in = fd
		}
	}
	for i := range entries {
		if err := f(&entries[i], in); err != nil {
			return err
		}
	}
	return nil
}
