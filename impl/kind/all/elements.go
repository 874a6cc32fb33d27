package all

import (
	"bst/impl/kind"
	"bst/impl/kind/autotools"
	"bst/impl/kind/cargo"
	"bst/impl/kind/checkforbidden"
	"bst/impl/kind/cmake"
	"bst/impl/kind/collectinitialscripts"
	"bst/impl/kind/collectintegration"
	"bst/impl/kind/collectmanifest"
	"bst/impl/kind/compose"
	"bst/impl/kind/filter"
	"bst/impl/kind/flatpakimage"
	"bst/impl/kind/flatpakrepo"
	"bst/impl/kind/importer"
	"bst/impl/kind/junction"
	"bst/impl/kind/link"
	"bst/impl/kind/make"
	"bst/impl/kind/makemaker"
	"bst/impl/kind/manual"
	"bst/impl/kind/meson"
	"bst/impl/kind/modulebuild"
	"bst/impl/kind/ostreecommit"
	"bst/impl/kind/pip"
	"bst/impl/kind/pyproject"
	"bst/impl/kind/script"
	"bst/impl/kind/setuptools"
	"bst/impl/kind/snapimage"
	"bst/impl/kind/stack"
)

// Elements are the element kinds that bst knows, each once.
func Elements() []kind.Traits {
	return []kind.Traits{
		autotools.Traits(),
		cargo.Traits(),
		checkforbidden.Traits(),
		cmake.Traits(),
		collectinitialscripts.Traits(),
		collectintegration.Traits(),
		collectmanifest.Traits(),
		compose.Traits(),
		filter.Traits(),
		flatpakimage.Traits(),
		flatpakrepo.Traits(),
		importer.Traits(),
		junction.Traits(),
		link.Traits(),
		make.Traits(),
		makemaker.Traits(),
		manual.Traits(),
		meson.Traits(),
		modulebuild.Traits(),
		ostreecommit.Traits(),
		pip.Traits(),
		pyproject.Traits(),
		script.Traits(),
		setuptools.Traits(),
		snapimage.Traits(),
		stack.Traits(),
	}
}
