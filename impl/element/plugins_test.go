package element_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"bst/impl/element"
	"bst/impl/kind"
	"bst/impl/kind/all"
	"bst/impl/kind/manual"
	"bst/impl/project"
	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

// twin is the kind "twin", which knows one Python file.
func twin(file string) kind.Traits {
	sum := sha256.Sum256([]byte(file))
	traits := manual.Traits()
	traits.Kind, traits.Plugins = "twin", kind.Plugins{Files: []string{hex.EncodeToString(sum[:])}}
	return traits
}

func resolveWith(t *testing.T, dir string, more ...kind.Traits) (*element.Graph, error) {
	t.Helper()
	registry, err := element.NewRegistry(append(all.Elements(), more...), all.Sources())
	if err != nil {
		t.Fatal(err)
	}
	p, err := project.Open(context.Background(), project.Options{Directory: dir})
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := p.Load(context.Background(), []string{"a.bst"}, project.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return element.Resolve(context.Background(), loaded, registry, element.Options{})
}

// plainFile is a plugin without code.
const plainFile = `from buildstream import BuildElement

class Ours(BuildElement):
    BST_MIN_VERSION = "2.0"

def setup():
    return Ours
`

const junctionFile = "kind: junction\nsources: [{kind: local, path: sub}]\n"

// Defaults come from beside the plugin's file, wherever that is.
func TestPluginDefaults(t *testing.T) {
	const local = "plugins:\n- {origin: local, path: plugins, elements: [twin]}\n"
	t.Setenv("PYTHONPATH", "")
	t.Setenv("VIRTUAL_ENV", "")
	for _, tt := range []struct {
		name, conf string
		files      map[string]string
		want       string
		notes      int
	}{
		{"a file of the project", local, map[string]string{
			"a.bst": "kind: twin\n", "plugins/twin.py": "known", "plugins/twin.yaml": "variables: {flavour: local}\n",
		}, "local", 0},
		{"without defaults", local, map[string]string{
			"a.bst": "kind: twin\nvariables: {flavour: own}\n", "plugins/twin.py": "known",
		}, "own", 0},
		{"a package across a junction", "plugins:\n- {origin: junction, junction: sub.bst, elements: [pyproject]}\n", map[string]string{
			"a.bst": "kind: pyproject\n", "sub.bst": junctionFile,
			"sub/project.conf": "name: buildstream-plugins-community\nmin-version: 2.0\nplugins:\n" +
				"- {origin: local, path: elements, elements: [pyproject]}\n",
			"sub/elements/pyproject.yaml": "variables: {flavour: packaged}\n",
		}, "packaged", 0},
		{"a file across a junction", "plugins:\n- {origin: junction, junction: sub.bst, elements: [twin]}\n", map[string]string{
			"a.bst": "kind: twin\n", "sub.bst": junctionFile,
			"sub/project.conf":    "name: anything\nmin-version: 2.0\n" + local,
			"sub/plugins/twin.py": "known", "sub/plugins/twin.yaml": "variables: {flavour: theirs}\n",
		}, "theirs", 0},
		{"a plain build element", "plugins:\n- {origin: local, path: plugins, elements: [ours]}\n", map[string]string{
			"a.bst": "kind: ours\n", "plugins/ours.yaml": "variables: {flavour: plain}\n",
			"plugins/ours.py": plainFile,
		}, "plain", 0},
		{"a plain build element of a kind's name", "plugins:\n- {origin: local, path: plugins, elements: [make]}\n", map[string]string{
			"a.bst": "kind: make\n", "plugins/make.yaml": "variables: {flavour: plain}\n",
			"plugins/make.py": plainFile,
		}, "plain", 0},
		{"a file by another name", "plugins:\n- {origin: local, path: plugins, elements: [sibling]}\n", map[string]string{
			"a.bst": "kind: sibling\n", "plugins/sibling.py": "known", "plugins/sibling.yaml": "variables: {flavour: renamed}\n",
		}, "renamed", 0},
		{"a package that is not installed", "plugins:\n- {origin: pip, package-name: buildstream-plugins, elements: [make]}\n",
			map[string]string{"a.bst": "kind: make\nvariables: {flavour: own}\n"}, "own", 1},
		{"a junction that is not here", "plugins:\n- {origin: junction, junction: sub.bst, elements: [make]}\n",
			map[string]string{"a.bst": "kind: make\nvariables: {flavour: own}\n",
				"sub.bst": "kind: junction\nsources: [{kind: tar, url: x}]\n"}, "own", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			graph, err := resolveWith(t, writeProject(t, tt.conf, tt.files), twin("known"))
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := graph.Targets[0].Variables.Get("flavour"); got != tt.want {
				t.Errorf("the flavour is %q", got)
			}
			if len(graph.Notes) != tt.notes {
				t.Errorf("notes: %v", graph.Notes)
			}
		})
	}
}

