package element

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/project"

	"github.com/google/go-cmp/cmp"
)

// graphOf makes a graph of lines "name: build build / runtime runtime", what is
// depended on first. A dependency with ! is strict.
func graphOf(t testing.TB, lines ...string) (*Graph, map[string]*Element) {
	t.Helper()
	g := new(Graph)
	byName := map[string]*Element{}
	p := &project.Project{Name: "test"}
	for i, line := range lines {
		name, deps, _ := strings.Cut(line, ":")
		build, run, _ := strings.Cut(deps, "/")
		e := fakeElement(p, i, name)
		for _, dep := range strings.Fields(build) {
			plain := strings.TrimSuffix(dep, "!")
			e.Build = append(e.Build, byName[plain])
			if plain != dep {
				e.strict = append(e.strict, byName[plain])
			}
		}
		for _, dep := range strings.Fields(run) {
			e.Runtime = append(e.Runtime, byName[dep])
		}
		g.Elements = append(g.Elements, e)
		byName[name] = e
	}
	return g, byName
}

func fakeElement(p *project.Project, index int, name string) *Element {
	return &Element{
		Index: index, Name: name, FullName: name, Kind: "fake", Project: p,
		Traits: &kind.Traits{}, Impl: fakeKind{}, Variables: fakeVariables,
		SourcesResolved: true, publicJSON: []byte(`{}`),
	}
}

var fakeVariables = resolveText(nil, "build-root: /build\n", "")

type fakeKind struct{}

func (fakeKind) Configure(*node.Node, kind.Env) error                    { return nil }
func (fakeKind) ConfigureDependencies([]kind.Dependency) error           { return nil }
func (fakeKind) UniqueKey() any                                          { return 1 }
func (fakeKind) Assemble(context.Context, kind.Assembly) (string, error) { return "/", nil }

func names(elements []*Element) string {
	list := make([]string, len(elements))
	for i, e := range elements {
		list[i] = e.Name
	}
	return strings.Join(list, " ")
}

// The graph of the reference's documentation of --except, with build and
// runtime dependencies of both sorts.
var diamond = []string{"libc", "tool: / libc", "lib: tool / libc", "doc: tool", "app: lib doc / lib", "set: app lib / app lib"}

func TestScopes(t *testing.T) {
	g, e := graphOf(t, diamond...)
	tests := []struct {
		scope Scope
		roots []string
		want  string
	}{
		{ScopeNone, []string{"app", "lib"}, "app lib"},
		{ScopeBuild, []string{"app"}, "libc lib doc"},
		{ScopeBuild, []string{"libc"}, ""},
		{ScopeRun, []string{"app"}, "libc lib app"},
		{ScopeRun, []string{"lib", "app", "lib"}, "libc lib app"},
		{ScopeAll, []string{"app"}, "libc tool lib doc app"},
		{ScopeAll, []string{"set", "app"}, "libc tool lib doc app set"},
		{ScopeBuild, []string{"app", "lib"}, "libc lib doc tool"},
		{ScopeBuild, []string{"set"}, "libc lib app"},
	}
	for _, tt := range tests {
		var roots []*Element
		for _, name := range tt.roots {
			roots = append(roots, e[name])
		}
		if diff := cmp.Diff(tt.want, names(g.Collect(tt.scope, roots...))); diff != "" {
			t.Errorf("scope %d of %v: %s", tt.scope, tt.roots, diff)
		}
	}
}

