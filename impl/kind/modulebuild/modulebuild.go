// Package modulebuild is the element kind "modulebuild": Perl's Build.PL.
package modulebuild

import (
	_ "embed"

	"bst/impl/kind"
	"bst/impl/kind/buildelement"
)

//go:embed modulebuild.yaml
var defaults string

// Traits are what the kind is.
func Traits() kind.Traits {
	traits := buildelement.Traits("modulebuild", defaults)
	traits.Plugins.Packages = []string{kind.Community}
	return traits
}
