package cargo2

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"bst/impl/kind/cargosource"
	"bst/impl/kind/sourcetest"

	"github.com/google/go-cmp/cmp"
)

const lock = `# made by a test
version = 3

[[package]]
name = "own"
version = "0.1.0"
dependencies = ["b"]

[[package]]
name = "b"
version = "2.0.0"
source = "registry+https://example.com/index"
checksum = "b2"

[[package]]
name = "b"
version = "1.0.0"
source = "registry+https://example.com/index"
checksum = "b1"

[[package]]
name = "a"
version = "1.0.0"
source = "registry+https://example.com/index"
`

const fromGit = `
[[package]]
name = "g"
version = "0.2.0"
source = "git+https://example.com/g.git?branch=main#0123456789012345678901234567890123456789"
`

// Both kinds read Cargo.lock; a crate without a checksum there is downloaded.
func TestTrack(t *testing.T) {
	file, sum := crateFile(t, "a-1.0.0")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/crates/a/a-1.0.0.crate" {
			http.NotFound(w, r)
			return
		}
		w.Write(file)
	}))
	defer server.Close()
	env := &sourcetest.Env{Aliases: map[string]string{"crates": server.URL + "/"}}
	dir := t.TempDir()
	sourcetest.Write(t, dir, map[string]string{"Cargo.lock": lock, "git/Cargo.lock": lock + fromGit, "bad/Cargo.lock": "x = ["})
	s := sourcetest.Must(t, cargosource.Traits(), env, "url: 'crates:crates'\nref:\n- {name: b, version: '0.9', sha: old, provenance: {homepage: x}}")
	got, err := sourcetest.Track(t, s, sourcetest.NewWork(t), dir)
	want := "ref:\n- name: a\n  version: 1.0.0\n  sha: " + sum + "\n- name: b\n  version: 1.0.0\n  sha: b1\n  provenance:\n    homepage: x\n" +
		"- name: b\n  version: 2.0.0\n  sha: b2\n  provenance:\n    homepage: x\n"
	if err != nil || got != want {
		t.Errorf("cargo: %v\n%s", err, cmp.Diff(want, got))
	}
	s = sourcetest.Must(t, Traits(), env, "url: 'crates:crates'")
	got, err = sourcetest.Track(t, s, sourcetest.NewWork(t), filepath.Join(dir, "git"))
	want = "ref:\n- kind: registry\n  name: a\n  version: 1.0.0\n  sha: " + sum + "\n- kind: registry\n  name: b\n  version: 1.0.0\n  sha: b1\n" +
		"- kind: registry\n  name: b\n  version: 2.0.0\n  sha: b2\n" +
		"- kind: git\n  commit: '0123456789012345678901234567890123456789'\n  repo: https://example.com/g.git\n  query:\n    branch: main\n  name: g\n  version: 0.2.0\n"
	if err != nil || strings.ReplaceAll(got, "'", "") != strings.ReplaceAll(want, "'", "") {
		t.Errorf("cargo2: %v\n%s", err, cmp.Diff(want, got))
	}
	for name, text := range map[string]string{"bad": "Malformed Cargo.lock", "none": "Failed to read the sources"} {
		if _, err := sourcetest.Track(t, s, sourcetest.NewWork(t), filepath.Join(dir, name)); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := sourcetest.Track(t, s, sourcetest.NewWork(t), t.TempDir()); err == nil || !strings.Contains(err.Error(), "Failed to find Cargo.lock") {
		t.Errorf("without a Cargo.lock: %v", err)
	}
}
