package distribution_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"bst/impl/kind"
	"bst/impl/kind/cpan"
	"bst/impl/kind/pypi"
	"bst/impl/kind/sourcetest"

	"github.com/google/go-cmp/cmp"
)

// archives are a file in a folder, in both forms.
func archives(t *testing.T) map[string][]byte {
	t.Helper()
	var tarball, zipped bytes.Buffer
	compressed := gzip.NewWriter(&tarball)
	w := tar.NewWriter(compressed)
	err := w.WriteHeader(&tar.Header{Name: "a-1.0/file", Mode: 0o644, Size: 3})
	if err == nil {
		_, err = w.Write([]byte("tar"))
	}
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		err = compressed.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(&zipped)
	f, err := z.Create("a-1.0/file")
	if err == nil {
		_, err = f.Write([]byte("zip"))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"tar.gz": tarball.Bytes(), "zip": zipped.Bytes()}
}

func TestStage(t *testing.T) {
	for form, file := range archives(t) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/at/a-1.0."+form {
				http.NotFound(w, r)
				return
			}
			w.Write(file)
		}))
		t.Cleanup(server.Close)
		env := &sourcetest.Env{Aliases: map[string]string{"up": server.URL + "/"}}
		hash := sha256.Sum256(file)
		sum := hex.EncodeToString(hash[:])
		for _, tt := range []struct {
			traits kind.SourceTraits
			config string
		}{
			{cpan.Traits(), fmt.Sprintf("name: A\nindex: 'up:'\nsuffix: at/a-1.0.%s\nsha256sum: %s", form, sum)},
			{pypi.Traits(), fmt.Sprintf("name: a\nurl: 'up:'\nprereleases: False\nref: {suffix: at/a-1.0.%s, sha256sum: %s}", form, sum)},
		} {
			ctx, w, dir := context.Background(), sourcetest.NewWork(t), t.TempDir()
			s := sourcetest.Must(t, tt.traits, env, tt.config)
			if s.Cached(ctx, w) {
				t.Errorf("%s: it is cached before it is fetched", tt.traits.Kind)
			}
			if err := s.Fetch(ctx, w); err != nil {
				t.Fatal(err)
			}
			if err := s.Stage(ctx, w, dir); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]string{"file": form[:3]}, sourcetest.Files(t, dir)); diff != "" {
				t.Errorf("%s: %s", tt.traits.Kind, diff)
			}
			if s := sourcetest.Must(t, tt.traits, env, "name: a"); s.Resolved() {
				t.Errorf("%s: it has a ref from nowhere", tt.traits.Kind)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	env := &sourcetest.Env{Dir: t.TempDir()}
	for _, tt := range []struct {
		traits  kind.SourceTraits
		configs []string
	}{
		{cpan.Traits(), []string{"{}", "name: a\nref: x", "name: a\nsha256sum: [x]", "name: a\nversion: [x]"}},
		{pypi.Traits(), []string{"{}", "name: a\nref: x", "name: a\nref: {suffix: x}", "name: a\nref: {suffix: x, sha256sum: y, z: z}",
			"name: a\nprereleases: maybe", "name: a\ninclude: x"}},
	} {
		for _, config := range tt.configs {
			if _, err := sourcetest.Configure(t, tt.traits, env, config); err == nil {
				t.Errorf("%s takes %q", tt.traits.Kind, config)
			}
		}
	}
}
