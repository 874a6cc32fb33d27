package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestNames(t *testing.T) {
	for _, test := range []struct{ at, name, base, fails string }{
		{"https://host", "library/debian", "https://host/v2/library/debian/", ""},
		{"http://host:5000/", "/a-b/c__d.e/", "http://host:5000/v2/a-b/c__d.e/", ""},
		{"docker://docker.io", "x", "https://registry-1.docker.io/v2/x/", ""},
		{"file:///x", "a", "", "no URL of a registry"},
		{"https://host/path", "a", "", "no URL of a registry"},
		{"https://host", "", "", "no name of an image"},
		{"https://host", "a//b", "", "no name of an image"},
		{"https://host", "A", "", "no name of an image"},
		{"https://host", "a/../b", "", "no name of an image"},
		{"https://host", "a?b", "", "no name of an image"},
		{"https://host", strings.Repeat("a", 256), "", "no name of an image"},
	} {
		r, err := New(http.DefaultClient, test.at, test.name)
		if test.fails != "" {
			if err == nil || !strings.Contains(err.Error(), test.fails) {
				t.Errorf("%s %s: %v", test.at, test.name, err)
			}
		} else if err != nil || r.base != test.base {
			t.Errorf("%s %s: %v, %v", test.at, test.name, r, err)
		}
	}
}

func TestDigests(t *testing.T) {
	for text, fine := range map[string]bool{
		string(DigestOf(nil)):                   true,
		"sha512:" + strings.Repeat("0a", 64):    true,
		"sha256:" + strings.Repeat("0a", 31):    false,
		"sha256:" + strings.Repeat("0A", 32):    false,
		"sha256:../" + strings.Repeat("0a", 30): false,
		"md5:" + strings.Repeat("0a", 16):       false,
		strings.Repeat("0a", 32):                false,
		"":                                      false,
	} {
		if err := Digest(text).Validate(); (err == nil) != fine {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A reference that is neither tag nor digest is refused, and not asked for.
func TestReferences(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		io.WriteString(w, "{}")
	}))
	defer server.Close()
	r, err := New(server.Client(), server.URL, "one")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ reference, fails string }{
		{"latest", ""},
		{"_V1.0-x", ""},
		{strings.Repeat("a", 128), ""},
		{string(DigestOf([]byte("{}"))), ""},
		{"", "is no tag"},
		{"..", "is no tag"},
		{"-a", "is no tag"},
		{"a/b", "is no tag"},
		{"a b", "is no tag"},
		{"a?b", "is no tag"},
		{"ä", "is no tag"},
		{strings.Repeat("a", 129), "is no tag"},
		{"sha256:abc", "is no digest"},
		{"sha256:x/../../../out", "is no digest"},
		{"latest:x", "is no digest"},
	} {
		asked = 0
		_, err := r.Manifest(t.Context(), test.reference)
		switch {
		case test.fails == "" && (err != nil || asked != 1):
			t.Errorf("%q: %v, asked %d times", test.reference, err, asked)
		case test.fails != "" && (err == nil || !strings.Contains(err.Error(), test.fails) || asked != 0):
			t.Errorf("%q: %v, asked %d times; want %s", test.reference, err, asked, test.fails)
		}
	}
}

func TestChallenges(t *testing.T) {
	for _, test := range []struct {
		values []string
		want   map[string]string
	}{
		{[]string{`Bearer realm="https://a/token",service="s",scope="repository:x:pull,push"`},
			map[string]string{"realm": "https://a/token", "service": "s", "scope": "repository:x:pull,push"}},
		{[]string{`Basic realm="x"`, `bearer Realm="a\"b" , service=plain`}, map[string]string{"realm": `a"b`, "service": "plain"}},
		{[]string{`Bearer`}, map[string]string{}},
		{[]string{`Basic realm="x"`}, nil},
		{nil, nil},
	} {
		got, ok := challenged(test.values)
		if diff := cmp.Diff(test.want, got); diff != "" || ok != (test.want != nil) {
			t.Errorf("%q: %v\n%s", test.values, ok, diff)
		}
	}
}

