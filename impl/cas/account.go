package cas

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"bst/impl/patient"

	"github.com/gofrs/flock"
)

// The account says how many bytes the objects and their twins have, without
// looking at them: what <dir>/account says, and what each process has added since
// (lease.go). A process that ends puts its part into the file; of one that dies,
// whoever sweeps its folder does. kill -9 makes it wrong by noteBytes at most, a
// power cut or another program by more; counting, which expiry does by the way,
// puts it right.
//
// Sizes are those of contents. A filesystem rounds each up to its blocks, 4 KiB
// mostly.
const (
	accountName = "account"
	accountLock = "account.lock"
)

// lockAccount keeps others from the account's file. It is held for a few system
// calls.
func (s *Store) lockAccount() (unlock func(), err error) {
	lock := flock.New(filepath.Join(s.dir, accountLock))
	if err := lock.Lock(); err != nil {
		return nil, ioError("lock", lock.Path(), err)
	}
	return func() { _ = lock.Unlock() }, nil
}

// readAccount gives what the file says, and when the objects were last counted.
// known is false where there is none, or it makes no sense.
func (s *Store) readAccount() (bytes int64, counted time.Time, known bool, err error) {
	b, err := patient.ReadFile(filepath.Join(s.dir, accountName))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, time.Time{}, false, nil
	}
	if err != nil {
		return 0, time.Time{}, false, ioError("read", filepath.Join(s.dir, accountName), err)
	}
	var unix int64
	if n, err := fmt.Sscanf(string(b), "%d bytes, counted %d\n", &bytes, &unix); n != 2 || err != nil {
		return 0, time.Time{}, false, nil
	}
	return bytes, time.Unix(unix, 0), true, nil
}

// writeAccount is called with the lock held.
func (s *Store) writeAccount(bytes int64, counted time.Time) error {
	path := filepath.Join(s.dir, accountName)
	side := path + ".new"
	err := os.WriteFile(side, fmt.Appendf(nil, "%d bytes, counted %d\n", bytes, counted.Unix()), 0o644)
	if err == nil {
		err = patient.Rename(side, path)
	}
	if err != nil {
		return ioError("write", path, err)
	}
	return nil
}

// beginAccount begins the account of a store that has no objects yet.
func (s *Store) beginAccount() error {
	if exists(s.objects) || exists(filepath.Join(s.dir, accountName)) {
		return nil
	}
	unlock, err := s.lockAccount()
	if err != nil {
		return err
	}
	defer unlock()
	if exists(s.objects) || exists(filepath.Join(s.dir, accountName)) {
		return nil
	}
	return s.writeAccount(0, time.Now())
}

// account adds to the account, if there is one.
func (s *Store) account(added int64) error {
	if added == 0 {
		return nil
	}
	unlock, err := s.lockAccount()
	if err != nil {
		return err
	}
	defer unlock()
	bytes, counted, known, err := s.readAccount()
	if err != nil || !known {
		return err
	}
	return s.writeAccount(bytes+added, counted)
}

// Usage is how many bytes the store's objects and their twins have, and when they
// were last counted: the zero time where they never were, and the figure is then
// what processes that are at it have added. The cost does not depend on the number
// of objects.
func (s *Store) Usage() (bytes int64, counted time.Time, err error) {
	if !exists(s.dir) {
		return 0, time.Now(), nil
	}
	if exists(filepath.Join(s.dir, accountLock)) {
		unlock, err := s.lockAccount()
		if err == nil {
			defer unlock()
		} else if !errors.Is(err, fs.ErrPermission) && !exists(filepath.Join(s.dir, accountName)) {
			return 0, time.Time{}, err
		}
	}
	bytes, counted, _, err = s.readAccount()
	if err != nil {
		return 0, time.Time{}, err
	}
	others, err := s.processes()
	if err != nil {
		return 0, time.Time{}, ioError("read", s.tmp, err)
	}
	for _, p := range others {
		bytes += p.added
	}
	return max(0, bytes+s.temp.lease.added.Load()), counted, nil
}

// Added is how many bytes this process has added to the store so far.
func (s *Store) Added() int64 { return s.temp.lease.added.Load() }

// Count looks at every object and twin, and corrects the account. pace is called
// after each with how many there were; its error ends the counting. What others
// add meanwhile may be counted twice until the next time.
func (s *Store) Count(ctx context.Context, pace func(n int) error) (bytes int64, err error) {
	c, err := s.beginCount()
	if err != nil {
		return 0, err
	}
	n := 0
	err = s.Files(func(f File) error {
		bytes += f.Size
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		return pace(n)
	})
	if err != nil {
		return 0, err
	}
	return bytes, c.end(bytes)
}

// count is what processes had added when a counting began: that is in the sum, and
// in their leases.
type count struct {
	store *Store
	own   int64
	added map[string]int64
}

func (s *Store) beginCount() (*count, error) {
	c := &count{store: s, own: s.temp.lease.added.Load(), added: make(map[string]int64)}
	others, err := s.processes()
	if err != nil {
		return nil, ioError("read", s.tmp, err)
	}
	for _, p := range others {
		c.added[p.path] = p.added
	}
	return c, nil
}

// end makes the account say so many bytes.
func (c *count) end(bytes int64) error {
	s := c.store
	if !exists(s.dir) {
		return nil
	}
	unlock, err := s.lockAccount()
	if err != nil {
		return err
	}
	defer unlock()
	// What ended meanwhile is in the file, which is replaced.
	others, err := s.processes()
	if err != nil {
		return ioError("read", s.tmp, err)
	}
	bytes -= c.own
	for _, p := range others {
		bytes -= c.added[p.path]
	}
	return s.writeAccount(bytes, time.Now())
}
