package cas

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// openStore opens a store, when all uses so far lie in the past of the kernel's
// clock. That goes in steps of milliseconds, and may be a step behind.
func openStore(t testing.TB, dir string) *Store {
	t.Helper()
	for steps, last := 0, clock(); steps < 3; {
		if now := clock(); now != last {
			steps, last = steps+1, now
		}
	}
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// discardAll tries to take out everything, and gives how much went.
func discardAll(t testing.TB, s *Store) (gone int) {
	t.Helper()
	e, err := s.Expire()
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for _, f := range files(t, s) {
		ok, err := e.Discard(f)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			gone++
		}
	}
	return gone
}

func files(t testing.TB, s *Store) (list []File) {
	t.Helper()
	if err := s.Files(func(f File) error {
		list = append(list, f)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return list
}

// die makes a store look as it does after its process was killed.
func die(s *Store) {
	s.temp.lock.close()
	s.temp.lease.file.Close()
}

func TestExpireSparesWhatIsUsed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cas")
	old := openStore(t, dir)
	d := put(t, old, "content")
	if gone := discardAll(t, old); gone != 0 {
		t.Fatal("what a living process has stored went")
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}

	user := openStore(t, dir)
	if err := user.Hold(); err != nil {
		t.Fatal(err)
	}
	if !user.Has(d) {
		t.Fatal("not found")
	}
	other := openStore(t, dir)
	if gone := discardAll(t, other); gone != 0 || !other.Has(d) {
		t.Fatal("what a living process has found went")
	}
	if err := errors.Join(user.Close(), other.Close()); err != nil {
		t.Fatal(err)
	}

	last := openStore(t, dir)
	if gone := discardAll(t, last); gone != 1 || last.Has(d) {
		t.Errorf("%d went, want what nobody uses", gone)
	}
}

func TestExpireSeesUsesUntilTheLastMoment(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cas")
	old := openStore(t, dir)
	found, stored, unused := put(t, old, "found"), put(t, old, "stored"), put(t, old, "unused")
	old.Close()

	s := openStore(t, dir)
	e, err := s.Expire()
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	list := files(t, s)
	// A process that begins after the lists were made.
	late := openStore(t, dir)
	if err := late.Hold(); err != nil || !late.Has(found) {
		t.Fatal(err)
	}
	put(t, late, "stored")
	for _, f := range list {
		gone, err := e.Discard(f)
		if err != nil || gone != (f.Digest == unused) {
			_, now, _, _ := lookUse(s.Path(f.Digest))
			t.Errorf("%s: gone %v, %v: used %d, now %d, cutoff %d", f.Digest, gone, err, f.Used, now, e.Cutoff)
		}
	}
	for _, d := range []Digest{found, stored} {
		if _, err := late.Get(d); err != nil {
			t.Error(err)
		}
	}
}

func TestExpirerThatWasKilled(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cas")
	s := openStore(t, dir)
	d, x := put(t, s, "read"), put(t, s, "linked")
	y := put(t, s, "waits")
	// It had just put them aside.
	if err := os.MkdirAll(s.aside, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, d := range []Digest{d, x, y} {
		if err := os.Rename(s.Path(d), filepath.Join(s.aside, d.Hash)); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := s.Get(d); err != nil || string(b) != "read" {
		t.Errorf("%q, %v", b, err)
	}
	root := s.EmptyDir()
	if err := root.AddFile("f", x, true); err != nil {
		t.Fatal(err)
	}
	tree, err := root.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CheckoutTree(tree, filepath.Join(t.TempDir(), "out"), CheckoutOptions{Hardlink: true}); err != nil {
		t.Error(err)
	}
	e, err := s.Expire()
	if err != nil {
		t.Fatal(err)
	}
	e.Close()
	if !s.Has(y) {
		t.Error("what was aside did not come back")
	}
}

func TestOneExpirerAtATime(t *testing.T) {
	s := newStore(t)
	e, err := s.Expire()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openStore(t, s.Dir()).Expire(); err != ErrBusy {
		t.Errorf("got %v, want ErrBusy", err)
	}
	e.Close()
	if e, err = s.Expire(); err != nil {
		t.Fatal(err)
	}
	e.Close()
}

// A lease of a dead process keeps nothing, and what it had added is accounted for.
func TestDeadLease(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cas")
	dead := openStore(t, dir)
	content := strings.Repeat("x", noteBytes)
	d := put(t, dead, content)
	die(dead)
	s := openStore(t, dir)
	usage := func(want int64) {
		t.Helper()
		if got, counted, err := s.Usage(); got != want || counted.IsZero() || err != nil {
			t.Errorf("%d, %v, %v, want %d", got, counted, err, want)
		}
	}
	usage(d.Size)
	put(t, s, "y") // sweeps
	usage(d.Size + 1)
	if gone := discardAll(t, s); gone != 1 {
		t.Errorf("%d went", gone)
	}
	usage(1)
	s.Close()
	s = openStore(t, dir)
	usage(1)
}

func TestHoldLast(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cas")
	old := openStore(t, dir)
	d := put(t, old, "content")
	old.Close()
	s := openStore(t, dir)
	if err := s.HoldLast(time.Hour); err != nil {
		t.Fatal(err)
	}
	put(t, s, "new")
	if !s.Has(d) {
		t.Fatal("not found")
	}
	other := openStore(t, dir)
	if gone := discardAll(t, other); gone != 0 {
		t.Errorf("%d went that were just used", gone)
	}
	other.Close()
	other = openStore(t, dir)
	if err := s.HoldLast(0); err != nil {
		t.Fatal(err)
	}
	if gone := discardAll(t, other); gone != 2 {
		t.Errorf("%d went, want all: the holder has let go", gone)
	}
	if err := s.HoldLast(time.Hour); err != nil || s.Has(d) {
		t.Errorf("%v", err)
	}
}

func TestUsageIsCounted(t *testing.T) {
	s := newStore(t)
	d := put(t, s, "something")
	if _, err := s.ExecPath(d); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(s.Dir(), accountName)); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s = openStore(t, s.Dir())
	if _, counted, err := s.Usage(); err != nil || !counted.IsZero() {
		t.Errorf("a store without an account was counted at %v, %v", counted, err)
	}
	late := openStore(t, s.Dir())
	first := put(t, late, strings.Repeat("x", noteBytes)) // so that others know of it
	stop := errors.New("enough")
	if _, err := s.Count(context.Background(), func(int) error { return stop }); err != stop {
		t.Errorf("%v", err)
	}
	n, err := s.Count(context.Background(), func(int) error { return nil })
	if want := 2*d.Size + first.Size; n != want || err != nil {
		t.Errorf("%d, %v, want %d", n, err, want)
	}
	want := n + put(t, late, "second").Size
	if got, counted, err := s.Usage(); got != n || counted.IsZero() || err != nil {
		t.Errorf("%d, %v, %v, want %d", got, counted, err, want)
	}
	late.Close()
	if got, _, err := s.Usage(); got != want || err != nil {
		t.Errorf("%d, %v, want %d", got, err, want)
	}
}

// TestExpireWhileOthersWork: whatever is found or stored is there until its user
// ends, whoever expires meanwhile.
func TestExpireWhileOthersWork(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cas")
	contents := make([][]byte, 40)
	for i := range contents {
		contents[i] = fmt.Appendf(nil, "content %d", i)
	}
	var users, expirers sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		expirers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				s, err := Open(dir)
				if err != nil {
					t.Error(err)
					return
				}
				e, err := s.Expire()
				if err == nil {
					err = s.Files(func(f File) error {
						_, err := e.Discard(f)
						return err
					})
					e.Close()
				}
				if err != nil && err != ErrBusy {
					t.Error(err)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for u := range 4 {
		users.Go(func() {
			r := rand.New(rand.NewPCG(uint64(u), 1))
			for range 30 {
				s, err := Open(dir)
				if err == nil {
					err = s.Hold()
				}
				if err != nil {
					t.Error(err)
					return
				}
				mine := map[int]bool{}
				for range 30 {
					i := r.IntN(len(contents))
					if s.Has(DigestBytes(contents[i])) {
						mine[i] = true
					} else if r.IntN(2) == 0 {
						if _, err := s.PutBytes(contents[i]); err != nil {
							t.Error(err)
						}
						mine[i] = true
					}
					for i := range mine {
						if b, err := s.Get(DigestBytes(contents[i])); err != nil || string(b) != string(contents[i]) {
							t.Errorf("%q, %v", b, err)
						}
					}
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	users.Wait()
	close(stop)
	expirers.Wait()
}
