// Package cargo is the element kind "cargo": Rust's package manager.
package cargo

import (
	_ "embed"

	"bst/impl/kind"
	"bst/impl/kind/buildelement"
)

//go:embed cargo.yaml
var defaults string

// Traits are what the kind is.
func Traits() kind.Traits {
	traits := buildelement.Traits("cargo", defaults)
	traits.Plugins.Packages = []string{kind.Community}
	return traits
}
