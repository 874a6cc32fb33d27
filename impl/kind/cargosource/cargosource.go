// Package cargosource is the source kind "cargo": the crates that a package of
// Rust's needs, vendored. (The element kind of that name is package cargo.)
package cargosource

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bst/impl/kind"
	"bst/impl/kind/crates"
	"bst/impl/node"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{
		Kind:           "cargo",
		TracksPrevious: true,
		Plugins:        kind.Plugins{Packages: []string{kind.Official}},
		New:            func() kind.Source { return new(source) },
	}
}

type source struct {
	env      kind.SourceEnv
	registry crates.Registry
	crates   []*crates.Crate
}

func (s *source) Configure(config *node.Node, env kind.SourceEnv) error {
	s.env = env
	if err := s.registry.Configure("cargo", "crates", config, env); err != nil {
		return err
	}
	if err := config.ValidateKeys(append([]string{"url", "ref", "cargo-lock", "vendor-dir"}, kind.CommonSourceKeys...)...); err != nil {
		return err
	}
	if ref := config.Get("ref"); ref == nil || ref.IsNone() {
		return nil
	}
	ref, err := config.GetSequence("ref")
	if err != nil {
		return err
	}
	for _, entry := range ref.Items() {
		if entry.Kind() != node.Mapping {
			return entry.Errorf("INVALID_DATA", "Each crate of a 'ref' is a dictionary with name, version and sha")
		}
		crate, err := s.registry.Crate(entry)
		if err != nil {
			return err
		}
		s.crates = append(s.crates, crate)
	}
	return nil
}

func (s *source) Resolved() bool {
	for _, crate := range s.crates {
		if crate.Sum == "" {
			return false
		}
	}
	return len(s.crates) > 0
}

func (s *source) UniqueKey() (any, error) {
	ref := make([]any, len(s.crates))
	for i, crate := range s.crates {
		ref[i] = map[string]any{"name": crate.Name, "version": crate.Version, "sha": crate.Sum}
	}
	return []any{s.registry.URL, s.registry.Lock, s.registry.Vendor, ref}, nil
}

// Ref lists the crates, with what the project says of each.
func (s *source) Ref() *node.Node {
	if len(s.crates) == 0 {
		return nil
	}
	items := make([]*node.Node, len(s.crates))
	for i, c := range s.crates {
		items[i] = entry(c.Name, c.Version, c.Sum, c.Provenance)
	}
	return kind.RefOf(kind.ListOf(items))
}

func entry(name, version, sum string, provenance *node.Node) *node.Node {
	e := kind.Texts("name", name, "version", version)
	if sum != "" {
		e.Set("sha", node.NewVerbatim(sum))
	}
	if provenance.Len() > 0 {
		e.Set("provenance", provenance)
	}
	return e
}

// Track reads the crates from the Cargo.lock of the sources before.
func (s *source) Track(ctx context.Context, w kind.SourceWork, previous string) (*node.Node, error) {
	locked, err := s.registry.ReadLock(previous)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(locked, func(a, b crates.Locked) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version))
	})
	said := map[string]*node.Node{}
	for _, c := range s.crates {
		said[c.Name] = c.Provenance
	}
	items := make([]*node.Node, len(locked))
	for i, p := range locked {
		if p.Checksum == "" {
			if p.Checksum, err = s.registry.Checksum(ctx, w, p.Name, p.Version); err != nil {
				return nil, err
			}
		}
		items[i] = entry(p.Name, p.Version, p.Checksum, said[p.Name])
	}
	return kind.RefOf(kind.ListOf(items)), nil
}

func (s *source) SourceInfo() ([]kind.SourceInfo, error) {
	infos := make([]kind.SourceInfo, len(s.crates))
	for i, crate := range s.crates {
		infos[i] = crate.Info()
	}
	return infos, nil
}

func (s *source) Cached(ctx context.Context, w kind.SourceWork) bool {
	for _, crate := range s.crates {
		if !crate.Cached(ctx, w) {
			return false
		}
	}
	return true
}

func (s *source) Fetch(ctx context.Context, w kind.SourceWork) error {
	for _, crate := range s.crates {
		if err := crate.Fetch(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

func (s *source) Stage(ctx context.Context, w kind.SourceWork, dir string) error {
	for _, crate := range s.crates {
		if err := crate.Stage(ctx, w, dir); err != nil {
			return err
		}
	}
	registry, vendor := s.registry.Config()
	text := fmt.Sprintf("[source.crates-io]\nregistry = \"%s\"\nreplace-with = \"vendored-sources\"\n"+
		"[source.vendored-sources]\ndirectory = \"%s\"\n", registry, vendor)
	at := filepath.Join(dir, ".cargo")
	err := os.MkdirAll(at, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(at, "config"), []byte(text), 0o644)
	}
	if err != nil {
		return kind.SourceErrorf("cargo", s.env, "", "Error staging source: %s", err)
	}
	return nil
}
