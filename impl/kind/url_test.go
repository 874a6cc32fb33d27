package kind_test

import (
	"context"
	"errors"
	"testing"

	"bst/impl/kind"
	"bst/impl/kind/sourcetest"
	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

func TestURLDirectory(t *testing.T) {
	for url, want := range map[string]string{
		"https://example.com/foo-1.0.tar.gz": "https___example_com_foo_1_0_tar_gz",
		"up:a%20b_c~é":                       "up_a%20b_c__",
	} {
		if got := kind.URLDirectory(url); got != want {
			t.Errorf("%s: %s, not %s", url, got, want)
		}
	}
}

func TestSplitAlias(t *testing.T) {
	for url, want := range map[string][2]string{
		"up:x:y":      {"up", "x:y"},
		"https://x":   {"", "https://x"},
		"HTTP://x":    {"", "HTTP://x"},
		"git:x":       {"", "git:x"},
		"plain":       {"", "plain"},
		"git@host:x":  {"git@host", "x"},
		"pony://home": {"pony", "//home"},
	} {
		alias, rest := kind.SplitAlias(url)
		if diff := cmp.Diff(want, [2]string{alias, rest}); diff != "" {
			t.Errorf("%s: %s", url, diff)
		}
	}
}

// aliased has an alias that looks like a scheme.
type aliased struct{ *sourcetest.Env }

func (aliased) Translate(url string) string { return "translated " + url }

func TestFetchURLs(t *testing.T) {
	env := aliased{&sourcetest.Env{Aliases: map[string]string{"up": "b/"}, Mirrors: map[string][]string{"up": {"a/"}}}}
	for url, want := range map[string][]string{
		"up:x":     {"a/x", "b/x"},
		"git:x":    {"translated git:x"},
		"https://": {"translated https://"},
	} {
		if diff := cmp.Diff(want, kind.FetchURLs(env, url)); diff != "" {
			t.Errorf("%s: %s", url, diff)
		}
	}
}

// TestFetchFrom: the first URL that works ends it; where none does the error is the
// last one's, with what all said, and another attempt may help if it may with any.
func TestFetchFrom(t *testing.T) {
	env := &sourcetest.Env{Aliases: map[string]string{"up": "c/"}, Mirrors: map[string][]string{"up": {"a/", "b/"}}}
	fails := func(text string, temporary bool) error {
		return &stream.Error{Domain: stream.DomainSource, Message: text, Detail: "why " + text, Temporary: temporary}
	}
	for _, tt := range []struct {
		name  string
		says  map[string]error
		tried []string
		want  error
	}{
		{"the first", nil, []string{"a/x"}, nil},
		{"the second", map[string]error{"a/x": fails("a", false)}, []string{"a/x", "b/x"}, nil},
		{"none", map[string]error{"a/x": fails("a", true), "b/x": errors.New("b"), "c/x": fails("c", false)}, []string{"a/x", "b/x", "c/x"},
			&stream.Error{Domain: stream.DomainSource, Message: "c", Detail: "a\nb\nc\nwhy c", Temporary: true}},
		{"none, for good", map[string]error{"a/x": fails("a", false), "b/x": fails("b", false), "c/x": fails("c", false)}, []string{"a/x", "b/x", "c/x"},
			&stream.Error{Domain: stream.DomainSource, Message: "c", Detail: "a\nb\nc\nwhy c"}},
	} {
		var tried []string
		err := kind.FetchFrom(t.Context(), "tar", env, "up:x", func(url string) error {
			tried = append(tried, url)
			return tt.says[url]
		})
		if diff := cmp.Diff(tt.tried, tried); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
		if diff := cmp.Diff(tt.want, err); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	err := kind.FetchFrom(ctx, "tar", env, "up:x", func(string) error {
		n++
		cancel()
		return context.Canceled
	})
	if n != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %d tries, %v", n, err)
	}
}
