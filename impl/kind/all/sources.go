// Package all lists the element and source kinds that are built in. Lists are
// explicit: what is not named here is not in the program.
package all

import (
	"bst/impl/kind"
	"bst/impl/kind/git"
	"bst/impl/kind/local"
	"bst/impl/kind/patch"
	"bst/impl/kind/remote"
	"bst/impl/kind/tar"
)

// Sources are the source kinds that bst knows, each once.
func Sources() []kind.SourceTraits {
	return []kind.SourceTraits{
		git.Traits(),
		local.Traits(),
		patch.Traits(),
		remote.Traits(),
		tar.Traits(),
	}
}
