package element_test

import (
	"errors"
	"maps"
	"testing"

	"bst/impl/stream"
)

// Of several mistakes the one is told that BuildStream meets first: it makes an
// element before its dependencies, and completes it after them. Each case was
// tried with BuildStream 2.8.
func TestFirstError(t *testing.T) {
	const (
		undefined = "kind: manual\nvariables: {a: '%{nothing}'}\n"
		boolean   = "kind: filter\nconfig: {include-orphans: perhaps}\nbuild-depends: [d.bst]\n"
		runtime   = "kind: stack\nruntime-depends: [d.bst]\n"
		source    = "kind: import\nsources:\n- {kind: local, path: nowhere}\n"
		good      = "kind: manual\n"
	)
	tests := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"the target before its dependency", map[string]string{"a.bst": undefined + "depends: [b.bst]\n", "b.bst": undefined},
			"a.bst [line 2 column 15]: Reference to undefined variable 'nothing'"},
		{"dependencies as they are staged", map[string]string{"a.bst": "kind: manual\ndepends: [b.bst, d.bst]\n", "b.bst": boolean, "d.bst": undefined},
			"d.bst [line 2 column 15]: Reference to undefined variable 'nothing'"},
		{"what is checked when dependencies are there comes after them", map[string]string{"a.bst": runtime, "d.bst": undefined},
			"d.bst [line 2 column 15]: Reference to undefined variable 'nothing'"},
		{"that of a dependency before that of a dependent", map[string]string{"a.bst": "kind: stack\nruntime-depends: [b.bst]\n", "b.bst": runtime, "d.bst": good},
			"stack element at b.bst [line 1 column 0]: All dependencies of 'stack' elements must be both build and runtime dependencies"},
		{"sources before dependencies", map[string]string{"a.bst": source + "depends: [b.bst]\n", "b.bst": undefined},
			"a.bst [line 3 column 22]: Specified path 'nowhere' does not exist"},
		{"configuration of a dependency after the dependency", map[string]string{
			"a.bst": "kind: stack\ndepends:\n- {filename: b.bst, config: {x: y}}\n- d.bst\n", "b.bst": good, "d.bst": undefined},
			"a.bst [line 3 column 28]: Custom dependency configuration is not supported by element plugin 'stack'"},
		{"and before the next", map[string]string{
			"a.bst": "kind: stack\ndepends:\n- b.bst\n- {filename: d.bst, config: {x: y}}\n", "b.bst": undefined, "d.bst": good},
			"b.bst [line 2 column 15]: Reference to undefined variable 'nothing'"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := resolveProject(t, writeProject(t, "", maps.Clone(tt.files)), "a.bst")
			var e *stream.Error
			if !errors.As(err, &e) || e.Message != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}
