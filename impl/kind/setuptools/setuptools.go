// Package setuptools is the element kind "setuptools": Python packages with a setup.py.
package setuptools

import (
	_ "embed"

	"bst/impl/kind"
	"bst/impl/kind/buildelement"
)

//go:embed setuptools.yaml
var defaults string

// Traits are what the kind is.
func Traits() kind.Traits { return buildelement.Traits("setuptools", defaults) }
