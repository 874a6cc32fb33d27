package cpan

import (
	"compress/gzip"
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
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/at/modules/02packages.details.txt.gz":
			z := gzip.NewWriter(w)
			io.WriteString(z, "File: 02packages.details.txt\nPod::Parser ignored in-the-header\n\n"+
				"Pod::Other  1.0  O/OT/OTHER/Pod-Other-1.0.tar.gz\nPod::Parser  1.67  M/MA/MAREKR/Pod-Parser-1.67.tar.gz\n")
			z.Close()
		case "/at/authors/id/M/MA/MAREKR/Pod-Parser-1.67.tar.gz":
			io.WriteString(w, "the archive")
		case "/bad/modules/02packages.details.txt.gz":
			io.WriteString(w, "no archive")
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	env := &sourcetest.Env{Aliases: map[string]string{"cpan": server.URL + "/at/"}}
	sum := sha256.Sum256([]byte("the archive"))
	want := "suffix: authors/id/M/MA/MAREKR/Pod-Parser-1.67.tar.gz\nsha256sum: " + hex.EncodeToString(sum[:]) + "\n"
	w := sourcetest.NewWork(t)
	for _, more := range []string{"", want} {
		s := sourcetest.Must(t, Traits(), env, "name: Pod::Parser\nindex: 'cpan:'\n"+more)
		got, err := sourcetest.Track(t, s, w, "")
		if err != nil || got != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	for yaml, text := range map[string]string{
		"name: Pod::None\nindex: 'cpan:'":                       `"Pod::None" not found`,
		"name: Pod::Parser\nindex: " + server.URL + "/bad/":     "is damaged",
		"name: Pod::Parser\nindex: " + server.URL + "/nowhere/": "HTTP Error 404",
	} {
		_, err := sourcetest.Track(t, sourcetest.Must(t, Traits(), env, yaml), w, "")
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", yaml, err)
		}
	}
}
