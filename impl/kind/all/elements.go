package all

import (
	"bst/impl/kind"
	"bst/impl/kind/autotools"
	"bst/impl/kind/cmake"
	"bst/impl/kind/compose"
	"bst/impl/kind/filter"
	"bst/impl/kind/importer"
	"bst/impl/kind/junction"
	"bst/impl/kind/link"
	"bst/impl/kind/make"
	"bst/impl/kind/manual"
	"bst/impl/kind/meson"
	"bst/impl/kind/pip"
	"bst/impl/kind/script"
	"bst/impl/kind/setuptools"
	"bst/impl/kind/stack"
)

// Elements are the element kinds that bst knows, each once.
func Elements() []kind.Traits {
	return []kind.Traits{
		autotools.Traits(),
		cmake.Traits(),
		compose.Traits(),
		filter.Traits(),
		importer.Traits(),
		junction.Traits(),
		link.Traits(),
		make.Traits(),
		manual.Traits(),
		meson.Traits(),
		pip.Traits(),
		script.Traits(),
		setuptools.Traits(),
		stack.Traits(),
	}
}
