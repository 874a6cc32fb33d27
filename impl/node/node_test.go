package node

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bst/impl/stream"
)

func parse(t *testing.T, text string) *Node {
	t.Helper()
	n, err := Parse([]byte(text), "f.bst")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// reason is an error's LoadErrorReason, "" for nil.
func reason(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var e *stream.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is a %T, not a *stream.Error", err, err)
	}
	if e.Domain != stream.DomainLoad {
		t.Errorf("domain %s of %v", e.Domain, e)
	}
	return e.Reason
}

func TestParse(t *testing.T) {
	for _, test := range []struct {
		name, in string
		want     any
	}{
		{"empty", "", map[string]any{}},
		{"only comments", "# nothing\n", map[string]any{}},
		{"all scalars are strings", "a: 1\nb: true\nc: 1.50\nd: 2020-01-01\ne: 0x1f\n",
			map[string]any{"a": "1", "b": "true", "c": "1.50", "d": "2020-01-01", "e": "0x1f"}},
		{"null is a string", "a: ~\nb: null\nc:\nd: ''\n",
			map[string]any{"a": "~", "b": "null", "c": "", "d": ""}},
		{"stripped", "a: '  x '\nb: |\n  one\n  two\n\nc: \"\\t y\\n\"\nd: >\n  f\n  g\n",
			map[string]any{"a": "x", "b": "one\ntwo", "c": "y", "d": "f g"}},
		{"core tags", "a: !!str 1\nb: !!binary aGk=\n", map[string]any{"a": "1", "b": "aGk="}},
		{"nested", "a:\n- b: [c, {d: e}]\n- - f\n",
			map[string]any{"a": []any{map[string]any{"b": []any{"c", map[string]any{"d": "e"}}}, []any{"f"}}}},
		{"merge key is a key", "a:\n  <<: b\n", map[string]any{"a": map[string]any{"<<": "b"}}},
		{"one document with marks", "---\na: b\n...\n", map[string]any{"a": "b"}},
		{"CR LF", "a: |\r\n  x\r\n  y\r\nb: c\r\n", map[string]any{"a": "x\ny", "b": "c"}},
		{"keys are not stripped", "' a ': b\n", map[string]any{" a ": "b"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, parse(t, test.in).Plain()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"list at the top", "- a\n", "Expected a dictionary at the top level"},
		{"scalar at the top", "a\n", "Expected a dictionary at the top level"},
		{"null document", "---\n", "Expected a dictionary at the top level"},
		{"two documents", "a: b\n---\nc: d\n", "more than one document"},
		{"broken second document", "a: b\n---\nc: [\n", "Severely malformed YAML"},
		{"duplicate", "a: b\nc:\n  d: e\n  d: f\n", "Duplicate key d at line 3 column 2"},
		{"anchor", "a: &x b\n", "Anchors are disallowed in BuildStream at line 0 column 3"},
		{"anchor on a mapping", "a: &x\n  b: c\n", "Anchors are disallowed"},
		{"anchor on a key", "&x a: b\n", "Anchors are disallowed"},
		{"alias", "a: &x b\nc: *x\n", "Anchors are disallowed"},
		{"alias of nothing", "c: *x\n", "unknown anchor"},
		{"tag", "a: !x b\n", "Non-core tag expressed in input."},
		{"mapping as key", "? {a: b}\n: c\n", "Keys must be strings"},
		{"open", "a: [b\n", "Severely malformed YAML"},
		{"tab", "a:\n\tb: c\n", "Severely malformed YAML"},
		{"no text", "\x00\x01", "Severely malformed YAML"},
		{"no UTF-8", "a: \xff\n", "Severely malformed YAML"},
		{"too deep", strings.Repeat("[", 20000), "Severely malformed YAML"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse([]byte(test.in), "f.bst")
			if reason(t, err) != "INVALID_YAML" {
				t.Fatalf("got %v", err)
			}
			if !strings.HasPrefix(err.Error(), "f.bst: ") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %q, want %q", err, test.want)
			}
		})
	}
}

