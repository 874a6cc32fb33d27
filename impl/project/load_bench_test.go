package project

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// layers writes a project of layers in which each element depends on a few of
// the layer below, and gives the targets: the last layer.
func layers(b *testing.B, depth, width int) (dir string, targets []string) {
	b.Helper()
	dir = b.TempDir()
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	put(confName, "name: layers\nmin-version: 2.0\n")
	for layer := range depth {
		targets = targets[:0]
		for i := range width {
			name := fmt.Sprintf("e%d-%d.bst", layer, i)
			text := "kind: import\nsources:\n- kind: local\n  path: project.conf\n"
			if layer > 0 {
				text += fmt.Sprintf("depends:\n- e%d-%d.bst\n- e%d-%d.bst\n- e%d-%d.bst\n",
					layer-1, i, layer-1, (i+1)%width, layer-1, (i*i+7)%width)
			}
			put(name, text)
			targets = append(targets, name)
		}
	}
	return dir, targets
}

// BenchmarkLoad loads 1,000 elements, from project.conf to sorted dependencies.
func BenchmarkLoad(b *testing.B) {
	dir, targets := layers(b, 20, 50)
	b.ReportAllocs()
	for b.Loop() {
		p, err := Open(context.Background(), Options{Directory: dir})
		if err != nil {
			b.Fatal(err)
		}
		loaded, err := p.Load(context.Background(), targets, LoadOptions{})
		if err != nil {
			b.Fatal(err)
		}
		if len(loaded.All) != 1000 {
			b.Fatalf("%d elements", len(loaded.All))
		}
	}
}

// BenchmarkClosures works out and uses what 1,000 elements depend on.
func BenchmarkClosures(b *testing.B) {
	dir, targets := layers(b, 20, 50)
	p, err := Open(context.Background(), Options{Directory: dir})
	if err != nil {
		b.Fatal(err)
	}
	loaded, err := p.Load(context.Background(), targets, LoadOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, e := range loaded.All {
			e.sorted = false
		}
		sortDependencies(loaded.All)
	}
}
