package server

import (
	"path/filepath"
	"strings"
	"testing"

	"bst/impl/artifact"
	"bst/impl/cas"
	"bst/impl/remote"
	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

// openRemote opens bst's own client of a server.
func openRemote(t *testing.T, addr string) *remote.Client {
	t.Helper()
	c, err := remote.Open(stream.Remote{URL: "http://" + addr, Type: "all", Push: true, RetryLimit: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Check(ctx(t)); err != nil {
		t.Fatal(err)
	}
	return c
}

// bst's client pushes what one cache has built, another pulls it, and a third finds
// what a build has put into the server's own cache.
func TestClientOfBst(t *testing.T) {
	here := t.TempDir()
	want := map[string]string{"small": "small", "large": strings.Repeat("large ", 1<<20), "a/b/c": "deep", "empty": ""}
	built := build(t, here, "e", strong, want)
	store, err := cas.Open(filepath.Join(here, "cas"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	message, err := built.Encode()
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Config{Push: true})
	c := openRemote(t, s.addr)
	sent, err := c.PushObjects(ctx(t), store, built, message)
	if err != nil || sent < 5 {
		t.Fatalf("%d, %v", sent, err)
	}
	if told, err := c.PushName(ctx(t), "project/e", built, message); !told || err != nil {
		t.Fatalf("%v, %v", told, err)
	}
	if sent, err := c.PushObjects(ctx(t), store, built, message); sent != 0 || err != nil {
		t.Errorf("a second time: %d, %v", sent, err)
	}
	if told, err := c.PushName(ctx(t), "project/e", built, message); told || err != nil {
		t.Errorf("a second time: %v, %v", told, err)
	}

	build(t, s.server.cfg.CacheDir, "own", strong, map[string]string{"own": "built beside the server"})
	for name, want := range map[string]map[string]string{"project/e": want, "project/own": {"own": "built beside the server"}} {
		there, err := cas.Open(filepath.Join(t.TempDir(), "cas"))
		if err != nil {
			t.Fatal(err)
		}
		defer there.Close()
		c := openRemote(t, s.addr)
		d, found, err := c.FetchBlob(ctx(t), remote.ArtifactURI(name+"/"+weak))
		if !found || err != nil {
			t.Fatalf("%s: %v, %v", name, found, err)
		}
		pulled, err := c.PullArtifact(ctx(t), there, d, weak, false)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, contents(t, there, pulled.Artifact)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if _, found, err := c.FetchBlob(ctx(t), remote.ArtifactURI("project/none/"+weak)); found || err != nil {
		t.Errorf("%v, %v", found, err)
	}
}

// contents reads an artifact's files.
func contents(t *testing.T, store *cas.Store, a *artifact.Artifact) map[string]string {
	t.Helper()
	got := map[string]string{}
	dir, err := store.OpenDir(a.Files)
	if err != nil {
		t.Fatal(err)
	}
	err = dir.Walk(func(path string, e cas.Entry) error {
		if e.Type != cas.TypeFile {
			return nil
		}
		b, err := store.Get(e.Digest)
		got[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}
