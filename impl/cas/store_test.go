package cas

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

func newStore(t testing.TB) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "cas"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // Windows removes no folder that is open
	return s
}

func put(t testing.TB, s *Store, content string) Digest {
	t.Helper()
	d, err := s.PutBytes([]byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// wantError checks an error's reason and that its text has all the parts.
func wantError(t testing.TB, err error, reason string, parts ...string) {
	t.Helper()
	var e *stream.Error
	if !errors.As(err, &e) {
		t.Fatalf("got error %v, want a *stream.Error", err)
	}
	if e.Reason != reason {
		t.Errorf("got reason %q, want %q: %v", e.Reason, reason, err)
	}
	for _, part := range parts {
		if !strings.Contains(e.Message+"\n"+e.Detail, part) {
			t.Errorf("the error lacks %q: %s\n%s", part, e.Message, e.Detail)
		}
	}
}

func TestPutAndGet(t *testing.T) {
	large := bytes.Repeat([]byte("large "), copyBuffer/4)
	exact := bytes.Repeat([]byte("x"), copyBuffer)
	for _, tc := range []struct {
		name    string
		content []byte
	}{{"empty", nil}, {"small", []byte("hello")}, {"one buffer", exact}, {"large", large}} {
		t.Run(tc.name, func(t *testing.T) {
			want := DigestBytes(tc.content)
			file := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(file, tc.content, 0o600); err != nil {
				t.Fatal(err)
			}
			for how, put := range map[string]func(s *Store) (Digest, error){
				"bytes":  func(s *Store) (Digest, error) { return s.PutBytes(tc.content) },
				"file":   func(s *Store) (Digest, error) { return s.PutFile(file) },
				"reader": func(s *Store) (Digest, error) { return s.PutReader(bytes.NewReader(tc.content)) },
			} {
				s := newStore(t)
				if s.Has(want) {
					t.Errorf("%s: an empty store has the object", how)
				}
				for range 2 {
					if d, err := put(s); err != nil || d != want {
						t.Fatalf("%s: got %v, %v", how, d, err)
					}
				}
				got, err := s.Get(want)
				if err != nil || !bytes.Equal(got, tc.content) {
					t.Errorf("%s: Get gives %d bytes, %v", how, len(got), err)
				}
				if !s.Has(want) {
					t.Errorf("%s: Has says no", how)
				}
				if err := s.Verify(want); err != nil {
					t.Errorf("%s: %v", how, err)
				}
				st, err := os.Stat(s.Path(want))
				if err != nil {
					t.Fatal(err)
				}
				if st.Mode() != 0o644 || !st.ModTime().Equal(MTime) {
					t.Errorf("%s: the object has mode %v and time %v", how, st.Mode(), st.ModTime())
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				if left := temporary(t, s); len(left) != 0 {
					t.Errorf("%s: temporary files are left: %v", how, left)
				}
			}
			if d, err := new(Digests).File(file); err != nil || d != want {
				t.Errorf("DigestFile gives %v, %v", d, err)
			}
		})
	}
}

// temporary lists what is in the store's folder of temporary files.
func temporary(t testing.TB, s *Store) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(s.tmp, func(path string, _ fs.DirEntry, err error) error {
		if path != s.tmp {
			list = append(list, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return list
}

func TestOpenWritesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cas")
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if s.Has(EmptyDigest) || exists(dir) {
		t.Error("opening and asking made the folder")
	}
	if err := os.WriteFile(dir, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = Open(dir)
	wantError(t, err, "", dir, "not a folder")
}

func TestReadsThatFail(t *testing.T) {
	s := newStore(t)
	d := put(t, s, "hello")

	missing := DigestBytes([]byte("not there"))
	_, err := s.Get(missing)
	wantError(t, err, ReasonMissing, missing.String(), s.Path(missing))
	if !IsMissing(err) || !IsMissing(fmt.Errorf("staging: %w", err)) {
		t.Error("IsMissing does not know it")
	}

	for _, hash := range []string{"", "../../../etc/passwd", strings.Repeat("g", 64), strings.Repeat("A", 64), strings.Repeat("/", 64)} {
		bad := Digest{Hash: hash, Size: 5}
		if _, err := s.Get(bad); !IsMissing(err) {
			t.Errorf("hash %q: got %v", hash, err)
		}
		if s.Has(bad) || !strings.HasPrefix(s.Path(bad), s.objects) {
			t.Errorf("hash %q leads out of the store", hash)
		}
	}

	// The right hash with another size names something else.
	_, err = s.Get(Digest{Hash: d.Hash, Size: 4})
	wantError(t, err, ReasonCorrupt, "5 bytes")

	if err := os.WriteFile(s.Path(d), []byte("jello"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = s.Get(d)
	wantError(t, err, ReasonCorrupt, d.Hash, s.Path(d), "has the hash", "Remove that file")
	wantError(t, s.Verify(d), ReasonCorrupt)

	if err := os.WriteFile(s.Path(d), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = s.OpenFile(d)
	wantError(t, err, ReasonCorrupt, "0 bytes")

	if err := errors.Join(os.Remove(s.Path(d)), os.Mkdir(s.Path(d), 0o755)); err != nil {
		t.Fatal(err)
	}
	_, err = s.Get(d)
	wantError(t, err, ReasonCorrupt, "not a regular file")
}

// failingReader gives some bytes and then an error.
type failingReader struct {
	n   int
	err error
}

func (r *failingReader) Read(b []byte) (int, error) {
	if r.n == 0 {
		return 0, r.err
	}
	n := min(len(b), r.n)
	r.n -= n
	return n, nil
}

func TestPutReaderGivesTheReadersError(t *testing.T) {
	s := newStore(t)
	reset := &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	for _, broken := range []error{errors.New("the network is gone"), reset} {
		for _, n := range []int{0, 10, 3 * copyBuffer} {
			if _, err := s.PutReader(&failingReader{n, broken}); err != broken {
				t.Errorf("after %d bytes: got %v", n, err)
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left := temporary(t, s); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	const path = "/somewhere/objects/aa/bb"
	for _, tc := range []struct {
		make   func(verb, path string, err error) error
		verb   string
		err    error
		reason string
		parts  []string
	}{
		{ioError, "write to the cache", &fs.PathError{Op: "write", Path: path, Err: syscall.ENOSPC}, ReasonNoSpace, []string{"no space left", "cachedir", "quota"}},
		{ioError, "write to the cache", syscall.EDQUOT, ReasonNoSpace, []string{"quota"}},
		{ioError, "create the folder", syscall.EACCES, ReasonNotWritable, []string{"permission denied", "cachedir"}},
		{ioError, "write to the cache", syscall.EROFS, ReasonNotWritable, []string{"read-only", "cachedir"}},
		{ioError, "read", syscall.EMFILE, "", []string{"too many open files", "ulimit"}},
		{outsideError, "read", syscall.EACCES, "", []string{"permission denied", "able to read"}},
		{outsideError, "write", syscall.EACCES, ReasonNotWritable, []string{"permission denied", "able to write"}},
		{outsideError, "write", syscall.ENOSPC, ReasonNoSpace, []string{"no space left", "another"}},
		{outsideError, "read", syscall.EIO, "", []string{"input/output error"}},
	} {
		err := tc.make(tc.verb, path, tc.err)
		wantError(t, err, tc.reason, append(tc.parts, tc.verb, path)...)
		if n := strings.Count(err.Error(), path); n != 1 {
			t.Errorf("%v: the path is named %d times: %s", tc.err, n, err)
		}
		if again := ioError("do something else", "/", fmt.Errorf("wrapped: %w", err)); !errors.Is(again, err) || strings.Contains(again.Error(), "something else") {
			t.Errorf("an error that says what to do was covered by another: %v", again)
		}
	}
}

func TestWriteThatFails(t *testing.T) {
	s := newStore(t)
	// A file where the folder of objects belongs stops even root.
	if err := errors.Join(os.MkdirAll(s.dir, 0o755), os.WriteFile(s.objects, nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	_, err := s.PutBytes([]byte("x"))
	wantError(t, err, "", s.objects)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left := temporary(t, s); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if err := os.Remove(s.tmp); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.tmp, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = s.PutBytes([]byte("x"))
	wantError(t, err, "", s.tmp, "create the cache's folder")
}

func TestExistingObjectIsNotRewritten(t *testing.T) {
	s := newStore(t)
	d := put(t, s, "once")
	before, err := os.Stat(s.Path(d))
	if err != nil {
		t.Fatal(err)
	}
	// Two who found it missing at once: the second keeps the first's inode.
	tmp, err := s.createTemp(func(path string) error { return writeObject(path, []byte("once"), false) })
	if err != nil {
		t.Fatal(err)
	}
	if err := s.commit(tmp, s.Path(d), d.Size); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(s.Path(d))
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(before, after) {
		t.Error("the object was replaced")
	}
	if exists(tmp) {
		t.Error("the temporary file is left")
	}
}

func TestTwoStoresOnOneFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cas")
	const objects = 400
	var wg sync.WaitGroup
	for worker := range 4 {
		s, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			for i := range objects {
				// Every object is written by all, in differing order.
				content := fmt.Sprintf("object %d", (i*(2*worker+1))%objects)
				if i%50 == 0 {
					content += strings.Repeat(" long", copyBuffer/4)
				}
				d, err := s.PutReader(strings.NewReader(content))
				if err != nil {
					t.Error(err)
					return
				}
				if b, err := s.Get(d); err != nil || string(b) != content {
					t.Errorf("object %d: %v", i, err)
				}
				if i%20 == 0 {
					if _, err := s.ExecPath(d); err != nil {
						t.Error(err)
					}
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := s.Objects(func(d Digest) error { n++; return s.Verify(d) }); err != nil {
		t.Error(err)
	}
	if n < objects {
		t.Errorf("%d objects of %d", n, objects)
	}
	if left := temporary(t, s); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// TestKilledWriter kills a process in the middle of writing an object.
func TestKilledWriter(t *testing.T) {
	const env = "CAS_TEST_WRITER"
	if dir := os.Getenv(env); dir != "" {
		s, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		// Reads from stdin, which never ends.
		_, err = s.PutReader(io.MultiReader(strings.NewReader(strings.Repeat("half ", copyBuffer)), os.Stdin))
		t.Fatal(err)
	}

	s := newStore(t)
	child := exec.Command(os.Args[0], "-test.run=^TestKilledWriter$")
	child.Env = append(os.Environ(), env+"="+s.Dir())
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for len(temporary(t, s)) < 2 { // its folder and its file
		if child.ProcessState != nil {
			t.Fatal("the writer ended")
		}
	}
	if runsFlock(t) {
		// While it lives, nobody sweeps.
		put(t, s, "another process writes")
		if len(temporary(t, s)) < 2 {
			t.Error("a living process's file was swept")
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	child.Wait()

	s, err = Open(s.Dir())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := s.Objects(func(d Digest) error { n++; return s.Verify(d) }); err != nil {
		t.Error(err)
	}
	if n > 1 {
		t.Errorf("%d objects", n)
	}
	put(t, s, "the next process writes")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left := temporary(t, s); runsFlock(t) && len(left) != 0 {
		t.Errorf("the dead process's files are left: %v", left)
	}
}

// runsFlock says whether folders can be locked here.
func runsFlock(t *testing.T) bool {
	l, err := lockFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	return l.known
}

func TestCacheEmptiedMeanwhile(t *testing.T) {
	s := newStore(t)
	put(t, s, "before")
	if err := os.RemoveAll(s.Dir()); err != nil {
		t.Fatal(err)
	}
	d := put(t, s, "after")
	if _, err := s.Get(d); err != nil {
		t.Error(err)
	}
}

func TestExecPath(t *testing.T) {
	s := newStore(t)
	d := put(t, s, "#!/bin/sh\n")
	path, err := s.ExecPath(d)
	if err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if st.Mode() != 0o755 || !st.ModTime().Equal(MTime) {
		t.Errorf("the twin has mode %v and time %v", st.Mode(), st.ModTime())
	}
	object, err := os.Stat(s.Path(d))
	if err != nil {
		t.Fatal(err)
	}
	if object.Mode() != 0o644 || os.SameFile(st, object) {
		t.Error("the object itself became executable")
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "#!/bin/sh\n" {
		t.Errorf("the twin holds %q, %v", b, err)
	}
	again, err := s.ExecPath(d)
	if err != nil || again != path {
		t.Errorf("%v, %v", again, err)
	}
	_, err = s.ExecPath(DigestBytes([]byte("none")))
	if !IsMissing(err) {
		t.Errorf("got %v", err)
	}
}

func TestDigestString(t *testing.T) {
	if diff := cmp.Diff(EmptyDigest.Hash+"/0", EmptyDigest.String()); diff != "" {
		t.Error(diff)
	}
	if EmptyDigest != DigestBytes(nil) {
		t.Error("EmptyDigest is wrong")
	}
}

func BenchmarkPutBytes(b *testing.B) {
	s := newStore(b)
	// Make the 256 folders first: they are made once in a store's life.
	for i := range 4096 {
		put(b, s, fmt.Sprint("warm ", i))
	}
	defer reportCPU(b)()
	i := 0
	for b.Loop() {
		i++
		if _, err := s.PutBytes(fmt.Appendf(nil, "object %d, which is small", i)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPutBytesAgain(b *testing.B) {
	s := newStore(b)
	content := []byte("an object that is there")
	for b.Loop() {
		if _, err := s.PutBytes(content); err != nil {
			b.Fatal(err)
		}
	}
}
