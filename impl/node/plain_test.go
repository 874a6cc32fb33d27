package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// flat is a tree as text: kind, place and value of every node.
func flat(n *Node) string {
	var b strings.Builder
	var add func(n *Node, indent string)
	add = func(n *Node, indent string) {
		b.WriteString(strings.TrimPrefix(n.where(), n.file.name))
		switch n.kind {
		case Scalar:
			b.WriteString(" = " + quoted(n.value) + "\n")
		case Sequence:
			b.WriteString(" list\n")
			for _, item := range n.Items() {
				b.WriteString(indent + "-")
				add(item, indent+"  ")
			}
		case Mapping:
			b.WriteString(" mapping\n")
			for i, key := range n.Keys() {
				b.WriteString(indent + quoted(key) + ":")
				add(n.Items()[i], indent+"  ")
				if n.Get(key) != n.Items()[i] {
					b.WriteString("not found\n")
				}
			}
		}
	}
	add(n, "")
	return b.String()
}

func quoted(s string) string { return "\"" + strings.ReplaceAll(s, "\n", "\\n") + "\"" }

// compare fails where the plain reader reads text otherwise than the library
// does, and tells whether it read it.
func compare(t *testing.T, text string) bool {
	t.Helper()
	n := parsePlain(text, "f")
	if n == nil {
		return false
	}
	want, err := parseYAML([]byte(text), "f")
	if err != nil {
		t.Fatalf("was read, but the library says: %v\n%q", err, text)
	}
	if diff := cmp.Diff(flat(want), flat(n)); diff != "" {
		t.Fatalf("-library +plain:\n%s%q", diff, text)
	}
	return true
}

func TestPlain(t *testing.T) {
	tests := []struct {
		name, text string
		want       bool
	}{
		{"element", "kind: manual\n\n# comment\ndepends:\n- a.bst\n- b.bst   # why\n\nconfig:\n  build-commands:\n  - |\n    make -j1\n      more\n\n    end\n  - echo: not\n", true},
		{"no final newline", "a: b", true},
		{"indented root", "  a: b\n  c:\n  - d\n", true},
		{"null", "a:\nb:\n  # nothing\nc:\n  - \n  -\n  - x\nd:", true},
		{"compact", "- a: b\n", false},
		{"lists in lists", "a:\n- - x\n  - y\n-\n  - z\n- b: c\n  d:\n  - e\n", true},
		{"quoted", "a: 'it''s'  # c\nb: \"x\\n\\\"y\\\"\\\\\"\n'c d': \"\"\n\"e\": ''\n", true},
		{"flow", "a: []\nb: {}\nc: [x, 'y', [z], {k: v}]\nd: {e: f, g: [h]} # c\n", true},
		{"colons", "url: https://example.com/a:b#c\nk: a -b: c\n", false},
		{"urls", "url: https://example.com/a:b#c\n", true},
		{"hash", "a: b#c #d\n", true},
		{"words", "a: null\nb: ~\nc: yes\nd: 0x10\ne: 1.0\nf: <<\n<<: x\n=: y\n", true},
		{"space before the colon", "a : b\n", true},
		{"literal", "a: |-\n\n  x\n\n   y\n  z\n \nb: |+ # c\n  q\n\n", true},
		{"literal to the end", "a: |\n  x", true},
		{"literal in a list of no indentation", "a:\n- |\n  x\n- y\n", true},
		{"empty literal", "a: |\nb: c\n", false},
		{"literal on its own line", "a:\n  |\n  x\n", true},
		{"literal with tabs", "a: |\n  x\ty\n  \tz\n", true},
		{"text", "a: Grüße 漢字\n", true},
		{"non-ASCII key", "ä: b\n", false},
		{"tab", "a:\tb\n", false},
		{"CRLF", "a: b\r\n", false},
		{"folded", "a: >\n  b\n  c\n\n  d\n\n\n  e \n  f\n\nb: >- # c\n\n   x\n   y\nc:\n- >+\n  z\n\n", true},
		{"folded with more indentation", "a: >\n  b\n    c\n  d\n", false},
		{"folded with a tab", "a: >\n  b\n  \tc\n", false},
		{"folded with a blank line of spaces", "a: >\n  b\n   \n  c\n", false},
		{"several lines", "a: b\n  c\n", false},
		{"quoted over lines", "a: 'b\n  c'\n", false},
		{"duplicate", "a: b\na: c\n", false},
		{"duplicate in flow", "a: {b: c, b: d}\n", false},
		{"anchor", "a: &b c\n", false},
		{"tag", "a: !!str c\n", false},
		{"document", "---\na: b\n", false},
		{"two documents", "a: b\n---\nc: d\n", false},
		{"wrong indentation", "a:\n    b: c\n  d: e\n", false},
		{"value and mapping", "a: b\n  c: d\n", false},
		{"nothing", "# only a comment\n", false},
		{"scalar", "just text\n", false},
		{"list", "- a\n", false},
		{"control", "a: \x01\n", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := compare(t, tt.text); got != tt.want {
				t.Errorf("read: %v, want %v", got, tt.want)
			}
		})
	}
}

// A mapping that is too large to be searched from end to end.
func TestPlainLargeMapping(t *testing.T) {
	var b strings.Builder
	for i := range 3 * searched {
		b.WriteString(strings.Repeat("k", i+1) + ": v\n")
	}
	if !compare(t, b.String()) {
		t.Error("not read")
	}
	if compare(t, b.String()+"kk: again\n") {
		t.Error("a duplicate key was read")
	}
}

// The files of BST_YAML_CORPUS, a folder, are read as the library reads them.
// How many of them the library has to read is logged.
func TestPlainCorpus(t *testing.T) {
	corpus := os.Getenv("BST_YAML_CORPUS")
	if corpus == "" {
		corpus = "../.." // the project's own examples and test data
	}
	all, plain := 0, 0
	err := filepath.WalkDir(corpus, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		switch filepath.Ext(path) {
		case ".bst", ".conf", ".yml", ".yaml", ".refs", ".inc":
		default:
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		all++
		if compare(t, string(text)) {
			plain++
		} else if testing.Verbose() {
			t.Logf("not plain: %s", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d files are plain", plain, all)
	if plain == 0 {
		t.Error("no file was read")
	}
}

func FuzzPlain(f *testing.F) {
	for _, text := range []string{
		"a: b\n", "a:\n- b\n- c: d\n  e: |\n    f\n", "a: [b, {c: d}]\n", "a: 'b' # c\n", "a: \"\\n\"\n", "a:\n\n  b: c\n", "- - a\n",
		"a: |\n \n  b\n c\n", "k : v\n", "a:\n- |-\n  x\nb: y", "a: >-\n  b\n  c\n\n  d\n",
	} {
		f.Add(text)
	}
	for _, text := range odd {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { compare(t, text) })
}

func BenchmarkPlain(b *testing.B) {
	data := []byte(typical)
	for name, parse := range map[string]func([]byte, string) (*Node, error){"plain": Parse, "library": parseYAML} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := parse(data, "f"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
