// Package pyproject is the element kind "pyproject": Python's pyproject.toml, built to a wheel
// and installed from that.
package pyproject

import (
	_ "embed"

	"bst/impl/kind"
	"bst/impl/kind/buildelement"
)

//go:embed pyproject.yaml
var defaults string

// Traits are what the kind is.
func Traits() kind.Traits {
	traits := buildelement.Traits("pyproject", defaults)
	traits.Plugins.Packages = []string{kind.Community}
	return traits
}
