// Package patch is the source kind "patch": a patch of the project, applied to
// the sources before it.
package patch

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"bst/impl/kind"
	"bst/impl/kind/host"
	"bst/impl/kind/projectpath"
	"bst/impl/node"
	"bst/impl/stream"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{Kind: "patch", NoRef: true, RequiresPrevious: true, New: func() kind.Source { return new(source) }}
}

type source struct {
	env kind.SourceEnv
	// path is as the project writes it, full is absolute.
	path, full string
	strip      int
	// checksum reads the patch, once, and gives its SHA-256.
	checksum func() (string, error)
}

func (s *source) Configure(config *node.Node, env kind.SourceEnv) error {
	if err := config.ValidateKeys(append([]string{"path", "strip-level"}, kind.CommonSourceKeys...)...); err != nil {
		return err
	}
	path, err := config.Need("path")
	if err != nil {
		return err
	}
	if s.path, _, err = projectpath.Resolve(path, env.ProjectDir(), projectpath.File); err != nil {
		return err
	}
	if s.strip, err = config.GetInt("strip-level", 1); err != nil {
		return err
	}
	s.env = env
	s.full = filepath.Join(env.ProjectDir(), s.path)
	env.Reads(s.full)
	s.checksum = sync.OnceValues(s.read)
	return nil
}

func (s *source) read() (string, error) {
	sum, err := s.env.Digests().Sum(s.full)
	if err != nil {
		return "", s.unreadable(err)
	}
	return sum.Hash, nil
}

func (s *source) unreadable(err error) *stream.Error {
	return kind.SourceErrorf("patch", s.env, "", "Failed to read '%s': %s", s.path, err)
}

func (s *source) Resolved() bool { return true }

func (s *source) UniqueKey() (any, error) {
	sum, err := s.checksum()
	return []any{s.path, sum, s.strip}, err
}

func (s *source) Cached(context.Context, kind.SourceWork) bool { return true }

func (s *source) Fetch(context.Context, kind.SourceWork) error { return nil }

func (s *source) Stage(ctx context.Context, w kind.SourceWork, dir string) error {
	return w.Activity("Applying local patch: "+s.path, func() error { return s.apply(ctx, w, dir) })
}

func (s *source) apply(ctx context.Context, w kind.SourceWork, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return kind.SourceErrorf("patch", s.env, "", "Failed to read '%s': %s", dir, err)
	}
	if len(entries) == 0 {
		return &stream.Error{
			Domain: stream.DomainSource, Reason: "patch-no-files",
			Message: "Nothing to patch in directory '" + dir + "'",
		}
	}
	program, err := host.Find("patch", s.env, "patch")
	if err != nil {
		return err
	}
	// The key speaks for the patch as it was read then.
	want, err := s.checksum()
	if err != nil {
		return err
	}
	if got, err := s.read(); err != nil {
		return err
	} else if got != want {
		return kind.SourceErrorf("patch", s.env, "source-changed",
			"'%s' was changed after bst had read it: run bst again", s.path)
	}
	result, err := host.Run(ctx, w, host.Command{
		Argv: []string{program, "-p" + strconv.Itoa(s.strip), "-i", s.full, "-d", dir},
	})
	if err != nil {
		return err
	}
	if result.Status != 0 {
		return host.Failed("patch", s.env, "Failed to apply patch "+s.path, result)
	}
	return nil
}
