package pypi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bst/impl/kind/sourcetest"
)

func TestTrack(t *testing.T) {
	answer := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/simple/thing" || r.Header.Get("Accept") != form {
			http.NotFound(w, r)
			return
		}
		io.WriteString(w, answer)
	}))
	defer server.Close()
	before := index
	index = server.URL + "/simple/"
	defer func() { index = before }()
	file := func(name string, more string) string {
		return `{"filename": "` + name + `", "url": "` + storage + `aa/` + name + `", "hashes": {"sha256": "sum-of-` + name + `"}` + more + `}`
	}
	all := strings.Join([]string{
		file("thing-1.9.tar.gz", `, "yanked": false`), file("thing-1.10.tar.gz", ""), file("thing-1.10.1.zip", ""),
		file("thing-1.11.tar.gz", `, "yanked": "broken"`), file("thing-1.12.tar.gz", `, "yanked": true`), file("thing-2.0rc1.tar.gz", ""),
		file("thing-3.0-py3-none-any.whl", ""), file("thing-what.tar.gz", ""),
	}, ", ")
	for _, tt := range []struct{ name, yaml, answer, want string }{
		{"the newest", "", all, "thing-1.10.1.zip"},
		{"before its release", "prereleases: true", all, "thing-2.0rc1.tar.gz"},
		{"of a pattern", "include: ['1.?']", all, "thing-1.9.tar.gz"},
		{"without one", "exclude: ['1.10.*']", all, "thing-1.10.tar.gz"},
		{"none", "include: ['7.*']", all, ""},
		{"no files", "", "", "error: Cannot find any tracking for thing"},
		{"nonsense", "", "]", "error: is not what an index says"},
		{"no checksum", "", `{"filename": "thing-1.0.tar.gz", "url": "x", "hashes": {}}`, "error: no SHA-256"},
	} {
		answer = `{"files": [` + tt.answer + `]}`
		s := sourcetest.Must(t, Traits(), &sourcetest.Env{}, "name: thing\n"+tt.yaml)
		got, err := sourcetest.Track(t, s, sourcetest.NewWork(t), "")
		if text, ok := strings.CutPrefix(tt.want, "error: "); ok {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		want := ""
		if tt.want != "" {
			want = "ref:\n  sha256sum: sum-of-" + tt.want + "\n  suffix: aa/" + tt.want + "\n"
		}
		if err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, want)
		}
	}
}
