package element

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"bst/impl/element/cachekey"
	"bst/impl/project"
)

// slowKey is the key as the reference's description has it: a value, encoded
// whole.
func slowKey(t *testing.T, g *Graph, e *Element, weak string, name func(dep *Element) []string) string {
	t.Helper()
	deps := []any{}
	for dep := range g.Dependencies(ScopeBuild, e) {
		deps = append(deps, name(dep))
	}
	value := map[string]any{
		"core-artifact-version": 11, "dependencies": deps,
		"element-base-key":   map[string]any{"build-root": "/build"},
		"element-plugin-key": 1, "element-plugin-name": "fake", "element-plugin-version": 0,
		"public": map[string]any{}, "sources": []any{}, "fatal-warnings": []string{},
	}
	if weak != "" {
		value["weak-cache-key"] = weak
	}
	encoded, err := cachekey.Append(nil, value)
	if err != nil {
		t.Fatal(err)
	}
	return cachekey.Sum(encoded)
}

func TestKeys(t *testing.T) {
	g, e := graphOf(t, "libc", "tool: / libc", "lib: tool! / libc", "doc: tool", "app: lib doc! / lib", "set: app lib / app lib")
	e["doc"].Traits.StrictRebuild = true
	if err := g.computeKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, x := range g.Elements {
		weak := slowKey(t, g, x, "", func(dep *Element) []string {
			if x.Traits.StrictRebuild || x.Strict(dep) {
				return []string{"test", dep.Name, dep.WeakKey}
			}
			return []string{"test", dep.Name}
		})
		strict := slowKey(t, g, x, weak, func(dep *Element) []string { return []string{"test", dep.Name, dep.StrictKey} })
		if x.WeakKey != weak || x.StrictKey != strict {
			t.Errorf("%s: got %s and %s, want %s and %s", x.Name, x.WeakKey, x.StrictKey, weak, strict)
		}
		strong, err := g.StrongKey(x, func(dep *Element) string { return dep.StrictKey })
		if err != nil || strong != strict {
			t.Errorf("%s: strong key %s, %v; want %s", x.Name, strong, err, strict)
		}
	}
}

// Without a ref there is no key, and none above it either.
func TestKeysUnresolved(t *testing.T) {
	g, e := graphOf(t, "libc", "tool", "lib: tool! / libc", "app: lib / tool", "other: libc", "loose: tool")
	e["tool"].SourcesResolved = false
	if err := g.computeKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"libc": "weak strict", "tool": "", "lib": "", "app": "weak", "other": "weak strict", "loose": "weak",
	} {
		got := ""
		if e[name].WeakKey != "" {
			got = "weak"
		}
		if e[name].StrictKey != "" {
			got += " strict"
		}
		if got != want {
			t.Errorf("%s has %q, want %q", name, got, want)
		}
	}
	if key, err := g.StrongKey(e["app"], func(dep *Element) string { return dep.StrictKey }); key != "" || err != nil {
		t.Errorf("strong key %q, %v", key, err)
	}
}

// A graph as large as a distribution's, with as many entries in its closures:
// each element is built from few elements that need many.
func BenchmarkKeys(b *testing.B) {
	const n = 63436
	r := rand.New(rand.NewPCG(1, 2))
	g := new(Graph)
	p := &project.Project{Name: "bookworm"}
	for i := range n {
		e := fakeElement(p, i, fmt.Sprintf("packages/section/some-package-%d.bst", i))
		for range min(i, r.IntN(4)) {
			// Mostly what everything depends on.
			dep := r.IntN(min(i, 1+r.IntN(5000)))
			e.Runtime = append(e.Runtime, g.Elements[dep])
		}
		if i > 0 {
			for range 4 {
				e.Build = append(e.Build, g.Elements[r.IntN(min(i, 4000))])
			}
		}
		g.Elements = append(g.Elements, e)
	}
	entries := 0
	for _, e := range g.Elements {
		for range g.Dependencies(ScopeBuild, e) {
			entries++
		}
	}
	b.ResetTimer()
	for b.Loop() {
		if err := g.computeKeys(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(entries), "entries")
}
