// Package gittag is the source kind "git_tag": a commit of a git repository,
// with its submodules, whose ref tells how far it is from a tag.
package gittag

import (
	"context"

	"bst/impl/kind"
	"bst/impl/kind/git"
	"bst/impl/node"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{
		Kind:    "git_tag",
		Plugins: kind.Plugins{Packages: []string{kind.Community}},
		New:     func() kind.Source { return new(source) },
	}
}

type source struct {
	*git.Repository
	env        kind.SourceEnv
	url, ref   string
	submodules git.Submodules
	lfs        git.LFS
	version    kind.Versioning
	track      git.TagTracking
}

var keys = append(append([]string{
	"url", "ref", "full-clone", "use-lfs", "track", "track-extra", "track-tags", "match", "exclude",
	"checkout-submodules", "submodules",
}, kind.VersionKeys...), kind.CommonSourceKeys...)

func (s *source) Configure(config *node.Node, env kind.SourceEnv) (err error) {
	if err := config.ValidateKeys(keys...); err != nil {
		return err
	}
	s.env = env
	if s.url, err = config.NeedStr("url"); err != nil {
		return err
	}
	if err := s.lfs.Configure(config); err != nil {
		return err
	}
	if err := s.version.Configure(config); err != nil {
		return err
	}
	if s.ref, err = config.GetStr("ref", ""); err != nil {
		return err
	}
	track, err := config.GetStr("track", "")
	if err != nil {
		return err
	}
	extra, err := config.GetStrs("track-extra")
	if err != nil {
		return err
	}
	if track != "" {
		s.track.Branches = append([]string{track}, extra...)
	}
	if s.track.Match, err = config.GetStrs("match"); err != nil {
		return err
	}
	if s.track.Exclude, err = config.GetStrs("exclude"); err != nil {
		return err
	}
	if s.track.Tags, err = config.GetBool("track-tags", false); err != nil {
		return err
	}
	if s.ref == "" && track == "" {
		return kind.SourceErrorf("git_tag", env, "missing-track-and-ref", "Git sources require a ref and/or track")
	}
	if err := s.submodules.Configure(config, env); err != nil {
		return err
	}
	env.Translate(s.url)
	s.Repository = git.NewRepository("git_tag", env, s.url, s.ref).WithSubmodules(s.submodules)
	return nil
}

// Ref is the commit.
func (s *source) Ref() *node.Node { return kind.TextRef(s.ref) }

// Track finds the newest commit of the branches, or the last tag before it.
func (s *source) Track(ctx context.Context, w kind.SourceWork, _ string) (*node.Node, error) {
	if len(s.track.Branches) == 0 {
		return nil, nil
	}
	ref, err := s.Repository.TrackTags(ctx, w, s.track)
	return kind.TextRef(ref), err
}

func (s *source) Resolved() bool { return s.ref != "" }

func (s *source) UniqueKey() (any, error) {
	key := s.submodules.AppendTo([]any{s.url, s.ref})
	return s.version.AppendTo(s.lfs.AppendTo(key)), nil
}

func (s *source) SourceInfo() ([]kind.SourceInfo, error) {
	return []kind.SourceInfo{git.OffsetInfo(s.env.Translate(s.url), s.ref, s.version)}, nil
}

// Fetch brings the commit, and those of submodules.
func (s *source) Fetch(ctx context.Context, w kind.SourceWork) error {
	if err := s.lfs.Check("git_tag", s.env); err != nil {
		return err
	}
	return s.Repository.Fetch(ctx, w)
}

func (s *source) Stage(ctx context.Context, w kind.SourceWork, dir string) error {
	return s.Repository.Stage(ctx, w, dir, "")
}
