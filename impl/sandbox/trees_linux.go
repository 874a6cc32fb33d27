package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"bst/impl/cas"

	"golang.org/x/sys/unix"
)

// trees is the folder of shared checkouts:
//
//	<dir>/lock            shared while a user registers, exclusive while
//	                      checkouts are chosen for removal
//	<dir>/users/ID        one file for each Root, of any process: the names of the
//	                      checkouts it uses. Whoever uses them holds a shared lock
//	                      on it, so a file that can be locked exclusively belongs to
//	                      nobody
//	<dir>/t/HASH/root     the checkout of the directory of that digest
//	<dir>/t/HASH/info     its count of entries; its time is that of the last use
//	<dir>/new-ID-N        a checkout being made by the user ID
//	<dir>/gone-N          one being removed
//
// A checkout is complete from the moment it has its name, and never changes.
type trees struct {
	store *cas.Store
	dir   string
	max   int64

	mu      sync.Mutex // guards what follows
	flights map[string]*flight
	added   int64 // entries made since the last look at the total
	checked bool  // the total has been looked at
}

// flight is one checkout being made by this process, for all who want it.
type flight struct {
	done chan struct{}
	err  error
}

// lease is one Root's use of checkouts.
type lease struct {
	trees *trees
	id    string
	file  *os.File

	mu    sync.Mutex // guards names
	names map[string]bool
}

func (t *trees) usersDir() string           { return filepath.Join(t.dir, "users") }
func (t *trees) treeDir(hash string) string { return filepath.Join(t.dir, "t", hash) }

// path is where the checkout of d lies, once ensured.
func (t *trees) path(d cas.Digest) string { return filepath.Join(t.treeDir(d.Hash), "root") }

// lock takes the folder's lock; the file's Close gives it back. Holders keep it
// for a few system calls, so waiting means little; it is bounded by lockWait.
func (t *trees) lock(ctx context.Context, how int) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(t.dir, lockName), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := flockWait(ctx, f, how); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

const (
	// useGrain is how exactly the time of the last use is noted.
	useGrain = 10 * time.Minute
	lockWait = time.Minute
	lockPoll = 2 * time.Millisecond
)

// flockWait locks f, for a bounded time.
func flockWait(ctx context.Context, f *os.File, how int) error {
	deadline := time.Now().Add(lockWait)
	for {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case err == unix.EINTR:
			continue
		case err != unix.EWOULDBLOCK:
			return fmt.Errorf("locking %s: %w", f.Name(), err)
		case time.Now().After(deadline):
			return fmt.Errorf("locking %s: another process keeps the lock", f.Name())
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lockPoll):
		}
	}
}

// register makes a lease that holds nothing yet.
func (t *trees) register(ctx context.Context) (*lease, error) {
	for _, d := range []string{t.usersDir(), filepath.Join(t.dir, "t")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, err
		}
	}
	lock, err := t.lock(ctx, unix.LOCK_SH)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	id := fmt.Sprintf("%d-%08x", os.Getpid(), rand.Uint32())
	f, err := os.OpenFile(filepath.Join(t.usersDir(), id), os.O_RDWR|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB); err != nil {
		f.Close()
		os.Remove(f.Name())
		return nil, fmt.Errorf("locking %s: %w", f.Name(), err)
	}
	return &lease{trees: t, id: id, file: f, names: map[string]bool{}}, nil
}

// release ends the use. A shell that still holds the file's lock keeps the
// checkouts until it ends.
func (l *lease) release() error {
	err := l.file.Close()
	f, oerr := os.Open(l.file.Name())
	if oerr != nil {
		return err
	}
	defer f.Close()
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
		if rerr := os.Remove(l.file.Name()); err == nil && !errors.Is(rerr, fs.ErrNotExist) {
			err = rerr
		}
	}
	return err
}

