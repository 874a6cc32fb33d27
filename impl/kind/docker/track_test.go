package docker

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bst/impl/kind/sourcetest"
)

func TestTrack(t *testing.T) {
	manifest := `{"schemaVersion": 2, "mediaType": "` + dockerManifest + `", "layers": []}`
	other := strings.Repeat("ab", 32)
	list, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": ociIndex, "manifests": []any{
		map[string]any{"mediaType": dockerManifest, "size": 1, "digest": "sha256:" + strings.Repeat("cd", 32), "platform": map[string]any{"os": "linux", "architecture": "arm64"}},
		map[string]any{"mediaType": dockerManifest, "size": 1, "digest": "sha256:" + other, "platform": map[string]any{"os": "linux", "architecture": "amd64"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	strong := `{"schemaVersion": 2, "mediaType": "` + dockerList + `", "manifests": [{"digest": "sha512:` + strings.Repeat("ab", 64) +
		`", "platform": {"os": "linux", "architecture": "amd64"}}]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v2/library/one/manifests/latest":
			w.Header().Set("Content-Type", dockerManifest)
			io.WriteString(w, manifest)
		case "/v2/library/many/manifests/1.0":
			w.Header().Set("Content-Type", ociIndex)
			w.Write(list)
		case "/v2/library/strong/manifests/1.0":
			w.Header().Set("Content-Type", dockerList)
			io.WriteString(w, strong)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	env := &sourcetest.Env{Aliases: map[string]string{"hub": server.URL}}
	for _, tt := range []struct{ yaml, want, fails string }{
		{"image: library/one\ntrack: latest", "ref: " + sum([]byte(manifest)) + "\n", ""},
		{"image: library/many\ntrack: '1.0'\narchitecture: amd64", "ref: " + other + "\n", ""},
		{"image: library/many\ntrack: '1.0'\narchitecture: riscv64", "", "no image for linux/riscv64, but for linux/arm64, linux/amd64"},
		{"image: library/strong\ntrack: '1.0'\narchitecture: amd64", "", "a ref is a SHA-256"},
		{"image: library/one\ntrack: none", "", "has no tag 'none'"},
		{"image: library/one\nref: " + other, "", ""},
	} {
		s := sourcetest.Must(t, Traits(), env, "registry-url: 'hub:'\n"+tt.yaml)
		got, err := sourcetest.Track(t, s, sourcetest.NewWork(t), "")
		if tt.fails != "" {
			if err == nil || !strings.Contains(err.Error(), tt.fails) {
				t.Errorf("%s: %v", tt.yaml, err)
			}
			continue
		}
		if err != nil || got != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.yaml, got, err, tt.want)
		}
	}
}
