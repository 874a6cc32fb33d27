package kind_test

import (
	"testing"

	"bst/impl/kind"
	"bst/impl/kind/sourcetest"

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
