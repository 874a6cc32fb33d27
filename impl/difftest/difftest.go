// Package difftest makes random projects, for tests that hold bst against rules
// that must hold for every project, and against another implementation where
// there is one (contrib/reference).
//
// It knows how projects are written. It does not know what they mean: what is
// right is for the tests to say.
package difftest

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Project is a random project with its subprojects. The same seed gives the
// same project.
type Project struct {
	Seed uint64
	// Documents are the YAML files, Files all others, by path below the
	// project's folder.
	Documents map[string]*Map
	Files     map[string]string
	// Targets are the elements to load.
	Targets []string
	// Options are given to the toplevel project on the command line.
	Options [][2]string
	// Mischief tells what was done to make the project illegal, "" for nothing.
	Mischief string
	// raw are documents whose text was damaged after it was written.
	raw map[string]string
}

// Text is a document as it lies on disk.
func (p *Project) Text(path string, style *Style) string {
	if text, ok := p.raw[path]; ok {
		return text
	}
	return style.Document(p.Documents[path])
}

// Write lays the project out in a folder.
func (p *Project) Write(dir string, style *Style) error {
	write := func(path, text string) error {
		path = filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return os.WriteFile(path, []byte(text), 0o644)
	}
	for _, path := range p.paths() {
		if err := write(path, p.Text(path, style)); err != nil {
			return err
		}
	}
	for path, text := range p.Files {
		if err := write(path, text); err != nil {
			return err
		}
	}
	return nil
}

// paths are the documents', sorted, so that chance falls the same way always.
func (p *Project) paths() []string {
	paths := make([]string, 0, len(p.Documents))
	for path := range p.Documents {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}

// source is chance.
type source struct{ *rand.Rand }

func newSource(seed, stream uint64) source {
	return source{rand.New(rand.NewPCG(seed, stream))}
}

// one tells true once in n times.
func (s source) one(n int) bool { return s.IntN(n) == 0 }

// pick takes one of several.
func pick[T any](s source, from ...T) T { return from[s.IntN(len(from))] }

// some takes up to most of several, in their order.
func some[T any](s source, most int, from ...T) []T {
	var taken []T
	for i, n := 0, s.IntN(most+1); i < len(from) && len(taken) < n; i++ {
		if s.one(2) {
			taken = append(taken, from[i])
		}
	}
	return taken
}

func join(parts ...string) string { return strings.Join(parts, "/") }
