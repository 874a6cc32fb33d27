package collectmanifest

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"bst/impl/kind"
	"bst/impl/kind/kindtest"
	"bst/impl/kind/kindtest/graphtest"
	"bst/impl/node"
	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, text string) *node.Node {
	n, err := node.Parse([]byte(text), "public")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// graph is what the tests describe: sources of most media, a dependency whose
// manifest was made before, and one that was made without the newer reports.
func graph(t *testing.T, a *kindtest.Assembly) []kind.Dependency {
	git := func(ref string) kind.SourceInfo {
		info := kind.SourceInfo{URL: "https://x.invalid/lib.git", Medium: kind.MediumGit, Version: "abc", Ref: ref, Guess: "3.4"}
		if ref != "" {
			info.Extra = []stream.Pair{{Name: "tag-name", Value: "v3.4"}, {Name: "commit-offset", Value: "0"}}
		}
		return info
	}
	lib := graphtest.New("libs/lib.bst").Source("git_repo", git("v3.4-0-gabc"))
	app := graphtest.New("app.bst", lib).
		Source("tar", kind.SourceInfo{URL: "https://x.invalid/app_1_2.tar", Medium: kind.MediumRemote, Version: "sum",
			Provenance: parse(t, "homepage: h")}).
		Source("patch", kind.SourceInfo{URL: "patches/a.patch", Medium: kind.MediumLocal, Version: "p"}).
		Source("local", kind.SourceInfo{URL: "files/ä😀", Medium: kind.MediumLocal, Version: "l"}).
		Source("docker", kind.SourceInfo{URL: "https://y.invalid", Medium: kind.MediumOCI, Version: "d"}).
		Source("unknown")
	made, legacy := graphtest.New("made.bst", app), graphtest.New("legacy.bst")
	a.Publics = map[string]*node.Node{
		"":             parse(t, "{}"),
		"libs/lib.bst": parse(t, "{}"),
		"app.bst":      parse(t, "cpe: {vendor: v, patches: [CVE-1], version-match: '(\\d+)_(\\d+)'}"),
		"made.bst": parse(t, "cpe-manifest: {modules: [{name: before}, {name: it/too, x-cpe: {product: q, version: '7'}, sources: [{type: archive, url: 'u/q-7.zip'}]}]}\n"+
			"source-info-manifest: {element-infos: [{name: before, project-name: o, source-infos: [{kind: tar, url: u/b-1.tgz, medium: remote-file, version: s}]}, '']}"),
		"legacy.bst": parse(t, "cpe-manifest: {modules: [{name: l, x-cpe: {product: p}, sources: [{type: patch, path: z}]}]}"),
	}
	return []kind.Dependency{graphtest.Dependency(t, made, ""), graphtest.Dependency(t, lib, ""), graphtest.Dependency(t, legacy, "")}
}

func TestManifest(t *testing.T) {
	for _, name := range []string{"manifest", "manifest without provenance", "spdx", "spdx without provenance"} {
		t.Run(name, func(t *testing.T) {
			config := "path: /usr/manifest.json\n"
			if strings.HasPrefix(name, "spdx") {
				config += "output-type: spdx\nspdx-info: {name: n, creators: ['Tool: t'], created: 86400, doc-namespace: 'https://z.invalid/', data-license: CC0-1.0}\n"
			}
			if strings.HasSuffix(name, "without provenance") {
				config += "use-source-provenance: False\n"
			}
			a := kindtest.New(t)
			e, err := kindtest.Configure(t, Traits(), a, config)
			if err != nil {
				t.Fatal(err)
			}
			if err := e.ConfigureDependencies(graph(t, a)); err != nil {
				t.Fatal(err)
			}
			if _, err := e.Assemble(context.Background(), a); err != nil {
				t.Fatal(err)
			}
			got, err := a.Tree.ReadFile("usr/manifest.json")
			if err != nil {
				t.Fatal(err)
			}
			if !json.Valid(got) {
				t.Error("it is not JSON")
			}
			golden := "testdata/" + strings.ReplaceAll(name, " ", "-") + ".golden"
			got = append(append(got, "\n---\n"...), strings.Join(a.Log, "\n")+"\n"...)
			if os.Getenv("UPDATE_GOLDEN") != "" {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What is published can be read back, and stands for its elements.
func TestManifestOfManifest(t *testing.T) {
	broken := "cpe-manifest: {modules: [{name: x}]}\nsource-info-manifest: {element-infos: [{name: x}, {name: y}]}"
	a := kindtest.New(t)
	a.Publics = map[string]*node.Node{"": parse(t, "{}"), "x.bst": parse(t, broken)}
	e, err := kindtest.Configure(t, Traits(), a, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.ConfigureDependencies([]kind.Dependency{graphtest.Dependency(t, graphtest.New("x.bst"), "")}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Assemble(context.Background(), a); err == nil || !strings.Contains(err.Error(), "1 modules") {
		t.Errorf("lists of two lengths: %v", err)
	}
}

func TestConfigure(t *testing.T) {
	for config, want := range map[string]string{
		"output-type: xml":               "should be one of 'manifest, spdx'",
		"spdx-info: {creator: x}":        "creator",
		"spdx-info: {created: tomorrow}": "created",
		"spdx-info: {creators: x}":       "creators",
		"use-source-provenance: 3":       "use-source-provenance",
		"path: [x]":                      "path",
	} {
		if _, err := kindtest.Configure(t, Traits(), kindtest.New(t), config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", config, err)
		}
	}
}

func TestVariants(t *testing.T) {
	config := "output-type: spdx\nuse-source-provenance: True"
	for file, want := range map[string]string{
		"def get_unique_key":                                   `{"path":null}`,
		"def get_unique_key output-type":                       `{"output_type":"spdx","path":null,"spdx_info":[null,null,null,null,null]}`,
		"def get_unique_key output-type use-source-provenance": `{"output_type":"spdx","path":null,"source_provenance":true,"spdx_info":[null,null,null,null,null]}`,
	} {
		e, err := kindtest.Configure(t, Traits().Variant(file), kindtest.New(t), config)
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(e.UniqueKey())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
}

func TestCreatedOutOfRange(t *testing.T) {
	a := kindtest.New(t)
	a.Publics = map[string]*node.Node{"": parse(t, "{}")}
	e, err := kindtest.Configure(t, Traits(), a, "path: /m\noutput-type: spdx\nspdx-info: {created: 999999999999}")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Assemble(context.Background(), a); err == nil || !strings.Contains(err.Error(), "years 1 to 9999") {
		t.Errorf("%v", err)
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
	for at, want := range map[string]string{"/m.json": "/m.json-1", "/m1": "/m2", "/m9": "/m10", "/new": "/new"} {
		if got, err := free(context.Background(), a, at); got != want || err != nil {
			t.Errorf("%s: %s, %v", at, got, err)
		}
	}
}
