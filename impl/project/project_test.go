package project

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"bst/impl/stream"
)

// conf is the smallest project.conf.
const conf = "-- project.conf --\nname: test\nmin-version: 2.0\n"

// write lays a txtar archive out in a new directory.
func write(t *testing.T, archive string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func open(t *testing.T, archive string, o Options) (*Project, error) {
	t.Helper()
	o.Directory = write(t, archive)
	return Open(context.Background(), o)
}

func load(t *testing.T, archive string, targets ...string) (*Loaded, error) {
	t.Helper()
	p, err := open(t, archive, Options{})
	if err != nil {
		return nil, err
	}
	return p.Load(context.Background(), targets, LoadOptions{})
}

// deps writes an element's dependencies: name and type.
func deps(e *Element) string {
	var list []string
	for _, d := range e.Deps {
		kind := ""
		if d.Build {
			kind += "b"
		}
		if d.Runtime {
			kind += "r"
		}
		if d.Strict {
			kind += "s"
		}
		list = append(list, d.Element.FullName+":"+kind+strings.Repeat("c", len(d.Configs)))
	}
	return strings.Join(list, " ")
}

// wantError checks reason and text of an error, and that its provenance (the
// text's beginning) does not depend on where the test ran.
func wantError(t *testing.T, err error, reason, text string) {
	t.Helper()
	var e *stream.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want %s", err, reason)
	}
	if e.Reason != reason || !strings.Contains(e.Message+"\n"+e.Detail, text) {
		t.Errorf("got %s: %s\n%s\nwant %s: %s", e.Reason, e.Message, e.Detail, reason, text)
	}
}

func TestDependencyForms(t *testing.T) {
	const elements = `
-- a.bst --
kind: stack
-- b.bst --
kind: stack
depends: [a.bst]
-- c.bst --
kind: stack
-- link.bst --
kind: link
config:
  target: c.bst
`
	for _, test := range []struct{ name, top, want string }{
		{"string", "depends: [a.bst, c.bst]", "a.bst:br c.bst:br"},
		{"typed lists", "build-depends: [c.bst]\nruntime-depends: [a.bst]", "c.bst:b a.bst:r"},
		{"types", "depends: [{filename: a.bst, type: build}, {filename: c.bst, type: runtime}, {filename: b.bst, type: all}]",
			"a.bst:b b.bst:br c.bst:r"},
		{"list of files", "build-depends: [{filename: [c.bst, a.bst], strict: true}]", "a.bst:bs c.bst:bs"},
		{"order by dependency", "depends: [b.bst, a.bst]", "a.bst:br b.bst:br"},
		{"merge", "build-depends: [{filename: a.bst, config: {x: y}}, {filename: a.bst, config: {z: y}, strict: true}]\n" +
			"runtime-depends: [a.bst]", "a.bst:brscc"},
		{"merge through link", "build-depends: [c.bst]\nruntime-depends: [link.bst]", "c.bst:br"},
		{"spellings", "build-depends: [./a.bst]\nruntime-depends: [x/../a.bst]", "a.bst:br"},
		{"runtime last", "runtime-depends: [a.bst]\nbuild-depends: [c.bst]", "c.bst:b a.bst:r"},
	} {
		t.Run(test.name, func(t *testing.T) {
			loaded, err := load(t, conf+"-- top.bst --\nkind: stack\n"+test.top+elements, "top.bst")
			if err != nil {
				t.Fatal(err)
			}
			top := loaded.Targets[0]
			if diff := cmp.Diff(test.want, deps(top)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"kind"}, top.Node.Keys()); diff != "" {
				t.Errorf("keys that are left: %s", diff)
			}
		})
	}
}

