package git

import (
	"bst/impl/kind"
	"bst/impl/node"
)

// LFS is what sources of the community's plugins say of files that lie outside
// of a repository (git-lfs).
type LFS struct{ use bool }

// Configure reads "full-clone", which is of no meaning here, and "use-lfs".
func (l *LFS) Configure(config *node.Node) (err error) {
	if _, err = config.GetBool("full-clone", false); err == nil {
		l.use, err = config.GetBool("use-lfs", false)
	}
	return err
}

// AppendTo adds it to a unique key.
func (l *LFS) AppendTo(key []any) []any {
	if l.use {
		return append(key, "use-lfs")
	}
	return key
}

// Check is the error of a fetch: such files cannot be fetched.
func (l *LFS) Check(kindName string, env kind.SourceEnv) error {
	if !l.use {
		return nil
	}
	e := kind.SourceErrorf(kindName, env, "fetch-not-implemented", "Files in git-lfs cannot be fetched in this version")
	e.Detail = "Without 'use-lfs: true' the repository's own files are fetched, with pointers in place of the others."
	return e
}
