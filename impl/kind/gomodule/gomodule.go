// Package gomodule is the source kind "go_module": a module of the Go language
// from its git repository, vendored. It knows the cache key alone: what the
// kind writes for the go command is not known here.
package gomodule

import (
	"bst/impl/kind"
	"bst/impl/kind/git"
	"bst/impl/node"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{
		Kind:    "go_module",
		Plugins: kind.Plugins{Packages: []string{kind.Community}},
		New:     func() kind.Source { return new(source) },
	}
}

// layout is the version of what is staged, as keys have it.
const layout = 1

type source struct {
	kind.Unfetchable
	env         kind.SourceEnv
	url, module string
	// ref is nil where the source has none; gitRef and goVersion are in it.
	ref               map[string]any
	gitRef, goVersion string
	version           kind.Versioning
}

var keys = append(append([]string{"url", "module", "ref", "track"}, kind.VersionKeys...), kind.CommonSourceKeys...)

func (s *source) Configure(config *node.Node, env kind.SourceEnv) (err error) {
	if err := config.ValidateKeys(keys...); err != nil {
		return err
	}
	s.Unfetchable, s.env = kind.NewUnfetchable("go_module", env), env
	if s.url, err = config.NeedStr("url"); err != nil {
		return err
	}
	if s.module, err = config.NeedStr("module"); err != nil {
		return err
	}
	env.Translate(s.url)
	if err := s.version.Configure(config); err != nil {
		return err
	}
	if at := config.Get("ref"); at == nil || at.IsNone() {
		return nil
	}
	ref, err := config.GetMapping("ref")
	if err != nil {
		return err
	}
	return s.readRef(ref)
}

func (s *source) readRef(ref *node.Node) (err error) {
	if err := ref.ValidateKeys("go-version", "git-ref", "explicit", "subdirectory"); err != nil {
		return err
	}
	if s.goVersion, err = ref.NeedStr("go-version"); err != nil {
		return err
	}
	if s.gitRef, err = ref.NeedStr("git-ref"); err != nil {
		return err
	}
	explicit, err := ref.GetBool("explicit", false)
	if err != nil {
		return err
	}
	s.ref = map[string]any{"go-version": s.goVersion, "git-ref": s.gitRef, "explicit": explicit}
	if ref.Get("subdirectory") == nil {
		return nil
	}
	s.ref["subdirectory"], err = ref.GetStr("subdirectory", "")
	return err
}

func (s *source) Resolved() bool { return s.ref != nil }

func (s *source) UniqueKey() (any, error) {
	return s.version.AddTo(map[string]any{"ref": s.ref, "module": s.module, "bugfix": layout}), nil
}

func (s *source) SourceInfo() ([]kind.SourceInfo, error) {
	info := git.Info(s.env.Translate(s.url), s.gitRef, s.version)
	if s.version.Version == nil {
		info.Guess = kind.GuessVersion(s.goVersion, s.version.Pattern)
	}
	return []kind.SourceInfo{info}, nil
}
