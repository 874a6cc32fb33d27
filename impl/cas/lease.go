package cas

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"bst/impl/stream"
)

// A lease says since when a living process uses objects: expiry takes nothing
// that was used at or after that time (expire.go). It lies in the process's
// folder for temporary files, whose lock the kernel drops when the process dies,
// so that kill -9 leaves no lease behind.
//
// Using an object is noted in its time of last access: when it is stored, and
// when a store that holds (Hold) finds it there already. Only the first use in
// the lease's time is written, so that finding costs one system call as before.
//
// Why it holds. All times are the kernel's, which go forward. Whoever expires
// notes the time, then looks for leases, and takes nothing that was used since the
// earliest of these times. A lease that it saw began before all uses that count on
// it. One that it did not see was written later, and no use from before that counts
// for it (since): a use after that is later than the time that was noted. (Where the
// system's clock is set back while both go on, this does not hold.)
//
//	<dir>/tmp/<process>/lease   two numbers of 8 bytes: the lease's beginning in
//	                            nanoseconds since 1970, and the bytes that the
//	                            process added to the store and the account does
//	                            not have yet (account.go)
const leaseName = "lease"

const leaseSize = 16

// lease is this process's own. The zero lease holds nothing.
type lease struct {
	// since is when the oldest use lies that need not be noted again, in
	// nanoseconds since 1970; 0 while nothing is held.
	since atomic.Int64
	// added is what the process added to the store, in bytes.
	added atomic.Int64

	mu      sync.Mutex // guards what follows
	file    *os.File
	from    int64 // what the file says
	noted   int64 // of added, what the file says
	changes int   // since then
}

const (
	// noteBytes and noteChanges are how much of what was added the file may not
	// know yet: what the account is wrong by after kill -9.
	noteBytes   = 1 << 20
	noteChanges = 256
)

// begin writes the lease into the folder, which is this process's.
func (l *lease) begin(dir string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := os.OpenFile(filepath.Join(dir, leaseName), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	l.from = clock()
	if err := writeLease(f, l.from, 0); err != nil {
		f.Close()
		return err
	}
	l.file, l.noted, l.changes = f, 0, 0
	l.added.Store(0)
	// Not l.from: whoever expires, and looked for leases before this one was
	// written, may take what was used until then.
	l.since.Store(clock())
	return nil
}

// end closes the file and gives what it has not been told, the caller's to
// account for.
func (l *lease) end() (added int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return 0
	}
	l.file.Close()
	l.file = nil
	l.since.Store(0)
	return l.added.Swap(0)
}

// add notes that the store grew by n bytes.
func (l *lease) add(n int64) {
	added := l.added.Add(n)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changes++; l.file == nil || l.changes < noteChanges && max(added-l.noted, l.noted-added) < noteBytes {
		return
	}
	// What cannot be written now is tried again with the next change.
	if writeLease(l.file, l.from, added) == nil {
		l.noted, l.changes = added, 0
	}
}

func writeLease(f *os.File, from, added int64) error {
	var b [leaseSize]byte
	binary.LittleEndian.PutUint64(b[:], uint64(from))
	binary.LittleEndian.PutUint64(b[8:], uint64(added))
	_, err := f.WriteAt(b[:], 0)
	return err
}

// readLease reads the lease in a process's folder. One that is not whole is one
// that has not begun: its process has used nothing yet.
func readLease(dir string) (from, added int64, ok bool) {
	b, err := os.ReadFile(filepath.Join(dir, leaseName))
	if err != nil || len(b) != leaseSize {
		return 0, 0, false
	}
	return int64(binary.LittleEndian.Uint64(b)), int64(binary.LittleEndian.Uint64(b[8:])), true
}

// Hold keeps from expiry, in any process, what this store finds (Has, HasTree),
// stores, or is told to be using, until Close. Call it before the store is asked
// anything that the answer's truth must outlive. What was stored is held without
// it.
//
// A cache that this user may not write to is not held, and that is no error:
// whoever may write to it may take from it.
func (s *Store) Hold() error {
	_, err := s.temp.ensure(s)
	var fault *stream.Error
	if errors.As(err, &fault) && fault.Reason == ReasonNotWritable {
		return nil
	}
	return err
}

// HoldLast lets go of what was used longer than d ago: for a process without an
// end, whose users say nothing when they are done. What was used again counts
// anew, at the latest after d/2.
func (s *Store) HoldLast(d time.Duration) error {
	if err := s.Hold(); err != nil {
		return err
	}
	l := &s.temp.lease
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	now := clock()
	from := max(l.from, now-int64(d))
	if err := writeLease(l.file, from, l.added.Load()); err != nil {
		return ioError("write", l.file.Name(), err)
	}
	l.from = from
	l.since.Store(max(from, now-int64(d/2)))
	return nil
}

// found says whether the object is at path, and notes that it is used.
func (s *Store) found(path string) bool {
	since := s.temp.lease.since.Load()
	if since == 0 {
		return exists(path)
	}
	return noteUse(path, since)
}

// process is what another process, or a dead one, left in tmp.
type process struct {
	path        string
	live        bool
	known       bool // whether it lives can be told
	from, added int64
	leased      bool
}

// processes looks at the folders of all processes but this store's own.
func (s *Store) processes() ([]process, error) {
	names, err := readNames(s.tmp, maxProcesses)
	if err != nil {
		return nil, err
	}
	s.temp.mu.Lock()
	own := s.temp.path
	s.temp.mu.Unlock()
	var list []process
	for _, name := range names {
		p := process{path: filepath.Join(s.tmp, name)}
		if !strings.HasPrefix(name, tempPrefix) || p.path == own {
			continue
		}
		lock, err := lockFolder(p.path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		p.live, p.known = !lock.got, lock.known
		p.from, p.added, p.leased = readLease(p.path)
		lock.close()
		list = append(list, p)
	}
	return list, nil
}

// maxProcesses bounds the folders that are looked at.
const maxProcesses = 100_000

// readNames lists a folder; one that does not exist is empty.
func readNames(dir string, most int) ([]string, error) {
	f, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(most)
	if err == io.EOF {
		err = nil
	}
	return names, err
}

// Users gives the processes, but for this one, that use the store at this moment.
func (s *Store) Users() (pids []int, err error) {
	list, err := s.processes()
	if err != nil {
		return nil, ioError("read", s.tmp, err)
	}
	for _, p := range list {
		if !p.live {
			continue
		}
		text, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(p.path), tempPrefix), "-")
		if pid, err := strconv.Atoi(text); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return slices.Compact(pids), nil
}
