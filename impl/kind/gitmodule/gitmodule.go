// Package gitmodule is the source kind "git_module": a submodule of a git
// repository that an earlier source stages, at its place in that.
package gitmodule

import (
	"context"
	"path"
	"path/filepath"

	"bst/impl/kind"
	"bst/impl/kind/git"
	"bst/impl/node"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{
		Kind:    "git_module",
		Plugins: kind.Plugins{Packages: []string{kind.Community}},
		New:     func() kind.Source { return new(source) },
	}
}

type source struct {
	*git.Repository
	env kind.SourceEnv
	// path is where the submodule is, from where the repository is staged.
	path     string
	url, ref string
	version  kind.Versioning
}

var keys = append(append([]string{"url", "path", "ref"}, kind.VersionKeys...), kind.CommonSourceKeys...)

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
	if s.ref, err = config.GetStr("ref", ""); err != nil {
		return err
	}
	env.Translate(s.url)
	s.Repository = git.NewRepository("git_module", env, s.url, s.ref)
	return s.version.Configure(config)
}

func (s *source) Resolved() bool { return s.ref != "" }

func (s *source) UniqueKey() (any, error) {
	return s.version.AppendTo([]any{s.url, s.ref, map[string]any{"path": s.path}}), nil
}

func (s *source) SourceInfo() ([]kind.SourceInfo, error) {
	return []kind.SourceInfo{git.Info(s.env.Translate(s.url), s.ref, s.version)}, nil
}

func (s *source) Stage(ctx context.Context, w kind.SourceWork, dir string) error {
	if !filepath.IsLocal(s.path) {
		return kind.SourceErrorf("git_module", s.env, "", "The path '%s' leads out of the repository", s.path)
	}
	return s.Repository.Stage(ctx, w, dir, path.Clean(s.path))
}
