// Package gitrepo is the source kind "git_repo": the files of a commit of a git
// repository, with as much of its history as tells its version, and without
// submodules: these are sources of their own (git_module).
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
	// track is a pattern for branches and tags, "" for none; exclude are patterns of
	// those that do not count. describe names the last tag in the ref.
	track    string
	exclude  []string
	describe bool
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
	if s.track, err = config.GetStr("track", ""); err != nil {
		return err
	}
	if s.exclude, err = config.GetStrs("exclude"); err != nil {
		return err
	}
	if s.describe, err = describes(config); err != nil {
		return err
	}
	env.Translate(s.url)
	s.Repository = git.NewRepository("git_repo", env, s.url, s.ref)
	return s.version.Configure(config)
}

// describes says that refs are to be written as `git describe` does.
func describes(config *node.Node) (bool, error) {
	format, err := config.GetStr("ref-format", "sha1")
	if err == nil && format != "sha1" && format != "git-describe" {
		err = config.Get("ref-format").Errorf("INVALID_DATA", "Value of 'ref-format' should be one of 'sha1, git-describe'")
	}
	return format == "git-describe", err
}

// Ref is the commit.
func (s *source) Ref() *node.Node { return kind.TextRef(s.ref) }

// Track finds the newest branch or tag that matches.
func (s *source) Track(ctx context.Context, w kind.SourceWork, _ string) (*node.Node, error) {
	if s.track == "" {
		return nil, nil
	}
	ref, err := s.Repository.TrackRefs(ctx, w, s.track, s.exclude, s.describe)
	return kind.TextRef(ref), err
}

func (s *source) Resolved() bool { return s.ref != "" }

func (s *source) UniqueKey() (any, error) {
	return s.version.AddTo(map[string]any{"ref": s.ref, "bugfix": layout}), nil
}

func (s *source) SourceInfo() ([]kind.SourceInfo, error) {
	return []kind.SourceInfo{git.TaggedInfo(s.env.Translate(s.url), s.ref, s.version)}, nil
}

func (s *source) Stage(ctx context.Context, w kind.SourceWork, dir string) error {
	if err := s.Repository.Stage(ctx, w, dir, ""); err != nil {
		return err
	}
	return s.Repository.StageHistory(ctx, w, dir)
}
