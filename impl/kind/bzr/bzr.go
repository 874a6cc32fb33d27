// Package bzr is the source kind "bzr": a revision of a Bazaar branch. It knows
// the cache key alone.
package bzr

import (
	"bst/impl/kind"
	"bst/impl/node"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{
		Kind:    "bzr",
		Plugins: kind.Plugins{Packages: []string{kind.Official}},
		New:     func() kind.Source { return new(source) },
	}
}

type source struct {
	kind.Unfetchable
	env             kind.SourceEnv
	url, track, ref string
	version         kind.Versioning
}

func (s *source) Configure(config *node.Node, env kind.SourceEnv) (err error) {
	if err := config.ValidateKeys(append([]string{"url", "track", "ref", "version"}, kind.CommonSourceKeys...)...); err != nil {
		return err
	}
	s.Unfetchable, s.env = kind.NewUnfetchable("bzr", env), env
	if s.url, err = config.NeedStr("url"); err != nil {
		return err
	}
	env.Translate(s.url)
	if s.track, err = config.NeedStr("track"); err != nil {
		return err
	}
	if s.ref, err = config.GetStr("ref", ""); err != nil {
		return err
	}
	return s.version.Configure(config)
}

func (s *source) Resolved() bool { return s.ref != "" }

func (s *source) UniqueKey() (any, error) {
	return s.version.AppendTo([]any{s.url, s.track, s.ref}), nil
}

func (s *source) SourceInfo() ([]kind.SourceInfo, error) {
	info := kind.SourceInfo{
		URL: s.env.Translate(s.url), Medium: kind.MediumBazaar, VersionType: kind.VersionCommit, Version: s.ref,
	}
	if s.version.Version != nil {
		info.Guess = *s.version.Version
	}
	return []kind.SourceInfo{info}, nil
}
