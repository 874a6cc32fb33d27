package project

import (
	"bst/impl/element/variables"
	"bst/impl/node"
)

// expand puts the values of vars into n, in place.
func expand(n, vars *node.Node) error {
	set, err := resolve(vars, "")
	if err != nil {
		return err
	}
	return set.Expand(n)
}

// resolve works out variables, as far as they are used.
func resolve(vars *node.Node, elementName string) (*variables.Set, error) {
	layer, err := variables.NewLayer(vars)
	if err != nil {
		return nil, err
	}
	return layer.Resolve(nil, elementName, false)
}
