package debian

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var loaded = sync.OnceValues(Load)

func counts(g *Graph) (packages, edges int, mib int64) {
	var kib int64
	for _, p := range g.Packages {
		edges += len(p.Depends)
		kib += p.SizeKiB
	}
	return len(g.Packages), edges, kib / 1024
}

// The counts are those that README.md states.
func TestClosures(t *testing.T) {
	g, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	if packages, edges, _ := counts(g); packages != 63436 || edges != 264107 {
		t.Errorf("the graph has %d packages and %d edges, want 63436 and 264107", packages, edges)
	}
	for _, c := range []struct {
		root            string
		packages, edges int
		mib             int64
	}{
		{"bash", 23, 42, 38},
		{"git", 50, 125, 146},
		{"build-essential", 75, 217, 345},
		{"chromium", 239, 758, 793},
		{"gnome-core", 848, 4021, 1631},
		{"gnome", 1139, 6010, 2628},
		{"kde-full", 1192, 9649, 2925},
	} {
		closure, err := g.Closure(c.root)
		if err != nil {
			t.Errorf("%s: %v", c.root, err)
			continue
		}
		packages, edges, mib := counts(closure)
		got, want := []int64{int64(packages), int64(edges), mib}, []int64{int64(c.packages), int64(c.edges), c.mib}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: packages, edges, MiB (-want +got):\n%s", c.root, diff)
		}
	}
}

func TestAcyclic(t *testing.T) {
	g, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	state := map[string]int{} // 1 while on the path, 2 when done
	var visit func(string)
	visit = func(name string) {
		if state[name] == 2 {
			return
		}
		if state[name] == 1 {
			t.Fatalf("%s is on a cycle", name)
		}
		state[name] = 1
		p, ok := g.Lookup(name)
		if !ok {
			t.Fatalf("no package %s", name)
		}
		for _, dep := range p.Depends {
			visit(dep)
		}
		state[name] = 2
	}
	for _, root := range g.Roots() {
		visit(root)
	}
	if len(state) != len(g.Packages) {
		t.Errorf("the roots reach %d packages of %d", len(state), len(g.Packages))
	}
}

func TestUnknownRoot(t *testing.T) {
	g, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Closure("no-such-package"); err == nil {
		t.Error("no error")
	}
}

func TestParseLine(t *testing.T) {
	got, err := parseLine("a\t1:2-3\t45\tb c")
	want := Package{Name: "a", Version: "1:2-3", SizeKiB: 45, Depends: []string{"b", "c"}}
	if err != nil || cmp.Diff(want, got) != "" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "a\t1\t2", "a\t1\tmany\t", "a\t1\t2\tb\tc"} {
		if _, err := parseLine(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}
