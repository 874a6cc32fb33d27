package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bst/impl/element"
	"bst/impl/kind/all"
	"bst/impl/project"
)

// compareSDK compares the keys of Freedesktop SDK, strict and weak.
func compareSDK(ctx context.Context, s settings) (*tally, error) {
	tree, err := laySDK(ctx, s)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(filepath.Join(s.facts, "fdsdk", "expected.txt"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	names, want, err := readPairs(file)
	if err != nil {
		return nil, err
	}
	list, err := os.ReadFile(filepath.Join(s.facts, "fdsdk", "targets.txt"))
	if err != nil {
		return nil, err
	}
	targets := strings.Fields(string(list))
	got, err := show(ctx, s, tree, "all", targets)
	if err != nil {
		return nil, err
	}
	if got.failure != nil {
		return nil, got.failure
	}
	keys := make(map[string]bool, len(want))
	for _, key := range want {
		keys[key] = true
	}
	texts, err := readPreimages(filepath.Join(s.facts, "fdsdk", "preimages.tsv.xz"), func(key string) bool { return keys[key] })
	if err != nil {
		return nil, err
	}
	graph, err := resolve(ctx, tree, targets)
	if err != nil {
		return nil, err
	}
	return report(s, names, want, got.keys, texts, graph)
}

// report compares keys, and what they were made of where that is known.
func report(s settings, names []string, want, got map[string]string, texts map[string]string, graph *element.Graph) (*tally, error) {
	elements := make(map[string]*element.Element, len(graph.Elements))
	for _, e := range graph.Elements {
		elements[e.FullName] = e
	}
	t := &tally{}
	for _, name := range names {
		e, text := elements[name], texts[want[name]]
		switch key := got[name]; key {
		case want[name]:
			t.matched++
			if s.verbose {
				fmt.Fprintf(s.out, "match    %s\n", name)
			}
		case "":
			t.missing++
			fmt.Fprintf(s.out, "missing  %s\n", name)
		default:
			t.differ++
			fmt.Fprintf(s.out, "DIFFERS  %s: want %s, got %s\n", name, want[name], key)
			if err := explain(s, e, graph, text); err != nil {
				return nil, err
			}
		}
		if e == nil || text == "" {
			continue
		}
		var strict struct {
			Weak string `json:"weak-cache-key"`
		}
		if err := json.Unmarshal([]byte(text), &strict); err != nil {
			return nil, fmt.Errorf("the pre-image of %s: %w", name, err)
		}
		if strict.Weak == e.WeakKey {
			t.weakMatched++
			continue
		}
		t.weakDiffer++
		fmt.Fprintf(s.out, "DIFFERS  %s: weak key: want %s, got %s\n", name, strict.Weak, e.WeakKey)
	}
	return t, nil
}

// explain tells where what was hashed differs.
func explain(s settings, e *element.Element, graph *element.Graph, want string) error {
	if e == nil || want == "" {
		return nil
	}
	got, err := graph.KeyText(e, false)
	if err != nil {
		return err
	}
	for _, line := range differences([]byte(want), got) {
		fmt.Fprintf(s.out, "         %s\n", line)
	}
	return nil
}

// resolve loads a project as bst does.
func resolve(ctx context.Context, dir string, targets []string) (*element.Graph, error) {
	p, err := project.Open(ctx, project.Options{Directory: dir, Junctions: staged{}})
	if err != nil {
		return nil, err
	}
	loaded, err := p.Load(ctx, targets, project.LoadOptions{})
	if err != nil {
		return nil, err
	}
	registry, err := element.NewRegistry(all.Elements(), all.Sources())
	if err != nil {
		return nil, err
	}
	return element.Resolve(ctx, loaded, registry, element.Options{})
}

// staged finds junctions where bst has staged them before.
type staged struct{}

// CheckJunction trusts what bst has staged.
func (staged) CheckJunction(context.Context, *project.Element) error { return nil }

// FetchJunction gives the one folder that is there.
func (staged) FetchJunction(_ context.Context, j *project.Junction) (string, error) {
	at := filepath.Join(j.Element.Project.Toplevel().Dir, ".bst", "staged-junctions", filepath.FromSlash(j.Element.FullName))
	found, err := os.ReadDir(at)
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%s: there are %d folders and not one", at, len(found))
	}
	return filepath.Join(at, found[0].Name()), nil
}

// samplePlugins is where BuildStream's tests keep the package of plugins that
// their projects use.
const samplePlugins = "tests/plugins/sample-plugins/src"

// compareTrees compares the keys of BuildStream's own projects.
func compareTrees(ctx context.Context, s settings) (*tally, error) {
	root, err := layTrees(ctx, s)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(filepath.Join(s.facts, "upstream-trees.tsv"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	trees, err := readTrees(file)
	if err != nil {
		return nil, err
	}
	t := &tally{}
	for _, tree := range trees {
		if err := compareTree(ctx, s, root, tree, t); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func compareTree(ctx context.Context, s settings, root string, tree *tree, t *tally) error {
	ask := func(names ...string) (*shown, error) {
		return show(ctx, s, filepath.Join(root, tree.dir), "none", names, "PYTHONPATH="+filepath.Join(root, samplePlugins))
	}
	var names []string
	for _, e := range tree.elements {
		if !slices.Contains(names, e.name) {
			names = append(names, e.name)
		}
	}
	whole, err := ask(names...)
	if err != nil {
		return err
	}
	for _, e := range tree.elements {
		name, got := e.name, whole
		if whole.failure != nil && len(names) > 1 {
			// One of them is at fault, not all.
			if got, err = ask(name); err != nil {
				return err
			}
		}
		id := tree.dir + " " + name
		switch key := got.keys[name]; {
		case key == e.key:
			t.matched++
			if s.verbose {
				fmt.Fprintf(s.out, "match    %s\n", id)
			}
		case key != "":
			t.differ++
			fmt.Fprintf(s.out, "DIFFERS  %s: want %s, got %s\n", id, e.key, key)
		case got.failure != nil && got.failure.python():
			t.python++
			fmt.Fprintf(s.out, "python   %s: %s\n", id, got.failure.Message)
		default:
			t.missing++
			if got.failure == nil {
				got.failure = &failure{Message: "nothing was said of it"}
			}
			fmt.Fprintf(s.out, "missing  %s: %s\n", id, got.failure)
		}
	}
	return nil
}
