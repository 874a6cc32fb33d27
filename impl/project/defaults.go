package project

import (
	_ "embed"
	"sync"

	"bst/impl/node"
)

//go:embed projectconfig.yaml
var projectConfig []byte

// defaultsName is how errors call the built-in configuration.
const defaultsName = "projectconfig.yaml"

// parsedDefaults is parsed once: every project starts from a copy.
var parsedDefaults = sync.OnceValues(func() (*node.Node, error) {
	return node.Parse(projectConfig, defaultsName)
})

// defaults are the built-in project configuration, to be changed at will.
func defaults() (*node.Node, error) {
	n, err := parsedDefaults()
	if err != nil {
		return nil, err
	}
	return n.Clone(), nil
}
