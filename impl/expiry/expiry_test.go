package expiry

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bst/impl/artifact"
	"bst/impl/cas"
	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

// workerVar makes the test's executable a worker on that cache directory.
const workerVar = "BST_EXPIRY_TEST_WORKER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(workerVar); dir != "" {
		var seed uint64
		fmt.Sscan(os.Getenv(workerVar+"_SEED"), &seed)
		if err := work(dir, seed, os.Stdout); err != nil {
			fmt.Println("FAULT", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// session is one process's use of a cache.
type session struct {
	dir       string
	store     *cas.Store
	artifacts *artifact.Cache
}

func open(dir string) (*session, error) {
	store, err := cas.Open(filepath.Join(dir, "cas"))
	if err != nil {
		return nil, err
	}
	artifacts, err := artifact.Open(dir, store)
	if err != nil {
		return nil, err
	}
	return &session{dir, store, artifacts}, store.Hold()
}

func (s *session) cache(p Policy) *Cache {
	return &Cache{Store: s.store, Policy: p, Names: []Names{Artifacts(s.dir), Sources(s.dir)}}
}

// build makes an artifact of files with these contents, in a folder of its own
// and beside it.
func (s *session) build(name string, contents ...string) (*artifact.Artifact, error) {
	root := s.store.EmptyDir()
	for i, c := range contents {
		d, err := s.store.PutBytes([]byte(c))
		if err != nil {
			return nil, err
		}
		path := fmt.Sprintf("file%d", i)
		if i%2 == 0 {
			path = "below/" + path
			if err := root.MkdirAll("below"); err != nil {
				return nil, err
			}
		}
		if err := root.AddFile(path, d, i%3 == 0); err != nil {
			return nil, err
		}
	}
	files, err := root.Digest()
	if err != nil {
		return nil, err
	}
	meta, err := s.store.PutBytes([]byte("meta of " + name))
	if err != nil {
		return nil, err
	}
	a := &artifact.Artifact{BuildSuccess: true, StrongKey: name, WeakKey: "weak" + name, Files: files, BuildTree: files,
		PublicData: meta, LowDiversityMeta: meta, HighDiversityMeta: meta, Logs: []artifact.Log{{Name: "log", Digest: meta}}}
	return a, s.artifacts.Commit("p", "e", a)
}

func (s *session) lookup(name string) (*artifact.Artifact, error) {
	return s.artifacts.Lookup("p/e/" + name)
}

// check reads all that an artifact names.
func (s *session) check(a *artifact.Artifact) error {
	var visit func(dir *cas.Dir) error
	visit = func(dir *cas.Dir) error {
		for _, e := range dir.Entries() {
			if e.Type == cas.TypeDirectory {
				sub, err := dir.Sub(e.Name, false)
				if err == nil {
					err = visit(sub)
				}
				if err != nil {
					return err
				}
			} else if err := s.store.Verify(e.Digest); err != nil {
				return err
			}
		}
		return nil
	}
	dir, err := s.store.OpenDir(a.Files)
	if err == nil {
		err = visit(dir)
	}
	return errors.Join(err, s.store.Verify(a.PublicData), s.store.Verify(a.Logs[0].Digest))
}

func (s *session) close(t *testing.T) {
	t.Helper()
	if err := s.store.Close(); err != nil {
		t.Error(err)
	}
}

func begin(t *testing.T, dir string) *session {
	t.Helper()
	tick()
	s, err := open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.store.Close() })
	return s
}

// past builds an artifact in a session that has ended.
func past(t *testing.T, dir, name string, contents ...string) {
	t.Helper()
	s := begin(t, dir)
	if _, err := s.build(name, contents...); err != nil {
		t.Fatal(err)
	}
	s.close(t)
}

func kb(of string, n int) string { return strings.Repeat(of, n*1000/len(of)) }

func (s *session) names(t *testing.T) []string {
	t.Helper()
	list, err := s.artifacts.List("p/e/[!w]*")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, n := range list {
		names = append(names, strings.TrimPrefix(n, "p/e/"))
	}
	return names
}

