package cargo2

import (
	"cmp"
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"

	"bst/impl/kind"
	"bst/impl/kind/crates"
	"bst/impl/node"
)

// Ref lists the crates; a source without a ref has an empty list.
func (s *source) Ref() *node.Node {
	items := make([]*node.Node, len(s.crates))
	for i, c := range s.crates {
		items[i] = c.entry()
	}
	return kind.RefOf(kind.ListOf(items))
}

// entry is a crate as a ref has it.
func (c *crate) entry() *node.Node {
	if r := c.registry; r != nil {
		e := kind.Texts("kind", "registry", "name", r.Name, "version", r.Version)
		if r.Sum != "" {
			e.Set("sha", node.NewVerbatim(r.Sum))
		}
		return e
	}
	e := kind.Texts("kind", "git", "commit", c.commit, "repo", c.repo)
	if len(c.query) > 0 {
		query := kind.Texts()
		for _, key := range slices.Sorted(maps.Keys(c.query)) {
			query.Set(key, node.NewVerbatim(c.query[key].(string)))
		}
		e.Set("query", query)
	}
	e.Set("name", node.NewVerbatim(c.name))
	e.Set("version", node.NewVerbatim(c.version))
	return e
}

// Track reads the crates from the Cargo.lock of the sources before.
func (s *source) Track(ctx context.Context, w kind.SourceWork, previous string) (*node.Node, error) {
	locked, err := s.registry.ReadLock(previous)
	if err != nil {
		return nil, err
	}
	found := make([]crate, len(locked))
	for i, p := range locked {
		if found[i], err = s.locked(ctx, w, p); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(found, func(a, b crate) int {
		aName, aVersion := a.identity()
		bName, bVersion := b.identity()
		return cmp.Or(strings.Compare(aName, bName), strings.Compare(aVersion, bVersion),
			strings.Compare(a.repo, b.repo), strings.Compare(a.commit, b.commit))
	})
	return (&source{crates: found}).Ref(), nil
}

func (c *crate) identity() (name, version string) {
	if c.registry != nil {
		return c.registry.Name, c.registry.Version
	}
	return c.name, c.version
}

// locked is the crate of an entry of a Cargo.lock.
func (s *source) locked(ctx context.Context, w kind.SourceWork, p crates.Locked) (c crate, err error) {
	from, address, _ := strings.Cut(p.Source, "+")
	switch from {
	case "registry":
		sum := p.Checksum
		if sum == "" {
			if sum, err = s.registry.Checksum(ctx, w, p.Name, p.Version); err != nil {
				return c, err
			}
		}
		c.registry = &crates.Crate{Name: p.Name, Version: p.Version, Sum: sum}
		return c, nil
	case "git":
		u, err := url.Parse(address)
		if err != nil {
			return c, kind.SourceErrorf("cargo2", s.env, "", "The crate %s comes from '%s', which is no URL: %s", p.Name, address, err)
		}
		c = crate{name: p.Name, version: p.Version, commit: u.Fragment}
		for key, values := range u.Query() {
			if c.query == nil {
				c.query = map[string]any{}
			}
			c.query[key] = values[len(values)-1]
		}
		u.Fragment, u.RawFragment, u.RawQuery, u.ForceQuery = "", "", "", false
		c.repo = u.String()
		return c, nil
	}
	return c, kind.SourceErrorf("cargo2", s.env, "", "Unknown source kind '%s' for crate %s", from, p.Name)
}
