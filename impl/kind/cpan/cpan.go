// Package cpan is the source kind "cpan": a distribution of Perl's archive
// network, without the folder that everything in it lies in.
package cpan

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
		Kind:    "cpan",
		Plugins: kind.Plugins{Packages: []string{kind.Community}},
		New:     func() kind.Source { return new(source) },
	}
}

// index is the network's address where the source names no other.
const index = "https://cpan.metacpan.org/"

type source struct {
	download.File
	env kind.SourceEnv
	// suffix is the file's place below the index, "" where the source has no
	// ref; sum is its SHA-256.
	suffix, sum string
	version     kind.Versioning
}

var keys = append(append([]string{"name", "index", "suffix", "sha256sum"}, kind.VersionKeys...), kind.CommonSourceKeys...)

func (s *source) Configure(config *node.Node, env kind.SourceEnv) (err error) {
	if err := config.ValidateKeys(keys...); err != nil {
		return err
	}
	s.env = env
	if _, err := config.NeedStr("name"); err != nil {
		return err
	}
	at, err := config.GetStr("index", index)
	if err != nil {
		return err
	}
	if s.suffix, err = config.GetStr("suffix", ""); err != nil {
		return err
	}
	if s.sum, err = config.GetStr("sha256sum", ""); err != nil {
		return err
	}
	if err := s.version.Configure(config); err != nil {
		return err
	}
	file := node.NewMapping(config.Provenance())
	file.Set("url", node.NewScalar(at+s.suffix, config.Provenance()))
	if s.sum != "" {
		file.Set("ref", node.NewScalar(s.sum, config.Provenance()))
	}
	if s.version.Version != nil {
		file.Set("version", node.NewScalar(*s.version.Version, config.Provenance()))
	}
	if s.version.Pattern != nil {
		file.Set("version-guess-pattern", node.NewScalar(*s.version.Pattern, config.Provenance()))
	}
	return s.File.Configure("cpan", file, env)
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
		return zip.Unpack(ctx, "cpan", s.env, file, "*", dir)
	}
	return tar.Unpack(ctx, "cpan", s.env, w, file, "*", dir)
}
