package stacks

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
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
		{Spec{Kind: Layers, N: 50}, BuildStream2, 50, 217, "a046f5aeaff1ccf3"},
		{Spec{Kind: Debian, Root: Whole, N: 100}, BuildStream2, 101, 243, "c3b5fe86e7ba94e0"},
		{Spec{Kind: Rapid, N: 30}, BuildStream2, 30, 29, "ec32d21a9659c844"},
		{Spec{Kind: LongLogs, N: 10}, BuildStream2, 10, 16, "7e70696f5a89ecd3"},
		{Spec{Kind: LongLogs, N: 10}, BuildStream16, 10, 16, "5e74d2371aa156ab"},
		{Spec{Kind: Failures, N: 12}, BuildStream2, 12, 18, "25a35eb2959bd1ff"},
		{Spec{Kind: DeepJunctions, N: 35}, BuildStream2, 35, 34, "3aabb3904f72221f"},
		{Spec{Kind: DeepJunctions, N: 1000, Seed: 2}, BuildStream16, 1000, 999, "26dcb384e8cccdc0"},
		{Spec{Kind: WideFiles, N: 4, Seed: 3}, BuildStream2, 4, 3, "ff5188cfd6cd75cf"},
		{Spec{Kind: Sources, N: 5}, BuildStream2, 5, 4, "67fa67d4e0d9fd8f"},
		{Spec{Kind: Diamond, N: 50}, Ninja, 50, 94, "e81d66b130fcd087"},
		{Spec{Kind: Debian, Root: "git"}, BuildStream2, 50, 125, "8ade83024f57f8ab"},
		{Spec{Kind: Debian, Root: "git"}, BuildStream16, 50, 125, "10826193f287b1f2"},
	} {
		name := c.spec.Name() + " for " + string(c.format)
		s, err := Generate(c.spec)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.Size() != c.elements || s.Edges() != c.edges {
			t.Errorf("%s: %d elements and %d edges, want %d and %d", name, s.Size(), s.Edges(), c.elements, c.edges)
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
	specs := []Spec{{Kind: Debian, Root: "gnome"}, {Kind: Debian, Root: Whole}, {Kind: Debian, Root: Whole, N: 1000}}
	for _, n := range []int{2, 3, 4, 5, 17, 1000} {
		for _, kind := range []Kind{Chain, Fan, Diamond, Layers, Rapid, LongLogs, Failures, WideFiles, Sources} {
			if n >= 6 || kind != LongLogs && kind != Failures {
				specs = append(specs, Spec{Kind: kind, N: n, Seed: 3})
			}
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
		{Kind: LongLogs, N: 10},
		{Kind: DeepJunctions, N: 10, Seed: 4},
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

// What no ninja and no BuildStream 1.6 knows is refused and leaves nothing.
func TestFormatsRefuse(t *testing.T) {
	for _, c := range []struct {
		kind   Kind
		format Format
	}{{DeepJunctions, Ninja}, {Sources, BuildStream16}} {
		s, err := Generate(Spec{Kind: c.kind, N: 30})
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := s.Write(filepath.Join(dir, "p"), c.format); err == nil {
			t.Errorf("%s for %s: no error", c.kind, c.format)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, spec := range []Spec{
		{Kind: "cube", N: 8},
		{Kind: Chain},
		{Kind: Fan, N: 1},
		{Kind: Rapid, N: 1 << 40},
		{Kind: LongLogs, N: 3},
		{Kind: Failures, N: 5},
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

// A third of what can fail does.
func TestFailing(t *testing.T) {
	for _, n := range []int{6, 12, 50} {
		spec := Spec{Kind: Failures, N: n}
		s, err := Generate(spec)
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		for _, e := range s.Elements {
			if slices.Contains(e.Depends, "shell-that-fails") {
				want++
			}
		}
		if got, skipped := spec.Failing(); got != want || got == 0 || skipped != 1 {
			t.Errorf("%d: %d fail and %d are skipped, want %d and 1", n, got, skipped, want)
		}
	}
}

// The shells of this machine print what they should and end as they should.
func TestShells(t *testing.T) {
	for _, m := range machines {
		program := shell(m.machine, m.code, "some text\n", 3, 7)
		f, err := elf.NewFile(bytes.NewReader(program))
		if err != nil || f.Type != elf.ET_EXEC || len(f.Progs) != 1 || f.Progs[0].Filesz != uint64(len(program)) {
			t.Errorf("%s: %v %+v", m.name, err, f)
		}
	}
	here := map[string]int{"amd64": 0, "arm64": 1}
	i, ok := here[runtime.GOARCH]
	if !ok || runtime.GOOS != "linux" {
		t.Skip("no program of this machine")
	}
	path := filepath.Join(t.TempDir(), "sh")
	if err := os.WriteFile(path, shell(machines[i].machine, machines[i].code, "some text\n", 3, 7), 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, "-c", "ignored").Output()
	var exit *exec.ExitError
	if string(out) != "some text\nsome text\nsome text\n" || !errors.As(err, &exit) || exit.ExitCode() != 7 {
		t.Errorf("%q, %v", out, err)
	}
}
