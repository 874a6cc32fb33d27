package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bst/impl/bug"
	"bst/impl/cas"
	"bst/impl/proto/reapi"
	"bst/impl/proto/repb"
	"bst/impl/remote/remotetest"
	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

func start(t testing.TB, o remotetest.Options) *remotetest.Server {
	t.Helper()
	s, err := remotetest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// quick has no time to lose between attempts.
func quick(url string) stream.Remote {
	return stream.Remote{URL: url, Type: "all", Push: true, RetryLimit: 2, RetryDelay: time.Millisecond}
}

func client(t testing.TB, spec stream.Remote) *Client {
	t.Helper()
	c, err := Open(spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func newStore(t testing.TB) *cas.Store {
	t.Helper()
	s, err := cas.Open(filepath.Join(t.TempDir(), "cas"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// random is reproducible content.
func random(seed, n int) []byte {
	r := mathrand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	b := make([]byte, n)
	r.Read(b)
	return b
}

func put(t testing.TB, s *cas.Store, b []byte) cas.Digest {
	t.Helper()
	d, err := s.PutBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// tree makes a tree with small and large files, folders and links.
func tree(t testing.TB, s *cas.Store, seed int) cas.Digest {
	t.Helper()
	root := s.EmptyDir()
	for i := range 20 {
		must(t, root.AddFile(fmt.Sprintf("usr/share/doc-%d/readme", i), put(t, s, random(seed*100+i, 300)), i%2 == 0))
	}
	must(t, root.AddFile("usr/lib/large", put(t, s, random(seed*100+50, 6<<20)), false))
	must(t, root.AddFile("usr/lib/larger", put(t, s, random(seed*100+51, 9<<20)), true))
	must(t, root.AddFile("empty", put(t, s, nil), false))
	must(t, root.AddSymlink("lib", "usr/lib"))
	must(t, root.MkdirAll("var/empty"))
	d, err := root.Digest()
	must(t, err)
	return d
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantReason(t *testing.T, err error, reason string) *stream.Error {
	t.Helper()
	var e *stream.Error
	if !errors.As(err, &e) || e.Reason != reason {
		t.Fatalf("error %v, want one with the reason %s", err, reason)
	}
	return e
}

func TestTreesCrossWhole(t *testing.T) {
	for _, batch := range []int64{0, 1000} {
		server := start(t, remotetest.Options{MaxBatch: batch})
		c := client(t, quick(server.URL))
		must(t, c.Check(t.Context()))
		here, there := newStore(t), newStore(t)
		root := tree(t, here, 1)
		all, err := Tree(here, root)
		must(t, err)
		sent, err := c.Push(t.Context(), here, all)
		must(t, err)
		if sent != len(all) {
			t.Errorf("%d objects were sent, want %d", sent, len(all))
		}
		if sent, err := c.Push(t.Context(), here, all); err != nil || sent != 0 {
			t.Errorf("sent again: %d, %v", sent, err)
		}
		must(t, c.FetchTree(t.Context(), there, []cas.Digest{root}))
		if whole, err := there.HasTree(root); err != nil || !whole {
			t.Errorf("whole %v, %v", whole, err)
		}
		for _, d := range all {
			must(t, there.Verify(d))
		}
		before := server.Calls("")
		must(t, c.FetchTree(t.Context(), there, []cas.Digest{root}))
		if n := server.Calls("") - before; n != 0 {
			t.Errorf("%d calls were made for what was there", n)
		}
	}
}

// What is interrupted goes on where it was.
func TestStreamsGoOn(t *testing.T) {
	server := start(t, remotetest.Options{Cut: 5 << 20, CutError: status.Error(codes.Unavailable, "going down")})
	c := client(t, quick(server.URL))
	here, there := newStore(t), newStore(t)
	d := put(t, here, random(7, 9<<20))
	_, err := c.Push(t.Context(), here, []cas.Digest{d})
	must(t, err)
	if server.Calls("Write") != 2 || server.Calls("QueryWriteStatus") != 1 {
		t.Errorf("%d writes, %d questions", server.Calls("Write"), server.Calls("QueryWriteStatus"))
	}
	must(t, c.Fetch(t.Context(), there, []cas.Digest{d}))
	if diff := cmp.Diff([]int64{5 << 20}, server.Offsets()); diff != "" {
		t.Errorf("offsets: %s", diff)
	}
	must(t, there.Verify(d))
}

// A stream that ends early without an error is a broken one, and tried again.
func TestStreamsThatAreCutGoOn(t *testing.T) {
	server := start(t, remotetest.Options{Cut: 5 << 20})
	c := client(t, quick(server.URL))
	store := newStore(t)
	d := server.Put(random(7, 9<<20))
	must(t, c.Fetch(t.Context(), store, []cas.Digest{d}))
	must(t, store.Verify(d))
}

// Nothing is stored that is not what it is named.
func TestWrongDataIsNotStored(t *testing.T) {
	for _, test := range []struct {
		name string
		read func([]byte) []byte
	}{
		{"other bytes", func(b []byte) []byte { b = bytes.Clone(b); b[len(b)/2] ^= 1; return b }},
		{"more bytes", func(b []byte) []byte { return append(bytes.Clone(b), 'x') }},
		{"fewer bytes", func(b []byte) []byte { return b[:len(b)-1] }},
		{"none", func(b []byte) []byte { return nil }},
	} {
		for _, size := range []int{100, 5 << 20} {
			t.Run(fmt.Sprintf("%s of %d", test.name, size), func(t *testing.T) {
				server := start(t, remotetest.Options{Read: func(_ cas.Digest, b []byte) []byte { return test.read(b) }})
				c := client(t, quick(server.URL))
				store := newStore(t)
				d := server.Put(random(1, size))
				err := c.Fetch(t.Context(), store, []cas.Digest{d})
				if !IsServer(err) {
					t.Fatalf("error %v, want one of the server", err)
				}
				must(t, store.Objects(func(d cas.Digest) error { return fmt.Errorf("%s was stored", d) }))
			})
		}
	}
}

func TestMissing(t *testing.T) {
	server := start(t, remotetest.Options{})
	c := client(t, quick(server.URL))
	for _, size := range []int{10, 5 << 20} {
		err := c.Fetch(t.Context(), newStore(t), []cas.Digest{cas.DigestBytes(random(1, size))})
		if !IsMissing(err) {
			t.Errorf("of %d bytes: %v", size, err)
		}
	}
	if c.Down() != nil {
		t.Errorf("the server was given up: %v", c.Down())
	}
}

// directory encodes a Directory message by hand, as a hostile server would.
func directory(d *reapi.Directory) []byte {
	b, err := proto.Marshal(d)
	if err != nil {
		panic(err)
	}
	return b
}

func TestHostileTrees(t *testing.T) {
	file := func(name string) *reapi.FileNode {
		return &reapi.FileNode{Name: name, Digest: toProto(cas.DigestBytes([]byte("x")))}
	}
	for _, test := range []struct {
		name string
		make func(s *remotetest.Server) cas.Digest
	}{
		{"dot dot", func(s *remotetest.Server) cas.Digest {
			return s.Put(directory(&reapi.Directory{Files: []*reapi.FileNode{file("..")}}))
		}},
		{"absolute", func(s *remotetest.Server) cas.Digest {
			return s.Put(directory(&reapi.Directory{Files: []*reapi.FileNode{file("/etc/passwd")}}))
		}},
		{"a slash below", func(s *remotetest.Server) cas.Digest {
			sub := s.Put(directory(&reapi.Directory{Files: []*reapi.FileNode{file("a/b")}}))
			return s.Put(directory(&reapi.Directory{Directories: []*reapi.DirectoryNode{{Name: "sub", Digest: toProto(sub)}}}))
		}},
		{"a name twice", func(s *remotetest.Server) cas.Digest {
			return s.Put(directory(&reapi.Directory{Files: []*reapi.FileNode{file("a"), file("a")}}))
		}},
		{"no digest", func(s *remotetest.Server) cas.Digest {
			return s.Put(directory(&reapi.Directory{Files: []*reapi.FileNode{{Name: "a", Digest: &reapi.Digest{Hash: "../../x", SizeBytes: 3}}}}))
		}},
		{"a negative size", func(s *remotetest.Server) cas.Digest {
			return s.Put(directory(&reapi.Directory{Files: []*reapi.FileNode{{Name: "a", Digest: &reapi.Digest{Hash: strings.Repeat("a", 64), SizeBytes: -1}}}}))
		}},
		{"no message", func(s *remotetest.Server) cas.Digest { return s.Put([]byte("\xff\xff\xff")) }},
		// By its hash no directory can be in itself; one that claims to be is not what
		// it is named.
		{"a cycle", func(s *remotetest.Server) cas.Digest {
			self := cas.Digest{Hash: strings.Repeat("b", 64)}
			b := directory(&reapi.Directory{Directories: []*reapi.DirectoryNode{{Name: "self", Digest: &reapi.Digest{Hash: self.Hash, SizeBytes: 80}}}})
			self.Size = int64(len(b))
			b = directory(&reapi.Directory{Directories: []*reapi.DirectoryNode{{Name: "self", Digest: toProto(self)}}})
			self.Size = int64(len(b))
			s.PutAs(self, b)
			return self
		}},
		{"too deep", func(s *remotetest.Server) cas.Digest {
			d := s.Put(directory(&reapi.Directory{Files: []*reapi.FileNode{file("x")}}))
			for range cas.MaxDepth + 2 {
				d = s.Put(directory(&reapi.Directory{Directories: []*reapi.DirectoryNode{{Name: "d", Digest: toProto(d)}}}))
			}
			return d
		}},
		{"a directory that is said to be huge", func(s *remotetest.Server) cas.Digest {
			return s.Put(directory(&reapi.Directory{Directories: []*reapi.DirectoryNode{
				{Name: "d", Digest: &reapi.Digest{Hash: strings.Repeat("c", 64), SizeBytes: 1 << 50}}}}))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := start(t, remotetest.Options{})
			server.Put([]byte("x"))
			c := client(t, quick(server.URL))
			store := newStore(t)
			root := test.make(server)
			err := c.FetchTree(t.Context(), store, []cas.Digest{root})
			if !IsServer(err) {
				t.Fatalf("error %v, want one of the server", err)
			}
			must(t, store.Objects(store.Verify))
			if whole, err := store.HasTree(root); whole && err == nil {
				t.Error("the tree is taken for whole")
			}
		})
	}
}

// A tree of 2^60 files in a few messages costs what its messages do.
func TestFoldedTreesCostTheirMessages(t *testing.T) {
	server := start(t, remotetest.Options{})
	d := server.Put(directory(&reapi.Directory{Files: []*reapi.FileNode{{Name: "x", Digest: toProto(server.Put([]byte("x")))}}}))
	for range 60 {
		d = server.Put(directory(&reapi.Directory{Directories: []*reapi.DirectoryNode{
			{Name: "a", Digest: toProto(d)}, {Name: "b", Digest: toProto(d)}}}))
	}
	store := newStore(t)
	must(t, client(t, quick(server.URL)).FetchTree(t.Context(), store, []cas.Digest{d}))
	if n := server.Calls("BatchReadBlobs"); n > 70 {
		t.Errorf("%d calls", n)
	}
}

// A server that is gone is told once, and not waited for again.
func TestGone(t *testing.T) {
	server := start(t, remotetest.Options{})
	c := client(t, quick(server.URL))
	must(t, c.Check(t.Context()))
	server.Stop()
	_, _, err := c.FetchBlob(t.Context(), "urn:x")
	e := wantReason(t, err, ReasonFailed)
	if !e.Temporary {
		t.Error("the failure is not temporary")
	}
	before := c.Trips()
	if before < 3 {
		t.Errorf("%d attempts", before)
	}
	_, again := c.FindMissing(t.Context(), []cas.Digest{cas.DigestBytes([]byte("x"))})
	if again != err {
		t.Errorf("error %v, want the first one", again)
	}
	if c.Trips() != before {
		t.Error("the server was asked again")
	}
}

// A server that does not answer is not waited for longer than was said.
func TestSlow(t *testing.T) {
	stop := make(chan struct{})
	server := start(t, remotetest.Options{Call: func(ctx context.Context, method string, _ int) error {
		select {
		case <-ctx.Done():
		case <-stop:
		}
		return status.FromContextError(ctx.Err()).Err()
	}})
	defer close(stop)
	spec := quick(server.URL)
	spec.RequestTimeout, spec.RetryLimit = 50*time.Millisecond, 0
	for _, f := range []func(c *Client) error{
		func(c *Client) error { _, _, err := c.FetchBlob(t.Context(), "urn:x"); return err },
		func(c *Client) error {
			return c.Fetch(t.Context(), newStore(t), []cas.Digest{cas.DigestBytes(random(1, 5<<20))})
		},
		func(c *Client) error {
			s := newStore(t)
			d := put(t, s, random(1, 5<<20))
			return c.upload(t.Context(), d, func(d cas.Digest) (io.ReadSeekCloser, error) { return s.OpenFile(d) })
		},
	} {
		e := wantReason(t, f(client(t, spec)), ReasonFailed)
		if !strings.Contains(e.Message, "no answer within 50ms") {
			t.Error(e.Message)
		}
	}
	// And a person who has had enough is heard.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := client(t, quick(server.URL)).FetchBlob(ctx, "urn:x"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestPassingFailures(t *testing.T) {
	server := start(t, remotetest.Options{Call: func(_ context.Context, method string, n int) error {
		if n <= 2 {
			return status.Error(codes.Unavailable, "come again")
		}
		return nil
	}})
	c := client(t, quick(server.URL))
	must(t, c.Check(t.Context()))
	here, there := newStore(t), newStore(t)
	root := tree(t, here, 3)
	all, err := Tree(here, root)
	must(t, err)
	_, err = c.Push(t.Context(), here, all)
	must(t, err)
	must(t, c.FetchTree(t.Context(), there, []cas.Digest{root}))
}

func TestFull(t *testing.T) {
	server := start(t, remotetest.Options{Capacity: 1000})
	c := client(t, quick(server.URL))
	s := newStore(t)
	for _, size := range []int{2000, 5 << 20} {
		_, err := c.Push(t.Context(), s, []cas.Digest{put(t, s, random(size, size))})
		if reasonOf(err) != ReasonFull {
			t.Errorf("error %v", err)
		}
	}
	if c.Down() != nil {
		t.Error("a full server can still be read")
	}
}

func TestServicesThatAreMissing(t *testing.T) {
	for _, test := range []struct {
		options remotetest.Options
		kind    string
		want    string
	}{
		{remotetest.Options{NoFetch: true}, "all", "Configured remote does not implement the Remote Asset Fetch service. Please check remote configuration."},
		{remotetest.Options{NoPush: true}, "index", "Configured remote does not implement the Remote Asset Push service. Please check remote configuration."},
		{remotetest.Options{NoPush: true, NoFetch: true}, "storage", ""},
		{remotetest.Options{NoCAS: true}, "index", ""},
	} {
		spec := quick(start(t, test.options).URL)
		spec.Type = test.kind
		err := client(t, spec).Check(t.Context())
		if test.want == "" {
			must(t, err)
		} else if e := wantReason(t, err, ReasonService); e.Message != test.want {
			t.Error(e.Message)
		}
	}
}

// Questions that come while one is asked go together.
func TestQuestionsAreJoined(t *testing.T) {
	var mu sync.Mutex
	begun := make(chan struct{})
	hold := make(chan struct{})
	first := true
	server := start(t, remotetest.Options{Call: func(_ context.Context, method string, _ int) error {
		mu.Lock()
		was := first
		first = false
		mu.Unlock()
		if was {
			close(begun)
			<-hold
		}
		return nil
	}})
	c := client(t, quick(server.URL))
	wait := bug.Go(func() error {
		_, err := c.FindMissing(t.Context(), []cas.Digest{cas.DigestBytes([]byte("first"))})
		return err
	})
	<-begun
	// As FindMissing leaves them while a call is under way.
	var waiting []*question
	for i := range 100 {
		q := &question{ctx: t.Context(), digests: []cas.Digest{cas.DigestBytes([]byte{byte(i)})}, done: make(chan struct{})}
		waiting = append(waiting, q)
	}
	c.finder.mu.Lock()
	c.finder.waiting = append(c.finder.waiting, waiting...)
	c.finder.mu.Unlock()
	close(hold)
	must(t, wait())
	for _, q := range waiting {
		<-q.done
		if diff := cmp.Diff(q.digests, q.missing); q.err != nil || diff != "" {
			t.Errorf("%v %s", q.err, diff)
		}
	}
	if n := server.Calls("FindMissingBlobs"); n != 2 {
		t.Errorf("%d calls for 101 questions", n)
	}
}

// TestFindBug: who asks hears of a bug in the answering, and nobody waits for ever.
func TestFindBug(t *testing.T) {
	c := client(t, quick(start(t, remotetest.Options{}).URL))
	c.store = broken{c.store}
	for range 2 {
		_, err := c.FindMissing(t.Context(), []cas.Digest{cas.DigestBytes([]byte("x"))})
		var e *bug.Error
		if !errors.As(err, &e) {
			t.Errorf("error %v, want a bug", err)
		}
	}
}

// broken panics.
type broken struct {
	repb.ContentAddressableStorageClient
}

func (broken) FindMissingBlobs(context.Context, *repb.FindMissingBlobsRequest, ...grpc.CallOption) (*repb.FindMissingBlobsResponse, error) {
	panic("oh no")
}