// ensure makes the checkouts that are missing, and keeps all of them for the
// lease's time.
func (l *lease) ensure(ctx context.Context, digests []cas.Digest) error {
	t := l.trees
	var text strings.Builder
	l.mu.Lock()
	var fresh []cas.Digest
	for _, d := range digests {
		if !l.names[d.Hash] {
			fresh = append(fresh, d)
			text.WriteString(d.Hash + "\n")
		}
	}
	l.mu.Unlock()
	if len(fresh) == 0 {
		return nil
	}
	lock, err := t.lock(ctx, unix.LOCK_SH)
	if err != nil {
		return err
	}
	_, err = l.file.WriteString(text.String())
	lock.Close()
	if err != nil {
		return err
	}
	// From here on nobody removes them: those that exist stay, those that are
	// missing are made.
	now := time.Now()
	made := false
	for _, d := range fresh {
		info := filepath.Join(t.treeDir(d.Hash), "info")
		st, err := os.Stat(info)
		if err == nil && now.Sub(st.ModTime()) > useGrain {
			err = os.Chtimes(info, now, now)
		}
		if errors.Is(err, fs.ErrNotExist) {
			made = true
			if err = ctx.Err(); err == nil {
				err = t.make(ctx, l, d)
			}
		}
		if err != nil {
			return err
		}
		l.mu.Lock()
		l.names[d.Hash] = true
		l.mu.Unlock()
	}
	if made {
		return t.limit(ctx)
	}
	return nil
}

