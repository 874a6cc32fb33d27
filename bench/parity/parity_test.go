package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadPairs(t *testing.T) {
	names, keys, err := readPairs(strings.NewReader("a.bst 01\nsub.bst:b c.bst 02\n\na.bst 01\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a.bst", "sub.bst:b c.bst"}, names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"a.bst": "01", "sub.bst:b c.bst": "02"}, keys); diff != "" {
		t.Error(diff)
	}
	if _, _, err := readPairs(strings.NewReader("nothing\n")); err == nil {
		t.Error("a line without a key is taken")
	}
}

func TestReadTrees(t *testing.T) {
	trees, err := readTrees(strings.NewReader("x\ta.bst\t01\ny\ta.bst\t02\nx\tb.bst\t03\nx\ta.bst\t01\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []*tree{
		{"x", []keyed{{"a.bst", "01"}, {"b.bst", "03"}, {"a.bst", "01"}}},
		{"y", []keyed{{"a.bst", "02"}}},
	}
	if diff := cmp.Diff(want, trees, cmp.AllowUnexported(tree{}, keyed{})); diff != "" {
		t.Error(diff)
	}
	if _, err := readTrees(strings.NewReader("x a.bst 01\n")); err == nil {
		t.Error("a line without tabs is taken")
	}
}

func TestDifferences(t *testing.T) {
	for _, tt := range []struct {
		name, want, got string
		lines           []string
	}{
		{"the same in another order", `{"a":[1,{"b":null}],"c":true}`, `{"c":true,"a":[1,{"b":null}]}`, nil},
		{"scalars", `{"a":1,"b":"x"}`, `{"a":2,"b":"x"}`, []string{".a: want 1, got 2"}},
		{"types", `{"a":"1","b":[1],"c":{}}`, `{"a":1,"b":{},"c":[]}`,
			[]string{`.a: want "1", got 1`, ".b: want [1], got {}", ".c: want {}, got []"}},
		{"what one side lacks", `{"a":[1,2]}`, `{"a":[1],"b":0}`,
			[]string{".a[1]: want 2, got nothing", ".b: want nothing, got 0"}},
		{"many", `[1,1,1,1,1,1,1,1,1,1,1,1,1,1]`, `[]`, append(
			[]string{"[0]: want 1, got nothing", "[1]: want 1, got nothing", "[2]: want 1, got nothing",
				"[3]: want 1, got nothing", "[4]: want 1, got nothing", "[5]: want 1, got nothing",
				"[6]: want 1, got nothing", "[7]: want 1, got nothing", "[8]: want 1, got nothing",
				"[9]: want 1, got nothing", "[10]: want 1, got nothing", "[11]: want 1, got nothing"},
			"… and 2 more")},
		{"no JSON", `{`, `{}`, []string{"not JSON: unexpected EOF"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.lines, differences([]byte(tt.want), []byte(tt.got))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTally(t *testing.T) {
	if !(&tally{matched: 3, python: 2, weakMatched: 1}).good() {
		t.Error("plugins of Python's are held against bst")
	}
	for _, bad := range []tally{{differ: 1}, {missing: 1}, {weakDiffer: 1}} {
		if bad.good() {
			t.Errorf("%+v is good", bad)
		}
	}
}
