package node

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The composition table: over is laid on under.
func TestComposite(t *testing.T) {
	for _, test := range []struct{ name, under, over, want string }{
		{"scalar over scalar", "a: 1", "a: 2", "a: 2"},
		{"scalar into space", "b: 1", "a: 2", "{b: 1, a: 2}"},
		{"list over list", "a: [1, 2]", "a: [3]", "a: [3]"},
		{"list into space", "{}", "a: [3]", "a: [3]"},
		{"mapping over mapping", "a: {b: 1, c: 2}", "a: {c: 3, d: 4}", "a: {b: 1, c: 3, d: 4}"},
		{"mapping into space", "{}", "a: {b: {c: d}}", "a: {b: {c: d}}"},
		{"append", "a: [1]", "a: {(>): [2, 3]}", "a: [1, 2, 3]"},
		{"prepend", "a: [1]", "a: {(<): [2, 3]}", "a: [2, 3, 1]"},
		{"replace", "a: [1]", "a: {(=): [2]}", "a: [2]"},
		{"append and prepend", "a: [1]", "a: {(>): [3], (<): [2]}", "a: [2, 1, 3]"},
		{"all three", "a: [1]", "a: {(>): [4], (<): [2], (=): [3]}", "a: [2, 3, 4]"},
		{"edits into space", "{}", "a: {(>): [1]}", "a: {(>): [1]}"},
		{"list over edits", "a: {(>): [1]}", "a: [2]", "a: [2]"},
		{"append over append", "a: {(>): [1]}", "a: {(>): [2]}", "a: {(>): [1, 2]}"},
		{"append over prepend", "a: {(<): [1]}", "a: {(>): [2]}", "a: {(<): [1], (>): [2]}"},
		{"append over replace", "a: {(=): [1]}", "a: {(>): [2]}", "a: {(=): [1], (>): [2]}"},
		{"prepend over append", "a: {(>): [1]}", "a: {(<): [2]}", "a: {(>): [1], (<): [2]}"},
		{"prepend over prepend", "a: {(<): [1]}", "a: {(<): [2, 3]}", "a: {(<): [2, 3, 1]}"},
		{"prepend over replace", "a: {(=): [1]}", "a: {(<): [2]}", "a: {(=): [1], (<): [2]}"},
		{"replace over append", "a: {(>): [1]}", "a: {(=): [2]}", "a: {(>): [], (=): [2]}"},
		{"replace over prepend", "a: {(<): [1]}", "a: {(=): [2]}", "a: {(<): [], (=): [2]}"},
		{"replace over replace", "a: {(=): [1]}", "a: {(=): [2]}", "a: {(=): [2]}"},
		{"all over all", "a: {(=): [1], (<): [2], (>): [3]}", "a: {(=): [4], (<): [5], (>): [6]}",
			"a: {(=): [4], (<): [5], (>): [6]}"},
		{"replace and append over all", "a: {(=): [1], (<): [2], (>): [3]}", "a: {(=): [4], (>): [6]}",
			"a: {(=): [4], (<): [], (>): [6]}"},
		{"conditionals extend", "(?): [{x: {a: 1}}]", "(?): [{y: {a: 2}}]", "(?): [{x: {a: 1}}, {y: {a: 2}}]"},
		{"edits of conditionals extend", "a: {(?): [{x: {}}]}", "a: {(?): [{y: {}}]}", "a: {(?): [{x: {}}, {y: {}}]}"},
	} {
		t.Run(test.name, func(t *testing.T) {
			under, over := parse(t, test.under), parse(t, test.over)
			before := over.Plain()
			if err := over.Composite(under); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(parse(t, test.want).Plain(), under.Plain()); diff != "" {
				t.Error(diff)
			}
			// Later changes of the result must not reach what was laid over.
			if err := parse(t, "a: {(>): [9], (<): [9]}").Composite(under.Clone()); err == nil {
				_ = parse(t, "a: {(>): [9], (<): [9]}").Composite(under)
			}
			if diff := cmp.Diff(before, over.Plain()); diff != "" {
				t.Errorf("over changed: %s", diff)
			}
		})
	}
}

