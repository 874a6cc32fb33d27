package download

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"bst/impl/kind"
	"bst/impl/kind/sourcetest"
	"bst/impl/node"
	"bst/impl/stream"
)

func tracked(t *testing.T, env kind.SourceEnv, yaml string) *File {
	t.Helper()
	config, err := node.Parse([]byte(yaml), "element.bst")
	if err != nil {
		t.Fatal(err)
	}
	f := new(File)
	if err := f.Configure("remote", config, env); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestTrack(t *testing.T) {
	var text atomic.Value
	text.Store("one")
	var sent atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/f" {
			http.NotFound(w, r)
			return
		}
		body := text.Load().(string)
		tag := `"` + body + `"`
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		sent.Add(1)
		io.WriteString(w, body)
	}))
	defer server.Close()
	env := &sourcetest.Env{Aliases: map[string]string{"up": server.URL + "/"}}
	w := sourcetest.NewWork(t)
	track := func(yaml string) string {
		t.Helper()
		ref, err := tracked(t, env, yaml).Track(t.Context(), w, "")
		if err != nil {
			t.Fatal(err)
		}
		return ref.Get("ref").Text()
	}
	first := track("url: 'up:f'")
	if want := sum("one"); first != want {
		t.Errorf("got %s, want %s", first, want)
	}
	f := tracked(t, env, "url: 'up:f'\nref: "+first)
	if !f.Cached(t.Context(), w) {
		t.Error("what was tracked must be fetched again")
	}
	if got := f.Ref().Get("ref").Text(); got != first {
		t.Errorf("its ref is %s", got)
	}
	// What is here is not sent again.
	if got := track("url: 'up:f'\nref: " + first); got != first || sent.Load() != 1 {
		t.Errorf("got %s after %d downloads", got, sent.Load())
	}
	if warned(w) {
		t.Error("it warned of nothing")
	}
	text.Store("two")
	if got := track("url: 'up:f'\nref: " + first); got != sum("two") || !warned(w) {
		t.Errorf("got %s, said %q", got, w.Messages)
	}
	_, err := tracked(t, env, "url: 'up:gone'").Track(t.Context(), w, "")
	if e, ok := err.(*stream.Error); !ok || e.Domain != stream.DomainSource || e.Temporary || !strings.Contains(e.Message, "HTTP Error 404") {
		t.Errorf("what is not there: %#v", err)
	}
}

func warned(w *sourcetest.Work) bool {
	for _, m := range w.Messages {
		if m == "WARNING Potential man-in-the-middle attack!" {
			return true
		}
	}
	return false
}

// urls are an environment with several URLs to track by.
type urls struct {
	sourcetest.Env
	list []string
}

func (u *urls) TrackURLs(string) []string { return u.list }

func TestTrackOrder(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/good", "/better":
			io.WriteString(w, r.URL.Path)
		case "/busy":
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	for _, tt := range []struct {
		paths     string
		want      string
		temporary bool
	}{
		{"good better", "/good", false},
		{"gone better good", "/better", false},
		{"gone busy", "", true},
		{"gone", "", false},
		{"", "", false},
	} {
		u := &urls{}
		for p := range strings.FieldsSeq(tt.paths) {
			u.list = append(u.list, server.URL+"/"+p)
		}
		ref, err := tracked(t, u, "url: 'up:f'").Track(t.Context(), sourcetest.NewWork(t), "")
		if tt.want != "" {
			if err != nil || ref.Get("ref").Text() != sum(tt.want) {
				t.Errorf("%s: %v", tt.paths, err)
			}
			continue
		}
		e, ok := err.(*stream.Error)
		if !ok || e.Temporary != tt.temporary || tt.paths == "" && e.Reason != "missing-source-alias-target" {
			t.Errorf("%s: %#v", tt.paths, err)
		}
	}
}

func TestGet(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Header.Get("Accept"))
	}))
	defer server.Close()
	env := &sourcetest.Env{}
	text, err := Get(t.Context(), "pypi", env, server.URL, "text/x", 100)
	if err != nil || string(text) != "text/x" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := Get(t.Context(), "pypi", env, server.URL, "text/x", 3); err == nil {
		t.Error("it takes more than it was told to")
	}
}