func TestSelected(t *testing.T) {
	g, e := graphOf(t, diamond...)
	collect := func(of *Element, selection []*Element) string {
		var list []*Element
		for dep := range g.Selected(of, selection) {
			list = append(list, dep)
		}
		return names(list)
	}
	if got := collect(e["app"], nil); got != "libc lib doc" {
		t.Errorf("without a selection: %s", got)
	}
	if got := collect(e["app"], []*Element{e["doc"]}); got != "doc" {
		t.Errorf("doc: %s", got)
	}
	if got := collect(e["app"], []*Element{e["tool"], e["lib"]}); got != "libc tool lib" {
		t.Errorf("tool and lib: %s", got)
	}
	if got := collect(e["app"], []*Element{}); got != "" {
		t.Errorf("an empty selection: %s", got)
	}
	// A walk that is left early must not disturb the next one.
	for range g.Dependencies(ScopeAll, e["set"]) {
		break
	}
	if got := names(g.Collect(ScopeAll, e["set"])); got != "libc tool lib doc app set" {
		t.Errorf("after a walk that was left: %s", got)
	}
}

func TestDirect(t *testing.T) {
	_, e := graphOf(t, diamond...)
	for scope, want := range map[Scope]string{ScopeNone: "", ScopeBuild: "lib doc", ScopeRun: "lib", ScopeAll: "lib doc"} {
		if got := names(e["app"].Direct(scope)); got != want {
			t.Errorf("scope %d: %q, want %q", scope, got, want)
		}
	}
}

func TestExcept(t *testing.T) {
	g, e := graphOf(t, append(diamond, "outside: tool / doc")...)
	pick := func(names ...string) (list []*Element) {
		for _, name := range names {
			list = append(list, e[name])
		}
		return list
	}
	tests := []struct {
		targets, except []string
		want            string
	}{
		{[]string{"app"}, nil, "libc tool lib doc app"},
		{[]string{"app"}, []string{"doc"}, "libc tool lib app"},
		{[]string{"app"}, []string{"tool"}, "libc lib doc app"},
		{[]string{"app"}, []string{"outside"}, "libc lib app"},
		{[]string{"app"}, []string{"app"}, ""},
		{[]string{"app", "doc"}, []string{"app"}, "libc tool doc"},
	}
	for _, tt := range tests {
		targets := pick(tt.targets...)
		got := g.Except(targets, g.Collect(ScopeAll, targets...), pick(tt.except...))
		if diff := cmp.Diff(tt.want, names(got)); diff != "" {
			t.Errorf("%v except %v: %s", tt.targets, tt.except, diff)
		}
	}
}

func TestPlan(t *testing.T) {
	g, e := graphOf(t, diamond...)
	if got := names(g.Plan([]*Element{e["app"]}, false)); got != "libc tool lib doc app" {
		t.Errorf("app: %s", got)
	}
	if got := names(g.Plan([]*Element{e["app"]}, true)); got != "libc tool lib doc" {
		t.Errorf("what app is built from: %s", got)
	}
}

func TestSelect(t *testing.T) {
	g, e := graphOf(t, diamond...)
	for deps, want := range map[string]string{"none": "app", "build": "libc lib doc", "run": "libc lib app", "all": "libc tool lib doc app"} {
		got := g.Select(deps, e["app"])
		if names(got) != want {
			t.Errorf("%s: %s, want %s", deps, names(got), want)
		}
	}
	all := g.Select("all", e["app"])
	SortByName(all)
	if got := names(all); got != "app doc lib libc tool" {
		t.Errorf("by name: %s", got)
	}
}

// A chain as long as people make them must not be a matter of stack depth.
func TestChain(t *testing.T) {
	lines := []string{"e0"}
	for i := 1; i < 20000; i++ {
		dep := fmt.Sprintf("e%d", i-1)
		if i%2 == 0 {
			dep = "/ " + dep
		}
		lines = append(lines, fmt.Sprintf("e%d: %s", i, dep))
	}
	g, e := graphOf(t, lines...)
	if n := len(g.Collect(ScopeAll, e["e19999"])); n != 20000 {
		t.Errorf("%d elements", n)
	}
	if n := len(g.Plan([]*Element{e["e19999"]}, false)); n != 20000 {
		t.Errorf("%d planned", n)
	}
	if err := g.computeKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e["e19999"].StrictKey == "" {
		t.Error("no key")
	}
}
