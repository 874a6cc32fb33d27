package server

import (
	"path/filepath"
	"strings"
	"testing"
)

func FuzzResource(f *testing.F) {
	for _, name := range []string{"blobs/" + strong + "/3", "a/b/compressed-blobs/zstd/" + strong + "/0", "uploads/u/blobs/" + strong + "/1/x",
		"i/uploads/u/compressed-blobs/zstd/sha256/" + strong + "/9", "blobs", "uploads/", "//", "blobs/sha256", "uploads/u/blobs/x"} {
		f.Add(name, false)
		f.Add(name, true)
	}
	f.Fuzz(func(t *testing.T, name string, write bool) {
		r, err := parseResource(name, write)
		if err != nil {
			return
		}
		if !r.digest.Valid() || write != (r.upload != "") || !strings.Contains(name, r.digest.String()) || !strings.HasPrefix(name, r.instance) {
			t.Errorf("%q is %+v", name, r)
		}
	})
}

func FuzzURI(f *testing.F) {
	for _, uri := range []string{artifactURN + "project/element/" + strong, sourceURN + strong, sourceURN + "git_repo/" + strong,
		artifactURN + "../x/" + strong, sourceURN + "./" + strong, sourceURN + "a/b/" + strong, "https://example.com", artifactURN, sourceURN} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		a, ok := parseURI("/cache", uri)
		if !ok {
			return
		}
		rel, err := filepath.Rel("/cache", a.path)
		if err != nil || !filepath.IsLocal(rel) || strings.Contains(rel, "/.") {
			t.Fatalf("%q leads to %q", uri, a.path)
		}
		parts := strings.Split(rel, "/")
		want := map[string]int{"artifacts": 5, "elementsources": 2, "source_protos": 3}[parts[0]]
		if len(parts) != want || a.artifact != (parts[0] == "artifacts") || !key(parts[len(parts)-1]) {
			t.Errorf("%q leads to %q", uri, a.path)
		}
	})
}
