// Package manual is the element kind "manual": commands that the project gives.
package manual

import (
	_ "embed"

	"bst/impl/kind"
	"bst/impl/kind/buildelement"
)

//go:embed manual.yaml
var defaults string

// Traits are what the kind is.
func Traits() kind.Traits { return buildelement.Traits("manual", defaults) }
