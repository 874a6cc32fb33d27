// Package gitmodule is the source kind "git_module": a submodule of a git
// repository that an earlier source stages, at its place in that.
package gitmodule

import (
	"cmp"
	"context"
	"path"
	"path/filepath"
	"strings"

	"bst/impl/kind"
	"bst/impl/kind/git"
	"bst/impl/node"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{
		Kind:           "git_module",
		TracksPrevious: true,
		Plugins:        kind.Plugins{Packages: []string{kind.Community}},
		New:            func() kind.Source { return new(source) },
	}
}

type source struct {
	*git.Repository
	env kind.SourceEnv
	// path is where the submodule is, from where the repository is staged.
	path     string
	url, ref string
	lfs      git.LFS
	version  kind.Versioning
}

var keys = append(append([]string{"url", "path", "ref", "full-clone", "use-lfs"}, kind.VersionKeys...), kind.CommonSourceKeys...)

func (s *source) Configure(config *node.Node, env kind.SourceEnv) (err error) {
	if err := config.ValidateKeys(keys...); err != nil {
		return err
	}
	s.env = env
	if s.url, err = config.NeedStr("url"); err != nil {
		return err
	}
	if s.path, err = config.NeedStr("path"); err != nil {
		return err
	}
	if path.IsAbs(s.path) {
		s.path = cmp.Or(strings.TrimLeft(path.Clean(s.path), "/"), ".")
	}
	if err := s.lfs.Configure(config); err != nil {
		return err
	}
	if s.ref, err = config.GetStr("ref", ""); err != nil {
		return err
	}
	env.Translate(s.url)
	s.Repository = git.NewRepository("git_module", env, s.url, s.ref)
	return s.version.Configure(config)
}

// Ref is the commit.
func (s *source) Ref() *node.Node { return kind.TextRef(s.ref) }

// Track reads the commit in the repository that the sources before stage.
func (s *source) Track(ctx context.Context, w kind.SourceWork, previous string) (*node.Node, error) {
	ref, err := git.SubmoduleCommit(ctx, "git_module", s.env, w, previous, path.Clean(s.path))
	return kind.TextRef(ref), err
}

func (s *source) Resolved() bool { return s.ref != "" }

func (s *source) UniqueKey() (any, error) {
	key := []any{s.url, s.ref}
	if s.path != "" {
		key = append(key, map[string]any{"path": s.path})
	}
	return s.version.AppendTo(s.lfs.AppendTo(key)), nil
}

func (s *source) SourceInfo() ([]kind.SourceInfo, error) {
	return []kind.SourceInfo{git.OffsetInfo(s.env.Translate(s.url), s.ref, s.version)}, nil
}

// Fetch brings the submodule's commit.
func (s *source) Fetch(ctx context.Context, w kind.SourceWork) error {
	if err := s.lfs.Check("git_module", s.env); err != nil {
		return err
	}
	return s.Repository.Fetch(ctx, w)
}

func (s *source) Stage(ctx context.Context, w kind.SourceWork, dir string) error {
	if !filepath.IsLocal(s.path) {
		return kind.SourceErrorf("git_module", s.env, "", "The path '%s' leads out of the repository", s.path)
	}
	return s.Repository.Stage(ctx, w, dir, path.Clean(s.path))
}
