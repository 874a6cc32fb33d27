package project

import (
	"strings"
	"testing"

	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

const withMirrors = conf + `
aliases: {a: "https://a.invalid/", b: "https://b.invalid/", here: "%{project-root-uri}/x/"}
mirrors:
- name: one
  aliases: {a: ["https://one.invalid/", "https://uno.invalid/"]}
- name: two
  aliases: {a: ["https://two.invalid/"]}
`

// Which URLs there are to try, and in what order.
func TestAliasURLs(t *testing.T) {
	user := func(mirrors string) map[string]stream.ProjectSettings {
		return map[string]stream.ProjectSettings{"test": {Mirrors: mirrors, DefaultMirror: "far"}}
	}
	const mine = "mirrors:\n- {name: near, aliases: {a: [file:///near/]}}\n- {name: far, aliases: {a: [file:///far/]}}\n"
	for _, tt := range []struct {
		name    string
		options Options
		a, b    []string
	}{
		{"the first mirror", Options{},
			[]string{"https://one.invalid/x", "https://uno.invalid/x", "https://two.invalid/x", "https://a.invalid/x"}, []string{"https://b.invalid/x"}},
		{"the command line's mirror", Options{DefaultMirror: "two"},
			[]string{"https://two.invalid/x", "https://one.invalid/x", "https://uno.invalid/x", "https://a.invalid/x"}, []string{"https://b.invalid/x"}},
		{"aliases alone", Options{FetchSource: "aliases"}, []string{"https://a.invalid/x"}, []string{"https://b.invalid/x"}},
		{"mirrors alone", Options{FetchSource: "mirrors"},
			[]string{"https://one.invalid/x", "https://uno.invalid/x", "https://two.invalid/x"}, []string{}},
		{"no mirrors of the user's", Options{FetchSource: "user"}, []string{}, []string{}},
		{"the user's mirrors", Options{FetchSource: "user", Projects: user(mine)}, []string{"file:///far/x", "file:///near/x"}, []string{}},
		{"the user's in the place of the project's", Options{FetchSource: "all", Projects: user(mine)},
			[]string{"file:///far/x", "file:///near/x", "https://a.invalid/x"}, []string{"https://b.invalid/x"}},
		{"none at all", Options{Projects: user("mirrors: []\n")}, []string{"https://a.invalid/x"}, []string{"https://b.invalid/x"}},
	} {
		p, err := open(t, withMirrors, tt.options)
		if err != nil {
			t.Fatal(err)
		}
		for alias, want := range map[string][]string{"a": tt.a, "b": tt.b, "none": nil} {
			if diff := cmp.Diff(want, p.AliasURLs(alias, "x", false)); diff != "" {
				t.Errorf("%s: alias %s: %s", tt.name, alias, diff)
			}
		}
	}
	p, err := open(t, withMirrors, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := p.TranslateURL("here:y", false); err != nil || !strings.HasPrefix(got, "file:///") || !strings.HasSuffix(got, "/x/y") {
		t.Errorf("%s, %v", got, err)
	}
}

func TestMirrorKinds(t *testing.T) {
	p, err := open(t, conf+`
aliases: {a: 'https://own.invalid/a/', b: 'https://own.invalid/b/'}
mirrors:
- {name: plain, kind: simple_mirror, config: {url: 'https://plain.invalid/{alias}', aliases: [a]}}
- {name: lfs, kind: gitlab_lfs_mirror, config: {url: 'https://lfs.invalid/', project: 'mirrors/{alias}', aliases: [a]}}
- {name: usual, aliases: {a: ['https://usual.invalid/']}}
- {name: other, kind: elsewhere, config: {any: thing}}
`, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"a": {"https://plain.invalid/a/x/y z.tar",
			"https://lfs.invalid/api/v4/projects/mirrors%2Fa/repository/files/x%2Fy%20z.tar/raw?ref=master&lfs=true",
			"https://usual.invalid/x/y z.tar", "https://own.invalid/a/x/y z.tar"},
		"b": {"https://own.invalid/b/x/y z.tar"},
	}
	for alias, urls := range want {
		if diff := cmp.Diff(urls, p.AliasURLs(alias, "x/y z.tar", false)); diff != "" {
			t.Errorf("%s: %s", alias, diff)
		}
	}
	for _, mirror := range []string{
		"kind: simple_mirror, config: {}", "kind: simple_mirror, config: {url: x}",
		"kind: simple_mirror, config: {url: x, aliases: [a], other: y}",
		"kind: gitlab_lfs_mirror, config: {url: x, aliases: [a]}",
		"kind: gitlab_lfs_mirror, config: {project: x, aliases: [a]}",
		"kind: gitlab_lfs_mirror, aliases: {}", "aliases: []", "aliases: {a: x}", "config: {}",
	} {
		if _, err := open(t, conf+"mirrors:\n- {name: m, "+mirror+"}\n", Options{}); err == nil {
			t.Errorf("%s is taken", mirror)
		}
	}
}

// A junction's aliases may be those of the project that it is in, whose mirrors
// are then the ones to try.
func TestJunctionMirrors(t *testing.T) {
	for _, tt := range []struct {
		name, junction, conf string
		want                 []string
	}{
		{"its own", "", "", []string{"https://theirs.invalid/x"}},
		{"mapped", "aliases: {theirs: a}", "", []string{"https://mirror.invalid/x", "https://a.invalid/x"}},
		{"all by their names", "map-aliases: identity", "", []string{"https://ours.invalid/x"}},
		{"not allowed", "", "junctions: {disallow-subproject-uris: True}\n", nil},
		{"allowed by a mapping", "aliases: {theirs: a}", "junctions: {disallow-subproject-uris: True}\n",
			[]string{"https://mirror.invalid/x", "https://a.invalid/x"}},
	} {
		p, err := open(t, "\n-- project.conf --\nname: top\nmin-version: 2.0\n"+tt.conf+`
aliases: {a: "https://a.invalid/", theirs: "https://ours.invalid/"}
mirrors:
- {name: m, aliases: {a: ["https://mirror.invalid/"]}}
-- a.bst --
kind: stack
depends: ["sub.bst:b.bst"]
-- sub.bst --
kind: junction
sources: [{kind: local, path: sub}]
config: {`+tt.junction+`}
-- sub/project.conf --
name: sub
min-version: 2.0
aliases: {theirs: "https://theirs.invalid/"}
-- sub/b.bst --
kind: stack
`, Options{})
		if err != nil {
			t.Fatal(err)
		}
		loaded, err := p.Load(t.Context(), []string{"a.bst"}, LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range loaded.All {
			if e.Name != "b.bst" {
				continue
			}
			if diff := cmp.Diff(tt.want, e.Project.AliasURLs("theirs", "x", false)); diff != "" {
				t.Errorf("%s: %s", tt.name, diff)
			}
		}
	}
}
