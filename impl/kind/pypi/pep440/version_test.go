package pep440

import (
	"cmp"
	"os"
	"strconv"
	"strings"
	"testing"
)

// known is a line of testdata/python.txt.
type known struct {
	text, normal string
	valid, pre   bool
	place        int
}

func python(t testing.TB) (list []known) {
	data, err := os.ReadFile("testdata/python.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if line[0] == '#' {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		k := known{text: f[0], valid: len(f) == 4}
		if k.valid {
			k.normal, k.pre = f[1], f[2] == "pre"
			if k.place, err = strconv.Atoi(f[3]); err != nil {
				t.Fatal(err)
			}
		}
		list = append(list, k)
	}
	if len(list) < 300 {
		t.Fatalf("only %d versions", len(list))
	}
	return list
}

func TestLikePython(t *testing.T) {
	type both struct {
		known
		Version
	}
	var valid []both
	for _, k := range python(t) {
		v, ok := Parse(k.text)
		if ok != k.valid {
			t.Errorf("%q is a version: %v", k.text, ok)
		}
		if !ok {
			continue
		}
		if v.String() != k.normal || v.IsPrerelease() != k.pre {
			t.Errorf("%q: %s, pre-release: %v; want %s, %v", k.text, v, v.IsPrerelease(), k.normal, k.pre)
		}
		valid = append(valid, both{k, v})
	}
	for _, a := range valid {
		for _, b := range valid {
			if got, want := a.Compare(b.Version), cmp.Compare(a.place, b.place); cmp.Compare(got, 0) != want {
				t.Errorf("%q to %q: %d, want %d", a.text, b.text, got, want)
			}
		}
	}
}

// The normal form of a version is a version, equal to it, and its own normal form.
func FuzzParse(f *testing.F) {
	for _, k := range python(f) {
		f.Add(k.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, ok := Parse(text)
		if !ok {
			return
		}
		again, ok := Parse(v.String())
		if !ok || again.Compare(v) != 0 || again.String() != v.String() {
			t.Errorf("%q: %s, then %s (%v)", text, v, again, ok)
		}
	})
}
