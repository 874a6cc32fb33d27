package remote

import (
	"strings"
	"testing"

	"bst/impl/cas"
	"bst/impl/remote/remotetest"
)

// Servers that others wrote take and give what we send.
func TestOthersServers(t *testing.T) {
	for _, server := range []struct {
		name  string
		start func(testing.TB) string
	}{{"bazel-remote", remotetest.BazelRemote}, {"bb_storage", remotetest.Buildbarn}} {
		t.Run(server.name, func(t *testing.T) { testOthersServer(t, server.start(t)) })
	}
}

func testOthersServer(t *testing.T, url string) {
	spec := quick(url)
	spec.RetryLimit = 20 // it may still be starting
	spec.Type = "storage"
	c := client(t, spec)
	must(t, c.Check(t.Context()))
	here, there := newStore(t), newStore(t)
	root := tree(t, here, 1)
	a, message := testArtifact(t, here, 1, root)
	sent, err := c.PushObjects(t.Context(), here, a, message)
	must(t, err)
	if sent < 20 {
		t.Errorf("%d objects were sent", sent)
	}
	// It has the empty object without being told.
	if sent, err := c.PushObjects(t.Context(), here, a, message); err != nil || sent > 0 {
		t.Errorf("sent again: %d, %v", sent, err)
	}
	got, err := c.PullArtifact(t.Context(), there, cas.DigestBytes(message), a.StrongKey, false)
	must(t, err)
	if whole, err := there.HasTree(got.Artifact.Files); err != nil || !whole {
		t.Errorf("whole %v, %v", whole, err)
	}
	must(t, there.Objects(there.Verify))
	if err := c.Fetch(t.Context(), there, []cas.Digest{cas.DigestBytes([]byte("nobody has this"))}); !IsMissing(err) {
		t.Errorf("error %v", err)
	}
	if err := c.Fetch(t.Context(), there, []cas.Digest{cas.DigestBytes(random(9, 6<<20))}); !IsMissing(err) {
		t.Errorf("of a large one: %v", err)
	}
	// As an index it lacks a service, and says which.
	spec.Type = "all"
	err = client(t, spec).Check(t.Context())
	if e := wantReason(t, err, ReasonService); !strings.Contains(e.Message, "Remote Asset") {
		t.Error(e.Message)
	}
}