func FuzzChallenge(f *testing.F) {
	f.Add(`Bearer realm="https://a/token",service="s",scope="repository:x:pull"`)
	f.Add(`Bearer realm="a\`)
	f.Fuzz(func(t *testing.T, value string) {
		parameters, _ := challenged([]string{value})
		for name, text := range parameters {
			if utf8.RuneCountInString(name+text) > utf8.RuneCountInString(value) {
				t.Errorf("%q: %q, %q", value, name, text)
			}
		}
	})
}

// TestToken: a token is fetched once, and again when it is taken no more.
func TestToken(t *testing.T) {
	tokens, valid := 0, ""
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		tokens++
		valid = fmt.Sprint("t", tokens)
		if got, want := r.URL.RawQuery, "a=b&scope=repository%3Aone%3Apull&service=s"; got != want {
			t.Errorf("asked for a token by %s, want %s", got, want)
		}
		json.NewEncoder(w).Encode(map[string]string{"access_token": valid})
	})
	mux.HandleFunc("/v2/one/", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+valid {
			w.Header().Set("WWW-Authenticate", `Bearer realm="`+server.URL+`/token?a=b",service="s"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		io.WriteString(w, "{}")
	})
	r, err := New(server.Client(), server.URL, "one")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{1, 1, 2} {
		if i == 2 {
			valid = "another"
		}
		if _, err := r.Manifest(t.Context(), "latest"); err != nil || tokens != want {
			t.Errorf("%d: %v, %d tokens, want %d", i, err, tokens, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	text := []byte("content")
	digest := DigestOf(text)
	answer := func(status int, header, value, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(header, value)
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	manifest := func(reference string) func(context.Context, *Repository) error {
		return func(ctx context.Context, r *Repository) error {
			_, err := r.Manifest(ctx, reference)
			return err
		}
	}
	blob := func(size int64) func(context.Context, *Repository) error {
		return func(ctx context.Context, r *Repository) error {
			body, err := r.Blob(ctx, digest, size)
			if err != nil {
				return err
			}
			defer body.Close()
			_, err = io.ReadAll(body)
			return err
		}
	}
	size := int64(len(text))
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		do     func(context.Context, *Repository) error
		want   string
		code   int
	}{
		{"what is there", answer(200, "", "", "content"), blob(size), "", 0},
		{"a manifest by its digest", answer(200, "", "", "content"), manifest(string(digest)), "", 0},
		{"another blob", answer(200, "", "", "CONTENT"), blob(size), "something else", 0},
		{"a longer blob", answer(200, "", "", "content, and more"), blob(size), "more than the manifest says", 0},
		{"a shorter blob", answer(200, "", "", "cont"), blob(size), "unexpected EOF", 0},
		{"another manifest", answer(200, "", "", "CONTENT"), manifest(string(digest)), "is not sha256:", 0},
		{"not the manifest it says", answer(200, "Docker-Content-Digest", string(digest), "CONTENT"), manifest("latest"), "is not sha256:", 0},
		{"a large manifest", answer(200, "", "", strings.Repeat(" ", MaxManifest+1)), manifest("latest"), "more than", 0},
		{"with a reason", answer(404, "", "", `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`), manifest("latest"), "404 Not Found: manifest unknown", 404},
		{"with what a terminal would obey", answer(403, "", "", `{"errors":[{"message":"a\u001b[2Jb"}]}`), manifest("latest"), "403 Forbidden: a [2Jb", 403},
		{"with a code", answer(500, "", "", `{"errors":[{"code":"UNKNOWN"}]}`), manifest("latest"), "500 Internal Server Error: UNKNOWN", 500},
		{"without a word", answer(502, "", "", "<html>"), manifest("latest"), "502 Bad Gateway", 502},
		{"a password", answer(401, "WWW-Authenticate", `Basic realm="x"`, ""), manifest("latest"), "401 Unauthorized", 401},
		{"a token from nowhere", answer(401, "WWW-Authenticate", `Bearer realm="/etc/passwd"`, ""), manifest("latest"), "no URL", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(test.answer)
			defer server.Close()
			r, err := New(server.Client(), server.URL, "one")
			if err != nil {
				t.Fatal(err)
			}
			err = test.do(t.Context(), r)
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var status *StatusError
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			} else if errors.As(err, &status) != (test.code != 0) || status != nil && status.Code != test.code {
				t.Errorf("%#v, want status %d", err, test.code)
			}
		})
	}
}
