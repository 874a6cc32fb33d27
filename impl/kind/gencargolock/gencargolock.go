// Package gencargolock is the source kind "gen_cargo_lock": a Cargo.lock for
// sources that come without one, kept in the project as its ref.
package gencargolock

import (
	"context"
	"encoding/base64"
	"os"
	"path/filepath"

	"bst/impl/kind"
	"bst/impl/node"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{
		Kind:    "gen_cargo_lock",
		Plugins: kind.Plugins{Packages: []string{kind.Community}},
		New:     func() kind.Source { return new(source) },
	}
}

type source struct {
	env kind.SourceEnv
	// ref is the file in base64, "" for none.
	ref string
}

func (s *source) Configure(config *node.Node, env kind.SourceEnv) (err error) {
	if err := config.ValidateKeys(append([]string{"ref"}, kind.CommonSourceKeys...)...); err != nil {
		return err
	}
	s.env = env
	s.ref, err = config.GetStr("ref", "")
	return err
}

func (s *source) Resolved() bool { return s.ref != "" }

func (s *source) UniqueKey() (any, error) { return s.ref, nil }

func (s *source) Cached(context.Context, kind.SourceWork) bool { return true }

func (s *source) Fetch(context.Context, kind.SourceWork) error { return nil }

func (s *source) Stage(_ context.Context, _ kind.SourceWork, dir string) error {
	content, err := base64.StdEncoding.DecodeString(s.ref)
	if err != nil {
		return kind.SourceErrorf("gen_cargo_lock", s.env, "", "The ref is not base64: %s", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "Cargo.lock"), content, 0o644); err != nil {
		return kind.SourceErrorf("gen_cargo_lock", s.env, "", "Error staging source: %s", err)
	}
	return nil
}