func (s *session) makeRoom(t *testing.T, p Policy) *Result {
	t.Helper()
	r, err := s.cache(p).MakeRoom(context.Background(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestLeastRecentlyUsedGoes(t *testing.T) {
	dir := t.TempDir()
	past(t, dir, "1", kb("a", 100), "shared")
	past(t, dir, "2", kb("b", 100), "shared")
	past(t, dir, "3", kb("c", 100))
	s := begin(t, dir)
	if a, err := s.lookup("1"); a == nil || err != nil {
		t.Fatal(err)
	}
	s.close(t)

	s = begin(t, dir)
	if r := s.makeRoom(t, Policy{Quota: 400_000, LowWatermark: 50}); r.Objects != 0 || len(s.names(t)) != 3 {
		t.Errorf("there was room, and %+v", r)
	}
	r := s.makeRoom(t, Policy{Quota: 300_000, LowWatermark: 80})
	if diff := cmp.Diff([]string{"3", "1"}, s.names(t)); diff != "" {
		t.Error(diff)
	}
	if r.After.Full() || r.Bytes < 100_000 || r.Before.Used-r.After.Used != r.Bytes {
		t.Errorf("%+v", r)
	}
	for _, name := range s.names(t) {
		a, err := s.lookup(name)
		if err == nil {
			err = s.check(a)
		}
		if err != nil {
			t.Error(err)
		}
	}
}

func TestWhatASessionNeedsStays(t *testing.T) {
	dir := t.TempDir()
	past(t, dir, "1", kb("a", 100))
	past(t, dir, "2", kb("b", 100))
	user := begin(t, dir)
	found, err := user.lookup("1")
	if found == nil || err != nil {
		t.Fatal(err)
	}
	built, err := user.build("3", kb("c", 100))
	if err != nil {
		t.Fatal(err)
	}
	s := begin(t, dir)
	r := s.makeRoom(t, Policy{Quota: 100_000, LowWatermark: 80})
	if !r.After.Full() || r.Held < 200_000 || r.Held > 210_000 {
		t.Errorf("%+v", r)
	}
	if diff := cmp.Diff([]string{"1", "3"}, s.names(t)); diff != "" {
		t.Error(diff)
	}
	if err := errors.Join(user.check(found), user.check(built)); err != nil {
		t.Error(err)
	}
	user.close(t)
	s.close(t)
	s = begin(t, dir)
	if s.makeRoom(t, Policy{Quota: 100_000, LowWatermark: 80}); len(s.names(t)) != 0 {
		t.Errorf("%v stayed when nobody used them any more", s.names(t))
	}
}

// An artifact that another session uses stays whole when it is replaced or deleted.
func TestLostNameInUse(t *testing.T) {
	for what, lose := range map[string]func(t *testing.T, dir string){
		"replaced": func(t *testing.T, dir string) { past(t, dir, "1", kb("b", 100)) },
		"deleted": func(t *testing.T, dir string) {
			s := begin(t, dir)
			if err := errors.Join(s.artifacts.Delete("p/e/1"), s.artifacts.Delete("p/e/weak1")); err != nil {
				t.Fatal(err)
			}
			if names := s.names(t); len(names) != 0 {
				t.Errorf("there still are %v", names)
			}
			s.close(t)
		},
	} {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			past(t, dir, "1", kb("a", 100))
			user := begin(t, dir)
			found, err := user.lookup("1")
			if found == nil || err != nil {
				t.Fatal(err)
			}
			lose(t, dir)
			s := begin(t, dir)
			s.makeRoom(t, Policy{Quota: 50_000, LowWatermark: 80})
			if err := user.check(found); err != nil {
				t.Error(err)
			}
			user.close(t)
			s.close(t)
			s = begin(t, dir)
			s.makeRoom(t, Policy{Quota: 1, LowWatermark: 80})
			if used, _, err := s.store.Usage(); used != 0 || err != nil {
				t.Errorf("%d bytes stay, %v", used, err)
			}
		})
	}
}

// Objects that nothing names go when that is asked for.
func TestPrune(t *testing.T) {
	dir := t.TempDir()
	past(t, dir, "1", kb("a", 100), "shared")
	past(t, dir, "2", kb("b", 100), "shared")
	s := begin(t, dir)
	if err := errors.Join(s.artifacts.Delete("p/e/1"), s.artifacts.Delete("p/e/weak1")); err != nil {
		t.Fatal(err)
	}
	r, err := s.cache(Policy{}).Prune(context.Background())
	if err != nil || r.Bytes < 100_000 || r.Bytes > 101_000 || r.Names != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	a, err := s.lookup("2")
	if err == nil {
		err = s.check(a)
	}
	if err != nil {
		t.Error(err)
	}
}

func TestSources(t *testing.T) {
	dir := t.TempDir()
	s := begin(t, dir)
	d, err := s.store.PutBytes([]byte("of a source"))
	if err != nil {
		t.Fatal(err)
	}
	root := s.store.EmptyDir()
	if err := root.AddFile("f", d, false); err != nil {
		t.Fatal(err)
	}
	tree, err := root.Digest()
	if err != nil {
		t.Fatal(err)
	}
	// The message as the reference writes it: field 2, a Digest.
	message := append([]byte{0x0a, 0x40}, tree.Hash...)
	message = append(message, 0x10, byte(tree.Size))
	message = append([]byte{0x12, byte(len(message))}, message...)
	path := filepath.Join(dir, "source_protos", "tar", strings.Repeat("a", 64))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, message, 0o644)); err != nil {
		t.Fatal(err)
	}
	s.close(t)
	s = begin(t, dir)
	if r, err := s.cache(Policy{}).Prune(context.Background()); err != nil || r.Objects != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	s.makeRoom(t, Policy{Quota: 1, LowWatermark: 80})
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) || s.store.Has(d) {
		t.Errorf("the source stayed: %v", err)
	}
}

