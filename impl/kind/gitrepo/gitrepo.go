// Package gitrepo is the source kind "git_repo": the files of a commit of a git
// repository, without submodules: these are sources of their own (git_module).
package gitrepo

import (
	"context"

	"bst/impl/kind"
	"bst/impl/kind/git"
	"bst/impl/node"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{
		Kind:    "git_repo",
		Plugins: kind.Plugins{Packages: []string{kind.Community}},
		New:     func() kind.Source { return new(source) },
	}
}

// layout is the version of what is staged, as keys have it.
const layout = 1

type source struct {
	*git.Repository
	env      kind.SourceEnv
	url, ref string
	version  kind.Versioning
}

var keys = append([]string{"url", "track", "exclude", "ref", "ref-format", "version", "version-guess-pattern"},
	kind.CommonSourceKeys...)

func (s *source) Configure(config *node.Node, env kind.SourceEnv) (err error) {
	if err := config.ValidateKeys(keys...); err != nil {
		return err
	}
	s.env = env
	if s.url, err = config.NeedStr("url"); err != nil {
		return err
	}
	if s.ref, err = config.GetStr("ref", ""); err != nil {
		return err
	}
	if _, err := config.GetStr("track", ""); err != nil {
		return err
	}
	if _, err := config.GetStrs("exclude"); err != nil {
		return err
	}
	if err := CheckFormat(config); err != nil {
		return err
	}
	env.Translate(s.url)
	s.Repository = git.NewRepository("git_repo", env, s.url, s.ref)
	return s.version.Configure(config)
}

// CheckFormat checks the form in which refs are to be written.
func CheckFormat(config *node.Node) error {
	format, err := config.GetStr("ref-format", "sha1")
	if err == nil && format != "sha1" && format != "git-describe" {
		err = config.Get("ref-format").Errorf("INVALID_DATA", "Value of 'ref-format' should be one of 'sha1, git-describe'")
	}
	return err
}

func (s *source) Resolved() bool { return s.ref != "" }

func (s *source) UniqueKey() (any, error) {
	return s.version.AddTo(map[string]any{"ref": s.ref, "bugfix": layout}), nil
}

func (s *source) SourceInfo() ([]kind.SourceInfo, error) {
	return []kind.SourceInfo{git.Info(s.env.Translate(s.url), s.ref, s.version)}, nil
}

func (s *source) Stage(ctx context.Context, w kind.SourceWork, dir string) error {
	return s.Repository.Stage(ctx, w, dir, "")
}
