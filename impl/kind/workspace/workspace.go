// Package workspace is the source kind "workspace": the folder that takes the
// place of an element's sources while it is worked on there. It is of the
// reference's making and cannot be written in an element.
//
// It knows where the folder lies. It does not know who opened it, nor how.
package workspace

import (
	"errors"
	"io/fs"
	"os"

	"bst/impl/kind"
	"bst/impl/kind/local"
	"bst/impl/node"
)

// Kind is the kind's name.
const Kind = "workspace"

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{Kind: Kind, NoRef: true, New: func() kind.Source { return new(source) }}
}

type source struct {
	local.Tree
	there bool
}

// Configure reads path, which is absolute, and last_build, which tells BuildStream
// what to build on from and is not part of the key.
func (s *source) Configure(config *node.Node, env kind.SourceEnv) error {
	if err := config.ValidateKeys("kind", "path", "last_build"); err != nil {
		return err
	}
	path, err := config.NeedStr("path")
	if err != nil {
		return err
	}
	env.Reads(path)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return kind.SourceErrorf(Kind, env, "workspace-unreadable", "The workspace cannot be read: %s", err)
	case !info.IsDir():
		return kind.SourceErrorf(Kind, env, "bad-directory", "The workspace '%s' is not a directory", path)
	}
	s.there = true
	s.Tree = local.NewWorkTree(Kind, env, path, info)
	return nil
}

// Resolved says that the folder is there.
func (s *source) Resolved() bool { return s.there }

// SourceInfo tells the folder and its digest.
func (s *source) SourceInfo() ([]kind.SourceInfo, error) {
	info, err := s.Tree.SourceInfo()
	for i := range info {
		info[i].Medium = kind.MediumWorkspace
	}
	return info, err
}
