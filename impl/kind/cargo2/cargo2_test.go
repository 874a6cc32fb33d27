package cargo2

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"bst/impl/kind"
	"bst/impl/kind/cargosource"
	"bst/impl/kind/sourcetest"

	"github.com/google/go-cmp/cmp"
)

// crateFile makes the archive of a crate, and its checksum.
func crateFile(t *testing.T, name string) ([]byte, string) {
	var text bytes.Buffer
	w := tar.NewWriter(&text)
	err := w.WriteHeader(&tar.Header{Name: name + "/Cargo.toml", Mode: 0o644, Size: 2})
	if err == nil {
		_, err = w.Write([]byte("x\n"))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text.Bytes())
	return text.Bytes(), hex.EncodeToString(sum[:])
}

// Both kinds stage crates of a registry; they differ in what they tell cargo.
func TestRegistry(t *testing.T) {
	file, sum := crateFile(t, "a-1.0.0")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/crates/a/a-1.0.0.crate" {
			http.NotFound(w, r)
			return
		}
		w.Write(file)
	}))
	t.Cleanup(server.Close)
	env := &sourcetest.Env{Aliases: map[string]string{"up": server.URL + "/"}}
	config := fmt.Sprintf("url: up:crates\nvendor-dir: crates\nref: [{name: a, version: 1.0.0, sha: %s}]", sum)
	tree := map[string]string{
		"crates/": "", "crates/a-1.0.0/": "", "crates/a-1.0.0/Cargo.toml": "x\n",
		"crates/a-1.0.0/.cargo-checksum.json": `{"package": "` + sum + `", "files": {}}`,
		".cargo/":                             "",
	}
	head := "[source.crates-io]\nregistry = \"" + server.URL + "/crates/\"\nreplace-with = \"vendored-sources\"\n"
	foot := "[source.vendored-sources]\ndirectory = \"crates\"\n"
	for _, tt := range []struct {
		traits     kind.SourceTraits
		path, text string
	}{
		{Traits(), ".cargo/config.toml", head + "\n" + foot},
		{cargosource.Traits(), ".cargo/config", head + foot},
	} {
		t.Run(tt.traits.Kind, func(t *testing.T) {
			ctx, w, dir := context.Background(), sourcetest.NewWork(t), t.TempDir()
			s := sourcetest.Must(t, tt.traits, env, config)
			if s.Cached(ctx, w) {
				t.Error("it is cached before it is fetched")
			}
			if err := s.Fetch(ctx, w); err != nil {
				t.Fatal(err)
			}
			if !s.Cached(ctx, w) {
				t.Error("it is not cached after it is fetched")
			}
			if err := s.Stage(ctx, w, dir); err != nil {
				t.Fatal(err)
			}
			want := map[string]string{tt.path: tt.text}
			for path, text := range tree {
				want[path] = text
			}
			if diff := cmp.Diff(want, sourcetest.Files(t, dir)); diff != "" {
				t.Error(diff)
			}
			if err := s.Stage(ctx, w, dir); err == nil {
				t.Error("a crate is staged twice")
			}
		})
	}
	bad := sourcetest.Must(t, Traits(), env, fmt.Sprintf("url: up:crates\nvendor-dir: ../x\nref: [{name: a, version: 1.0.0, sha: %s}]", sum))
	w := sourcetest.NewWork(t)
	if err := bad.Fetch(context.Background(), w); err != nil {
		t.Fatal(err)
	}
	if err := bad.Stage(context.Background(), w, t.TempDir()); err == nil {
		t.Error("crates are staged outside of the sources")
	}
}

func TestGitCrate(t *testing.T) {
	env := &sourcetest.Env{}
	s := sourcetest.Must(t, Traits(), env, `
git-mirrors: {"https://a.invalid/": "short:", "https://a.invalid/deep/": "deep:"}
ref: [{kind: git, name: x, version: '1', repo: "https://a.invalid/deep/x.git", commit: abc}]
`).(*source)
	if got := s.mirrored("https://a.invalid/deep/x.git"); got != "deep:x.git" {
		t.Errorf("mirrored: %s", got)
	}
	if got := s.mirrored("https://b.invalid/x.git"); got != "https://b.invalid/x.git" {
		t.Errorf("mirrored: %s", got)
	}
}
