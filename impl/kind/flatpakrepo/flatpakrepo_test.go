package flatpakrepo

import (
	"context"
	"testing"

	"bst/impl/kind"
	"bst/impl/kind/kindtest"
	"bst/impl/kind/kindtest/graphtest"

	"github.com/google/go-cmp/cmp"
)

func TestRepository(t *testing.T) {
	a := kindtest.New(t)
	e, err := kindtest.Configure(t, Traits(), a, `
arch: x86_64
branch: stable
repo-mode: bare
copy-refs: [{src: a, dest: b}]
`)
	if err != nil {
		t.Fatal(err)
	}
	one, two := graphtest.New("images/one.bst"), graphtest.New("images/two.bst")
	deps := []kind.Dependency{
		graphtest.Dependency(t, graphtest.New("base.bst"), ""),
		graphtest.Dependency(t, one, "{flatpak-image: True}"),
		graphtest.Dependency(t, graphtest.New("images.bst", two), "{flatpak-stack: True, branch: beta}"),
	}
	if err := e.ConfigureDependencies(deps); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"commands": map[string][]string{
			"init repository":                    {"ostree init --repo=/buildstream/repo --mode=bare"},
			"export images/one.bst":              {"flatpak build-export --files=files --arch=x86_64 /buildstream/repo /buildstream/input/images-one stable"},
			"export images.bst (images/two.bst)": {"flatpak build-export --files=files --arch=x86_64 /buildstream/repo /buildstream/input/images-two beta"},
			"copy ref a -> b":                    {"flatpak build-commit-from --src-ref=a /buildstream/repo b"},
		},
		"cwd":          "/",
		"install-root": "/buildstream/repo",
		"layout": map[string][]string{
			"/":                             {"base.bst"},
			"/buildstream/input/images-one": {"images/one.bst"},
			"/buildstream/input/images-two": {"images.bst (images/two.bst)"},
		},
		"root-read-only": true,
	}
	if diff := cmp.Diff(any(want), e.UniqueKey()); diff != "" {
		t.Error(diff)
	}
	at, err := e.Assemble(context.Background(), a)
	if err != nil || at != "/buildstream/repo" {
		t.Errorf("%q, %v", at, err)
	}
}

func TestRefusals(t *testing.T) {
	for name, deps := range map[string][]kind.Dependency{
		"no images": {graphtest.Dependency(t, graphtest.New("base.bst"), "")},
		"both":      {graphtest.Dependency(t, graphtest.New("a.bst"), "{flatpak-image: True, flatpak-stack: True}")},
		"other key": {graphtest.Dependency(t, graphtest.New("a.bst"), "{location: /}")},
	} {
		e, err := kindtest.Configure(t, Traits(), kindtest.New(t), "{arch: a, branch: b}")
		if err != nil {
			t.Fatal(err)
		}
		if err := e.ConfigureDependencies(deps); err == nil {
			t.Errorf("it takes %s", name)
		}
	}
}
