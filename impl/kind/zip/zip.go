// Package zip is the source kind "zip": the content of a downloaded zip
// archive, below the folder in it that base-dir names.
//
// It knows archives and what may be written where. It does not know how the
// archive came here: that is package download.
package zip

import (
	"context"
	"errors"
	"strings"

	"bst/impl/kind"
	"bst/impl/kind/download"
	"bst/impl/node"
	"bst/impl/split"
	"bst/impl/stream"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{
		Kind:    "zip",
		Plugins: kind.Plugins{Packages: []string{kind.Community}},
		Variant: variant,
		New:     func() kind.Source { return new(source) },
	}
}

// variant knows of the first releases, in whose keys an empty base-dir is null.
// The later ones are told by the line that reads it, which ends there.
func variant(file string) kind.SourceTraits {
	traits := Traits()
	if !strings.Contains(file, "get_str(\"base-dir\", \"*\")\n") {
		traits.New = func() kind.Source { return &source{null: true} }
	}
	return traits
}

type source struct {
	download.File
	env kind.SourceEnv
	// baseDir is a pattern, "" for the archive's root.
	baseDir string
	glob    *split.Glob
	// null says that keys have null for the archive's root.
	null bool
}

func (s *source) Configure(config *node.Node, env kind.SourceEnv) error {
	s.env = env
	if err := s.File.Configure("zip", config, env); err != nil {
		return err
	}
	var err error
	if s.baseDir, err = config.GetStr("base-dir", "*"); err != nil {
		return err
	}
	if s.glob, err = compile(s.baseDir); err != nil {
		return config.Get("base-dir").Errorf("INVALID_DATA", "Invalid pattern '%s': %s", s.baseDir, err)
	}
	return config.ValidateKeys(append([]string{"base-dir"}, download.Keys...)...)
}

func (s *source) UniqueKey() (any, error) {
	if s.baseDir == "" && s.null {
		return append(s.Key(), nil), nil
	}
	return append(s.Key(), s.baseDir), nil
}

func (s *source) Stage(ctx context.Context, w kind.SourceWork, dir string) error {
	file, err := s.Path(w)
	if err != nil {
		return err
	}
	return Unpack(ctx, "zip", s.env, file, s.baseDir, dir)
}

// Unpack writes what is in an archive into a directory. Of baseDir, a pattern,
// it takes the first folder that matches; "" takes all.
func Unpack(ctx context.Context, kindName string, env kind.SourceEnv, file, baseDir, dir string) error {
	glob, err := compile(baseDir)
	if err == nil {
		err = unpack(ctx, file, baseDir != "", glob, dir)
	}
	if err == nil || ctx.Err() != nil {
		return err
	}
	var known *stream.Error
	if errors.As(err, &known) {
		return known
	}
	if errors.Is(err, errNoBase) {
		return kind.SourceErrorf(kindName, env, "", "Could not find base directory matching pattern: %s", baseDir)
	}
	e := kind.SourceErrorf(kindName, env, "", "Error staging source: %s", err)
	e.Cause = err.Error()
	return e
}
