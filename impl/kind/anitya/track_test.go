package anitya

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bst/impl/kind/sourcetest"
)

func TestTrack(t *testing.T) {
	answers := map[string]string{"7": `{"stable_versions": ["1.2.3", "1.2.2"]}`, "8": `{"stable_versions": []}`, "9": "nonsense", "10": `{"stable_versions": ["5"]}`}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/versions":
			io.WriteString(w, answers[r.URL.Query().Get("project_id")])
		case r.URL.Path == "/1.2/thing-1.2.3.tar":
			io.WriteString(w, "the archive")
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	before := monitor
	monitor = server.URL + "/versions?project_id="
	defer func() { monitor = before }()
	env := &sourcetest.Env{Aliases: map[string]string{"up": server.URL + "/"}}
	const template = "\nurl: 'up:{major}.{minor}/thing-{version}.tar'\n"
	sum := sha256.Sum256([]byte("the archive"))
	want := "ref:\n  version: 1.2.3\n  sha256sum: " + hex.EncodeToString(sum[:]) + "\n"
	w := sourcetest.NewWork(t)
	for _, more := range []string{"", "ref: {version: 1.2.2, sha256sum: " + strings.Repeat("0", 64) + "}", want} {
		got, err := sourcetest.Track(t, sourcetest.Must(t, Traits(), env, "project-id: 7"+template+more), w, "")
		if err != nil || got != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	for id, text := range map[string]string{"8": "has no versions", "9": "not what release monitoring says", "10": "no parts for all names"} {
		_, err := sourcetest.Track(t, sourcetest.Must(t, Traits(), env, "project-id: "+id+template), w, "")
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", id, err)
		}
	}
}
