// Package pipsource is the source kind "pip": packages of Python as pip
// downloads them. It knows the cache key alone. (The element kind of that name
// is package pip.)
package pipsource

import (
	"strings"

	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/stream"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{
		Kind:           "pip",
		TracksPrevious: true,
		Plugins:        kind.Plugins{Packages: []string{kind.Official}},
		New:            func() kind.Source { return new(source) },
	}
}

// index is what the format has where the source names no other: it is part of
// the key.
const index = "https://pypi.org/simple/"

type source struct {
	kind.Unfetchable
	env kind.SourceEnv
	url string
	// ref has a line "package==version" for each package.
	ref string
}

func (s *source) Configure(config *node.Node, env kind.SourceEnv) (err error) {
	err = config.ValidateKeys(append([]string{"url", "packages", "ref", "requirements-files"}, kind.CommonSourceKeys...)...)
	if err != nil {
		return err
	}
	s.Unfetchable, s.env = kind.NewUnfetchable("pip", env), env
	if s.ref, err = config.GetStr("ref", ""); err != nil {
		return err
	}
	if s.url, err = config.GetStr("url", index); err != nil {
		return err
	}
	env.Translate(s.url)
	packages, err := config.GetStrs("packages")
	if err != nil {
		return err
	}
	files, err := config.GetStrs("requirements-files")
	if err != nil {
		return err
	}
	if len(packages)+len(files) == 0 {
		return kind.SourceErrorf("pip", env, "", "Either 'packages' or 'requirements-files' must be specified")
	}
	return nil
}

func (s *source) Resolved() bool { return s.ref != "" }

func (s *source) UniqueKey() (any, error) { return []any{s.url, s.ref}, nil }

func (s *source) SourceInfo() ([]kind.SourceInfo, error) {
	var infos []kind.SourceInfo
	for line := range strings.Lines(s.ref) {
		name, version, ok := strings.Cut(strings.TrimSpace(line), "==")
		if !ok {
			continue
		}
		infos = append(infos, kind.SourceInfo{
			URL: s.env.Translate(s.url), Medium: kind.MediumPyPI, VersionType: kind.VersionIndexed,
			Version: version, Guess: version, Extra: []stream.Pair{{Name: "package-name", Value: name}},
		})
	}
	return infos, nil
}
