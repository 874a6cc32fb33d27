package stacks

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hashTree is a hash of every path and file below dir.
func hashTree(t *testing.T, dir string) string {
	t.Helper()
	sum := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s %d\n%s", filepath.ToSlash(rel), len(content), content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))[:16]
}

// The same Spec gives the same bytes, always: a hash that changes makes every
// earlier measurement incomparable.
func TestGoldenBytes(t *testing.T) {
	for _, c := range []struct {
		spec            Spec
		format          Format
		elements, edges int
		hash            string
	}{
		{Spec{Kind: Chain, N: 10}, BuildStream2, 10, 9, "e0f1336e406f467c"},
		{Spec{Kind: Chain, N: 10}, BuildStream16, 10, 9, "577e1210a20ee0f0"},
		{Spec{Kind: Chain, N: 10, Seed: 1}, BuildStream2, 10, 9, "9d2777369df950b3"},
		{Spec{Kind: Fan, N: 20}, BuildStream2, 20, 19, "77fe917c28c522ad"},
		{Spec{Kind: Diamond, N: 50}, BuildStream2, 50, 94, "91c5eeaac983547a"},
		{Spec{Kind: Diamond, N: 50, Seed: 7}, BuildStream2, 50, 98, "9893c28503c52c60"},
		{Spec{Kind: Rapid, N: 30}, BuildStream2, 30, 29, "ec32d21a9659c844"},
		{Spec{Kind: Debian, Root: "git"}, BuildStream2, 50, 125, "8ade83024f57f8ab"},
		{Spec{Kind: Debian, Root: "git"}, BuildStream16, 50, 125, "10826193f287b1f2"},
	} {
		name := c.spec.Name() + " for " + string(c.format)
		s, err := Generate(c.spec)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(s.Elements) != c.elements || s.Edges() != c.edges {
			t.Errorf("%s: %d elements and %d edges, want %d and %d", name, len(s.Elements), s.Edges(), c.elements, c.edges)
		}
		dir := filepath.Join(t.TempDir(), "project")
		if err := s.Write(dir, c.format); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := hashTree(t, dir); got != c.hash {
			t.Errorf("%s: hash %s, want %s", name, got, c.hash)
		}
	}
}

// Every element stands after what it needs, and the target reaches them all.
func TestShape(t *testing.T) {
	specs := []Spec{{Kind: Debian, Root: "gnome"}, {Kind: Debian, Root: Whole}}
	for _, n := range []int{2, 3, 4, 5, 17, 1000} {
		for _, kind := range []Kind{Chain, Fan, Diamond, Rapid} {
			specs = append(specs, Spec{Kind: kind, N: n, Seed: 3})
		}
	}
	for _, spec := range specs {
		s, err := Generate(spec)
		if err != nil {
			t.Errorf("%s: %v", spec.Name(), err)
			continue
		}
		if spec.Kind != Debian && len(s.Elements) != spec.N {
			t.Errorf("%s: %d elements", spec.Name(), len(s.Elements))
		}
		place := map[string]int{}
		for i, e := range s.Elements {
			for _, name := range e.Depends {
				if _, ok := place[name]; !ok {
					t.Errorf("%s: %s stands before %s, which it needs", spec.Name(), e.Name, name)
				}
			}
			if _, twice := place[e.Name]; twice {
				t.Errorf("%s: two elements %s", spec.Name(), e.Name)
			}
			place[e.Name] = i
		}
		reached := map[string]bool{}
		todo := []string{strings.TrimSuffix(spec.Target(), ".bst")}
		for len(todo) > 0 {
			name := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			if !reached[name] {
				reached[name] = true
				todo = append(todo, s.Elements[place[name]].Depends...)
			}
		}
		if len(reached) != len(s.Elements) {
			t.Errorf("%s: %s reaches %d elements of %d", spec.Name(), spec.Target(), len(reached), len(s.Elements))
		}
	}
}

func TestWriteFiles(t *testing.T) {
	s := &Stack{Name: "p", Elements: []Element{
		{Name: "a", Content: "hello\n"},
		{Name: "b", Depends: []string{"a"}},
	}}
	dir := filepath.Join(t.TempDir(), "deep", "project")
	if err := s.Write(dir, BuildStream16); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, name := range []string{"project.conf", "elements/a.bst", "elements/b.bst", "files/a"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		}
		got[name] = string(content)
	}
	want := map[string]string{
		"project.conf":   "name: p\nformat-version: 18\nelement-path: elements\n",
		"elements/a.bst": "kind: import\n\nsources:\n- kind: local\n  path: files/a\n",
		"elements/b.bst": "kind: stack\n\ndepends:\n- a.bst\n",
		"files/a":        "hello\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := s.Write(dir, BuildStream2); err == nil {
		t.Error("a project was overwritten")
	}
	left, err := os.ReadDir(filepath.Dir(dir))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestParseName(t *testing.T) {
	for _, want := range []Spec{
		{Kind: Chain, N: 100},
		{Kind: Diamond, N: 5000, Seed: 12},
		{Kind: Debian, Root: "git"},
		{Kind: Debian, Root: "libstdc++6"},
		{Kind: Debian, Root: "gnome-core"},
	} {
		got, err := ParseName(want.Name())
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", want.Name(), got, err)
		}
	}
	for _, bad := range []string{"", "chain", "chain-", "chain-x", "chain-1-2", "chain-10-seed", "chain-10-seed0x", "debian", "debian-", "cube-8"} {
		if got, err := ParseName(bad); err == nil {
			t.Errorf("%q: %+v", bad, got)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, spec := range []Spec{
		{Kind: "cube", N: 8},
		{Kind: Chain},
		{Kind: Fan, N: 1},
		{Kind: Rapid, N: 1 << 40},
		{Kind: Debian},
		{Kind: Debian, Root: "no-such-package"},
	} {
		if _, err := Generate(spec); err == nil {
			t.Errorf("%+v: no error", spec)
		}
	}
	if err := (&Stack{Name: "p"}).Write(filepath.Join(t.TempDir(), "p"), "3"); err == nil {
		t.Error("no error for an unknown format")
	}
}
