// Package meson is the element kind "meson": Meson.
package meson

import (
	_ "embed"

	"bst/impl/kind"
	"bst/impl/kind/buildelement"
)

//go:embed meson.yaml
var defaults string

// Traits are what the kind is.
func Traits() kind.Traits { return buildelement.Traits("meson", defaults) }
