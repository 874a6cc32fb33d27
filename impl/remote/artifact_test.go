package remote

import (
	"fmt"
	"strings"
	"testing"

	"bst/impl/artifact"
	"bst/impl/cas"
	"bst/impl/remote/remotetest"

	"github.com/google/go-cmp/cmp"
)

// testArtifact makes a whole artifact in a store.
func testArtifact(t testing.TB, s *cas.Store, seed int, root cas.Digest) (*artifact.Artifact, []byte) {
	t.Helper()
	key := func(n int) string { return cas.DigestBytes(fmt.Appendf(nil, "key %d %d", seed, n)).Hash }
	a := &artifact.Artifact{Version: artifact.Version, BuildSuccess: true, StrongKey: key(1), StrictKey: key(1), WeakKey: key(2), Files: root,
		PublicData: put(t, s, []byte("bst: {}\n")), LowDiversityMeta: put(t, s, []byte("environment: {}\n")),
		HighDiversityMeta: put(t, s, fmt.Appendf(nil, "variables: {n: %d}\n", seed)),
		Logs:              []artifact.Log{{Name: "build.log", Digest: put(t, s, fmt.Appendf(nil, "log %d\n", seed))}}}
	b, err := a.Encode()
	must(t, err)
	return a, b
}

func TestArtifactsCross(t *testing.T) {
	server := start(t, remotetest.Options{})
	c := client(t, quick(server.URL))
	here, there := newStore(t), newStore(t)
	a, _ := testArtifact(t, here, 1, tree(t, here, 1))
	a.BuildTree = tree(t, here, 2)
	message, err := a.Encode()
	must(t, err)
	_, err = c.PushObjects(t.Context(), here, a, message)
	must(t, err)
	told, err := c.PushName(t.Context(), "p/e", a, message)
	if err != nil || !told {
		t.Fatal(told, err)
	}
	if told, err := c.PushName(t.Context(), "p/e", a, message); err != nil || told {
		t.Errorf("named again: %v, %v", told, err)
	}
	for _, key := range []string{a.StrongKey, a.WeakKey} {
		d, found, err := c.FetchBlob(t.Context(), ArtifactURI("p/e/"+key))
		if err != nil || !found {
			t.Fatal(found, err)
		}
		got, err := c.PullArtifact(t.Context(), there, d, key, false)
		must(t, err)
		if diff := cmp.Diff(a, got.Artifact); diff != "" {
			t.Error(diff)
		}
		if whole, err := there.HasTree(a.BuildTree); err != nil || whole {
			t.Errorf("the build tree came unasked: %v, %v", whole, err)
		}
	}
	d, _, err := c.FetchBlob(t.Context(), ArtifactURI("p/e/"+a.StrongKey))
	must(t, err)
	_, err = c.PullArtifact(t.Context(), there, d, a.StrongKey, true)
	must(t, err)
	if whole, err := there.HasTree(a.BuildTree); err != nil || !whole {
		t.Errorf("the build tree did not come: %v, %v", whole, err)
	}
	// An index that names another artifact is not believed.
	_, err = c.PullArtifact(t.Context(), there, d, strings.Repeat("0", 64), false)
	wantReason(t, err, ReasonWrong)
	// Nor one that names something else.
	_, err = c.PullArtifact(t.Context(), there, server.Put([]byte("\xff no artifact")), a.StrongKey, false)
	wantReason(t, err, ReasonWrong)
}

// A pull that failed goes on where it was: what has come is not asked for again.
func TestPullsGoOn(t *testing.T) {
	server := start(t, remotetest.Options{})
	c := client(t, quick(server.URL))
	here, there := newStore(t), newStore(t)
	a, message := testArtifact(t, here, 1, tree(t, here, 1))
	_, err := c.PushObjects(t.Context(), here, a, message)
	must(t, err)
	// The last thing that comes: a large file.
	lost := random(150, 6<<20)
	server.Forget(cas.DigestBytes(lost))
	m := cas.DigestBytes(message)
	if _, err := c.PullArtifact(t.Context(), there, m, a.StrongKey, false); !IsMissing(err) {
		t.Fatalf("error %v", err)
	}
	server.Put(lost)
	before, large := server.Calls("BatchReadBlobs"), server.Calls("Read")
	_, err = c.PullArtifact(t.Context(), there, m, a.StrongKey, false)
	must(t, err)
	if n := server.Calls("Read") - large; n > 2 {
		t.Errorf("%d large objects were read again", n)
	}
	if n := server.Calls("BatchReadBlobs") - before; n > 1 {
		t.Errorf("%d batches were read again", n)
	}
	if whole, err := there.HasTree(a.Files); err != nil || !whole {
		t.Errorf("whole %v, %v", whole, err)
	}
}

// Many artifacts begin together: as many calls as their trees have levels, whatever
// their number; then each costs its files.
func TestManyPullsBeginTogether(t *testing.T) {
	server := start(t, remotetest.Options{})
	c := client(t, quick(server.URL))
	here, there := newStore(t), newStore(t)
	var messages []cas.Digest
	var all []*artifact.Artifact
	for i := range 50 {
		root := here.EmptyDir()
		must(t, root.AddFile(fmt.Sprintf("usr/lib/e%d/file", i), put(t, here, random(i, 100)), false))
		d, err := root.Digest()
		must(t, err)
		a, m := testArtifact(t, here, i, d)
		_, err = c.PushObjects(t.Context(), here, a, m)
		must(t, err)
		messages, all = append(messages, cas.DigestBytes(m)), append(all, a)
	}
	must(t, c.Prepare(t.Context(), there, messages, false))
	if n := server.Calls("BatchReadBlobs"); n > 6 {
		t.Errorf("%d calls for 50 artifacts", n)
	}
	for i, a := range all {
		before := server.Calls("")
		_, err := c.PullArtifact(t.Context(), there, messages[i], a.StrongKey, false)
		must(t, err)
		if n := server.Calls("") - before; n > 1 {
			t.Errorf("%d calls for one artifact", n)
		}
	}
	// What does not come is no failure yet.
	lost := server.Put([]byte("soon gone"))
	server.Forget(lost)
	if err := c.Prepare(t.Context(), newStore(t), append(messages, lost), false); !IsMissing(err) {
		t.Errorf("error %v", err)
	}
}

// FuzzPull has a server send anything as an artifact and as its files.
func FuzzPull(f *testing.F) {
	server := start(f, remotetest.Options{})
	c := client(f, quick(server.URL))
	s := newStore(f)
	root := s.EmptyDir()
	must(f, root.AddFile("a/b", put(f, s, []byte("x")), false))
	d, err := root.Digest()
	must(f, err)
	_, message := testArtifact(f, s, 1, d)
	dir, err := s.Get(d)
	must(f, err)
	f.Add(message, dir)
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, message, dir []byte) {
		a, err := artifact.Decode(message)
		key := strings.Repeat("0", 64)
		if err == nil {
			// The files are what was fuzzed.
			key = a.StrongKey
			if !a.Files.IsZero() {
				a.Files = server.Put(dir)
			}
			if message, err = a.Encode(); err != nil {
				return
			}
		}
		store := newStore(t)
		m := server.Put(message)
		defer server.Forget(m)
		_, _ = c.PullArtifact(t.Context(), store, m, key, true)
		must(t, store.Objects(store.Verify))
		if c.Down() != nil {
			t.Fatal(c.Down())
		}
	})
}
