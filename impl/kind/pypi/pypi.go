// Package pypi is the source kind "pypi": a source distribution of Python's
// package index, without the folder that everything in it lies in.
package pypi

import (
	"context"
	"strings"

	"bst/impl/kind"
	"bst/impl/kind/download"
	"bst/impl/kind/tar"
	"bst/impl/kind/zip"
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
	download.File
	env kind.SourceEnv
	// suffix is the file's place below the storage, "" where the source has no
	// ref; sum is its SHA-256.
	suffix, sum string
	version     kind.Versioning
}

var keys = append(append([]string{"url", "name", "ref", "include", "exclude"}, kind.VersionKeys...), kind.CommonSourceKeys...)

func (s *source) Configure(config *node.Node, env kind.SourceEnv) (err error) {
	if err := config.ValidateKeys(keys...); err != nil {
		return err
	}
	s.env = env
	if _, err := config.NeedStr("name"); err != nil {
		return err
	}
	for _, key := range []string{"include", "exclude"} {
		if _, err := config.GetStrs(key); err != nil {
			return err
		}
	}
	base, err := config.GetStr("url", storage)
	if err != nil {
		return err
	}
	if err := s.version.Configure(config); err != nil {
		return err
	}
	if err := s.readRef(config); err != nil {
		return err
	}
	file := node.NewMapping(config.Provenance())
	file.Set("url", node.NewScalar(base+s.suffix, config.Provenance()))
	if s.sum != "" {
		file.Set("ref", node.NewScalar(s.sum, config.Provenance()))
	}
	if s.version.Version != nil {
		file.Set("version", node.NewScalar(*s.version.Version, config.Provenance()))
	}
	if s.version.Pattern != nil {
		file.Set("version-guess-pattern", node.NewScalar(*s.version.Pattern, config.Provenance()))
	}
	return s.File.Configure("pypi", file, env)
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
	if s.suffix, err = ref.NeedStr("suffix"); err != nil {
		return err
	}
	s.sum, err = ref.NeedStr("sha256sum")
	return err
}

func (s *source) Resolved() bool { return s.suffix != "" && s.sum != "" }

func (s *source) UniqueKey() (any, error) {
	return s.version.AppendTo([]any{s.suffix, s.sum}), nil
}

func (s *source) Stage(ctx context.Context, w kind.SourceWork, dir string) error {
	file, err := s.Path(w)
	if err != nil {
		return err
	}
	if strings.HasSuffix(s.suffix, ".zip") {
		return zip.Unpack(ctx, "pypi", s.env, file, "*", dir)
	}
	return tar.Unpack(ctx, "pypi", s.env, w, file, "*", dir)
}
