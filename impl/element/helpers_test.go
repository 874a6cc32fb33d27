package element

import (
	"testing"

	"bst/impl/element/variables"
	"bst/impl/node"
)

// resolveText makes variables of YAML.
func resolveText(t *testing.T, layer, own string) *variables.Set {
	fail := func(err error) {
		if t == nil {
			panic(err)
		}
		t.Fatal(err)
	}
	parse := func(text string) *node.Node {
		if text == "" {
			return nil
		}
		n, err := node.Parse([]byte(text), "variables.yaml")
		if err != nil {
			fail(err)
		}
		return n
	}
	l, err := variables.NewLayer(parse(layer))
	if err != nil {
		fail(err)
	}
	s, err := l.Resolve(parse(own), "element.bst", true)
	if err != nil {
		fail(err)
	}
	return s
}