func TestDiskSetsTheLimit(t *testing.T) {
	dir := t.TempDir()
	past(t, dir, "1", kb("a", 100))
	s := begin(t, dir)
	c := s.cache(Policy{Quota: 1_000_000, Reserved: 50_000, LowWatermark: 80})
	for _, tc := range []struct {
		free   int64
		full   bool
		byDisk bool
	}{{2_000_000, false, false}, {60_000, false, true}, {40_000, true, true}, {0, true, true}} {
		c.Free = func(string) (int64, error) { return tc.free, nil }
		st, err := c.State()
		if err != nil || st.Full() != tc.full || st.ByDisk != tc.byDisk || !st.Known {
			t.Errorf("%d free: %+v, %v", tc.free, st, err)
		}
	}
	c.Policy.Quota = 0
	c.Free = func(string) (int64, error) { return 0, errors.New("unknown") }
	if st, err := c.State(); err != nil || st.Limited {
		t.Errorf("%+v, %v", st, err)
	}
}

func TestCacheThatNobodyCounted(t *testing.T) {
	dir := t.TempDir()
	past(t, dir, "1", kb("a", 100))
	if err := os.Remove(filepath.Join(dir, "cas", "account")); err != nil {
		t.Fatal(err)
	}
	s := begin(t, dir)
	r := s.makeRoom(t, Policy{Quota: 50_000, LowWatermark: 80})
	if !r.Before.Known || r.After.Full() || r.Names != 2 {
		t.Errorf("%+v", r)
	}
}

