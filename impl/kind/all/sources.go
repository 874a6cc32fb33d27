package all

import (
	"bst/impl/kind"
	"bst/impl/kind/local"
)

// Sources are the source kinds that bst knows, each once.
func Sources() []kind.SourceTraits {
	return []kind.SourceTraits{
		local.Traits(),
	}
}
