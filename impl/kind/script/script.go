// Package script is the element kind "script": commands on the artifacts of
// other elements.
package script

import (
	_ "embed"

	"bst/impl/kind"
	"bst/impl/kind/scriptelement"
)

//go:embed script.yaml
var defaults string

// Traits are what the kind is.
func Traits() kind.Traits {
	return scriptelement.Traits("script", defaults, func() kind.Element { return new(scriptelement.Script) })
}
