// Package debian holds the dependency graph of a real distribution: every
// package of Debian 12 main for amd64, embedded in the program.
//
// It knows names, versions, sizes and dependencies. It knows nothing of
// elements, and nothing of the packages' contents.
package debian

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

//go:embed bookworm-main-amd64.tsv.gz
var archive []byte

// Package is one binary package.
type Package struct {
	Name, Version string
	// SizeKiB is its installed size.
	SizeKiB int64
	// Depends are the names of the packages it needs, in the index's order.
	// Each of them is in the graph, and no path of them leads back.
	Depends []string
}

// Graph is a set of packages that is closed under dependency.
type Graph struct {
	// Packages are sorted by name.
	Packages []Package
}

// Load decompresses and checks the embedded graph.
func Load() (*Graph, error) {
	zip, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, fmt.Errorf("debian: %w", err)
	}
	g := &Graph{Packages: make([]Package, 0, 64_000)}
	lines := bufio.NewScanner(zip)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		p, err := parseLine(lines.Text())
		if err != nil {
			return nil, fmt.Errorf("debian: line %d: %w", n, err)
		}
		g.Packages = append(g.Packages, p)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("debian: %w", err)
	}
	sort.Slice(g.Packages, func(i, j int) bool { return g.Packages[i].Name < g.Packages[j].Name })
	return g, nil
}

func parseLine(line string) (Package, error) {
	fields := strings.Split(line, "\t")
	if len(fields) != 4 {
		return Package{}, fmt.Errorf("%d fields, want 4", len(fields))
	}
	size, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil {
		return Package{}, fmt.Errorf("installed size: %w", err)
	}
	return Package{Name: fields[0], Version: fields[1], SizeKiB: size, Depends: strings.Fields(fields[3])}, nil
}

// Lookup finds a package by its name.
func (g *Graph) Lookup(name string) (Package, bool) {
	i := sort.Search(len(g.Packages), func(i int) bool { return g.Packages[i].Name >= name })
	if i == len(g.Packages) || g.Packages[i].Name != name {
		return Package{}, false
	}
	return g.Packages[i], true
}

// Closure is root with everything that it needs, sorted by name.
func (g *Graph) Closure(root string) (*Graph, error) {
	first, ok := g.Lookup(root)
	if !ok {
		return nil, fmt.Errorf("debian: no package %q", root)
	}
	found := map[string]Package{root: first}
	for todo := []Package{first}; len(todo) > 0; {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, name := range p.Depends {
			if _, seen := found[name]; seen {
				continue
			}
			dep, ok := g.Lookup(name)
			if !ok {
				return nil, fmt.Errorf("debian: %s depends on %q, which is not there", p.Name, name)
			}
			found[name] = dep
			todo = append(todo, dep)
		}
	}
	out := &Graph{Packages: make([]Package, 0, len(found))}
	for _, p := range found {
		out.Packages = append(out.Packages, p)
	}
	sort.Slice(out.Packages, func(i, j int) bool { return out.Packages[i].Name < out.Packages[j].Name })
	return out, nil
}

// Roots are the names of the packages that no other package needs, sorted:
// their closures together are the whole graph.
func (g *Graph) Roots() []string {
	needed := make(map[string]bool, len(g.Packages))
	for _, p := range g.Packages {
		for _, name := range p.Depends {
			needed[name] = true
		}
	}
	var roots []string
	for _, p := range g.Packages {
		if !needed[p.Name] {
			roots = append(roots, p.Name)
		}
	}
	return roots
}
