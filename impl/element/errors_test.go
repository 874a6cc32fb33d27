package element_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

// writeProject writes files given as "name: content", and a project.conf that
// conf is added to.
func writeProject(t testing.TB, conf string, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files["project.conf"] = "name: test\nmin-version: 2.0\n" + conf
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestErrors(t *testing.T) {
	const pip = "plugins:\n- origin: pip\n  package-name: x\n  elements: [%]\n"
	tests := []struct {
		name, conf string
		element    string
		want       stream.Error
	}{
		{"unknown kind", "", "kind: sausage\n", stream.Error{
			Domain: "PLUGIN", Reason: "plugin-not-found",
			Message: "a.bst [line 1 column 0]: No element plugin registered for kind 'sausage'",
			Detail:  "Check its spelling: the element kinds built in are autotools, "}},
		{"not declared", "", "kind: autotools\n", stream.Error{
			Domain: "PLUGIN", Reason: "plugin-not-found",
			Message: "a.bst [line 1 column 0]: No element plugin registered for kind 'autotools'",
			Detail:  "The kind 'autotools' is built in, but the project does not declare it.\n"}},
		{"a Python plugin", strings.ReplaceAll(pip, "%", "sausage"), "kind: sausage\n", stream.Error{
			Domain: "PLUGIN", Reason: "plugin-not-found",
			Message: "a.bst [line 1 column 0]: No element plugin registered for kind 'sausage'",
			Detail:  "project.conf [line 4 column 2]: the project takes it from pip: x, as a Python plugin.\n"}},
		{"unknown source kind", "", "kind: import\nsources:\n- kind: sausage\n", stream.Error{
			Domain: "PLUGIN", Reason: "plugin-not-found",
			Message: "a.bst [line 3 column 2]: No source plugin registered for kind 'sausage'",
			Detail:  "Check its spelling: the source kinds built in are anitya, "}},
		{"workspace source", "", "kind: import\nsources:\n- kind: workspace\n", stream.Error{
			Domain: "LOAD", Reason: "INVALID_DATA", Message: "a.bst [line 3 column 8]: Invalid usage of workspace source kind"}},
		{"unknown key", "", "kind: manual\nsauces: []\n", stream.Error{
			Domain: "LOAD", Reason: "INVALID_DATA", Message: "a.bst [line 2 column 8]: Unexpected key: sauces"}},
		{"unknown config", "", "kind: manual\nconfig:\n  run: []\n", stream.Error{
			Domain: "LOAD", Reason: "INVALID_DATA", Message: "a.bst [line 3 column 7]: Unexpected key: run"}},
		{"undefined variable in config", "", "kind: manual\nconfig:\n  build-commands:\n  - '%{nothing}'\n", stream.Error{
			Domain: "LOAD", Reason: "UNRESOLVED_VARIABLE", Message: "a.bst [line 4 column 4]: Reference to undefined variable 'nothing'"}},
		{"undefined variable in public", "", "kind: manual\npublic:\n  x: ['%{nothing}']\n", stream.Error{
			Domain: "LOAD", Reason: "UNRESOLVED_VARIABLE", Message: "a.bst [line 3 column 6]: Reference to undefined variable 'nothing'"}},
		{"undefined variable in a split rule of the project", "split-rules:\n  x: ['%{nothing}']\n", "kind: manual\n", stream.Error{
			Domain: "LOAD", Reason: "UNRESOLVED_VARIABLE", Message: "project.conf [line 4 column 6]: Reference to undefined variable 'nothing'"}},
		{"undefined variable in a source", "", "kind: import\nsources:\n- kind: tar\n  url: '%{nothing}'\n", stream.Error{
			Domain: "LOAD", Reason: "UNRESOLVED_VARIABLE", Message: "a.bst [line 4 column 7]: Reference to undefined variable 'nothing'"}},
		{"directive without a list", "", "kind: manual\npublic:\n  x: {(>): [a]}\n", stream.Error{
			Domain: "LOAD", Reason: "TRAILING_LIST_DIRECTIVE"}},
		{"directive without a list, in config", "", "kind: manual\nconfig:\n  x: {(>): [a]}\n", stream.Error{
			Domain: "LOAD", Reason: "TRAILING_LIST_DIRECTIVE"}},
		{"protected", "", "kind: manual\nvariables:\n  project-name: x\n", stream.Error{
			Domain: "LOAD", Reason: "PROTECTED_VARIABLE_REDEFINED",
			Message: "a.bst [line 3 column 16]: invalid redefinition of protected variable 'project-name'"}},
		{"config of a dependency", "", "kind: compose\nbuild-depends:\n- filename: b.bst\n  config: {location: /}\n", stream.Error{
			Domain: "LOAD", Reason: "INVALID_DEPENDENCY_CONFIG",
			Message: "a.bst [line 4 column 10]: Custom dependency configuration is not supported by element plugin 'compose'"}},
		{"sources of a stack", "", "kind: stack\nsources:\n- kind: local\n  path: b.bst\n", stream.Error{
			Domain: "ELEMENT", Reason: "element-forbidden-sources",
			Message: "stack element at a.bst [line 1 column 0]: Sources are forbidden for 'stack' elements"}},
		{"runtime dependencies of a script", "", "kind: script\nruntime-depends: [b.bst]\n", stream.Error{
			Domain: "ELEMENT", Reason: "element-forbidden-rdepends",
			Message: "script element at a.bst [line 1 column 0]: Runtime dependencies are forbidden for 'script' elements"}},
		{"a stack of build dependencies", "", "kind: stack\nbuild-depends: [b.bst]\n", stream.Error{
			Domain: "ELEMENT", Reason: "stack-requires-build-and-run",
			Message: "stack element at a.bst [line 1 column 0]: All dependencies of 'stack' elements must be both build and runtime dependencies"}},
		{"import without sources", "", "kind: import\n", stream.Error{
			Domain: "ELEMENT", Message: "import element at a.bst [line 1 column 0]: An import element must have at least one source."}},
		{"filter of two", "", "kind: filter\nbuild-depends: [b.bst, c.bst]\n", stream.Error{
			Domain: "ELEMENT", Reason: "filter-bdepend-wrong-count", Detail: "Full list of build-depends:\nb.bst\nc.bst",
			Message: "filter element at a.bst [line 1 column 0]: FilterElement element must have exactly 1 build-dependency, actually have 2"}},
		{"filter at run time", "", "kind: filter\ndepends: [b.bst]\n", stream.Error{
			Domain: "ELEMENT", Reason: "filter-bdepend-also-rdepend"}},
		{"filter of a stack", "", "kind: filter\nbuild-depends: [d.bst]\n", stream.Error{
			Domain: "ELEMENT", Reason: "filter-bdepend-no-artifact"}},
		{"tracks what comes before, and is first", "plugins:\n- origin: pip\n  package-name: buildstream-plugins\n  sources: [pip]\n",
			"kind: manual\nsources:\n- kind: pip\n  url: https://x.example\n  packages: [a]\n", stream.Error{Domain: "ELEMENT"}},
		{"unknown architecture", "", "kind: manual\nsandbox:\n  build-arch: pdp-11\n", stream.Error{
			Domain: "PLATFORM", Message: "a.bst [line 3 column 14]: Unknown architecture: pdp-11"}},
		{"unknown sandbox key", "", "kind: manual\nsandbox:\n  arch: x86-64\n", stream.Error{
			Domain: "LOAD", Reason: "INVALID_DATA", Message: "a.bst [line 3 column 8]: Unexpected key: arch"}},
		{"unknown alias", "", "kind: import\nsources:\n- kind: tar\n  url: nowhere:x.tar\n", stream.Error{
			Domain: "SOURCE", Reason: "invalid-source-alias",
			Message: "tar source at a.bst [line 3 column 2]: Invalid alias 'nowhere' specified in URL: nowhere:x.tar"}},
		{"fatal unaliased URL", "fatal-warnings: [unaliased-url]\n", "kind: import\nsources:\n- kind: tar\n  url: https://x/y.tar\n", stream.Error{
			Domain: "PLUGIN", Reason: "unaliased-url"}},
		{"undefined attribute", "", "kind: import\nsources:\n- kind: local\n  path: b.bst\n  provenance: {colour: red}\n", stream.Error{
			Domain: "LOAD", Reason: "UNDEFINED_SOURCE_PROVENANCE_ATTRIBUTE"}},
		{"the environment holds a list", "", "kind: manual\nenvironment:\n  A: [b]\n", stream.Error{
			Domain: "LOAD", Reason: "INVALID_DATA"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := writeProject(t, tt.conf, map[string]string{
				"a.bst": tt.element, "b.bst": "kind: manual\n", "c.bst": "kind: manual\n", "d.bst": "kind: stack\n",
			})
			_, err := resolveProject(t, dir, "a.bst")
			var got *stream.Error
			if !errors.As(err, &got) {
				t.Fatalf("got %v", err)
			}
			if tt.want.Message == "" {
				got.Message = ""
			}
			if strings.HasPrefix(got.Detail, tt.want.Detail) {
				got.Detail = tt.want.Detail
			}
			got.Cause = ""
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	dir := writeProject(t, "ref-storage: project.refs\n", map[string]string{
		"a.bst": "kind: import\nsources:\n- kind: tar\n  url: https://x/y.tar\n  ref: abc\n",
	})
	g, err := resolveProject(t, dir, "a.bst")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"[unaliased-url]: tar source at a.bst [line 3 column 2]: Use of unaliased source download URL: https://x/y.tar\n",
		"Ignoring redundant source references\nThe following inline specified source references will be ignored:\n\n" +
			"a.bst [line 3 column 2]:abc",
	}
	var got []string
	for _, w := range g.Warnings {
		got = append(got, w.Text+"\n"+w.Detail)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if e := g.Targets[0]; e.SourcesResolved || e.WeakKey != "" {
		t.Errorf("resolved %v, key %q", e.SourcesResolved, e.WeakKey)
	}
}

// What an element finally has, layer by layer.
func TestLayers(t *testing.T) {
	dir := writeProject(t, `
variables: {level: project, from: project}
environment: {LEVEL: "%{level}", PATH: /bin}
elements:
  script:
    variables: {level: override, cwd: /over}
    environment: {KIND: "%{level}"}
    environment-nocache: [KIND]
    sandbox: {build-uid: 7}
`, map[string]string{"a.bst": `
kind: script
description: A script
variables: {from: element}
environment: {OWN: "%{from} %{cwd} %{level}"}
public: {mine: {x: "%{from}"}}
sandbox: {build-gid: 8}
`})
	g, err := resolveProject(t, dir, "a.bst")
	if err != nil {
		t.Fatal(err)
	}
	e := g.Targets[0]
	env := map[string]string{}
	for _, b := range e.Environment {
		env[b.Name] = b.Value
	}
	for name, want := range map[string]string{"LEVEL": "override", "PATH": "/bin", "KIND": "override", "OWN": "element /over override"} {
		if env[name] != want {
			t.Errorf("%s is %q, want %q", name, env[name], want)
		}
	}
	if diff := cmp.Diff([]string{"KIND"}, e.NoCache); diff != "" {
		t.Error(diff)
	}
	if e.Sandbox.BuildUID == nil || *e.Sandbox.BuildUID != 7 || e.Sandbox.BuildGID == nil || *e.Sandbox.BuildGID != 8 {
		t.Errorf("sandbox %+v", e.Sandbox)
	}
	if got := e.Public.Get("mine").Get("x").Text(); got != "element" {
		t.Errorf("public data: %q", got)
	}
	if e.Public.Get("bst").Get("split-rules").Get("runtime") == nil {
		t.Error("no split rules")
	}
	if e.Description != "A script" || e.NormalName != "a" {
		t.Errorf("%q %q", e.Description, e.NormalName)
	}
}

// However deep a person nests what elements hold, there is an answer.
func TestDeepData(t *testing.T) {
	const depth = 100000
	dir := writeProject(t, "", map[string]string{
		"a.bst": "kind: manual\npublic:\n  x: " + strings.Repeat("[", depth) + strings.Repeat("]", depth) + "\n",
	})
	if _, err := resolveProject(t, dir, "a.bst"); err == nil {
		t.Log("accepted")
	} else if len(err.Error()) > 1000 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}
