// Package ostree is the source kind "ostree": a commit of an OSTree repository.
// It knows the cache key alone.
package ostree

import (
	"path/filepath"

	"bst/impl/kind"
	"bst/impl/kind/projectpath"
	"bst/impl/node"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{
		Kind:    "ostree",
		Plugins: kind.Plugins{Packages: []string{kind.Community}},
		New:     func() kind.Source { return new(source) },
	}
}

type source struct {
	kind.Unfetchable
	url, ref string
}

func (s *source) Configure(config *node.Node, env kind.SourceEnv) (err error) {
	if err := config.ValidateKeys(append([]string{"url", "ref", "track", "gpg-key"}, kind.CommonSourceKeys...)...); err != nil {
		return err
	}
	s.Unfetchable = kind.NewUnfetchable("ostree", env)
	if s.url, err = config.NeedStr("url"); err != nil {
		return err
	}
	env.Translate(s.url)
	if s.ref, err = config.GetStr("ref", ""); err != nil {
		return err
	}
	track, err := config.GetStr("track", "")
	if err != nil {
		return err
	}
	if s.ref == "" && track == "" {
		return kind.SourceErrorf("ostree", env, "missing-track-and-ref", "OSTree sources require a ref and/or track")
	}
	if key := config.Get("gpg-key"); key != nil && !key.IsNone() {
		var path string
		if path, _, err = projectpath.Resolve(key, env.ProjectDir(), projectpath.File); err == nil {
			env.Reads(filepath.Join(env.ProjectDir(), path))
		}
	}
	return err
}

func (s *source) Resolved() bool { return s.ref != "" }

func (s *source) UniqueKey() (any, error) { return []any{s.url, s.ref}, nil }
