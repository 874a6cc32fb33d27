package download

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bst/impl/kind"
	"bst/impl/kind/sourcetest"
	"bst/impl/node"
	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

const content = "what is wanted\n"

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

// server answers in every way that a server should not.
func server(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/good", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"tag"`)
		io.WriteString(w, content)
	})
	mux.HandleFunc("/wrong", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "something else") })
	mux.HandleFunc("/503", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) })
	mux.HandleFunc("/429", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(429) })
	mux.HandleFunc("/403", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(403) })
	mux.HandleFunc("/truncated", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, content)
	})
	mux.HandleFunc("/reset", func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome")
		conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	})
	mux.HandleFunc("/stall", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "some")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/mute", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/good", http.StatusFound) })
	mux.HandleFunc("/tofile", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 4096)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/private", func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "me" || password != "secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(401)
			return
		}
		io.WriteString(w, content)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func file(t *testing.T, env kind.SourceEnv, yaml string) *File {
	config, err := node.Parse([]byte(yaml), "element.bst")
	if err != nil {
		t.Fatal(err)
	}
	f := new(File)
	if err := f.Configure("tar", config, env); err != nil {
		t.Fatal(err)
	}
	// Long enough for a busy machine; tests of silence shorten it.
	f.client = newClient(30 * time.Second)
	f.client.limit = 1 << 20
	return f
}

func TestFetch(t *testing.T) {
	s := server(t)
	dir := t.TempDir()
	sourcetest.Write(t, dir, map[string]string{"good file": content, "dir/": ""})
	closed := httptest.NewServer(nil)
	closed.Close()

	const at = "tar source at element.bst [line 4 column 2]: Error mirroring "
	host := strings.TrimPrefix(s.URL, "http://")
	tests := []struct {
		name, url string
		want      string // contained in the message; "" for success
		temporary bool
	}{
		{"good", s.URL + "/good", "", false},
		{"redirected", s.URL + "/moved", "", false},
		{"file", "file://" + dir + "/good%20file", "", false},
		{"file on localhost", "file://localhost" + dir + "/good%20file", "", false},
		{"wrong checksum", s.URL + "/wrong",
			"File downloaded from " + s.URL + "/wrong has sha256sum '" + sum("something else") + "', not '" + sum(content) + "'!", false},
		{"not found", s.URL + "/nothing", at + s.URL + "/nothing: HTTP Error 404: Not Found", false},
		{"forbidden", s.URL + "/403", at + s.URL + "/403: HTTP Error 403: Forbidden", false},
		{"unavailable", s.URL + "/503", at + s.URL + "/503: HTTP Error 503: Service Unavailable", true},
		{"too many requests", s.URL + "/429", "HTTP Error 429", true},
		{"truncated", s.URL + "/truncated", "unexpected EOF", true},
		{"reset", s.URL + "/reset", "connection reset", true},
		{"stalled in the middle", s.URL + "/stall", "the server sent nothing for 200ms", true},
		{"stalled before the answer", s.URL + "/mute", "nothing for 200ms", true},
		{"endless redirects", s.URL + "/loop", "more than 10 redirects", false},
		{"redirect to a file", s.URL + "/tofile", "unsupported protocol scheme", false},
		{"larger than the limit", s.URL + "/endless", "the file is larger than 1048576 bytes", false},
		{"nobody there", closed.URL + "/good", "connection refused", true},
		{"login wanted", s.URL + "/private", "HTTP Error 401", false},
		{"login in the URL", "http://me:secret@" + host + "/private", "", false},
		{"missing file", "file://" + dir + "/none", "No such file or directory: '" + dir + "/none'", false},
		{"directory", "file://" + dir + "/dir", "Not a regular file", false},
		{"file elsewhere", "file://elsewhere/x", "file URL on another host: elsewhere", false},
		{"unknown scheme", "pony://x/y", "unknown url type: pony", false},
		{"no scheme", "/etc/passwd", "unknown url type: '/etc/passwd'", false},
		{"broken URL", "http://[::1", "missing ']' in host", false},
	}
	t.Setenv("NETRC", filepath.Join(dir, "netrc"))
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			env := &sourcetest.Env{Aliases: map[string]string{"up": test.url}}
			f := file(t, env, "url: 'up:'\nref: "+sum(content))
			if strings.HasPrefix(test.name, "stalled") {
				f.client = newClient(200 * time.Millisecond)
			}
			w := sourcetest.NewWork(t)
			err := f.Fetch(context.Background(), w)
			mirror := sourcetest.Files(t, mustMirror(t, w))
			if test.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				want := map[string]string{"up_/": "", "up_/" + sum(content): content}
				if strings.HasPrefix(test.url, "http") && !strings.HasSuffix(test.url, "private") {
					want["up_/"+sum(content)+".etag"] = `"tag"`
				}
				if diff := cmp.Diff(want, mirror); diff != "" {
					t.Error(diff)
				}
				if !f.Cached(context.Background(), w) {
					t.Error("it is not cached")
				}
				if w.Current != len(content) {
					t.Errorf("progress is %d of %d", w.Current, w.Total)
				}
				return
			}
			var e *stream.Error
			if !errors.As(err, &e) {
				t.Fatalf("the error is %v, of type %T", err, err)
			}
			if e.Domain != stream.DomainSource || !strings.Contains(e.Message, test.want) || e.Temporary != test.temporary {
				t.Errorf("got %#v", e)
			}
			if f.Cached(context.Background(), w) || len(mirror) != 1 {
				t.Errorf("it left %v", mirror)
			}
		})
	}
}

