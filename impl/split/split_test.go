package split

import (
	"strings"
	"testing"

	"bst/impl/node"

	"github.com/google/go-cmp/cmp"
)

func TestGlob(t *testing.T) {
	tests := []struct {
		glob    string
		yes, no []string
	}{
		{"", []string{""}, []string{"/"}},
		{"/usr/bin", []string{"/usr/bin"}, []string{"/usr/bin/", "/usr/bi", "/usr/bins", "usr/bin"}},
		{"/usr/bin/*", []string{"/usr/bin/", "/usr/bin/sh", "/usr/bin/a\nb"}, []string{"/usr/bin", "/usr/bin/a/b"}},
		{"/usr/include/**", []string{"/usr/include/", "/usr/include/a/b.h"}, []string{"/usr/include"}},
		{"/usr/lib/lib*.so*", []string{"/usr/lib/libc.so", "/usr/lib/libc.so.6", "/usr/lib/lib.so"}, []string{"/usr/lib/x/libc.so", "/usr/lib/libc.a"}},
		{"**/*.py", []string{"/a.py", "/x/y/a.py", "/.py"}, []string{"/a.pyc", "a.py"}},
		{"/a**b*c", []string{"/abc", "/a/b/x/bc", "/axxbyyc"}, []string{"/a/b/c"}},
		{"***", []string{"", "/", "/a/b"}, nil},
		{"/?", []string{"/a", "/é", "/\xff"}, []string{"/", "//", "/ab"}},
		{"/[a-c]x", []string{"/ax", "/cx"}, []string{"/dx", "/-x"}},
		{"/[!a-c]x", []string{"/dx", "//x"}, []string{"/ax"}},
		{"/[]a]", []string{"/]", "/a"}, []string{"/[]a]"}},
		{"/[!]a]", []string{"/b"}, []string{"/]", "/a"}},
		{"/[a-]", []string{"/a", "/-"}, []string{"/b"}},
		{"/[^a]", []string{"/^", "/a"}, []string{"/b"}},
		{`/[\d]`, []string{`/\`, "/d"}, []string{"/1"}},
		{"/[abc", []string{"/[abc"}, []string{"/a"}},
		{"/[", []string{"/["}, nil},
		{`/a\*`, []string{`/a\`, `/a\b`}, []string{"/a*"}},
		{"/a.b+(c)$", []string{"/a.b+(c)$"}, []string{"/axb+(c)$"}},
		{"/" + strings.Repeat("x*", 40) + "**/end", []string{"/" + strings.Repeat("xy", 40) + "/a/end"}, []string{"/" + strings.Repeat("x", 39) + "/end"}},
	}
	for _, tt := range tests {
		g, err := Compile(tt.glob)
		if err != nil {
			t.Errorf("%q: %v", tt.glob, err)
			continue
		}
		for _, path := range tt.yes {
			if !g.Match(path) {
				t.Errorf("%q does not match %q", tt.glob, path)
			}
		}
		for _, path := range tt.no {
			if g.Match(path) {
				t.Errorf("%q matches %q", tt.glob, path)
			}
		}
	}
	if _, err := Compile("/[z-a]"); err == nil {
		t.Error("a range that ends before it starts is accepted")
	}
}

const rules = `
runtime:
- /usr/bin/*
- /usr/lib/lib*.so*
devel:
- /usr/include/**
- /usr/lib/lib*.so
debug: []
`

func TestSelect(t *testing.T) {
	n, err := node.Parse([]byte(rules), "rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(n)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"runtime", "devel", "debug"}, r.Domains()); diff != "" {
		t.Error(diff)
	}
	paths := []string{"usr", "usr/bin/sh", "usr/lib/libc.so", "usr/lib/libc.so.6", "usr/include/a/b.h", "etc/passwd"}
	tests := []struct {
		name             string
		include, exclude []string
		orphans          bool
		want             []string
	}{
		{"everything", nil, nil, true, paths},
		{"all domains", nil, nil, false, paths[1:5]},
		{"one", []string{"devel"}, nil, false, []string{"usr/lib/libc.so", "usr/include/a/b.h"}},
		{"one and orphans", []string{"devel"}, nil, true, []string{"usr", "usr/lib/libc.so", "usr/include/a/b.h", "etc/passwd"}},
		{"excluded wins", nil, []string{"devel"}, true, []string{"usr", "usr/bin/sh", "usr/lib/libc.so.6", "etc/passwd"}},
		{"both", []string{"runtime"}, []string{"devel"}, false, []string{"usr/bin/sh", "usr/lib/libc.so.6"}},
		{"unknown domain", []string{"nothing"}, nil, false, nil},
		{"unknown domain, orphans", []string{"nothing"}, nil, true, []string{"usr", "etc/passwd"}},
		{"no rule", []string{"debug"}, nil, false, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, r.Select(paths, tt.include, tt.exclude, tt.orphans)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for _, text := range []string{"a: [['b']]", "a: {b: c}", "a: ['[z-a]']"} {
		n, err := node.Parse([]byte(text), "rules.yaml")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := New(n); err == nil || !strings.HasPrefix(err.Error(), "rules.yaml [line 1 column ") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A pattern must not take more than its length times the path's.
func FuzzGlob(f *testing.F) {
	f.Add("/a**/b*[!c]?", "/a/x/bdd")
	f.Fuzz(func(t *testing.T, pattern, path string) {
		g, err := Compile(pattern)
		if err != nil {
			return
		}
		got := g.Match(path)
		if len(g.items) < 64 && strings.HasPrefix(path, g.prefix) && len(g.items) > 0 {
			if long := g.matchLong(path[len(g.prefix):]); long != got {
				t.Fatalf("%q on %q: %v and %v", pattern, path, got, long)
			}
		}
	})
}

func BenchmarkFilter(b *testing.B) {
	n, err := node.Parse([]byte(rules), "rules.yaml")
	if err != nil {
		b.Fatal(err)
	}
	r, err := New(n)
	if err != nil {
		b.Fatal(err)
	}
	filter := r.Filter([]string{"runtime"}, nil, false)
	for b.Loop() {
		filter("usr/share/locale/de/LC_MESSAGES/some-package.mo")
	}
}