func TestCompositeErrors(t *testing.T) {
	for _, test := range []struct{ name, under, over, reason, want string }{
		{"scalar over list", "a: []", "a: 1", "ILLEGAL_COMPOSITE",
			"f.bst [line 1 column 0]: Failure composing ['a']: f.bst [line 1 column 3]: Cannot compose scalar on non-scalar at f.bst [line 1 column 3]"},
		{"scalar over mapping", "a: {b: {}}", "a: {b: 1}", "ILLEGAL_COMPOSITE",
			"f.bst [line 1 column 0]: Failure composing ['a', 'b']: f.bst [line 1 column 7]: Cannot compose scalar on non-scalar at f.bst [line 1 column 7]"},
		{"list over scalar", "a: 1", "a: []", "ILLEGAL_COMPOSITE",
			"f.bst [line 1 column 0]: Failure composing ['a']: f.bst [line 1 column 3]: List cannot overwrite a at: f.bst [line 1 column 3]"},
		{"list over mapping", "a: {b: c}", "a: []", "ILLEGAL_COMPOSITE",
			"f.bst [line 1 column 0]: Failure composing ['a']: f.bst [line 1 column 3]: List cannot overwrite a at: f.bst [line 1 column 3]"},
		{"edits over scalar", "a: 1", "a: {(>): []}", "ILLEGAL_COMPOSITE",
			"f.bst [line 1 column 0]: Failure composing ['a']: f.bst [line 1 column 3]: Cannot compose lists onto f.bst [line 1 column 3]"},
		{"edits over mapping", "a: {b: c}", "a: {(>): []}", "ILLEGAL_COMPOSITE",
			"f.bst [line 1 column 0]: Failure composing ['a']: f.bst [line 1 column 3]: Cannot compose lists onto f.bst [line 1 column 3]"},
		{"mapping over list", "a: []", "a: {b: c}", "ILLEGAL_COMPOSITE",
			"f.bst [line 1 column 0]: Failure composing ['a']: f.bst [line 1 column 3]: Cannot compose dictionary on non-dictionary at f.bst [line 1 column 3]"},
		{"mixed", "{}", "a: {(>): [], b: c}", "INVALID_DATA",
			"f.bst [line 1 column 3]: Dictionary contains list composition directives and arbitrary keys"},
		{"edit is no list", "a: []", "a: {(>): b}", "INVALID_DATA",
			"f.bst [line 1 column 9]: Value of '(>)' is not of the expected type 'list'"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := parse(t, test.over).Composite(parse(t, test.under))
			if got := reason(t, err); got != test.reason {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCompositeUnder(t *testing.T) {
	target := parse(t, "a: 1\nl: {(>): [x]}\nm: {p: q}\n")
	under := parse(t, "a: 0\nb: 2\nl: [y]\nm: {p: 0, r: s}\n")
	if err := under.CompositeUnder(target); err != nil {
		t.Fatal(err)
	}
	want := parse(t, "a: 1\nl: [y, x]\nm: {p: q, r: s}\nb: 2\n")
	if diff := cmp.Diff(want.Plain(), target.Plain()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want.Keys(), target.Keys()); diff != "" {
		t.Error(diff)
	}
}

func TestAssertFullyComposited(t *testing.T) {
	if err := parse(t, "a: [{b: [c]}]").AssertFullyComposited(); err != nil {
		t.Error(err)
	}
	err := parse(t, "a: [{b: {(<): [c]}}]").AssertFullyComposited()
	if reason(t, err) != "TRAILING_LIST_DIRECTIVE" ||
		err.Error() != "f.bst [line 1 column 14]: Attempt to override non-existing list" {
		t.Errorf("got %v", err)
	}
}

func TestDump(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"empty", "{}", "{}\n"},
		{"collections", "{a: {}, b: [], c: {d: [x, [y, z, []], {k: v, l: [m], n: {}}]}, e: {f: {g: h}}}",
			"a: {}\nb: []\nc:\n  d:\n  - x\n  - - y\n    - z\n    - []\n  - k: v\n    l:\n    - m\n    n: {}\ne:\n  f:\n    g: h\n"},
		{"plain", "{a: true, b: '1', c: '~', d: :x, e: -x, f: a#b, g: \"it's\", h: é, i: '', j: ['']}",
			"a: true\nb: 1\nc: ~\nd: :x\ne: -x\nf: a#b\ng: it's\nh: é\ni:\nj:\n- \n"},
		{"single quotes", `{a: 'a: b', b: '# c', c: 'x #y', d: '"q"', e: '%{x}', f: '-', g: '--- a', h: 'a:'}`,
			"a: 'a: b'\nb: '# c'\nc: 'x #y'\nd: '\"q\"'\ne: '%{x}'\nf: '-'\ng: '--- a'\nh: 'a:'\n"},
		{"double quotes", `{a: "x\ny", b: "a\tb", c: "'q'", d: "'a\"b\\", e: "\x01\uFEFFz"}`,
			"a: \"x\\ny\"\nb: \"a\\tb\"\nc: \"'q'\"\nd: \"'a\\\"b\\\\\"\ne: \"\\x01\\uFEFFz\"\n"},
		{"keys", "{'': x, 'a: b': y}", "'': x\n'a: b': y\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, parse(t, test.in).Dump()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func BenchmarkClone(b *testing.B) {
	n, err := Parse([]byte(typical), "nano.bst")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		n.Clone()
	}
}

// FuzzComposite lays three documents over each other: nothing may crash, the
// fragments must stay as they were, and composition must be the same again.
func FuzzComposite(f *testing.F) {
	for _, seed := range [][3]string{
		{"a: [x]\n", "a: {(>): [y]}\n", "a: {(<): [z]}\n"},
		{"a: {b: c}\n", "a: {(=): [y]}\n", "a: [1]\n"},
		{"a: {(<): [1], (>): [2]}\n", "a: {(>): [y], (<): [0]}\n", "a: {(=): [z]}\n"},
		{"(?): [{x: {a: b}}]\n", "(?): [{y: {c: d}}]\n", "a: {}\n"},
		{"a: b\n", "a: {b: {c: d}}\n", "a: {b: {(>): []}}\n"},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]), []byte(seed[2]))
	}
	f.Fuzz(func(t *testing.T, base, first, second []byte) {
		var docs [3]*Node
		for i, data := range [][]byte{base, first, second} {
			n, err := Parse(data, "fuzz")
			if err != nil {
				return
			}
			docs[i] = n
		}
		over := func() (*Node, error) {
			n := docs[0].Clone()
			for _, fragment := range docs[1:] {
				if err := fragment.Composite(n); err != nil {
					return nil, err
				}
			}
			return n, n.AssertFullyComposited()
		}
		before := [2]any{docs[1].Plain(), docs[2].Plain()}
		got, err := over()
		again, errAgain := over()
		if (err == nil) != (errAgain == nil) {
			t.Fatalf("%v, then %v", err, errAgain)
		}
		if diff := cmp.Diff(before, [2]any{docs[1].Plain(), docs[2].Plain()}); diff != "" {
			t.Fatalf("a fragment changed: %s", diff)
		}
		if err == nil {
			if diff := cmp.Diff(got.Plain(), again.Plain()); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}