// A plugin that was edited is never taken for the known one.
func TestUnknownPlugins(t *testing.T) {
	for _, tt := range []struct {
		name, conf string
		files      map[string]string
		reason     string
		detail     []string
	}{
		{"an edited file", "plugins:\n- {origin: local, path: plugins, elements: [twin]}\n", map[string]string{
			"a.bst": "kind: twin\n", "plugins/twin.py": "edited",
		}, "plugin-unknown", []string{"local: plugins", "SHA-256"}},
		{"a file of no kind's name", "plugins:\n- {origin: local, path: plugins, elements: [ours]}\n", map[string]string{
			"a.bst": "kind: ours\n", "plugins/ours.py": plainFile + "print()\n",
		}, "plugin-not-found", []string{"local: plugins", "SHA-256", "'ours' built in"}},
		{"a source file of no kind's name", "plugins:\n- {origin: local, path: plugins, sources: [ours]}\n", map[string]string{
			"a.bst": "kind: import\nsources: [{kind: ours}]\n", "plugins/ours.py": "edited",
		}, "plugin-not-found", []string{"local: plugins", "SHA-256", "'ours' built in"}},
		{"a file that is not there", "plugins:\n- {origin: local, path: plugins, elements: [twin]}\n", map[string]string{
			"a.bst": "kind: twin\n", "plugins/other.py": "",
		}, "plugin-not-found", []string{"local: plugins", "twin.py"}},
		{"a file of a core kind's name", "plugins:\n- {origin: local, path: plugins, elements: [manual]}\n", map[string]string{
			"a.bst": "kind: manual\n", "plugins/manual.py": "mine",
		}, "plugin-unknown", []string{"local: plugins"}},
		{"a source of a kind's name", "plugins:\n- {origin: local, path: plugins, sources: [tar]}\n", map[string]string{
			"a.bst": "kind: import\nsources: [{kind: tar, url: x}]\n", "plugins/tar.py": "mine",
		}, "plugin-unknown", []string{"local: plugins"}},
		{"another package", "plugins:\n- {origin: pip, package-name: our-plugins, elements: [make]}\n", map[string]string{
			"a.bst": "kind: make\n",
		}, "plugin-unknown", []string{"pip: our-plugins", "buildstream-plugins"}},
		{"another project", "plugins:\n- {origin: junction, junction: sub.bst, elements: [pyproject]}\n", map[string]string{
			"a.bst": "kind: pyproject\n", "sub.bst": junctionFile,
			"sub/project.conf": "name: ours\nmin-version: 2.0\nplugins:\n- {origin: local, path: ., elements: [pyproject]}\n",
			"sub/pyproject.py": "ours",
		}, "plugin-unknown", []string{"local: . (in sub.bst)"}},
		{"a kind that the junction lacks", "plugins:\n- {origin: junction, junction: sub.bst, elements: [pyproject]}\n", map[string]string{
			"a.bst": "kind: pyproject\n", "sub.bst": junctionFile, "sub/project.conf": "name: ours\nmin-version: 2.0\n",
		}, "junction-plugin-not-found", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := resolveWith(t, writeProject(t, tt.conf, tt.files), twin("known"))
			var told *stream.Error
			if !errors.As(err, &told) {
				t.Fatalf("error: %v", err)
			}
			if diff := cmp.Diff([]string{"PLUGIN", tt.reason}, []string{string(told.Domain), told.Reason}); diff != "" {
				t.Error(diff)
			}
			for _, text := range tt.detail {
				if !strings.Contains(told.Detail, text) {
					t.Errorf("the detail does not tell %q:\n%s", text, told.Detail)
				}
			}
		})
	}
}

// What is declared and not used need not be known, nor be there.
func TestUnusedPlugins(t *testing.T) {
	dir := writeProject(t, "plugins:\n- {origin: local, path: plugins, elements: [twin, nothing], sources: [no]}\n"+
		"- {origin: junction, junction: nowhere.bst, elements: [far]}\n", map[string]string{
		"a.bst": "kind: manual\n", "plugins/twin.py": "edited",
	})
	if _, err := resolveWith(t, dir, twin("known")); err != nil {
		t.Error(err)
	}
}

// The text of a key is what the key is the digest of.
func TestKeyText(t *testing.T) {
	graph, err := resolveWith(t, writeProject(t, "", map[string]string{
		"a.bst": "kind: compose\nbuild-depends: [b.bst]\n",
		"b.bst": "kind: manual\nbuild-depends: [{filename: c.bst, strict: True}, d.bst]\n",
		"c.bst": "kind: manual\n", "d.bst": "kind: manual\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range graph.Elements {
		for weak, key := range map[bool]string{true: e.WeakKey, false: e.StrictKey} {
			text, err := graph.KeyText(e, weak)
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(text)
			if got := hex.EncodeToString(sum[:]); got != key {
				t.Errorf("%s (weak %v): %s of %s, not %s", e.Name, weak, got, text, key)
			}
		}
	}
}

// Kinds that stand for single files may share a name; of kinds that are more
// there is one.
func TestRegistry(t *testing.T) {
	released := twin("released")
	released.Plugins.Packages = []string{kind.Community}
	for _, tt := range []struct {
		name  string
		kinds []kind.Traits
		fails bool
	}{
		{"a file beside a package", []kind.Traits{twin("one"), released, twin("two")}, false},
		{"a file twice", []kind.Traits{twin("one"), twin("one")}, true},
		{"a package twice", []kind.Traits{manual.Traits(), manual.Traits()}, true},
	} {
		if _, err := element.NewRegistry(tt.kinds, nil); err != nil != tt.fails {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
