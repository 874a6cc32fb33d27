package yamledit

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"bst/impl/node"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

// value makes a node of YAML.
func value(t testing.TB, text string) *node.Node {
	t.Helper()
	n, err := node.Parse([]byte("v: "+text), "value")
	if err != nil {
		t.Fatal(err)
	}
	return n.Get("v")
}

func TestUpdate(t *testing.T) {
	ref := Path{"sources", 0, "ref"}
	tests := []struct {
		name, before string
		path         Path
		value, want  string
	}{
		{"a scalar", "sources:\n- kind: tar\n  ref: old\n  url: x\n", ref, "new", "sources:\n- kind: tar\n  ref: new\n  url: x\n"},
		{"a comment behind it", "sources:\n- ref: old  # why\n", ref, "new", "sources:\n- ref: new  # why\n"},
		{"quotes stay", "sources:\n- ref: 'old'\n- ref: \"x\"\n", ref, "new", "sources:\n- ref: 'new'\n- ref: \"x\"\n"},
		{"double quotes stay", "sources:\n- {ref: \"old\"}\n- ref: \"old\" # x\n", Path{"sources", 1, "ref"}, "new", "sources:\n- {ref: \"old\"}\n- ref: \"new\" # x\n"},
		{"nothing was written", "sources:\n- kind: tar\n  ref:\n  url: x\n", ref, "new", "sources:\n- kind: tar\n  ref: new\n  url: x\n"},
		{"nothing but a comment", "sources:\n- kind: tar\n  ref: # to do\n  url: x\n", ref, "new", "sources:\n- kind: tar\n  ref: new # to do\n  url: x\n"},
		{"nothing, at the end", "sources:\n- kind: tar\n  ref:", ref, "new", "sources:\n- kind: tar\n  ref: new"},
		{"an empty text", "sources:\n- ref: ''\n", ref, "new", "sources:\n- ref: 'new'\n"},
		{"a new key", "sources:\n- kind: tar\n  url: x # u\n\n# what follows\nconfig: {}\n", ref, "new",
			"sources:\n- kind: tar\n  url: x # u\n  ref: new\n\n# what follows\nconfig: {}\n"},
		{"a new key before another item", "sources:\n- kind: tar\n- kind: b\n", ref, "new", "sources:\n- kind: tar\n  ref: new\n- kind: b\n"},
		{"a new key, no newline at the end", "sources:\n- kind: tar", ref, "new", "sources:\n- kind: tar\n  ref: new"},
		{"deeper items", "sources:\n    -   kind: tar\n        url: x\n", ref, "new", "sources:\n    -   kind: tar\n        url: x\n        ref: new\n"},
		{"behind a literal", "sources:\n- kind: tar\n  text: |\n    a\n    # no comment\n\n\nx: y\n", ref, "new",
			"sources:\n- kind: tar\n  text: |\n    a\n    # no comment\n  ref: new\n\n\nx: y\n"},
		{"behind a literal that keeps its end", "sources:\n- kind: tar\n  text: |+\n    a\n\n\nx: y\n", ref, "new",
			"sources:\n- kind: tar\n  text: |+\n    a\n\n\n  ref: new\nx: y\n"},
		{"behind text over several lines", "sources:\n- kind: tar\n  text: a\n    b\n\n    c # d\n- x: y\n", ref, "new",
			"sources:\n- kind: tar\n  text: a\n    b\n\n    c # d\n  ref: new\n- x: y\n"},
		{"behind quotes over several lines", "sources:\n- kind: tar\n  text: \"a\n\n   b\"\n- x: y\n", ref, "new",
			"sources:\n- kind: tar\n  text: \"a\n\n   b\"\n  ref: new\n- x: y\n"},
		{"behind nothing", "sources:\n- kind: tar\n  text:\n- x: y\n", ref, "new", "sources:\n- kind: tar\n  text:\n  ref: new\n- x: y\n"},
		{"in brackets", "sources:\n- {kind: tar, ref: old, url: 'a:b'}\n", ref, "new", "sources:\n- {kind: tar, ref: new, url: 'a:b'}\n"},
		{"a new key in brackets", "sources: [{kind: tar, url: a:b}, {}]\n", ref, "x:y", "sources: [{kind: tar, url: a:b, ref: 'x:y'}, {}]\n"},
		{"a new key in empty brackets", "sources: [{kind: tar}, {}]\n", Path{"sources", 1, "ref"}, "new", "sources: [{kind: tar}, {ref: new}]\n"},
		{"brackets over several lines", "sources: [\n  {kind: tar, # c\n   url: x\n  }\n]\n", ref, "new", "sources: [\n  {kind: tar, # c\n   url: x, ref: new\n  }\n]\n"},
		{"nothing in brackets", "sources:\n- {kind: tar, ref: , url: x}\n", ref, "new", "sources:\n- {kind: tar, ref: new, url: x}\n"},
		{"a mapping in brackets", "sources:\n- {kind: tar}\n", ref, "{a: [1, 2], b: {}}", "sources:\n- {kind: tar, ref: {a: [1, 2], b: {}}}\n"},
		{"a mapping key by key", "sources:\n- ref:\n    a: 1 # one\n    # two\n    b: 2\n", ref, "{a: 1, b: 3, c: 4}",
			"sources:\n- ref:\n    a: 1 # one\n    # two\n    b: 3\n    c: 4\n"},
		{"a key goes", "sources:\n- ref:\n    a: 1\n    b: 2 # two\n    c: 3\n  url: x\n", ref, "{a: 1, c: 3}",
			"sources:\n- ref:\n    a: 1\n    c: 3\n  url: x\n"},
		{"all keys go but new ones", "sources:\n- ref:\n    a: 1\n    b: 2\n  url: x\n", ref, "{c: 3}", "sources:\n- ref:\n    c: 3\n  url: x\n"},
		{"a list", "sources:\n- kind: cargo\n  ref:\n  - name: a\n    version: 1\n  - name: b\n    version: 2\n  url: x\n", ref,
			"[{name: a, version: '1.0'}]", "sources:\n- kind: cargo\n  ref:\n  - name: a\n    version: 1.0\n  url: x\n"},
		{"a list in its column", "sources:\n- kind: cargo\n  ref:   # crates\n    - a\n    - b\n  url: x\n", ref, "[c, d]",
			"sources:\n- kind: cargo\n  ref:   # crates\n    - c\n    - d\n  url: x\n"},
		{"a list is made", "sources:\n- kind: cargo\n  url: x\n", ref, "[{name: a, version: b}, c, {}]",
			"sources:\n- kind: cargo\n  url: x\n  ref:\n  - name: a\n    version: b\n  - c\n  - {}\n"},
		{"a list for nothing", "sources:\n- kind: cargo\n  ref: # c\n  url: x\n", ref, "[a]", "sources:\n- kind: cargo\n  ref: # c\n  - a\n  url: x\n"},
		{"a list for a text", "sources:\n- kind: cargo\n  ref: old\n  url: x\n", ref, "[a]", "sources:\n- kind: cargo\n  ref:\n  - a\n  url: x\n"},
		{"a text for a list", "sources:\n- kind: cargo\n  ref:\n  - a\n  - b\n  url: x\n", ref, "new", "sources:\n- kind: cargo\n  ref: new\n  url: x\n"},
		{"a text for a literal", "sources:\n- ref: |\n    old\n  url: x\n", ref, "new", "sources:\n- ref: new\n  url: x\n"},
		{"a text of several lines", "sources:\n- ref: old\n", ref, "\"a\\nb\"", "sources:\n- ref: \"a\\nb\"\n"},
		{"nothing left", "sources:\n- ref: [a]\n", ref, "[]", "sources:\n- ref: []\n"},
		{"the same", "sources:\n- ref:   'same' # x\n", ref, "same", "sources:\n- ref:   'same' # x\n"},
		{"the same list", "sources:\n- ref: [a,  b]\n", ref, "[a, b]", "sources:\n- ref: [a,  b]\n"},
		{"lines of Windows", "sources:\r\n- kind: tar\r\n  url: x\r\n- a: b\r\n", ref, "[c]", "sources:\r\n- kind: tar\r\n  url: x\r\n  ref:\r\n  - c\r\n- a: b\r\n"},
		{"what is no ASCII", "sources:\n- {kind: ä, ref: ö, url: ü}\n", ref, "new", "sources:\n- {kind: ä, ref: new, url: ü}\n"},
		{"below a condition", "(?):\n- x:\n    sources:\n    - kind: tar\n- y: {}\n", Path{"(?)", 0, "x", "sources", 0, "ref"}, "new",
			"(?):\n- x:\n    sources:\n    - kind: tar\n      ref: new\n- y: {}\n"},
		{"a file", "", Path{"projects", "p", "e.bst", 1}, "{ref: new}", "projects:\n  p:\n    e.bst:\n    - {}\n    - ref: new\n"},
		{"a file of comments", "# refs\n", Path{"projects", "p", "e.bst", 0}, "{ref: new}", "# refs\nprojects:\n  p:\n    e.bst:\n    - ref: new\n"},
		{"no projects", "projects: {}\n", Path{"projects", "p", "e.bst", 0}, "{ref: new}", "projects:\n  p:\n    e.bst:\n    - ref: new\n"},
		{"nothing of projects", "projects:\n", Path{"projects", "p", "e.bst", 0}, "{ref: new}", "projects:\n  p:\n    e.bst:\n    - ref: new\n"},
		{"an empty file", "{}\n", Path{"projects", "p", "e.bst", 0}, "{ref: new}", "projects:\n  p:\n    e.bst:\n    - ref: new\n"},
		{"another element", "projects:\n  p:\n    a.bst:\n    - ref: x\n  q: {}\n", Path{"projects", "p", "e.bst", 0}, "{ref: new}",
			"projects:\n  p:\n    a.bst:\n    - ref: x\n    e.bst:\n    - ref: new\n  q: {}\n"},
		{"another source", "projects:\n  p:\n    a.bst:\n    - ref: x\n  q: {}\n", Path{"projects", "p", "a.bst", 2}, "{ref: new}",
			"projects:\n  p:\n    a.bst:\n    - ref: x\n    - {}\n    - ref: new\n  q: {}\n"},
		{"a source without", "projects:\n  p:\n    a.bst:\n    - {}\n", Path{"projects", "p", "a.bst", 0, "ref"}, "new",
			"projects:\n  p:\n    a.bst:\n    - ref: new\n"},
		{"a list in brackets", "a: [[x], [y]]\n", Path{"a", 3}, "[z]", "a: [[x], [y], {}, [z]]\n"},
		{"an empty list", "a: []\nb: c\n", Path{"a", 0}, "x", "a:\n- x\nb: c\n"},
		{"an item that is nothing", "a:\n- x\n-\n- y\n", Path{"a", 1}, "z", "a:\n- x\n- z\n- y\n"},
		{"the last item is nothing", "a:\n- x\n-\nb: c\n", Path{"a", 2}, "z", "a:\n- x\n-\n- z\nb: c\n"},
		{"an item becomes a mapping", "a:\n- x\n- y\n", Path{"a", 0}, "{k: v, l: [1]}", "a:\n- k: v\n  l:\n  - 1\n- y\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Update([]byte(tt.before), tt.path, value(t, tt.value))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Error(diff)
			}
			again, err := Update(got, tt.path, value(t, tt.value))
			if err != nil || string(again) != string(got) {
				t.Errorf("a second time: %v\n%s", err, again)
			}
		})
	}
}