func TestElementErrors(t *testing.T) {
	for _, test := range []struct{ name, top, reason, want string }{
		{"missing", "depends: [x.bst]", "MISSING_FILE",
			"top.bst [line 2 column 10]: Could not find element 'x.bst' in elements directory"},
		{"hint", "depends: [elements/a.bst]", "MISSING_FILE", "Did you mean 'a.bst'?"},
		{"suffix", "depends: [x.txt]", "BAD_ELEMENT_SUFFIX",
			"top.bst [line 2 column 10]: Element 'x.txt' does not have expected file extension `.bst`"},
		{"characters", "depends: ['x?.bst']", "BAD_CHARACTERS_IN_NAME", "Element 'x?.bst' has invalid characters."},
		{"key", "dependz: []", "INVALID_DATA", "top.bst [line 2 column 9]: Unexpected key: dependz"},
		{"self", "depends: [top.bst]", "CIRCULAR_DEPENDENCY", "Dependency chain: top.bst -> top.bst"},
		{"type", "depends: [{filename: a.bst, type: x}]", "INVALID_DATA",
			"top.bst [line 2 column 34]: Dependency type 'x' is not 'build', 'runtime' or 'all'"},
		{"type twice", "build-depends: [{filename: a.bst, type: build}]", "INVALID_DATA", "Unexpected key: type"},
		{"strict false", "depends: [{filename: a.bst, strict: false}]", "INVALID_DATA", "Setting 'strict' to False is unsupported"},
		{"strict runtime", "runtime-depends: [{filename: a.bst, strict: true}]", "INVALID_DATA",
			"Runtime dependency a.bst specified as `strict`."},
		{"config runtime", "runtime-depends: [{filename: a.bst, config: {x: y}}]", "INVALID_DATA",
			"Specifying 'config' for a runtime dependency is not allowed"},
		{"no filename", "depends: [{type: build}]", "INVALID_DATA", "Dictionary did not contain expected key 'filename'"},
		{"list", "depends: [[a.bst]]", "INVALID_DATA", "Dependency is not specified as a string or a dictionary"},
		{"no list", "depends: a.bst", "INVALID_DATA", "Value of 'depends' is not of the expected type 'list'"},
		{"filename list", "depends: [{filename: [{}]}]", "INVALID_DATA", "Expected string while parsing the filename list"},
		{"junction twice", "depends: [{filename: 'x.bst:a.bst', junction: j.bst}]", "INVALID_DATA",
			"Dependency x.bst:a.bst contains `:` in its name."},
		{"on junction", "depends: [j.bst]", "INVALID_DATA", "top.bst [line 2 column 10]: Cannot depend on junction"},
		{"not a junction", "depends: ['a.bst:b.bst']", "INVALID_DATA", "a.bst: Expected junction but element kind is stack"},
		{"to be fetched", "depends: ['j.bst:b.bst']", "SUBPROJECT_FETCH_NEEDED",
			"top.bst [line 2 column 10]: Subproject fetch needed for junction: j.bst"},
		{"leaves the project", "depends: [../top.bst]", "MISSING_FILE", "Could not find element '../top.bst'"},
		{"assertion", "(!): because", "USER_ASSERTION", "top.bst [line 2 column 5]: because"},
		{"include", "(@): x.yml", "MISSING_FILE", "top.bst [line 2 column 5]: Could not find file at"},
		{"kind", "kind: x\nkind: y", "INVALID_YAML", "Duplicate key kind"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := load(t, `
-- project.conf --
name: test
min-version: 2.0
element-path: elements
-- elements/a.bst --
kind: stack
-- elements/j.bst --
kind: junction
sources:
- kind: git
  url: x
-- elements/top.bst --
kind: stack
`+test.top+"\n", "top.bst")
			wantError(t, err, test.reason, test.want)
		})
	}
}

func TestCircularChain(t *testing.T) {
	_, err := load(t, conf+`
-- a.bst --
kind: stack
depends: [b.bst]
-- b.bst --
kind: stack
depends: [c.bst]
-- c.bst --
kind: stack
runtime-depends: [b.bst]
`, "a.bst")
	wantError(t, err, "CIRCULAR_DEPENDENCY", "Circular dependency detected at element: b.bst\n"+
		"Dependency chain: b.bst -> c.bst -> b.bst")
}

// TestLongChain loads what would overflow the stack of a recursive loader.
func TestLongChain(t *testing.T) {
	const length = 5000
	var b strings.Builder
	b.WriteString(conf + "-- e0.bst --\nkind: stack\n")
	for i := 1; i < length; i++ {
		fmt.Fprintf(&b, "-- e%d.bst --\nkind: stack\ndepends: [e%d.bst, e%d.bst]\n", i, i-1, i/2)
	}
	loaded, err := load(t, b.String(), "e"+strconv.Itoa(length-1)+".bst")
	if err != nil {
		t.Fatal(err)
	}
	if len(loaded.All) != length || loaded.All[0].Name != "e0.bst" {
		t.Errorf("%d elements, %s first", len(loaded.All), loaded.All[0].Name)
	}
	if got := deps(loaded.Targets[0]); got != "e2499.bst:br e4998.bst:br" {
		t.Error(got)
	}
}

