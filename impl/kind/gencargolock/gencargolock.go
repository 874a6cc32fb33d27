// Package gencargolock is the source kind "gen_cargo_lock": a Cargo.lock for
// sources that come without one, kept in the project as its ref.
package gencargolock

import (
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"time"

	"bst/impl/kind"
	"bst/impl/kind/host"
	"bst/impl/node"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{
		Kind:           "gen_cargo_lock",
		TracksPrevious: true,
		Plugins:        kind.Plugins{Packages: []string{kind.Community}},
		New:            func() kind.Source { return new(source) },
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

// Ref is the file in base64.
func (s *source) Ref() *node.Node { return kind.TextRef(s.ref) }

// silence is how long cargo may say nothing.
const silence = 10 * time.Minute

// Track has the host's cargo make a Cargo.lock for the sources before: which versions
// fit together is what cargo alone can tell. Nothing of the sources is run.
func (s *source) Track(ctx context.Context, w kind.SourceWork, previous string) (*node.Node, error) {
	program, err := host.Find("gen_cargo_lock", s.env, "cargo")
	if err != nil {
		return nil, err
	}
	home, err := w.MirrorDir()
	if err != nil {
		return nil, err
	}
	var text []byte
	err = w.Activity("Generating Cargo.lock", func() error {
		result, err := host.Run(ctx, w, host.Command{
			Argv: []string{program, "generate-lockfile", "--color=never"}, Dir: previous,
			Env: []string{"CARGO_HOME=" + home, "CARGO_TERM_PROGRESS_WHEN=never"}, Silence: silence,
		})
		if err != nil {
			return err
		}
		if result.Status != 0 {
			e := host.Failed("gen_cargo_lock", s.env, "Failed to generate lockfile", result)
			e.Temporary = result.Silent
			return e
		}
		if text, err = os.ReadFile(filepath.Join(previous, "Cargo.lock")); err != nil {
			return kind.SourceErrorf("gen_cargo_lock", s.env, "", "cargo made no Cargo.lock: %s", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return kind.TextRef(base64.StdEncoding.EncodeToString(text)), nil
}

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
