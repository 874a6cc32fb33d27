package all

import (
	"bst/impl/kind"
	"bst/impl/kind/anitya"
	"bst/impl/kind/bzr"
	"bst/impl/kind/cargo2"
	"bst/impl/kind/cargosource"
	"bst/impl/kind/cpan"
	"bst/impl/kind/docker"
	"bst/impl/kind/gencargolock"
	"bst/impl/kind/generated"
	"bst/impl/kind/git"
	"bst/impl/kind/gitmodule"
	"bst/impl/kind/gitrepo"
	"bst/impl/kind/gittag"
	"bst/impl/kind/gomodule"
	"bst/impl/kind/local"
	"bst/impl/kind/ostree"
	"bst/impl/kind/patch"
	"bst/impl/kind/patchqueue"
	"bst/impl/kind/pipsource"
	"bst/impl/kind/pypi"
	"bst/impl/kind/remote"
	"bst/impl/kind/tar"
	"bst/impl/kind/workspace"
	"bst/impl/kind/zip"
)

// Sources are the source kinds that bst knows, each once.
func Sources() []kind.SourceTraits {
	return []kind.SourceTraits{
		anitya.Traits(),
		bzr.Traits(),
		cargo2.Traits(),
		cargosource.Traits(),
		cpan.Traits(),
		docker.Traits(),
		gencargolock.Traits(),
		generated.Traits(),
		git.Traits(),
		gitmodule.Traits(),
		gitrepo.Traits(),
		gittag.Traits(),
		gomodule.Traits(),
		local.Traits(),
		ostree.Traits(),
		patch.Traits(),
		patchqueue.Traits(),
		pipsource.Traits(),
		pypi.Traits(),
		remote.Traits(),
		tar.Traits(),
		workspace.Traits(),
		zip.Traits(),
	}
}