func mustMirror(t *testing.T, w *sourcetest.Work) string {
	dir, err := w.MirrorDir()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestNetrcLogin(t *testing.T) {
	s := server(t)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "netrc")
	sourcetest.Write(t, filepath.Dir(path), map[string]string{
		"netrc": "machine other login x password y\nmachine " + u.Hostname() + "\n login me password secret\n",
	})
	t.Setenv("NETRC", path)
	f := file(t, &sourcetest.Env{}, "url: "+s.URL+"/private\nref: "+sum(content))
	if err := f.Fetch(context.Background(), sourcetest.NewWork(t)); err != nil {
		t.Fatal(err)
	}
}

// TestMirrors: each URL is tried in order, and the error tells of all.
func TestMirrors(t *testing.T) {
	s := server(t)
	env := &sourcetest.Env{
		Aliases: map[string]string{"up": s.URL + "/good?", "bad": s.URL + "/403?"},
		Mirrors: map[string][]string{"up": {s.URL + "/503?", s.URL + "/wrong?"}, "bad": {s.URL + "/503?"}},
	}
	w := sourcetest.NewWork(t)
	f := file(t, env, "url: 'up:x'\nref: "+sum(content))
	if err := f.Fetch(context.Background(), w); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"START Fetching " + s.URL + "/503?x", "START Fetching " + s.URL + "/wrong?x", "START Fetching " + s.URL + "/good?x",
	}
	if diff := cmp.Diff(want, w.Messages); diff != "" {
		t.Error(diff)
	}

	f = file(t, env, "url: 'bad:x'\nref: "+sum(content))
	err := f.Fetch(context.Background(), sourcetest.NewWork(t))
	var e *stream.Error
	if !errors.As(err, &e) || !e.Temporary || !strings.Contains(e.Message, "403") || strings.Count(e.Detail, "\n") != 1 {
		t.Errorf("got %#v", err)
	}
}

func TestCancel(t *testing.T) {
	s := server(t)
	ctx, cancel := context.WithCancel(context.Background())
	f := file(t, &sourcetest.Env{}, "url: "+s.URL+"/stall\nref: "+sum(content))
	f.client = newClient(time.Minute)
	time.AfterFunc(50*time.Millisecond, cancel)
	w := sourcetest.NewWork(t)
	if err := f.Fetch(ctx, w); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if left := sourcetest.Files(t, mustMirror(t, w)); len(left) != 1 {
		t.Errorf("it left %v", left)
	}
}

