package docker

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bst/impl/kind/sourcetest"
	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

func sum(content []byte) string {
	hash := sha256.Sum256(content)
	return hex.EncodeToString(hash[:])
}

// packed packs members: a name that ends in a slash is a folder, "a -> b" a
// symbolic link, "a => b" a hard one, "a*" a program and "a!" a device.
func packed(t *testing.T, names ...string) []byte {
	t.Helper()
	var text bytes.Buffer
	zipped := gzip.NewWriter(&text)
	w := tar.NewWriter(zipped)
	for _, name := range names {
		h := tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o600}
		if from, to, ok := strings.Cut(name, " -> "); ok {
			h = tar.Header{Name: from, Typeflag: tar.TypeSymlink, Linkname: to}
		} else if from, to, ok := strings.Cut(name, " => "); ok {
			h = tar.Header{Name: from, Typeflag: tar.TypeLink, Linkname: to}
		} else if from, ok := strings.CutSuffix(name, "*"); ok {
			h.Name, h.Mode = from, 0o4755
		} else if from, ok := strings.CutSuffix(name, "!"); ok {
			h.Name, h.Typeflag = from, tar.TypeChar
		} else if strings.HasSuffix(name, "/") {
			h.Typeflag = tar.TypeDir
		}
		var body []byte
		if h.Typeflag == tar.TypeReg {
			body = []byte(name)
			h.Size = int64(len(body))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// server speaks the distribution API, and wants a token.
type server struct {
	*httptest.Server
	manifests, blobs map[string][]byte
	mediaType        string
	asked            []string
}

func newRegistry(t *testing.T, mediaType, layerType string, layers ...[]byte) (*server, string) {
	t.Helper()
	r := &server{manifests: map[string][]byte{}, blobs: map[string][]byte{}, mediaType: mediaType}
	type descriptor struct {
		MediaType string `json:"mediaType"`
		Digest    string `json:"digest"`
		Size      int    `json:"size"`
	}
	var described []descriptor
	for _, l := range layers {
		r.blobs["sha256:"+sum(l)] = l
		described = append(described, descriptor{layerType, "sha256:" + sum(l), len(l)})
	}
	manifest, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": mediaType, "layers": described})
	if err != nil {
		t.Fatal(err)
	}
	ref := sum(manifest)
	r.manifests["sha256:"+ref] = manifest
	r.Server = httptest.NewServer(http.HandlerFunc(r.answer))
	t.Cleanup(r.Close)
	return r, ref
}

func (r *server) answer(w http.ResponseWriter, req *http.Request) {
	r.asked = append(r.asked, req.URL.Path)
	if req.URL.Path == "/token" {
		fmt.Fprintf(w, `{"token": "for %s"}`, req.URL.Query().Get("scope"))
		return
	}
	const scope = "repository:library/x:pull"
	if req.Header.Get("Authorization") != "Bearer for "+scope {
		w.Header().Set("Www-Authenticate", `Bearer realm="`+r.URL+`/token",service="s",scope="`+scope+`"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	what, digest, ok := strings.Cut(strings.TrimPrefix(req.URL.Path, "/v2/library/x/"), "/")
	content := r.blobs[digest]
	if what == "manifests" {
		content = r.manifests[digest]
		w.Header().Set("Content-Type", r.mediaType)
		w.Header().Set("Docker-Content-Digest", digest)
	}
	if !ok || content == nil {
		http.NotFound(w, req)
		return
	}
	if what == "blobs" && strings.Contains(req.Header.Get("Accept-Encoding"), "gzip") {
		// Whoever asks for it gets it, and unpacks it.
		w.Header().Set("Content-Encoding", "gzip")
	}
	w.Write(content)
}

func TestStage(t *testing.T) {
	layers := [][]byte{
		packed(t, "etc/", "etc/a", "etc/b", "etc/deep/", "etc/deep/c", "bin -> usr/bin", "usr/", "usr/bin/", "usr/bin/run*", "usr/bin/again => usr/bin/run",
			"dev/null", "console!", "old/", "old/x", "old/y", "swap", "turn/", "turn/x"),
		packed(t, "./etc/.wh.a", "etc/deep/.wh..wh..opq", "etc/deep/d", "old/.wh.x", "swap/", "swap/in", "turn", "abs -> /etc/b"),
	}
	want := map[string]string{
		"etc/": "", "etc/b": "etc/b", "etc/deep/": "", "etc/deep/d": "etc/deep/d", "bin": "->usr/bin", "usr/": "", "usr/bin/": "",
		"usr/bin/run": "x:usr/bin/run*", "usr/bin/again": "x:usr/bin/run*", "old/": "", "old/y": "old/y",
		"swap/": "", "swap/in": "swap/in", "turn": "turn", "abs": "->/etc/b",
	}
	for _, form := range []struct{ manifest, layer string }{
		{dockerManifest, dockerLayer},
		{"application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.layer.v1.tar+gzip"},
	} {
		r, ref := newRegistry(t, form.manifest, form.layer, layers...)
		for _, config := range []string{"registry-url: 'up:'\nimage: library/x", "url: up:library/x"} {
			env := &sourcetest.Env{Aliases: map[string]string{"up": r.URL + "/"}}
			ctx, w, dir := context.Background(), sourcetest.NewWork(t), t.TempDir()
			s := sourcetest.Must(t, Traits(), env, config+"\nref: "+ref)
			if s.Cached(ctx, w) {
				t.Error("it is cached before it is fetched")
			}
			if err := s.Fetch(ctx, w); err != nil {
				t.Fatalf("%v\n%s", err, r.asked)
			}
			if !s.Cached(ctx, w) {
				t.Error("it is not cached after it is fetched")
			}
			if err := s.Stage(ctx, w, dir); err != nil {
				t.Fatal(err)
			}
			got := sourcetest.Files(t, dir)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if info, err := os.Stat(filepath.Join(dir, "usr/bin/run")); err != nil || info.Mode().Perm() != 0o755 {
				t.Errorf("a program: %v, %v", info, err)
			}
			// What is here is not fetched again.
			r.asked = nil
			if err := s.Fetch(ctx, w); err != nil {
				t.Fatal(err)
			}
			for _, path := range r.asked {
				if strings.Contains(path, "/blobs/") {
					t.Errorf("asked again for %s", path)
				}
			}
		}
	}
}

func TestFailures(t *testing.T) {
	good, _ := newRegistry(t, dockerManifest, dockerLayer)
	wrong, wrongRef := newRegistry(t, dockerManifest, dockerLayer, packed(t, "a"))
	for digest, content := range wrong.blobs {
		wrong.blobs[digest] = bytes.Repeat([]byte("x"), len(content))
	}
	list, listRef := newRegistry(t, dockerList, dockerLayer)
	other, otherRef := newRegistry(t, dockerManifest, "application/x-other", packed(t, "a"))
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	t.Cleanup(broken.Close)
	for _, tt := range []struct {
		name, at, ref, text string
		temporary           bool
	}{
		{"an image that is not there", good.URL, strings.Repeat("0", 64), "has no image", false},
		{"a layer with other content", wrong.URL, wrongRef, "layer", false},
		{"a list of images", list.URL, listRef, "several platforms", false},
		{"another form of layers", other.URL, otherRef, "application/x-other", false},
		{"a registry in trouble", broken.URL, otherRef, "502", true},
		{"no registry", "http://127.0.0.1:1", otherRef, "refused", true},
		{"no URL of a registry", "file:///x", otherRef, "registry", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := sourcetest.NewWork(t)
			s := sourcetest.Must(t, Traits(), &sourcetest.Env{}, "registry-url: "+tt.at+"\nimage: library/x\nref: "+tt.ref)
			err := s.Fetch(context.Background(), w)
			told, ok := err.(*stream.Error)
			if !ok || told.Domain != stream.DomainSource || !strings.Contains(told.Message, tt.text) || told.Temporary != tt.temporary {
				t.Errorf("error: %#v", err)
			}
			if s.Cached(context.Background(), w) {
				t.Error("it is cached")
			}
		})
	}
}

// A ref that is no digest fetches nothing and names no file, whatever a registry
// answers.
func TestWrongRefs(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"schemaVersion": 2, "mediaType": "%s", "layers": []}`, dockerManifest)
	}))
	t.Cleanup(server.Close)
	for _, ref := range []string{"abc", "x/../out", strings.Repeat("AB", 32)} {
		w := sourcetest.NewWork(t)
		s := sourcetest.Must(t, Traits(), &sourcetest.Env{}, "registry-url: "+server.URL+"\nimage: library/x\nref: "+ref)
		if err := s.Fetch(context.Background(), w); err == nil || !strings.Contains(err.Error(), "is no digest") {
			t.Errorf("%s: error: %v", ref, err)
		}
		mirror, err := w.MirrorDir()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{}, sourcetest.Files(t, mirror)); diff != "" {
			t.Errorf("%s:\n%s", ref, diff)
		}
	}
}

// Layers cannot write outside of the sources, whatever they name or link to.
func TestEscapes(t *testing.T) {
	for _, names := range [][]string{
		{"../out"}, {"/out"}, {"link -> ..", "link/out"}, {"link -> /", "link/out"}, {"a", "b => ../../out"},
	} {
		r, ref := newRegistry(t, dockerManifest, dockerLayer, packed(t, names...))
		ctx, w, outside := context.Background(), sourcetest.NewWork(t), t.TempDir()
		dir := filepath.Join(outside, "sources")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		s := sourcetest.Must(t, Traits(), &sourcetest.Env{}, "registry-url: "+r.URL+"\nimage: library/x\nref: "+ref)
		if err := s.Fetch(ctx, w); err != nil {
			t.Fatal(err)
		}
		// Refusing it or keeping it inside are both right.
		_ = s.Stage(ctx, w, dir)
		entries, err := os.ReadDir(outside)
		if err != nil || len(entries) != 1 {
			t.Errorf("%q: outside are %v, %v", names, entries, err)
		}
	}
}
