package junction_test

import (
	"testing"

	"bst/impl/kind/junction"
	"bst/impl/kind/kindtest"
)

func TestConfigure(t *testing.T) {
	for config, want := range map[string]string{
		"": "",
		"{path: sub, options: {a: b}, overrides: {x.bst: y.bst}, aliases: {a: b}, map-aliases: identity}": "",
		"{paths: sub}":                  "a.bst [line 1 column 8]: Unexpected key: paths",
		"{map-aliases: all}":            "a.bst [line 1 column 14]: Value of 'map-aliases' should be one of 'none, identity'",
		"{overrides: {sub.bst: a.bst}}": "a.bst [line 1 column 22]: Attempt to override subproject junction 'sub.bst' with the overriding junction 'a.bst' itself",
	} {
		_, err := kindtest.Configure(t, junction.Traits(), kindtest.New(t), config)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", config, got, want)
		}
	}
}
