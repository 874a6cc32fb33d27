// Package pip is the element kind "pip": Python packages with pip.
package pip

import (
	_ "embed"

	"bst/impl/kind"
	"bst/impl/kind/buildelement"
)

//go:embed pip.yaml
var defaults string

// Traits are what the kind is.
func Traits() kind.Traits { return buildelement.Traits("pip", defaults) }