func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.bst")
	if err := os.WriteFile(file, []byte("kind: stack\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if n, err := Load(file, "a.bst"); err != nil || n.Get("kind").Text() != "stack" {
		t.Errorf("got %v, %v", n, err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "b.bst"): "MISSING_FILE",
		filepath.Join(file, "b"):    "MISSING_FILE",
		dir:                         "LOADING_DIRECTORY",
	} {
		if _, err := Load(path, "x"); reason(t, err) != want {
			t.Errorf("%s: got %v, want %s", path, err, want)
		}
	}
}

func TestProvenance(t *testing.T) {
	n := parse(t, "kind: stack\nconfig:\n  a:\n  - x\n  -   b: c\n  e:\n")
	for _, test := range []struct {
		node *Node
		want string
	}{
		{n, "f.bst [line 1 column 0]"},
		{n.Get("kind"), "f.bst [line 1 column 6]"},
		{n.Get("config"), "f.bst [line 3 column 2]"},
		{n.Get("config").Get("a"), "f.bst [line 4 column 2]"},
		{n.Get("config").Get("a").Items()[0], "f.bst [line 4 column 4]"},
		{n.Get("config").Get("a").Items()[1].Get("b"), "f.bst [line 5 column 9]"},
		{n.Get("config").Get("e"), "f.bst [line 6 column 4]"},
	} {
		if got := test.node.Provenance().String(); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
	if got := NewScalar("x", stream.Provenance{}).Errorf("R", "m %d", 1).Message; got != "m 1" {
		t.Errorf("synthetic: %q", got)
	}
}

func TestBool(t *testing.T) {
	n := parse(t, "a: True\nb: true\nc: 1\nd: False\ne: false\nf: '0'\ng: TRUE\nh: yes\ni: []\n")
	for key, want := range map[string]bool{"a": true, "b": true, "c": true, "d": false, "e": false, "f": false} {
		if got, err := n.GetBool(key, !want); got != want || err != nil {
			t.Errorf("%s: %v, %v", key, got, err)
		}
	}
	if got, err := n.GetBool("absent", true); !got || err != nil {
		t.Errorf("default: %v, %v", got, err)
	}
	_, err := n.GetBool("g", false)
	if diff := cmp.Diff("f.bst [line 7 column 3]: Value of 'g' is not of the expected type 'boolean'", err.Error()); diff != "" {
		t.Error(diff)
	}
	_, err = n.Get("h").Bool()
	if diff := cmp.Diff("f.bst [line 8 column 3]: Value of 'h' is not of the expected type 'boolean'", err.Error()); diff != "" {
		t.Error(diff)
	}
	if _, err := n.GetBool("i", false); reason(t, err) != "INVALID_DATA" {
		t.Errorf("list: %v", err)
	}
}

func TestPythonInt(t *testing.T) {
	for in, want := range map[string]int{
		"0": 0, "12": 12, "-3": -3, "+4": 4, "007": 7, " 5\n": 5, "1_000": 1000, "٣": 3, "-1_0": -10,
	} {
		if got, ok := pythonInt(in); got != want || !ok {
			t.Errorf("%q: %d, %v", in, got, ok)
		}
	}
	for _, in := range []string{"", "-", "1.0", "0x1", "_1", "1_", "1__0", "- 1", "1e3", "a", "99999999999999999999"} {
		if got, ok := pythonInt(in); ok {
			t.Errorf("%q: %d", in, got)
		}
	}
}

func TestTypedErrors(t *testing.T) {
	n := parse(t, "s: x\nl: [a, [b]]\nm: {k: v}\n")
	for _, test := range []struct {
		name string
		err  func() error
		want string
	}{
		{"str", func() error { _, err := n.GetStr("l", ""); return err },
			"f.bst [line 2 column 3]: Value of 'l' is not of the expected type 'scalar'"},
		{"mapping", func() error { _, err := n.GetMapping("s"); return err },
			"f.bst [line 1 column 3]: Value of 's' is not of the expected type 'dict'"},
		{"sequence", func() error { _, err := n.GetSequence("m"); return err },
			"f.bst [line 3 column 3]: Value of 'm' is not of the expected type 'list'"},
		{"strs", func() error { _, err := n.GetStrs("l"); return err },
			"f.bst [line 2 column 7]: List item is not of the expected type 'scalar'"},
		{"int", func() error { _, err := n.GetInt("s", 1); return err },
			"f.bst [line 1 column 3]: Value of 's' is not of the expected type 'int'"},
		{"need", func() error { _, err := n.NeedStr("x"); return err },
			"f.bst [line 1 column 0]: Dictionary did not contain expected key 'x'"},
		{"keys", func() error { return n.ValidateKeys("s", "m") },
			"f.bst [line 2 column 3]: Unexpected key: l"},
		{"Str", func() error { _, err := n.Get("m").Str(); return err },
			"f.bst [line 3 column 3]: Value of 'm' is not of the expected type 'scalar'"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.err()
			if reason(t, err) != "INVALID_DATA" {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLargeMapping(t *testing.T) {
	n := NewMapping(stream.Provenance{})
	key := func(i int) string { return "k" + strings.Repeat("x", i) }
	for i := 0; i < 3*searched; i++ {
		n.Set(key(i), NewScalar(key(i), stream.Provenance{}))
	}
	n.Set(key(1), NewScalar("new", stream.Provenance{}))
	n.Delete(key(0))
	n.Delete("absent")
	if n.Len() != 3*searched-1 || n.Get(key(0)) != nil || n.Get(key(1)).Text() != "new" {
		t.Errorf("%d keys, %v", n.Len(), n.Keys())
	}
	clone := n.Clone()
	for i, k := range n.Keys() {
		if clone.Get(k) == nil || clone.Get(k) == n.Items()[i] || clone.Get(k).Text() != n.Get(k).Text() {
			t.Errorf("key %s", k)
		}
	}
}

// FuzzParse looks for input that the loader does not survive, and holds what
// it accepts against its own dump.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "kind: manual\n", "a: [b, {c: d}]\n", "a:\n- b\n- - c\n", "a: |\n  x\n y: z\n", "? a\n: b\n",
		"a: &x b\nc: *x\n", "a: !!str b\n", "--- {a: b}\n...\n", "a: 'it''s'\nb: \"\\x41\\u263a\"\n", "a: # c\n  b\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := Parse(data, "fuzz")
		if err != nil {
			if reason(t, err) != "INVALID_YAML" {
				t.Fatal(err)
			}
			return
		}
		again, err := Parse([]byte(n.Dump()), "dump")
		if err != nil {
			t.Fatalf("dump of %q does not parse: %v\n%s", data, err, n.Dump())
		}
		if diff := cmp.Diff(n.Plain(), again.Plain()); diff != "" {
			t.Fatalf("dump of %q reads otherwise:\n%s\n%s", data, diff, n.Dump())
		}
		if diff := cmp.Diff(n.Plain(), n.Clone().Plain()); diff != "" {
			t.Fatal(diff)
		}
	})
}

const typical = `kind: autotools
description: GNU nano, a small editor

depends:
- filename: base.bst
  type: build
- lib/ncurses.bst

sources:
- kind: tar
  url: gnu:nano/nano-7.2.tar.xz
  ref: 86f3442768bd2873cec693f83cdf80b4b444ad3cc14760b74361474fc87a4526
`

func BenchmarkParse(b *testing.B) {
	data := []byte(typical)
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := Parse(data, "nano.bst"); err != nil {
			b.Fatal(err)
		}
	}
}
