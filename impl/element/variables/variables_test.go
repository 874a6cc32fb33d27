package variables

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"bst/impl/node"
	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

func parseYAML(t testing.TB, text, name string) *node.Node {
	t.Helper()
	if text == "" {
		return nil
	}
	n, err := node.Parse([]byte(text), name)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// resolve resolves the variables of a.bst.
func resolve(t testing.TB, layer, own string, eager bool) (*Set, error) {
	t.Helper()
	base := parseYAML(t, layer, "project.conf")
	if base == nil {
		base = node.NewMapping(stream.Provenance{})
	}
	l, err := NewLayer(base)
	if err != nil {
		return nil, err
	}
	return l.Resolve(parseYAML(t, own, "a.bst"), "a.bst", eager)
}

func TestResolve(t *testing.T) {
	const base = `
prefix: /usr
bindir: "%{prefix}/bin"
lib: lib
libdir: "%{prefix}/%{lib}"
root: "/build/%{element-name}"
late: "%{element-name}-%{libdir}"
`
	tests := []struct {
		name, own string
		want      []string
	}{
		{"nothing of its own", "", []string{"prefix=/usr", "bindir=/usr/bin", "lib=lib", "libdir=/usr/lib",
			"root=/build/a.bst", "late=a.bst-/usr/lib", "element-name=a.bst"}},
		{"one that others use", "prefix: /opt\n", []string{"prefix=/opt", "bindir=/opt/bin", "lib=lib", "libdir=/opt/lib",
			"root=/build/a.bst", "late=a.bst-/opt/lib", "element-name=a.bst"}},
		{"new ones", "x: '%{y}!'\ny: '%{bindir} '\n", []string{"prefix=/usr", "bindir=/usr/bin", "lib=lib", "libdir=/usr/lib",
			"root=/build/a.bst", "late=a.bst-/usr/lib", "x=/usr/bin!", "y=/usr/bin", "element-name=a.bst"}},
		{"not parallel", "notparallel: True\n", []string{"prefix=/usr", "bindir=/usr/bin", "lib=lib", "libdir=/usr/lib",
			"root=/build/a.bst", "late=a.bst-/usr/lib", "notparallel=True", "element-name=a.bst", "max-jobs=1"}},
		{"literal text", "x: '%{ } %{1} %{a b} %{} % %{x'\n", []string{"prefix=/usr", "bindir=/usr/bin", "lib=lib", "libdir=/usr/lib",
			"root=/build/a.bst", "late=a.bst-/usr/lib", "x=%{ } %{1} %{a b} %{} % %{x", "element-name=a.bst"}},
		{"text that becomes a reference is none", "x: '%%{y}'\ny: '{prefix}'\n", []string{"prefix=/usr", "bindir=/usr/bin", "lib=lib",
			"libdir=/usr/lib", "root=/build/a.bst", "late=a.bst-/usr/lib", "x=%{prefix}", "y={prefix}", "element-name=a.bst"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := resolve(t, base, tt.own, true)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for name, value := range s.All() {
				got = append(got, name+"="+value)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		name, layer, own string
		want             stream.Error
	}{
		{"undefined", "", "a: x\nb: '%{a}%{c}'\n", stream.Error{
			Reason: "UNRESOLVED_VARIABLE", Message: "a.bst [line 2 column 3]: Reference to undefined variable 'c'"}},
		{"undefined, in a chain", "p: '%{q}'\nq: '%{r}'\n", "", stream.Error{
			Reason: "UNRESOLVED_VARIABLE", Message: "project.conf [line 2 column 3]: Reference to undefined variable 'r'"}},
		{"circular", "", "foo: '%{bar}'\nbar: '%{baz}'\nbaz: '%{foo}'\n", stream.Error{
			Reason: "CIRCULAR_REFERENCE_VARIABLE", Message: "Circular dependency detected on variable 'foo'",
			Detail: "a.bst [line 1 column 5]: Variable 'foo' refers to variable 'bar'\n" +
				"a.bst [line 2 column 5]: Variable 'bar' refers to variable 'baz'\n" +
				"a.bst [line 3 column 5]: Variable 'baz' refers to variable 'foo'"}},
		{"on a circle", "", "x: '%{foo}'\nfoo: '%{foo}'\n", stream.Error{
			Reason: "CIRCULAR_REFERENCE_VARIABLE", Message: "Circular dependency detected on variable 'foo'",
			Detail: "a.bst [line 2 column 5]: Variable 'foo' refers to variable 'foo'"}},
		{"made circular by the element", "a: '%{b}'\nb: c\n", "b: '%{a}'\n", stream.Error{
			Reason: "CIRCULAR_REFERENCE_VARIABLE", Message: "Circular dependency detected on variable 'a'",
			Detail: "project.conf [line 1 column 3]: Variable 'a' refers to variable 'b'\n" +
				"a.bst [line 1 column 3]: Variable 'b' refers to variable 'a'"}},
		{"protected", "", "max-jobs: 1\n", stream.Error{Reason: "PROTECTED_VARIABLE_REDEFINED",
			Message: "a.bst [line 1 column 10]: invalid redefinition of protected variable 'max-jobs'"}},
		{"protected, by the project", "element-name: x\n", "", stream.Error{Reason: "PROTECTED_VARIABLE_REDEFINED",
			Message: "project.conf [line 1 column 14]: invalid redefinition of protected variable 'element-name'"}},
		{"a list", "", "x: [a]\n", stream.Error{Reason: "INVALID_DATA"}},
		{"a list over text", "x: a", "x: [a]\n", stream.Error{Reason: "ILLEGAL_COMPOSITE"}},
		{"a directive", "", "x: {(>): [a]}\n", stream.Error{Reason: "TRAILING_LIST_DIRECTIVE"}},
		{"no bool", "", "notparallel: maybe\n", stream.Error{Reason: "INVALID_DATA"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := resolve(t, tt.layer, tt.own, true)
			var got *stream.Error
			if !errors.As(err, &got) {
				t.Fatalf("got %v", err)
			}
			tt.want.Domain = stream.DomainLoad
			if tt.want.Message == "" {
				tt.want.Message, tt.want.Detail = got.Message, got.Detail
			}
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Junctions have variables that refer to what they do not have.
func TestLazy(t *testing.T) {
	s, err := resolve(t, "good: x\nbad: '%{nothing}'\n", "own: '%{bad}'\nfine: '%{good}'\n", false)
	if err != nil {
		t.Fatal(err)
	}
	n := parseYAML(t, "a: '%{fine}'\n", "a.bst")
	if err := s.Expand(n); err != nil || n.Get("a").Text() != "x" {
		t.Errorf("%s, %v", n.Get("a").Text(), err)
	}
	for text, want := range map[string]string{
		"a: '%{own}'":     "project.conf [line 2 column 5]: Reference to undefined variable 'nothing'",
		"a: '%{nothing}'": "a.bst [line 1 column 3]: Reference to undefined variable 'nothing'",
	} {
		if err := s.Expand(parseYAML(t, text, "a.bst")); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if _, ok := s.Get("own"); ok {
		t.Error("own has a value")
	}
}

func TestExpand(t *testing.T) {
	s, err := resolve(t, "empty: ''\nname: world\n", "", true)
	if err != nil {
		t.Fatal(err)
	}
	n := parseYAML(t, "'%{name}': ['hello %{name} %{empty}', {deep: '%{element-name}'}]\nplain: 100%\n", "a.bst")
	if err := s.Expand(n); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"%{name}": []any{"hello world ", map[string]any{"deep": "a.bst"}},
		"plain":   "100%",
	}
	if diff := cmp.Diff(want, n.Plain()); diff != "" {
		t.Error(diff)
	}
	err = s.Expand(parseYAML(t, "a: ['%{missing}']\n", "a.bst"))
	if want := "a.bst [line 1 column 4]: Reference to undefined variable 'missing'"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Neither long chains nor references that double at each step may hurt.
func TestDeep(t *testing.T) {
	var chain, double strings.Builder
	for i := range 50000 {
		fmt.Fprintf(&chain, "v%d: '%%{v%d}'\n", i, i+1)
	}
	for i := range 60 {
		fmt.Fprintf(&double, "d%d: '%%{d%d}%%{d%d}'\n", i, i+1, i+1)
	}
	if _, err := resolve(t, chain.String()+"v50000: x\n", "", true); err != nil {
		t.Error(err)
	}
	_, err := resolve(t, chain.String()+"v50000: '%{nothing}'\n", "", true)
	if err == nil || !strings.HasSuffix(err.Error(), "undefined variable 'nothing'") {
		t.Errorf("got %v", err)
	}
	_, err = resolve(t, "", chain.String()+"v50000: '%{v0}'\n", true)
	if err == nil || !strings.HasPrefix(err.Error(), "Circular dependency") {
		t.Errorf("got %v", err)
	}
	_, err = resolve(t, double.String()+"d60: '%{nothing}'\n", "", true)
	if err == nil || !strings.HasSuffix(err.Error(), "undefined variable 'nothing'") {
		t.Errorf("got %v", err)
	}
}

func TestTemplate(t *testing.T) {
	l, err := NewLayer(parseYAML(t, "prefix: /usr\n", "project.conf"))
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	tmpl := NewTemplate(parseYAML(t, "a: ['%{prefix}/bin', x]", "x.yaml"), func(n *node.Node) (*node.Node, error) {
		made++
		return n, nil
	})
	expand := func(own string) *node.Node {
		s, err := l.Resolve(parseYAML(t, own, "a.bst"), "a.bst", true)
		if err != nil {
			t.Fatal(err)
		}
		n, err := tmpl.Expand(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	first, same, other := expand(""), expand("x: y"), expand("prefix: /opt")
	if first != same || first == other || made != 2 {
		t.Errorf("made %d times", made)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a %{b} %{c-d_1}%{")
	f.Fuzz(func(t *testing.T, text string) {
		e := parse(text)
		got, ok := e.expand(func(name string) (string, bool) { return "%{" + name + "}", true })
		if !ok || got != text {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

// FuzzExpand resolves variables that a document makes up, and expands another
// with them.
func FuzzExpand(f *testing.F) {
	f.Add("a: '%{b}'\nb: '%{c}x'\nc: y\n", "k: ['%{a}', '%{b']\n")
	f.Add("a: '%{a}'\n", "k: v\n")
	f.Add("a: '%{b}%{b}'\nb: '%{c}%{c}'\nc: '%{d}%{d}'\nd: x\n", "k: {l: '%{nothing}'}\n")
	f.Fuzz(func(t *testing.T, definitions, text string) {
		base, err := node.Parse([]byte(definitions), "variables")
		if err != nil {
			return
		}
		n, err := node.Parse([]byte(text), "text")
		if err != nil {
			return
		}
		l, err := NewLayer(base)
		if err != nil {
			return
		}
		s, err := l.Resolve(nil, "a.bst", true)
		if err != nil {
			return
		}
		for name, value := range s.All() {
			if got, ok := s.Get(name); !ok || got != value {
				t.Fatalf("%s is %q, and %q", name, value, got)
			}
		}
		if err := s.Expand(n); err != nil && err.Error() == "" {
			t.Fatal("an error without words")
		}
	})
}

func BenchmarkResolve(b *testing.B) {
	var base strings.Builder
	for i := range 40 {
		fmt.Fprintf(&base, "v%d: '%%{prefix}/%d'\n", i, i)
	}
	l, err := NewLayer(parseYAML(b, base.String()+"prefix: /usr\nbuild-root: '/b/%{element-name}'\n", "project.conf"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Resolve(nil, "a.bst", true); err != nil {
			b.Fatal(err)
		}
	}
}
