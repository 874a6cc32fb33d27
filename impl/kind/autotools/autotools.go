// Package autotools is the element kind "autotools": GNU's configure and make.
package autotools

import (
	_ "embed"

	"bst/impl/kind"
	"bst/impl/kind/buildelement"
)

//go:embed autotools.yaml
var defaults string

// Traits are what the kind is.
func Traits() kind.Traits { return buildelement.Traits("autotools", defaults) }
