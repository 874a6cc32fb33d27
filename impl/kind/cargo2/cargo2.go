// Package cargo2 is the source kind "cargo2": the crates that a package of
// Rust's needs, from a registry and from git repositories, vendored.
//
// Crates from git repositories cannot be staged: they need their workspace's
// values written into their own Cargo.toml.
package cargo2

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"bst/impl/kind"
	"bst/impl/kind/crates"
	"bst/impl/kind/git"
	"bst/impl/node"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{
		Kind:    "cargo2",
		Plugins: kind.Plugins{Packages: []string{kind.Community}},
		New:     func() kind.Source { return new(source) },
	}
}

// layout is the version of what is staged, as keys have it.
const layout = "x"

type source struct {
	env      kind.SourceEnv
	registry crates.Registry
	crates   []crate
	// mirrors are prefixes of repositories' URLs and what replaces them.
	mirrors map[string]string
}

// crate is of the registry, or of a repository where registry is nil.
type crate struct {
	registry                    *crates.Crate
	name, version, repo, commit string
	// query is what Cargo.toml says of the commit: branch, tag or rev.
	query map[string]any
}

var keys = append([]string{"url", "ref", "cargo-lock", "vendor-dir", "git-mirrors"}, kind.CommonSourceKeys...)

func (s *source) Configure(config *node.Node, env kind.SourceEnv) error {
	s.env = env
	if err := s.registry.Configure("cargo2", config, env); err != nil {
		return err
	}
	if err := config.ValidateKeys(keys...); err != nil {
		return err
	}
	mirrors, err := config.GetMapping("git-mirrors")
	if err != nil {
		return err
	}
	s.mirrors = make(map[string]string, mirrors.Len())
	for _, prefix := range mirrors.Keys() {
		if s.mirrors[prefix], err = mirrors.GetStr(prefix, ""); err != nil {
			return err
		}
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
			return entry.Errorf("INVALID_DATA", "Each crate of a 'ref' is a dictionary")
		}
		if err := s.addCrate(entry); err != nil {
			return err
		}
	}
	return nil
}

func (s *source) addCrate(entry *node.Node) error {
	from, err := entry.GetStr("kind", "registry")
	if err != nil {
		return err
	}
	var c crate
	if from != "git" {
		c.registry, err = s.registry.Crate(entry)
		s.crates = append(s.crates, c)
		return err
	}
	for _, field := range []struct {
		key  string
		into *string
	}{{"name", &c.name}, {"version", &c.version}, {"repo", &c.repo}, {"commit", &c.commit}} {
		if *field.into, err = entry.NeedStr(field.key); err != nil {
			return err
		}
	}
	query, err := entry.GetMapping("query")
	if err != nil {
		return err
	}
	for _, key := range query.Keys() {
		value, err := query.GetStr(key, "")
		if err != nil {
			return err
		}
		if c.query == nil {
			c.query = map[string]any{}
		}
		c.query[key] = value
	}
	s.env.Translate(s.mirrored(c.repo))
	s.crates = append(s.crates, c)
	return nil
}

// mirrored replaces the longest prefix of a repository's URL that has a mirror.
func (s *source) mirrored(url string) string {
	longest := ""
	for prefix := range s.mirrors {
		if strings.HasPrefix(url, prefix) && len(prefix) > len(longest) {
			longest = prefix
		}
	}
	if longest == "" {
		return url
	}
	return s.mirrors[longest] + strings.TrimPrefix(url, longest)
}

// Resolved is true without a ref, too: there may be no crates at all.
func (s *source) Resolved() bool {
	for _, c := range s.crates {
		if c.registry != nil && c.registry.Sum == "" {
			return false
		}
	}
	return true
}

func (s *source) UniqueKey() (any, error) {
	ref := make([]any, len(s.crates))
	for i, c := range s.crates {
		if r := c.registry; r != nil {
			ref[i] = map[string]any{"kind": "registry", "name": r.Name, "version": r.Version, "sha": r.Sum}
			continue
		}
		entry := map[string]any{"kind": "git", "name": c.name, "version": c.version, "repo": c.repo, "commit": c.commit}
		if c.query != nil {
			entry["query"] = c.query
		}
		ref[i] = entry
	}
	return []any{s.registry.URL, s.registry.Lock, s.registry.Vendor, ref, layout}, nil
}

func (s *source) SourceInfo() ([]kind.SourceInfo, error) {
	infos := make([]kind.SourceInfo, len(s.crates))
	for i, c := range s.crates {
		if c.registry != nil {
			infos[i] = c.registry.Info()
			continue
		}
		infos[i] = git.Info(s.env.Translate(s.mirrored(c.repo)), c.commit, kind.Versioning{Version: &c.version})
	}
	return infos, nil
}

func (s *source) Cached(ctx context.Context, w kind.SourceWork) bool {
	for _, c := range s.crates {
		if c.registry == nil || !c.registry.Cached(ctx, w) {
			return false
		}
	}
	return true
}

func (s *source) Fetch(ctx context.Context, w kind.SourceWork) error {
	// Before hundreds of others are downloaded for nothing.
	if err := s.refuseGit(); err != nil {
		return err
	}
	for _, c := range s.crates {
		if err := c.registry.Fetch(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

func (s *source) refuseGit() error {
	for _, c := range s.crates {
		if c.registry != nil {
			continue
		}
		e := kind.SourceErrorf("cargo2", s.env, "fetch-not-implemented",
			"The crate %s %s comes from a git repository: that cannot be fetched in this version", c.name, c.version)
		e.Detail = "Elements that use it have the cache keys that BuildStream gives them, so their artifacts can be\n" +
			"pulled from a cache. docs/kinds.md lists what each kind can do."
		return e
	}
	return nil
}

func (s *source) Stage(ctx context.Context, w kind.SourceWork, dir string) error {
	if err := s.refuseGit(); err != nil {
		return err
	}
	for _, c := range s.crates {
		if err := c.registry.Stage(ctx, w, dir); err != nil {
			return err
		}
	}
	registry, vendor := s.registry.Config()
	text := "[source.crates-io]\nregistry = " + strconv.Quote(registry) + "\nreplace-with = \"vendored-sources\"\n\n" +
		"[source.vendored-sources]\ndirectory = " + strconv.Quote(vendor) + "\n"
	at := filepath.Join(dir, ".cargo")
	err := os.MkdirAll(at, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(at, "config.toml"), []byte(text), 0o644)
	}
	if err != nil {
		return kind.SourceErrorf("cargo2", s.env, "", "Error staging source: %s", err)
	}
	return nil
}