func TestRemove(t *testing.T) {
	tests := []struct {
		name, before string
		path         Path
		want         string
	}{
		{"a line", "a: 1\nb: 2 # x\nc: 3\n", Path{"b"}, "a: 1\nc: 3\n"},
		{"with its list", "a: 1\nb:\n- x\n- y\n# c\nc: 3\n", Path{"b"}, "a: 1\n# c\nc: 3\n"},
		{"the last", "a: 1\nb: 2", Path{"b"}, "a: 1\n"},
		{"behind a dash", "l:\n- a: 1\n  b: 2\n", Path{"l", 0, "a"}, "l:\n- b: 2\n"},
		{"the only one", "l:\n- a: 1\n- c\n", Path{"l", 0, "a"}, "l:\n- {}\n- c\n"},
		{"the only one below a key", "m:\n  a: 1\nn: o\n", Path{"m", "a"}, "m: {}\nn: o\n"},
		{"first in brackets", "m: {a: 1, b: 2}\n", Path{"m", "a"}, "m: {b: 2}\n"},
		{"last in brackets", "m: {a: 1, b: 2}\n", Path{"m", "b"}, "m: {a: 1}\n"},
		{"the only one in brackets", "m: {a: 1}\n", Path{"m", "a"}, "m: {}\n"},
		{"what is not there", "m: {a: 1}\n", Path{"m", "x", "y"}, "m: {a: 1}\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Remove([]byte(tt.before), tt.path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAt(t *testing.T) {
	const text = "kind: x\nsources:\n- kind: tar\n  ref: old\n- {kind: b, ref: {c: d}}\n(?):\n- a:\n    sources:\n    - kind: z\n"
	for _, tt := range []struct {
		line, column int
		want         Path
	}{
		{4, 7, Path{"sources", 0, "ref"}},
		{3, 2, Path{"sources", 0}},
		{5, 2, Path{"sources", 1}},
		{5, 17, Path{"sources", 1, "ref"}},
		{9, 6, Path{"(?)", 0, "a", "sources", 0}},
		{1, 0, nil},
	} {
		got, err := At([]byte(text), tt.line, tt.column)
		if err != nil {
			t.Errorf("%d:%d: %v", tt.line, tt.column, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%d:%d: %s", tt.line, tt.column, diff)
		}
	}
	for _, place := range [][2]int{{4, 2}, {99, 0}, {0, 0}} {
		if _, err := At([]byte(text), place[0], place[1]); !errors.Is(err, ErrNowhere) {
			t.Errorf("%v: %v", place, err)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		path       Path
	}{
		{"no YAML", "a: [", Path{"a"}},
		{"a list at the top", "- a\n", Path{"a"}},
		{"a key in a list", "a: [x]\n", Path{"a", "b"}},
		{"an index in a mapping", "a: {x: y}\n", Path{"a", 0}},
		{"an index that is far", "a: []\n", Path{"a", 1 << 30}},
		{"the whole file", "a: b\n", nil},
	} {
		if got, err := Update([]byte(tt.text), tt.path, value(t, "new")); err == nil {
			t.Errorf("%s: no error, but\n%s", tt.name, got)
		}
	}
}

// leaves are the paths of all scalars of a tree.
func leaves(n *yaml.Node, path Path, f func(Path)) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 1; i < len(n.Content); i += 2 {
			leaves(n.Content[i], append(path[:len(path):len(path)], n.Content[i-1].Value), f)
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			leaves(item, append(path[:len(path):len(path)], i), f)
		}
	case yaml.ScalarNode:
		f(path)
	}
}

// FuzzUpdate: whatever the text, what is changed is what was asked for, or it is
// an error; and lines that are not concerned stay.
func FuzzUpdate(f *testing.F) {
	for _, text := range []string{
		"sources:\n- kind: tar\n  ref: old # c\n  url: x\n", "a: {b: [c, 'd'], e: \"f\"}\n", "a: |+\n  b\n\nc: >-\n  d\n",
		"a:\n- - b\n  - c\n-\n- d: e\n", "a: b\n  c\nd:\n", "? a\n: b\n", "a: !x b\n", "\"a\": 'b''c'\n", "a: # x\n  b # y\n",
	} {
		f.Add(text, "new")
	}
	f.Fuzz(func(t *testing.T, text, with string) {
		doc, err := parse([]byte(text))
		if err != nil || doc.root == nil || len(text) > 2000 {
			return
		}
		if !printable(with) {
			return
		}
		replacement := node.NewScalar(with, noPlace)
		leaves(doc.root, nil, func(path Path) {
			got, err := Update([]byte(text), path, replacement)
			if err != nil {
				return // it said so, and the file stays
			}
			changed, err := parse(got)
			if err != nil {
				t.Fatalf("%v of %q: %v", path, text, err)
			}
			want, err := change(plain(doc.root), path, replacement.Text())
			if err != nil || !reflect.DeepEqual(plain(changed.root), want) {
				t.Fatalf("%v of %q: got %q", path, text, got)
			}
			doc, err = parse([]byte(text)) // change works in place
			if err != nil {
				t.Fatal(err)
			}
		})
	})
}

// TestCorpus changes every ref of real projects, where BST_YAML_CORPUS says they are:
// nothing but one line may change for a text in place of a text.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("BST_YAML_CORPUS")
	if dir == "" {
		t.Skip("BST_YAML_CORPUS names no folder with projects")
	}
	refs := 0
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".bst") {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		doc, err := parse(text)
		if err != nil || doc.root == nil {
			return nil
		}
		leaves(doc.root, nil, func(path Path) {
			if path[len(path)-1] != "ref" && path[len(path)-1] != "url" {
				return
			}
			refs++
			got, err := Update(text, path, node.NewScalar("new-value", noPlace))
			if err != nil {
				t.Errorf("%s: %v: %v", name, path, err)
				return
			}
			before, after := strings.Split(string(text), "\n"), strings.Split(string(got), "\n")
			if len(before) != len(after) {
				t.Errorf("%s: %v: %d lines became %d", name, path, len(before), len(after))
				return
			}
			lines := 0
			for i := range before {
				if before[i] != after[i] {
					lines++
				}
			}
			if lines != 1 {
				t.Errorf("%s: %v: %d lines changed", name, path, lines)
			}
			added, err := Update(text, append(path[:len(path)-1:len(path)-1], "added"), node.NewScalar("x", noPlace))
			if err != nil {
				t.Errorf("%s: %v: adding: %v", name, path, err)
			} else if n := strings.Count(string(added), "\n") - strings.Count(string(text), "\n"); n != 1 {
				t.Errorf("%s: %v: adding a key made %d lines", name, path, n)
			}
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d values", refs)
}
