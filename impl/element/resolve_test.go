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
