package difftest

import (
	"fmt"
	"strings"
	"testing"
)

// TestBounds gives bst projects of absurd size: each must work, or be refused
// by an error that names the file, and neither crash nor hang.
func TestBounds(t *testing.T) {
	if testing.Short() {
		t.Skip("large inputs")
	}
	const conf = "name: bounds\nmin-version: 2.0\n"
	chain := func(n int, last string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "  v%d: '%%{v%d}'\n", i, i+1)
		}
		fmt.Fprintf(&b, "  v%d: %s\n", n, last)
		return b.String()
	}
	doubling := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "  v%d: '%%{v%d}%%{v%d}'\n", i, i+1, i+1)
		}
		fmt.Fprintf(&b, "  v%d: x\n", n)
		return b.String()
	}
	nested := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%sk:\n", strings.Repeat(" ", i))
		}
		fmt.Fprintf(&b, "%sx: y\n", strings.Repeat(" ", n))
		return b.String()
	}
	many := func(n int, line string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, line, i)
		}
		return b.String()
	}
	for _, test := range []struct {
		name, conf, element string
		files               map[string]string
		domain, reason      string // of the error; none works
	}{
		{name: "nested flow sequences", element: "kind: stack\npublic:\n  x: " + strings.Repeat("[", 100000) + strings.Repeat("]", 100000) + "\n",
			domain: "LOAD", reason: "INVALID_YAML"},
		{name: "nested flow mappings", element: "kind: stack\npublic: " + strings.Repeat("{a: ", 100000) + "\n", domain: "LOAD", reason: "INVALID_YAML"},
		{name: "open flow sequences in project.conf", conf: conf + "x: " + strings.Repeat("[", 100000), domain: "LOAD", reason: "INVALID_YAML"},
		{name: "nested blocks", element: "kind: stack\npublic:\n " + strings.ReplaceAll(nested(2000), "\n", "\n "), domain: "LOAD", reason: "INVALID_YAML"},
		{name: "a file of 100 MB", element: "kind: stack\ndescription: " + strings.Repeat("x", 100<<20), domain: "LOAD", reason: "INVALID_YAML"},
		{name: "a scalar of 10 MB", element: "kind: stack\npublic:\n  x: " + strings.Repeat("x", 10<<20)},
		{name: "200,000 keys", element: "kind: stack\npublic:\n  own:\n" + many(200000, "    k%d: v\n")},
		{name: "100,000 variables", element: "kind: manual\nvariables:\n" + many(100000, "  v%d: x\n")},
		{name: "a chain of 100,000 variables", element: "kind: manual\nvariables:\n" + chain(100000, "x")},
		{name: "a ring of 100,000 variables", element: "kind: manual\nvariables:\n" + chain(100000, "'%{v0}'"),
			domain: "LOAD", reason: "CIRCULAR_REFERENCE_VARIABLE"},
		{name: "variables that double 100 times", element: "kind: manual\nvariables:\n" + doubling(100), domain: "LOAD", reason: "INVALID_DATA"},
		{name: "an include of itself", element: "kind: stack\n(@): x.yml\n", files: map[string]string{"x.yml": "(@): x.yml\n"},
			domain: "LOAD", reason: "RECURSIVE_INCLUDE"},
		{name: "an expression of 100,000 parentheses", element: "kind: stack\n(?):\n- " + strings.Repeat("(", 100000) + ": {}\n",
			domain: "LOAD", reason: "EXPRESSION_FAILED"},
		{name: "an expression of 100,000 terms", element: "kind: stack\n(?):\n- '1" + strings.Repeat(" + 1", 100000) + "': {}\n",
			domain: "LOAD", reason: "EXPRESSION_FAILED"},
		{name: "an expression that fills memory", element: "kind: stack\n(?):\n- '\"x\" * 99999 * 99999': {}\n",
			domain: "LOAD", reason: "EXPRESSION_FAILED"},
		{name: "50,000 conditionals", element: "kind: stack\n(?):\n" + many(50000, "- 1 == %d: {description: x}\n")},
		{name: "nothing", element: "", domain: "LOAD", reason: "INVALID_DATA"},
		{name: "only NUL", element: "\x00\x00", domain: "LOAD", reason: "INVALID_YAML"},
		{name: "not UTF-8", element: "kind: st\xff\xfeack\n", domain: "LOAD", reason: "INVALID_YAML"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorkplace(t)
			if test.conf == "" {
				test.conf = conf
			}
			p := &Project{Documents: map[string]*Map{"project.conf": nil, "a.bst": nil}, Files: test.files, Targets: []string{"a.bst"},
				raw: map[string]string{"project.conf": test.conf, "a.bst": test.element}}
			w.lay(t, p, NewStyle(0))
			o := bounded(t, p, func() outcome { return w.show(t, p, keysFormat) })
			if o.Domain != test.domain || o.Reason != test.reason {
				t.Errorf("%.400s", o.short())
			}
			if o.Exit != 0 && (o.Exit != 255 || len(o.Message) > 1<<16) {
				t.Errorf("exit %d, a message of %d bytes", o.Exit, len(o.Message))
			}
		})
	}
}