func TestOptionsAndConditionals(t *testing.T) {
	const archive = `
-- project.conf --
name: test
min-version: 2.0
options:
  debug:
    type: bool
    description: d
    default: false
    variable: debug
  level:
    type: enum
    description: d
    values: [low, high]
    default: low
    variable: level
  parts:
    type: flags
    description: d
    values: [x, y, z]
    default: [y]
    variable: parts
  only:
    type: element-mask
    description: d
    default: []
    variable: only
variables:
  text: none
  (?):
  - debug and level == "high":
      text: both
  - '"x" in parts':
      text: x
      (?):
      - "'z' in parts":
          text: xz
-- a.bst --
kind: manual
(?):
- debug:
    kind: stack
- not debug:
    variables:
      own: plain
-- b.bst --
kind: stack
`
	for _, test := range []struct {
		name                        string
		user                        stream.ProjectSettings
		line                        map[string]string
		kind, text, own, debug, set string
	}{
		{"defaults", stream.ProjectSettings{}, nil, "manual", "none", "plain", "0", "y"},
		{"command line", stream.ProjectSettings{}, map[string]string{"debug": "true", "level": "high"}, "stack", "both", "", "1", "y"},
		{"user", stream.ProjectSettings{Options: map[string]string{"debug": "1"}, OptionLists: map[string][]string{"parts": {"x"}}}, nil, "stack", "x", "", "1", "x"},
		{"both", stream.ProjectSettings{Options: map[string]string{"debug": "true"}, OptionLists: map[string][]string{"parts": {"x"}}}, map[string]string{"debug": "False", "parts": " z, x"},
			"manual", "xz", "plain", "0", "x,z"},
		{"mask", stream.ProjectSettings{}, map[string]string{"only": "a.bst"}, "manual", "none", "plain", "0", "y"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := open(t, archive, Options{
				Options:  test.line,
				Projects: map[string]stream.ProjectSettings{"test": test.user},
			})
			if err != nil {
				t.Fatal(err)
			}
			loaded, err := p.Load(context.Background(), []string{"a.bst"}, LoadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			a, vars := loaded.Targets[0], p.Variables()
			got := []string{a.Kind, vars.Get("text").Text(), a.Node.Get("variables").Get("own").Text(),
				vars.Get("debug").Text(), vars.Get("parts").Text(), vars.Get("only").Text()}
			want := []string{test.kind, test.text, test.own, test.debug, test.set, test.line["only"]}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, test := range []struct {
		name          string
		line          map[string]string
		reason, where string
	}{
		{"unknown", map[string]string{"x": "y"}, "INVALID_DATA", "Unknown option 'x' specified on the command line"},
		{"bool", map[string]string{"debug": "x"}, "INVALID_DATA", "Invalid value for boolean option debug: x"},
		{"enum", map[string]string{"level": "x"}, "INVALID_DATA", "Invalid value for enum option 'level': x\nValid values: low, high"},
		{"flags", map[string]string{"parts": "x,q"}, "INVALID_DATA", "Invalid value for flags option 'parts': ['q', 'x']"},
		{"mask", map[string]string{"only": "q.bst"}, "INVALID_DATA", "Valid values: a.bst, b.bst"},
	} {
		t.Run("bad "+test.name, func(t *testing.T) {
			p, err := open(t, archive, Options{Options: test.line})
			if err == nil {
				_, err = p.Load(context.Background(), []string{"a.bst"}, LoadOptions{})
			}
			wantError(t, err, test.reason, test.where)
		})
	}
}

func TestConfErrors(t *testing.T) {
	for _, test := range []struct{ name, conf, reason, want string }{
		{"no version", "name: x", "INVALID_DATA", "Dictionary did not contain expected key 'min-version'"},
		{"old", "name: x\nmin-version: 1.0", "UNSUPPORTED_PROJECT", "Please use BuildStream 1 with this project."},
		{"new", "name: x\nmin-version: 2.99", "UNSUPPORTED_PROJECT", "Project requires at least BuildStream 2.99"},
		{"malformed", "name: x\nmin-version: two", "INVALID_DATA", "project.conf [line 2 column 13]: Malformed version string: two"},
		{"name", "min-version: 2.0", "INVALID_DATA", "Dictionary did not contain expected key 'name'"},
		{"symbol", "name: a b\nmin-version: 2.0", "INVALID_SYMBOL_NAME", "Invalid symbol name for project name: 'a b'"},
		{"key", "name: x\nmin-version: 2.0\npony: 1", "INVALID_DATA", "Unexpected key: pony"},
		{"path", "name: x\nmin-version: 2.0\nelement-path: nowhere", "MISSING_FILE", "Specified path 'nowhere' does not exist"},
		{"refs", "name: x\nmin-version: 2.0\nref-storage: y", "INVALID_DATA", "Invalid value 'y' specified for ref-storage"},
		{"restricted", "name: x\nmin-version: 2.0\n(?): [{'True': {name: y}}]", "ILLEGAL_COMPOSITE",
			"The 'name' key cannot be specified conditionally."},
		{"two keys", "name: x\nmin-version: 2.0\n(?): [{a: {}, b: {}}]", "INVALID_DATA", "Conditional statement has more than one key"},
		{"expression", "name: x\nmin-version: 2.0\n(?): [{pony: {}}]", "EXPRESSION_FAILED",
			"project.conf [line 3 column 6]: Failed to evaluate expression (pony): 'pony' is undefined"},
		{"trailing", "name: x\nmin-version: 2.0\nenvironment: {a: {(>): []}}", "TRAILING_LIST_DIRECTIVE", "Attempt to override non-existing list"},
		{"origin", "name: x\nmin-version: 2.0\nplugins: [{origin: x}]", "INVALID_DATA", "should be one of 'local, pip, junction'"},
		{"type", "name: x\nmin-version: 2.0\noptions: {a: {type: x, description: d}}", "INVALID_DATA",
			"Value of 'type' should be one of 'bool, enum, flags, element-mask, arch, os'"},
		{"alias", "name: x\nmin-version: 2.0\naliases: {a: '%{pony}'}", "UNRESOLVED_VARIABLE", "pony"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := open(t, "-- project.conf --\n"+test.conf+"\n", Options{})
			wantError(t, err, test.reason, test.want)
		})
	}
	_, err := Open(context.Background(), Options{Directory: t.TempDir()})
	wantError(t, err, "MISSING_PROJECT_CONF", "or any of its parent directories")
}

func TestIncludes(t *testing.T) {
	loaded, err := load(t, `
-- project.conf --
name: test
min-version: 2.0
(@): [one.yml, two.yml]
variables:
  c: conf
options:
  on: {type: bool, description: d, default: true}
-- one.yml --
variables: {a: one, b: one, c: one}
-- two.yml --
variables: {b: two, c: two}
-- part.yml --
variables: {x: part, y: part}
config:
  commands: [first]
(?):
- on:
    variables: {z: on}
-- el.bst --
kind: manual
(@): part.yml
variables: {x: el}
config:
  commands:
    (>): [second]
`, "el.bst")
	if err != nil {
		t.Fatal(err)
	}
	vars := loaded.Targets[0].Project.Variables()
	got := []string{vars.Get("a").Text(), vars.Get("b").Text(), vars.Get("c").Text()}
	if diff := cmp.Diff([]string{"one", "two", "conf"}, got); diff != "" {
		t.Error(diff)
	}
	want := map[string]any{
		"kind":      "manual",
		"variables": map[string]any{"x": "el", "y": "part", "z": "on"},
		"config":    map[string]any{"commands": []any{"first", "second"}},
	}
	if diff := cmp.Diff(want, loaded.Targets[0].Node.Plain()); diff != "" {
		t.Error(diff)
	}
	_, err = load(t, conf+"-- a.yml --\n(@): b.yml\n-- b.yml --\nx: {(@): a.yml}\n-- el.bst --\nkind: manual\n(@): a.yml\n", "el.bst")
	wantError(t, err, "RECURSIVE_INCLUDE", "b.yml [line 1 column 9]: trying to recursively include")
}

// nested is a project with a subproject that has a subproject.
const nested = `
-- project.conf --
name: top
min-version: 2.0
aliases:
  up: https://up.example/
-- sub.bst --
kind: junction
sources:
- kind: local
  path: sub
config:
  options:
    debug: true
  aliases:
    down: up
  overrides:
    over.bst: own.bst
-- subsub-link.bst --
kind: link
config:
  target: sub.bst:subsub.bst
-- own.bst --
kind: stack
-- el.bst --
kind: stack
depends:
- sub.bst:el.bst
- subsub-link.bst:el.bst
- filename: plain.bst
  junction: sub.bst
-- inc.bst --
kind: manual
(@): sub.bst:part.yml
-- sub/project.conf --
name: sub
min-version: 2.0
options:
  debug: {type: bool, description: d, default: false, variable: debug}
variables:
  whose: sub
aliases:
  down: https://down.example/
  other: https://other.example/
-- sub/part.yml --
variables: {who: "%{whose}"}
-- sub/subsub.bst --
kind: junction
sources: [{kind: local, path: subsub}]
-- sub/el.bst --
kind: stack
depends: [over.bst]
-- sub/over.bst --
kind: stack
-- sub/plain.bst --
kind: stack
-- sub/subsub/project.conf --
name: subsub
min-version: 2.0
-- sub/subsub/el.bst --
kind: stack
`

func TestJunctions(t *testing.T) {
	loaded, err := load(t, nested, "el.bst", "inc.bst", "sub.bst:el.bst")
	if err != nil {
		t.Fatal(err)
	}
	var names, projects []string
	for _, e := range loaded.All {
		names = append(names, e.FullName)
	}
	for _, p := range loaded.Projects {
		projects = append(projects, p.Name+" "+p.Junction)
	}
	if diff := cmp.Diff([]string{"own.bst", "sub.bst:el.bst", "sub.bst:subsub.bst:el.bst", "sub.bst:plain.bst",
		"el.bst", "inc.bst"}, names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"top ", "sub sub.bst", "subsub sub.bst:subsub.bst"}, projects); diff != "" {
		t.Error(diff)
	}
	if got := loaded.Targets[1].Node.Get("variables").Get("who").Text(); got != "sub" {
		t.Errorf("included from the subproject: %q", got)
	}
	var paths []string
	for _, d := range loaded.Targets[0].Deps {
		paths = append(paths, d.Path)
	}
	if diff := cmp.Diff([]string{"sub.bst:el.bst", "subsub-link.bst:el.bst", "sub.bst:plain.bst"}, paths); diff != "" {
		t.Error(diff)
	}
	sub := loaded.Projects[1]
	if got := sub.Variables().Get("debug").Text(); got != "1" {
		t.Errorf("the junction's option: %q", got)
	}
	for url, want := range map[string]string{
		"down:x": "https://up.example/x", "other:x": "https://other.example/x",
		"none:x": "none:x", "file": "file",
	} {
		if got, err := sub.TranslateURL(url, false); got != want || err != nil {
			t.Errorf("%s: %s, %v", url, got, err)
		}
	}
}

func TestConflictingJunctions(t *testing.T) {
	const archive = `
-- a.bst --
kind: junction
sources: [{kind: local, path: sub}]
-- b.bst --
kind: junction
sources: [{kind: local, path: sub}]
-- el.bst --
kind: stack
depends: ["a.bst:el.bst", "b.bst:el.bst"]
-- sub/project.conf --
name: sub
min-version: 2.0
-- sub/el.bst --
kind: stack
`
	_, err := load(t, conf+archive, "el.bst")
	wantError(t, err, "CONFLICTING_JUNCTION", "sub (b.bst): el.bst [line 2 column 26]")
	for _, allowed := range []string{"duplicates: {sub: [a.bst, b.bst]}", "internal: [a.bst, b.bst]", "internal: [b.bst]"} {
		if _, err := load(t, conf+"junctions: {"+allowed+"}\n"+archive, "el.bst"); err != nil {
			t.Errorf("%s: %v", allowed, err)
		}
	}
}

func TestJunctionErrors(t *testing.T) {
	for _, test := range []struct{ name, junction, reason, want string }{
		{"no project", "sources: [{kind: local, path: empty}]", "INVALID_JUNCTION",
			"el.bst [line 2 column 10]: Could not find the project.conf file in the project referred to by junction element 'j.bst'."},
		{"path", "sources: [{kind: local, path: empty}]\nconfig: {path: x}", "INVALID_JUNCTION",
			"Was expecting it at path 'x' in the junction's source."},
		{"dependencies", "depends: [a.bst]", "INVALID_JUNCTION",
			"j.bst [line 2 column 10]: Dependencies are forbidden for 'junction' elements"},
		{"config", "config: {pony: 1}", "INVALID_DATA", "Unexpected key: pony"},
		{"itself", "config: {overrides: {x.bst: j.bst}}", "override-junction-with-self", "with the overriding junction 'j.bst' itself"},
		{"option", "sources: [{kind: local, path: sub}]\nconfig: {options: {pony: true}}", "INVALID_DATA",
			"j.bst [line 3 column 25]: Unknown option 'pony' specified"},
		{"nowhere", "sources: [{kind: local, path: nowhere}]", "MISSING_FILE", "Specified path 'nowhere' does not exist"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := load(t, conf+`
-- a.bst --
kind: stack
-- el.bst --
kind: stack
depends: ["j.bst:el.bst"]
-- empty/file --
-- sub/project.conf --
name: sub
min-version: 2.0
-- j.bst --
kind: junction
`+test.junction+"\n", "el.bst")
			wantError(t, err, test.reason, test.want)
		})
	}
}

