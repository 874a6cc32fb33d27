// Package makemaker is the element kind "makemaker": Perl's Makefile.PL.
package makemaker

import (
	_ "embed"

	"bst/impl/kind"
	"bst/impl/kind/buildelement"
)

//go:embed makemaker.yaml
var defaults string

// Traits are what the kind is.
func Traits() kind.Traits {
	traits := buildelement.Traits("makemaker", defaults)
	traits.Plugins.Packages = []string{kind.Community}
	return traits
}