// TestBadRef: a ref that is no checksum names no file, wherever it leads.
func TestBadRef(t *testing.T) {
	s := server(t)
	for _, ref := range []string{"5", "../../../etc/passwd", strings.ToUpper(sum(content)), ""} {
		f := file(t, &sourcetest.Env{}, "url: "+s.URL+"/good\nref: '"+ref+"'")
		w := sourcetest.NewWork(t)
		if f.Cached(context.Background(), w) {
			t.Errorf("%q is cached", ref)
		}
		if _, err := f.Path(w); err == nil {
			t.Errorf("%q has a path", ref)
		}
		var e *stream.Error
		if err := f.Fetch(context.Background(), w); !errors.As(err, &e) || !strings.HasSuffix(e.Message, "', not '"+ref+"'!") {
			t.Errorf("%q: %v", ref, err)
		}
	}
}

func TestKey(t *testing.T) {
	tests := []struct {
		yaml string
		want []any
	}{
		{"url: 'up:x.tar'\nref: abc", []any{"up:x.tar", "abc"}},
		{"url: 'up:x.tar'\nref: abc\nversion: '1'", []any{"up:x.tar", "abc", "1"}},
		{"url: 'up:x.tar'\nref: abc\nversion: ''\nversion-guess-pattern: x", []any{"up:x.tar", "abc", ""}},
		{"url: 'up:x.tar'\nref: abc\nversion-guess-pattern: '(?=x)'", []any{"up:x.tar", "abc", "(?=x)"}},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, file(t, &sourcetest.Env{}, test.yaml).Key()); diff != "" {
			t.Error(diff)
		}
	}
	if file(t, &sourcetest.Env{}, "url: x").Resolved() {
		t.Error("without a ref it is resolved")
	}
}

// TestSweep: only what a killed download left behind long ago is removed.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	sourcetest.Write(t, dir, map[string]string{".download-old": "", ".download-new": "", "old": ""})
	long := time.Now().Add(-48 * time.Hour)
	for _, name := range []string{".download-old", "old"} {
		if err := os.Chtimes(filepath.Join(dir, name), long, long); err != nil {
			t.Fatal(err)
		}
	}
	sweep(dir)
	if diff := cmp.Diff(map[string]string{".download-new": "", "old": ""}, sourcetest.Files(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestParseNetrc(t *testing.T) {
	tests := []struct {
		text string
		want map[string]login
		err  bool
	}{
		{"", map[string]login{}, false},
		{"machine a login b password c", map[string]login{"a": {"b", "c"}}, false},
		{"machine a\n\tuser b\n\taccount x\n\tpassword c\nmachine d password e", map[string]login{"a": {"b", "c"}, "d": {"", "e"}}, false},
		{"machine a password first\nmachine a password second", map[string]login{"a": {"", "first"}}, false},
		{"# a comment\nmachine a password \"b c\"", map[string]login{"a": {"", "b c"}}, false},
		{"machine a password b\\ c", map[string]login{"a": {"", "b c"}}, false},
		{"macdef x\nmachine no password no\n\nmachine a password b", map[string]login{"a": {"", "b"}}, false},
		{"default login x password y", map[string]login{}, false},
		{"machine", nil, true},
		{"machine a password", nil, true},
		{"password x", nil, true},
	}
	for _, test := range tests {
		n, err := parseNetrc(test.text)
		if (err != nil) != test.err {
			t.Errorf("%q: %v", test.text, err)
		}
		if err == nil {
			if diff := cmp.Diff(test.want, n.hosts, cmp.AllowUnexported(login{})); diff != "" {
				t.Errorf("%q: %s", test.text, diff)
			}
		}
	}
	n, err := parseNetrc("machine a password b default login x password y")
	if err != nil {
		t.Fatal(err)
	}
	if l, ok := n.find("elsewhere"); !ok || l.user != "x" {
		t.Errorf("the default is %v", l)
	}
}

func FuzzParseNetrc(f *testing.F) {
	f.Add("machine a login b password c\nmacdef x\ny\n\ndefault login \"d\\\" e\"")
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := parseNetrc(text); err == nil && len(n.hosts) > len(text) {
			t.Errorf("%d hosts", len(n.hosts))
		}
	})
}