func TestRefs(t *testing.T) {
	p, err := open(t, conf+`ref-storage: project.refs
-- project.refs --
projects:
  test:
    el.bst:
    - ref: one
    - ref: two
-- el.bst --
kind: manual
`, Options{})
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := p.Load(context.Background(), []string{"el.bst"}, LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"one", "two", ""} {
		ref, exclusive, err := p.Ref(loaded.Targets[0], i)
		if err != nil || !exclusive || ref.Get("ref").Text() != want {
			t.Errorf("%d: %v, %v, %v", i, ref.Get("ref").Text(), exclusive, err)
		}
	}
}

func TestExpandTargets(t *testing.T) {
	const archive = conf + "-- a.bst --\n-- b/a.bst --\n-- b/c/d.bst --\n-- b/x.txt --\n-- .bst/staged.bst --\n"
	var warned []string
	p, err := open(t, archive, Options{Warn: func(text, _ string) { warned = append(warned, text) }})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ in, want, artifacts []string }{
		{nil, []string{"a.bst", "b/a.bst", "b/c/d.bst"}, nil},
		{[]string{"x.bst", "x.bst"}, []string{"x.bst"}, nil},
		{[]string{"*.bst"}, []string{"a.bst"}, nil},
		{[]string{"**.bst", "a.bst"}, []string{"a.bst", "b/a.bst", "b/c/d.bst"}, nil},
		{[]string{"b/?.bst"}, []string{"b/a.bst"}, nil},
		{[]string{"**/[!a].bst"}, []string{"b/c/d.bst"}, nil},
		{[]string{"test/a/0*", "a.bst"}, []string{"a.bst"}, []string{"test/a/0*"}},
		{[]string{"no*.bst"}, nil, nil},
		{[]string{"[z-a].bst"}, nil, nil},
	} {
		elements, artifacts, err := p.ExpandTargets(test.in)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([][]string{test.want, test.artifacts}, [][]string{elements, artifacts}); diff != "" {
			t.Errorf("%q: %s", test.in, diff)
		}
	}
	if diff := cmp.Diff([]string{"No elements matched the glob expression: no*.bst",
		"No elements matched the glob expression: [z-a].bst"}, warned); diff != "" {
		t.Error(diff)
	}
}

// TestClosures holds the spans against a plain search.
func TestClosures(t *testing.T) {
	const n = 400
	elements := make([]*Element, n)
	reaches := make([]map[int]bool, n)
	for i := range elements {
		elements[i] = &Element{id: int32(i)}
		reaches[i] = map[int]bool{}
		for k := range mix(uint64(i)) % 4 {
			if i == 0 {
				break
			}
			dep := int(mix(uint64(i)*7+k) % uint64(i))
			elements[i].Deps = append(elements[i].Deps, &Dep{Element: elements[dep]})
			reaches[i][dep] = true
			for far := range reaches[dep] {
				reaches[i][far] = true
			}
		}
	}
	c := newClosures(elements)
	for a := range n {
		for b := range n {
			if got := c.depends(int32(a), int32(b)); got != reaches[a][b] {
				t.Fatalf("%d on %d: %v", a, b, got)
			}
		}
	}
}

func TestLoadEndsWithContext(t *testing.T) {
	p, err := open(t, conf+"-- a.bst --\nkind: stack\ndepends: [b.bst]\n-- b.bst --\nkind: stack\n", Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Load(ctx, []string{"a.bst"}, LoadOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
