package project

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bst/impl/stream"
)

func TestVersionMeets(t *testing.T) {
	for _, tt := range []struct {
		version, conditions string
		want                bool
	}{
		{"2.7.0", "==2.7.0", true},
		{"2.7.0", "==2.7", true},
		{"2.7.0", "==2.7.*", true},
		{"2.8.0", "==2.7.*", false},
		{"2.7.0", "!=2.7.*", false},
		{"2.7.0", ">=2.5,<3", true},
		{"2.7.0", "> 2.5, < 2.7", false},
		{"2.7.1", "~=2.7.0", true},
		{"2.8.0", "~=2.7.0", false},
		{"2.8", "~=2", false},
		{"", "==2.7.0", false},
		{"2.7.0rc1", ">=2.5", false},
		{"2.7.0", "2.7.0", false},
		{"2.7.0", ">=2.*", false},
	} {
		if got := versionMeets(tt.version, tt.conditions); got != tt.want {
			t.Errorf("%q meets %q: %v", tt.version, tt.conditions, got)
		}
	}
}

func TestPipDir(t *testing.T) {
	dir := t.TempDir()
	want := filepath.Join(dir, "some_plugins", "elements")
	for _, made := range []string{want, filepath.Join(dir, "some_plugins-2.5.0.dist-info")} {
		if err := os.MkdirAll(made, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("VIRTUAL_ENV", "")
	t.Setenv("PYTHONPATH", "relative"+string(filepath.ListSeparator)+dir)
	for requirement, found := range map[string]bool{
		"some-plugins":              true,
		"some_plugins[extra]>=2":    true,
		"some-plugins (==2.5.0)":    true,
		"some-plugins == 2.6.0":     false,
		"other-plugins":             false,
		"../some_plugins":           false,
		"some-plugins; os == 'any'": true,
	} {
		got := (&Project{session: new(session)}).pipDir(requirement, PluginElement)
		if got == want != found {
			t.Errorf("%q: %q", requirement, got)
		}
	}
	if got := (&Project{session: new(session)}).pipDir("some-plugins", PluginSource); got != "" {
		t.Errorf("a folder that is not there: %q", got)
	}
}

// origins is a project that takes kinds from everywhere.
const origins = `
-- project.conf --
name: top
min-version: 2.0
plugins:
- {origin: local, path: plugins, elements: [own]}
- {origin: pip, package-name: some_plugins==9, sources: [fetched]}
- {origin: junction, junction: sub.bst, elements: [theirs, further, unknown, round], sources: [theirs]}
- {origin: junction, junction: far.bst, elements: [faraway]}
-- plugins/own.py --
-- sub.bst --
kind: junction
sources: [{kind: local, path: sub}]
-- far.bst --
kind: junction
sources: [{kind: remote, url: 'x'}]
-- sub/project.conf --
name: sub
min-version: 2.0
plugins:
- {origin: local, path: kinds, elements: [theirs], sources: [theirs]}
- {origin: junction, junction: sub.bst, elements: [further, missing, round]}
-- sub/kinds/theirs.py --
-- sub/sub.bst --
kind: junction
sources: [{kind: local, path: sub}]
-- sub/sub/project.conf --
name: subsub
min-version: 2.0
plugins:
- {origin: pip, package-name: other, elements: [further]}
`

func TestPlugin(t *testing.T) {
	t.Setenv("PYTHONPATH", "")
	t.Setenv("VIRTUAL_ENV", "")
	p, err := open(t, origins, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		what       PluginType
		kind, want string
		dir        string
	}{
		{PluginElement, "own", "local: plugins", "plugins"},
		{PluginSource, "own", "", ""},
		{PluginSource, "fetched", "pip: some_plugins==9", ""},
		{PluginElement, "theirs", "local: kinds (in sub.bst)", "sub/kinds"},
		{PluginSource, "theirs", "local: kinds (in sub.bst)", "sub/kinds"},
		{PluginElement, "further", "pip: other (in sub.bst:sub.bst)", ""},
	} {
		got, err := p.Plugin(context.Background(), tt.what, tt.kind)
		if err != nil {
			t.Errorf("%s: %v", tt.kind, err)
			continue
		}
		if got == nil {
			if tt.want != "" {
				t.Errorf("%s is not found", tt.kind)
			}
			continue
		}
		if got.String() != tt.want {
			t.Errorf("%s: %s", tt.kind, got)
		}
		dir := ""
		if tt.dir != "" {
			dir = filepath.Join(p.Dir, tt.dir)
		}
		if got.Dir != dir {
			t.Errorf("%s lies in %s", tt.kind, got.Dir)
		}
	}
	_, err = p.Plugin(context.Background(), PluginElement, "unknown")
	var told *stream.Error
	if !errors.As(err, &told) || told.Domain != stream.DomainPlugin || told.Reason != "junction-plugin-not-found" {
		t.Errorf("a kind that the junction's project lacks: %v", err)
	}
	_, err = p.Plugin(context.Background(), PluginElement, "round")
	if !errors.As(err, &told) || told.Reason != "junction-plugin-load-error" {
		t.Errorf("a kind that is missing two junctions on: %v", err)
	}
	if _, err = p.Plugin(context.Background(), PluginElement, "faraway"); !NotFetched(err) {
		t.Errorf("a junction that is not here: %v", err)
	}
}

// A project whose junction is overridden by one that leads back.
func TestPluginsInACircle(t *testing.T) {
	p, err := open(t, `
-- project.conf --
name: top
min-version: 2.0
plugins:
- {origin: junction, junction: sub.bst, elements: [x]}
-- sub.bst --
kind: junction
sources: [{kind: local, path: sub}]
config: {overrides: {other.bst: sub.bst}}
-- sub/project.conf --
name: sub
min-version: 2.0
plugins:
- {origin: junction, junction: other.bst, elements: [x]}
-- sub/other.bst --
kind: junction
sources: [{kind: local, path: .}]
`, Options{})
	if err == nil {
		_, err = p.Plugin(context.Background(), PluginElement, "x")
	}
	if err == nil {
		t.Error("the kind is found in a circle")
	}
}

// unreachable is a network that is down.
type unreachable struct{ tries int }

func (u *unreachable) CheckJunction(context.Context, *Element) error { return nil }

func (u *unreachable) FetchJunction(context.Context, *Junction) (string, error) {
	u.tries++
	return "", &stream.Error{Domain: stream.DomainSource, Message: "no route", Temporary: true}
}

func TestUnreachableJunction(t *testing.T) {
	network := &unreachable{}
	p, err := open(t, origins, Options{Junctions: network})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := p.Plugin(context.Background(), PluginElement, "faraway"); !NotFetched(err) {
			t.Errorf("error: %v", err)
		}
	}
	if network.tries != 1 {
		t.Errorf("%d tries", network.tries)
	}
}

// A kind comes from one origin; that an origin lists it twice is nothing.
func TestDuplicatePlugins(t *testing.T) {
	const text = `
name: test
min-version: 2.0
plugins:
- {origin: pip, package-name: one, elements: [a, a], sources: [a], source-mirrors: [m]}
- {origin: pip, package-name: two, `
	wants := map[string]string{
		"elements: [b], sources: [b]}":          "",
		"source-mirrors: [a]}":                  "",
		"elements: [b, {kind: a}]}":             "More than one element plugin registered as kind 'a'",
		"sources: [a]}":                         "More than one source plugin registered as kind 'a'",
		"source-mirrors: [m]}":                  "More than one source-mirror plugin registered as kind 'm'",
		"elements: [a], sources: [a]}":          "More than one element plugin registered as kind 'a'",
		"allow-deprecated: true, sources: [a]}": "More than one source plugin registered as kind 'a'",
	}
	for second, want := range wants {
		_, err := open(t, "-- project.conf --"+text+second+"\n", Options{})
		var e *stream.Error
		errors.As(err, &e)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", second, err)
		case want != "" && (e == nil || e.Domain != stream.DomainPlugin || e.Reason != "duplicate-plugin" || e.Message != want):
			t.Errorf("%s: %v, want %s", second, err, want)
		}
	}
}

// A junction that is not there is named where the origin begins.
func TestMissingPluginJunction(t *testing.T) {
	p, err := open(t, `-- project.conf --
name: test
min-version: 2.0
plugins:
- origin: pip
  package-name: one
- origin: junction
  junction: nowhere.bst
  elements: [a]
`, Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Plugin(context.Background(), PluginElement, "a")
	var e *stream.Error
	const at = "project.conf [line 6 column 2]: "
	if !errors.As(err, &e) || e.Reason != "MISSING_FILE" || !strings.HasPrefix(e.Message, at) {
		t.Errorf("got %v, want LOAD/MISSING_FILE at %s", err, at)
	}
}