// make makes one checkout, or waits for the goroutine that does.
func (t *trees) make(ctx context.Context, l *lease, d cas.Digest) error {
	for {
		t.mu.Lock()
		f := t.flights[d.Hash]
		if f == nil {
			f = &flight{done: make(chan struct{})}
			if t.flights == nil {
				t.flights = map[string]*flight{}
			}
			t.flights[d.Hash] = f
			t.mu.Unlock()
			f.err = t.checkout(l, d)
			t.mu.Lock()
			delete(t.flights, d.Hash)
			t.mu.Unlock()
			close(f.done)
			return f.err
		}
		t.mu.Unlock()
		select {
		case <-f.done:
			if f.err == nil {
				return nil
			}
			// Its error may have been the other's own; try for oneself.
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// checkout makes the checkout to the side and gives it its name.
func (t *trees) checkout(l *lease, d cas.Digest) error {
	tmp, err := os.MkdirTemp(t.dir, "new-"+l.id+"-")
	if err != nil {
		return err
	}
	name := t.treeDir(d.Hash)
	err = func() error {
		if err := os.Chmod(tmp, 0o755); err != nil {
			return err
		}
		root := filepath.Join(tmp, "root")
		if err := os.Mkdir(root, 0o755); err != nil {
			return err
		}
		if err := t.store.CheckoutTree(d, root, cas.CheckoutOptions{Hardlink: true}); err != nil {
			return err
		}
		if err := errors.Join(os.Chmod(root, 0o755), os.Chtimes(root, cas.MTime, cas.MTime)); err != nil {
			return err
		}
		n, err := countEntries(t.store, d)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(tmp, "info"), []byte(strconv.FormatInt(n, 10)+"\n"), 0o644); err != nil {
			return err
		}
		t.mu.Lock()
		t.added += n
		t.mu.Unlock()
		return os.Rename(tmp, name)
	}()
	if err == nil {
		return nil
	}
	rerr := removeTree(tmp)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, unix.ENOTEMPTY) {
		return rerr // another process was first
	}
	return err
}

// countEntries counts files, links and directories of a tree, each directory
// message once for each place that it is in, without walking equal ones twice.
func countEntries(store *cas.Store, d cas.Digest) (int64, error) {
	known := map[string]int64{}
	var count func(d cas.Digest) (int64, error)
	count = func(d cas.Digest) (int64, error) {
		if n, ok := known[d.Hash]; ok {
			return n, nil
		}
		dir, err := store.OpenDir(d)
		if err != nil {
			return 0, err
		}
		n := int64(1)
		for _, e := range dir.Entries() {
			if e.Type != cas.TypeDirectory {
				n++
				continue
			}
			below, err := count(e.Digest)
			if err != nil {
				return 0, err
			}
			n += below
		}
		known[d.Hash] = n
		return n, nil
	}
	return count(d)
}

// limit removes checkouts when this process has added enough for it to matter,
// or adds for the first time.
func (t *trees) limit(ctx context.Context) error {
	t.mu.Lock()
	due := !t.checked || t.added > t.max/16
	if due {
		t.checked, t.added = true, 0
	}
	t.mu.Unlock()
	if !due {
		return nil
	}
	return t.prune(ctx, t.max)
}

// prune removes the least recently used checkouts that nobody uses until the
// total is at most max entries, and what dead processes left.
func (t *trees) prune(ctx context.Context, max int64) error {
	if _, err := os.Stat(t.dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	lock, err := t.lock(ctx, unix.LOCK_EX)
	if err != nil {
		return err
	}
	waste, err := t.choose(max)
	lock.Close()
	for _, path := range waste {
		if rerr := removeTree(path); err == nil {
			err = rerr
		}
	}
	return err
}

// choose takes the names from what is to be removed and gives the paths that
// are left to remove. The lock is held.
func (t *trees) choose(max int64) (waste []string, err error) {
	used := map[string]bool{}
	alive := map[string]bool{}
	users, err := os.ReadDir(t.usersDir())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, u := range users {
		path := filepath.Join(t.usersDir(), u.Name())
		live, names := readUser(path)
		if !live {
			os.Remove(path)
			continue
		}
		alive[u.Name()] = true
		for _, name := range names {
			used[name] = true
		}
	}
	all, err := os.ReadDir(t.dir)
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		name := e.Name()
		if rest, ok := strings.CutPrefix(name, "new-"); ok {
			if i := strings.LastIndexByte(rest, '-'); i >= 0 && alive[rest[:i]] {
				continue
			}
			waste = append(waste, filepath.Join(t.dir, name))
		} else if strings.HasPrefix(name, "gone-") {
			waste = append(waste, filepath.Join(t.dir, name))
		}
	}

	type tree struct {
		name    string
		entries int64
		last    time.Time
	}
	var list []tree
	var total int64
	names, err := os.ReadDir(filepath.Join(t.dir, "t"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return waste, err
	}
	for _, e := range names {
		tr := tree{name: e.Name()}
		info := filepath.Join(t.treeDir(tr.name), "info")
		// One without a readable note has no known size or use: it goes first.
		if st, err := os.Stat(info); err == nil {
			tr.last = st.ModTime()
			if b, err := os.ReadFile(info); err == nil {
				tr.entries, _ = strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
			}
		}
		total += tr.entries
		list = append(list, tr)
	}
	slices.SortFunc(list, func(a, b tree) int {
		return cmp.Or(a.last.Compare(b.last), cmp.Compare(a.name, b.name))
	})
	for _, tr := range list {
		if total <= max {
			break
		}
		if used[tr.name] {
			continue
		}
		gone := filepath.Join(t.dir, fmt.Sprintf("gone-%016x", rand.Uint64()))
		if err := os.Rename(t.treeDir(tr.name), gone); err != nil {
			return waste, err
		}
		total -= tr.entries
		waste = append(waste, gone)
	}
	return waste, nil
}

// KeptTrees gives all checkouts in a TreesDir, which need not exist.
func KeptTrees(dir string, yield func(KeptTree) error) error {
	t := &trees{dir: dir}
	names, err := os.ReadDir(filepath.Join(dir, "t"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range names {
		k := KeptTree{Hash: e.Name()}
		info := filepath.Join(t.treeDir(k.Hash), "info")
		if st, err := os.Stat(info); err == nil {
			k.Used = st.ModTime()
		}
		k.Remove = func() (bool, error) { return t.remove(k) }
		if err := yield(k); err != nil {
			return err
		}
	}
	return nil
}

// remove removes a checkout that nobody uses, and that was not used since.
func (t *trees) remove(k KeptTree) (gone bool, err error) {
	lock, err := t.lock(context.Background(), unix.LOCK_EX)
	if err != nil {
		return false, err
	}
	defer lock.Close()
	users, err := os.ReadDir(t.usersDir())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	for _, u := range users {
		if live, names := readUser(filepath.Join(t.usersDir(), u.Name())); live && slices.Contains(names, k.Hash) {
			return false, nil
		}
	}
	var used time.Time
	if st, err := os.Stat(filepath.Join(t.treeDir(k.Hash), "info")); err == nil {
		used = st.ModTime()
	}
	if !used.Equal(k.Used) {
		return false, nil
	}
	path := filepath.Join(t.dir, fmt.Sprintf("gone-%016x", rand.Uint64()))
	if err := os.Rename(t.treeDir(k.Hash), path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	lock.Close()
	return true, removeTree(path)
}

// readUser says whether somebody holds the user file, and what it names. A file
// that cannot be looked at counts as held.
func readUser(path string) (live bool, names []string) {
	f, err := os.Open(path)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist), nil
	}
	defer f.Close()
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
		return false, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return true, nil
	}
	return true, strings.Fields(string(b))
}
