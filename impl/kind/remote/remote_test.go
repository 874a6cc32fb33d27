package remote

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bst/impl/kind/sourcetest"
	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

const ref = "6c9f6f68a131ec6381da82f2bff978083ed7f4f7991d931bfa767b7965ebc94b"

var env = &sourcetest.Env{Aliases: map[string]string{"up": "https://example/files/"}}

func TestKey(t *testing.T) {
	for yaml, want := range map[string][]any{
		"{url: 'up:a/foo.bar', ref: abc}":                                  {"up:a/foo.bar", "abc", "foo.bar", false},
		"{url: 'up:foo.bar', ref: abc, filename: x, executable: True}":     {"up:foo.bar", "abc", "x", true},
		"{url: 'up:foo.bar', ref: abc, version-guess-pattern: y}":          {"up:foo.bar", "abc", "y", "foo.bar", false},
		"{url: 'https://example/', ref: abc, directory: d, filename: f.g}": {"https://example/", "abc", "f.g", false},
	} {
		key, err := sourcetest.Must(t, Traits(), env, yaml).UniqueKey()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(any(want), key); diff != "" {
			t.Errorf("%s: %s", yaml, diff)
		}
	}
}

func TestConfigure(t *testing.T) {
	for yaml, want := range map[string]stream.Error{
		"{url: x, ref: abc, filename: a/b}": {Domain: stream.DomainSource, Reason: "filename-contains-directory",
			Message: "remote source at element.bst [line 4 column 2]: filename parameter cannot contain directories"},
		"{url: x, ref: abc, executable: perhaps}": {Domain: stream.DomainLoad, Reason: "INVALID_DATA"},
		"{url: x, ref: abc, base-dir: ''}":        {Domain: stream.DomainLoad, Reason: "INVALID_DATA", Message: "Unexpected key: base-dir"},
	} {
		_, err := sourcetest.Configure(t, Traits(), env, yaml)
		var e *stream.Error
		if !errors.As(err, &e) || e.Domain != want.Domain || e.Reason != want.Reason || !strings.Contains(e.Message, want.Message) {
			t.Errorf("%s: got %#v", yaml, err)
		}
	}
}

func TestStage(t *testing.T) {
	for options, want := range map[string]map[string]string{
		"":                              {"foo.bar": "content"},
		"filename: x\nexecutable: true": {"x": "x:content"},
	} {
		s := sourcetest.Must(t, Traits(), env, "url: 'up:foo.bar'\nref: "+ref+"\n"+options)
		w := sourcetest.NewWork(t)
		mirror, err := w.MirrorDir()
		if err != nil {
			t.Fatal(err)
		}
		sourcetest.Write(t, mirror, map[string]string{"up_foo_bar/" + ref: "content"})
		dir := t.TempDir()
		if err := s.Stage(context.Background(), w, dir); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, sourcetest.Files(t, dir)); diff != "" {
			t.Error(diff)
		}
		// Who writes into what was staged does not reach the download.
		for name := range want {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("changed"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got := sourcetest.Files(t, mirror)["up_foo_bar/"+ref]; got != "content" {
			t.Errorf("the download is now %q", got)
		}
	}
}

func TestBadName(t *testing.T) {
	for _, name := range []string{"..", "."} {
		s := sourcetest.Must(t, Traits(), env, "{url: 'up:foo.bar', ref: "+ref+", filename: '"+name+"'}")
		err := s.Stage(context.Background(), sourcetest.NewWork(t), t.TempDir())
		if err == nil || !strings.Contains(err.Error(), "'"+name+"' cannot be the name of a file") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
