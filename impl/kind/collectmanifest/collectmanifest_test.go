package collectmanifest

import (
	"context"
	"encoding/json"
	"testing"

	"bst/impl/kind"
	"bst/impl/kind/kindtest"
	"bst/impl/kind/kindtest/graphtest"
	"bst/impl/node"

	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, text string) *node.Node {
	n, err := node.Parse([]byte(text), "public")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestManifest(t *testing.T) {
	a := kindtest.New(t)
	e, err := kindtest.Configure(t, Traits(), a, "path: /usr/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	lib := graphtest.New("libs/lib.bst").Source("git_repo",
		kind.SourceInfo{URL: "u", Medium: kind.MediumGit, Version: "abc", Guess: "3.4"})
	app := graphtest.New("app.bst", lib).
		Source("tar", kind.SourceInfo{URL: "https://x.invalid/app_1_2.tar", Medium: kind.MediumRemote, Version: "sum",
			Provenance: parse(t, "homepage: h")}).
		Source("patch", kind.SourceInfo{URL: "patches/a.patch", Medium: kind.MediumLocal}).
		Source("workspace")
	old := graphtest.New("old.bst", app)
	a.Publics = map[string]*node.Node{
		"":             parse(t, "{}"),
		"libs/lib.bst": parse(t, "{}"),
		"app.bst":      parse(t, "cpe: {vendor: v, version-match: '(\\d+)_(\\d+)'}"),
		"old.bst":      parse(t, "cpe-manifest: {modules: [{name: before}]}"),
	}
	deps := []kind.Dependency{graphtest.Dependency(t, old, ""), graphtest.Dependency(t, lib, "")}
	if err := e.ConfigureDependencies(deps); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Assemble(context.Background(), a); err != nil {
		t.Fatal(err)
	}
	text, err := a.Tree.ReadFile("usr/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var got any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"//NOTE": note,
		"modules": []any{
			map[string]any{"name": "libs/lib.bst", "x-cpe": map[string]any{"product": "lib", "version": "3.4"},
				"sources": []any{map[string]any{"type": "git", "url": "u", "commit": "abc", "x-bst-kind": "git_repo"}}},
			map[string]any{"name": "app.bst", "x-cpe": map[string]any{"product": "app", "vendor": "v", "version": "1.2"},
				"sources": []any{
					map[string]any{"type": "archive", "url": "https://x.invalid/app_1_2.tar", "sha256": "sum", "x-bst-kind": "tar", "x-homepage": "h"},
					map[string]any{"type": "patch", "path": "a.patch"},
				}},
			map[string]any{"name": "before"},
		},
	}
	if diff := cmp.Diff(any(want), got); diff != "" {
		t.Error(diff)
	}
	if len(a.Log) != 1 {
		t.Errorf("the public data is not set: %v", a.Log)
	}
}

func TestVersionThatMatchesNothing(t *testing.T) {
	for _, match := range []string{"'zzz'", "'('"} {
		a := kindtest.New(t)
		e, err := kindtest.Configure(t, Traits(), a, "")
		if err != nil {
			t.Fatal(err)
		}
		dep := graphtest.New("x.bst").Source("tar", kind.SourceInfo{URL: "x-1.2.tar", Medium: kind.MediumRemote})
		a.Publics = map[string]*node.Node{"": parse(t, "{}"), "x.bst": parse(t, "cpe: {version-match: "+match+"}")}
		if err := e.ConfigureDependencies([]kind.Dependency{graphtest.Dependency(t, dep, "")}); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Assemble(context.Background(), a); err == nil {
			t.Errorf("%s is taken", match)
		}
	}
}

func TestFree(t *testing.T) {
	a := kindtest.New(t)
	kindtest.Put(t, a.Tree, "m.json", "m1", "m9")
	for at, want := range map[string]string{"/m.json": "/m.json-1", "/m1": "/m2", "/m9": "/m9-1", "/new": "/new"} {
		if got, err := free(context.Background(), a, at); got != want || err != nil {
			t.Errorf("%s: %s, %v", at, got, err)
		}
	}
}
