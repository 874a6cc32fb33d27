package element_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bst/impl/element"
	"bst/impl/kind/all"
	"bst/impl/project"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the expected keys anew")

func resolveProject(t testing.TB, dir string, targets ...string) (*element.Graph, error) {
	t.Helper()
	registry, err := element.NewRegistry(all.Elements(), all.Sources())
	if err != nil {
		t.Fatal(err)
	}
	p, err := project.Open(t.Context(), project.Options{Directory: dir, MaxJobs: 3})
	if err != nil {
		return nil, err
	}
	loaded, err := p.Load(t.Context(), targets, project.LoadOptions{})
	if err != nil {
		return nil, err
	}
	return element.Resolve(t.Context(), loaded, registry, element.Options{})
}

// Keys are facts: an artifact that others have made is found by them alone. So
// a key that changes is an error, unless the reference's has changed.
func TestGoldenKeys(t *testing.T) {
	for _, name := range []string{"kinds", "junction"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("testdata", name)
			g, err := resolveProject(t, dir, "all.bst")
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for _, e := range g.Elements {
				fmt.Fprintf(&b, "%s weak %s strict %s\n", e.FullName, orNone(e.WeakKey), orNone(e.StrictKey))
			}
			path := filepath.Join("testdata", name+".keys")
			if *update {
				if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func orNone(key string) string {
	if key == "" {
		return "none"
	}
	return key
}

// Everything but reading files: the graph is loaded once.
func BenchmarkResolve(b *testing.B) {
	const n = 2000
	files := map[string]string{"all.bst": "kind: stack\ndepends:\n"}
	for i := range n {
		text := "kind: manual\nvariables:\n  own: '%{prefix}/x'\nconfig:\n  build-commands: ['make %{own}']\n"
		if i > 0 {
			text += fmt.Sprintf("depends: [e%d.bst]\n", i/2)
		}
		files[fmt.Sprintf("e%d.bst", i+1)] = text
		files["all.bst"] += fmt.Sprintf("- e%d.bst\n", i+1)
	}
	files["e0.bst"] = "kind: manual\n"
	dir := writeProject(b, "", files)
	registry, err := element.NewRegistry(all.Elements(), all.Sources())
	if err != nil {
		b.Fatal(err)
	}
	p, err := project.Open(b.Context(), project.Options{Directory: dir})
	if err != nil {
		b.Fatal(err)
	}
	loaded, err := p.Load(b.Context(), []string{"all.bst"}, project.LoadOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := element.Resolve(b.Context(), loaded, registry, element.Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(loaded.All)), "µs/element")
}
