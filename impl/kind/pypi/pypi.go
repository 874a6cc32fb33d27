// Package pypi is the source kind "pypi": a source distribution of Python's
// package index.
package pypi

import (
	"bst/impl/kind"
	"bst/impl/kind/distribution"
	"bst/impl/node"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{
		Kind:    "pypi",
		Plugins: kind.Plugins{Packages: []string{kind.Community}},
		New:     func() kind.Source { return new(source) },
	}
}

// storage is where the index keeps its files, where the source names no other.
const storage = "https://files.pythonhosted.org/packages/"

type source struct {
	distribution.Archive
	env kind.SourceEnv
	// prereleases, include and exclude choose between versions.
	prereleases      bool
	include, exclude []string
}

func (s *source) Configure(config *node.Node, env kind.SourceEnv) error {
	if err := config.ValidateKeys(append([]string{"url", "ref", "prereleases", "include", "exclude"}, distribution.Keys...)...); err != nil {
		return err
	}
	s.env = env
	var err error
	if s.prereleases, err = config.GetBool("prereleases", false); err != nil {
		return err
	}
	if s.include, err = config.GetStrs("include"); err != nil {
		return err
	}
	if s.exclude, err = config.GetStrs("exclude"); err != nil {
		return err
	}
	base, err := config.GetStr("url", storage)
	if err != nil {
		return err
	}
	if err := s.readRef(config); err != nil {
		return err
	}
	return s.Archive.Configure("pypi", base, config, env)
}

func (s *source) readRef(config *node.Node) error {
	if at := config.Get("ref"); at == nil || at.IsNone() {
		return nil
	}
	ref, err := config.GetMapping("ref")
	if err != nil {
		return err
	}
	if err := ref.ValidateKeys("suffix", "sha256sum"); err != nil {
		return err
	}
	if s.Suffix, err = ref.NeedStr("suffix"); err != nil {
		return err
	}
	s.Sum, err = ref.NeedStr("sha256sum")
	return err
}
