package gomodule

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bst/impl/kind/sourcetest"
)

func TestTrack(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("this test works with real repositories, and needs the program git")
	}
	root := t.TempDir()
	dir := filepath.Join(root, "mod")
	run := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=n", "-c", "user.email=e"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return strings.TrimSpace(string(out))
	}
	sourcetest.Write(t, dir, map[string]string{"go.mod": "module x\n"})
	run("init", "--quiet", "--initial-branch=main")
	run("add", ".")
	run("commit", "--quiet", "-m", "m")
	run("tag", "v1.2.0")
	run("tag", "sub/v2.0.0")
	commit := run("rev-parse", "HEAD")

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("go-get") != "1" {
			http.NotFound(w, r)
			return
		}
		host := r.Host
		io.WriteString(w, `<html><META content='`+host+`/mod git https://example.com/mod' name="go-import"><meta name="go-source" content="x">`)
	}))
	defer server.Close()
	before := scheme
	scheme = "http://"
	defer func() { scheme = before }()
	host := strings.TrimPrefix(server.URL, "http://")

	sources := t.TempDir()
	pseudo := "v0.0.0-20200101000000-" + commit[:12]
	sourcetest.Write(t, sources, map[string]string{
		"go.mod": "module main\nrequire " + host + "/mod v1.2.0\n",
		"go.sum": host + "/mod v1.2.0/go.mod h1:x=\n" + host + "/mod v1.2.0 h1:x=\n" + host + "/mod/sub/v2 v2.0.0 h1:x=\n" +
			"github.com/o/r/sub/v2 v2.0.0 h1:x=\ngithub.com/o/r " + pseudo + " h1:x=\ngithub.com/o/q v9.9.9 h1:x=\n",
	})
	env := &sourcetest.Env{Aliases: map[string]string{"up": "file://" + root + "/"}}
	ref := func(version, ref, explicit, below string) string {
		text := "ref:\n  go-version: " + version + "\n  git-ref: " + ref + "\n  explicit: " + explicit + "\n"
		if below != "" {
			text += "  subdirectory: " + below + "\n"
		}
		return text
	}
	for _, tt := range []struct{ module, want, fails string }{
		{host + "/mod", ref("v1.2.0", "v1.2.0-0-g"+commit, "True", ""), ""},
		{host + "/mod/sub/v2", ref("v2.0.0", "sub/v2.0.0-0-g"+commit, "False", "sub"), ""},
		{"github.com/o/r/sub/v2", ref("v2.0.0", "sub/v2.0.0-0-g"+commit, "False", "sub"), ""},
		{"github.com/o/r", ref(pseudo, commit, "False", ""), ""},
		{"github.com/o/q", "", "No branch or tag"},
		{"github.com/o/none", "", "go.sum does not contain github.com/o/none"},
	} {
		s := sourcetest.Must(t, Traits(), env, "url: 'up:mod'\nmodule: "+tt.module)
		got, err := sourcetest.Track(t, s, sourcetest.NewWork(t), sources)
		if tt.fails != "" {
			if err == nil || !strings.Contains(err.Error(), tt.fails) {
				t.Errorf("%s: %v", tt.module, err)
			}
			continue
		}
		if err != nil || got != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.module, got, err, tt.want)
		}
	}
	if _, err := sourcetest.Track(t, sourcetest.Must(t, Traits(), env, "url: 'up:mod'\nmodule: x"), sourcetest.NewWork(t), t.TempDir()); err == nil {
		t.Error("without go.mod there is no error")
	}
	// The form of what is true does not count.
	s := sourcetest.Must(t, Traits(), env, "url: 'up:mod'\nmodule: x\nref: {go-version: v1.0.0, git-ref: "+commit+", explicit: true, subdirectory: a}").(*source)
	if got := s.Ref().Dump(); got != ref("v1.0.0", commit, "True", "a") {
		t.Errorf("its ref is %q", got)
	}
}
