// Package tar is the source kind "tar": the content of a downloaded archive,
// below the folder in it that base-dir names.
//
// It knows archives and what may be written where. It does not know how the
// archive came here: that is package download.
package tar

import (
	"context"
	"errors"

	"bst/impl/kind"
	"bst/impl/kind/download"
	"bst/impl/node"
	"bst/impl/split"
	"bst/impl/stream"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{Kind: "tar", New: func() kind.Source { return new(source) }}
}

type source struct {
	download.File
	env kind.SourceEnv
	// baseDir is a pattern, "" for the archive's root; glob is it compiled.
	baseDir string
	glob    *split.Glob
}

func (s *source) Configure(config *node.Node, env kind.SourceEnv) error {
	s.env = env
	if err := s.File.Configure("tar", config, env); err != nil {
		return err
	}
	var err error
	if s.baseDir, err = config.GetStr("base-dir", "*"); err != nil {
		return err
	}
	if s.glob, err = split.Compile(rooted(s.baseDir)); err != nil {
		return config.Get("base-dir").Errorf("INVALID_DATA", "Invalid pattern '%s': %s", s.baseDir, err)
	}
	return config.ValidateKeys(append([]string{"base-dir"}, download.Keys...)...)
}

func (s *source) UniqueKey() (any, error) {
	return append(s.Key(), s.baseDir), nil
}

func (s *source) Stage(ctx context.Context, w kind.SourceWork, dir string) error {
	file, err := s.Path(w)
	if err != nil {
		return err
	}
	a, err := openArchive(ctx, s.env, w, file)
	if err == nil {
		defer a.close()
		err = s.stage(ctx, a, dir)
	}
	if err == nil || ctx.Err() != nil {
		return err
	}
	var known *stream.Error
	if errors.As(err, &known) {
		return known
	}
	e := kind.SourceErrorf("tar", s.env, "", "Error staging source: %s", text(err))
	e.Cause = err.Error()
	return e
}

func (s *source) stage(ctx context.Context, a *archive, dir string) error {
	var in index
	if s.baseDir != "" {
		var err error
		if in, err = readIndex(ctx, a, s.glob); err != nil {
			return err
		}
		if !in.found {
			return kind.SourceErrorf("tar", s.env, "", "Could not find base directory matching pattern: %s", s.baseDir)
		}
	}
	x, err := newExtractor(s, a, in, dir)
	if err != nil {
		return err
	}
	defer x.close()
	return x.run(ctx)
}