func TestKeeper(t *testing.T) {
	dir := t.TempDir()
	past(t, dir, "1", kb("a", 100))
	past(t, dir, "2", kb("b", 100))
	s := begin(t, dir)
	k := NewKeeper(s.cache(Policy{Quota: 250_000, LowWatermark: 100}))
	ctx := context.Background()
	for _, tc := range []struct {
		need int64
		want []string
	}{{0, []string{"1", "2"}}, {40_000, []string{"1", "2"}}, {100_000, []string{"2"}}} {
		if err := k.Room(ctx, tc.need); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(tc.want, s.names(t)); diff != "" {
			t.Errorf("after room for %d: %s", tc.need, diff)
		}
	}
	if _, err := s.build("3", kb("c", 140)); err != nil {
		t.Fatal(err)
	}
	err := k.Room(ctx, 200_000)
	var fault *stream.Error
	if !errors.As(err, &fault) || fault.Domain != stream.DomainCAS || fault.Reason != ReasonTooFull {
		t.Fatalf("%v", err)
	}
	for _, part := range []string{"137K", "244K", "quota"} {
		if text := fault.Message + "\n" + fault.Detail; !strings.Contains(text, part) {
			t.Errorf("%q is not said in %s", part, text)
		}
	}
	if diff := cmp.Diff([]string{"3"}, s.names(t)); diff != "" {
		t.Error(diff)
	}
	// Another process is at it: whoever needs room waits for it.
	e, err := s.store.Expire()
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithCancel(ctx)
	k = NewKeeper(s.cache(Policy{Quota: 100_000, LowWatermark: 100}))
	k.waiting = cancel
	if err := k.Room(short, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	e.Close()
}

func TestEnds(t *testing.T) {
	dir := t.TempDir()
	past(t, dir, "1", kb("a", 100))
	s := begin(t, dir)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.cache(Policy{Quota: 1, LowWatermark: 80}).MakeRoom(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if len(s.names(t)) != 1 {
		t.Error("it went all the same")
	}
}

// work builds, uses and expires artifacts at random, and checks in between that
// what it needs is there. It says what it does, a line each.
func work(dir string, seed uint64, out *os.File) error {
	r := rand.New(rand.NewPCG(seed, 3))
	content := func() string { return kb(fmt.Sprintf("content %d ", r.IntN(30)), 2+r.IntN(3)) }
	for range 15 {
		s, err := open(dir)
		if err != nil {
			return err
		}
		needed := map[string]*artifact.Artifact{}
		for range 10 {
			name := fmt.Sprintf("%d", r.IntN(20))
			a, err := s.lookup(name)
			switch {
			case err != nil:
				return err
			case a != nil:
				// Found: complete, and from now on needed.
			case r.IntN(3) > 0:
				if a, err = s.build(name, content(), content(), content()); err != nil {
					return err
				}
			}
			if a != nil {
				needed[name] = a
			}
			if r.IntN(4) == 0 {
				if _, err := s.cache(Policy{Quota: 40_000, LowWatermark: 50}).MakeRoom(context.Background(), 0); err != nil && err != ErrBusy {
					return err
				}
			}
			for name, a := range needed {
				if err := s.check(a); err != nil {
					return fmt.Errorf("artifact %s: %w", name, err)
				}
			}
			fmt.Fprintln(out, "step")
		}
		if err := s.store.Close(); err != nil {
			return err
		}
	}
	return nil
}

// TestManyProcesses: sessions in several processes, some of which are killed at any
// moment, never miss an object of what they need, and what is named at the end is
// whole.
func TestManyProcesses(t *testing.T) {
	dir := t.TempDir()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64N(1 << 30)
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 7))
	var wait sync.WaitGroup
	for p := range 6 {
		killed, steps := p%2 == 1, 5+r.IntN(100)
		wait.Go(func() {
			cmd := exec.Command(executable)
			cmd.Env = append(os.Environ(), workerVar+"="+dir, fmt.Sprintf("%s_SEED=%d", workerVar, seed+uint64(p)))
			pipe, err := cmd.StdoutPipe()
			if err == nil {
				cmd.Stderr = os.Stderr
				err = cmd.Start()
			}
			if err != nil {
				t.Error(err)
				return
			}
			n := 0
			for lines := bufio.NewScanner(pipe); lines.Scan(); {
				if strings.HasPrefix(lines.Text(), "FAULT") {
					t.Error(lines.Text())
				}
				if n++; killed && n == steps {
					cmd.Process.Kill()
				}
			}
			if err := cmd.Wait(); err != nil && !killed {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	s := begin(t, dir)
	for _, name := range s.names(t) {
		a, err := s.lookup(name)
		if err != nil || a == nil {
			t.Errorf("%s: %v, %v", name, a, err)
			continue
		}
		if err := s.check(a); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.close(t)
	s = begin(t, dir)
	if r := s.makeRoom(t, Policy{Quota: 1, LowWatermark: 10}); len(s.names(t)) != 0 || r.After.Used != 0 {
		t.Errorf("%v and %d bytes are left of all", s.names(t), r.After.Used)
	}
}

// BenchmarkExpire is expiry of half a cache of 100,000 objects in 1,000 artifacts.
func BenchmarkExpire(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		dir := b.TempDir()
		s, err := open(dir)
		if err != nil {
			b.Fatal(err)
		}
		for i := range 1000 {
			contents := make([]string, 100)
			for k := range contents {
				contents[k] = fmt.Sprintf("content of file %d of artifact %d", k, i)
			}
			if _, err := s.build(fmt.Sprint(i), contents...); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.store.Close(); err != nil {
			b.Fatal(err)
		}
		tick()
		if s, err = open(dir); err != nil {
			b.Fatal(err)
		}
		used, _, err := s.store.Usage()
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		begun := time.Now()
		r, err := s.cache(Policy{Quota: used - 1, LowWatermark: 50}).MakeRoom(context.Background(), 0)
		if err != nil || r.After.Full() {
			b.Fatalf("%+v, %v", r, err)
		}
		b.StopTimer()
		b.ReportMetric(float64(r.Objects), "objects/op")
		b.ReportMetric(float64(time.Since(begun).Microseconds())/float64(r.Objects), "us/object")
		if err := s.store.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
