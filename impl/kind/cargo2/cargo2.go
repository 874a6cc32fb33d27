// Package cargo2 is the source kind "cargo2": the crates that a package of
// Rust's needs, from a registry and from git repositories, vendored.
//
// It knows what cargo must be told to find them. Where a crate is in its repository,
// and what it takes from its workspace, is in workspace.go.
package cargo2

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"bst/impl/kind"
	"bst/impl/kind/crates"
	"bst/impl/kind/git"
	"bst/impl/node"
	"bst/impl/stream"
)

// Traits are what the kind is.
func Traits() kind.SourceTraits {
	return kind.SourceTraits{
		Kind:           "cargo2",
		TracksPrevious: true,
		Plugins: kind.Plugins{
			Packages: []string{kind.Community},
			// COSMIC's copies, oldest first. They differ from the package's in how
			// they download, and in crates from git repositories.
			Files: []string{
				"6a483e3b236cd7e5c76b7127957a14025358d0379538ca51767d798596c12a35",
				"61816a9d2e34bdd3eb516b82117cd82079f2f667b8535888c8d764c1475d6385",
				"ab52fceb05176796b1acec850241ac665fc3b3751d50ca33a52ef03ff79d7b13",
			},
		},
		Variant: variant,
		New:     func() kind.Source { return &source{form: newest} },
	}
}

// form is what differs between the releases of the plugin.
type form struct {
	// layout is the version of what is staged, as keys have it; "" for none.
	layout string
	// vendor is the folder that gets the crates where a source names none.
	vendor string
}

// newest is of the release 2.3.0, first of those before.
var (
	newest = form{"a", ".vendored-crates"}
	first  = form{"x", "crates"}
)

var (
	layoutInFile = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`self\.ref,(?:\s|#[^\n]*\n)*"([a-z])",?\s*\]`) })
	noLayout     = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`self\.ref\s*\]`) })
	vendorInFile = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`get_str\(\s*"vendor-dir",\s*"([^"]+)"`) })
)

// variant reads from a plugin's file what its keys end in, and where crates go.
// A file that does not tell is of the first releases.
func variant(file string) kind.SourceTraits {
	f := first
	if m := layoutInFile().FindStringSubmatch(file); m != nil {
		f.layout = m[1]
	} else if noLayout().MatchString(file) {
		f.layout = ""
	}
	if m := vendorInFile().FindStringSubmatch(file); m != nil {
		f.vendor = m[1]
	}
	traits := Traits()
	traits.New = func() kind.Source { return &source{form: f} }
	return traits
}

type source struct {
	form     form
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
	// git is its repository.
	git *git.Repository
}

var keys = append([]string{"url", "ref", "cargo-lock", "vendor-dir", "git-mirrors"}, kind.CommonSourceKeys...)

func (s *source) Configure(config *node.Node, env kind.SourceEnv) error {
	s.env = env
	if err := s.registry.Configure("cargo2", s.form.vendor, config, env); err != nil {
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
	at := s.mirrored(c.repo)
	s.env.Translate(at)
	c.git = git.NewRepository("cargo2", s.env, at, c.commit)
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
	key := []any{s.registry.URL, s.registry.Lock, s.registry.Vendor, ref}
	if s.form.layout != "" {
		key = append(key, s.form.layout)
	}
	return key, nil
}

func (s *source) SourceInfo() ([]kind.SourceInfo, error) {
	infos := make([]kind.SourceInfo, len(s.crates))
	for i, c := range s.crates {
		if c.registry != nil {
			infos[i] = c.registry.Info()
			continue
		}
		infos[i] = git.Info(s.env.Translate(s.mirrored(c.repo)), c.commit, kind.Versioning{Version: &c.version})
		infos[i].Extra = []stream.Pair{{Name: "crate-name", Value: c.name}}
	}
	return infos, nil
}

func (s *source) Cached(ctx context.Context, w kind.SourceWork) bool {
	for _, c := range s.crates {
		if c.registry != nil && !c.registry.Cached(ctx, w) || c.git != nil && !c.git.Cached(ctx, w) {
			return false
		}
	}
	return true
}

func (s *source) Fetch(ctx context.Context, w kind.SourceWork) error {
	for _, c := range s.crates {
		var err error
		if c.registry != nil {
			err = c.registry.Fetch(ctx, w)
		} else {
			err = c.git.Fetch(ctx, w)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Stage puts the crates into the vendor folder, and tells cargo so.
func (s *source) Stage(ctx context.Context, w kind.SourceWork, dir string) error {
	registry, vendor := s.registry.Config()
	var b strings.Builder
	fmt.Fprintf(&b, "[source.crates-io]\nregistry = %s\nreplace-with = \"vendored-sources\"\n\n", quote(registry))
	told := map[string]bool{}
	for _, c := range s.crates {
		if c.registry != nil {
			if err := c.registry.Stage(ctx, w, dir); err != nil {
				return err
			}
			continue
		}
		if err := s.stageGit(ctx, w, &c, dir); err != nil {
			return err
		}
		if section := c.section(); !told[section] {
			told[section] = true
			b.WriteString(section)
		}
	}
	fmt.Fprintf(&b, "[source.vendored-sources]\ndirectory = %s\n", quote(vendor))
	at := filepath.Join(dir, ".cargo")
	err := os.MkdirAll(at, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(at, "config.toml"), []byte(b.String()), 0o644)
	}
	if err != nil {
		return kind.SourceErrorf("cargo2", s.env, "", "Error staging source: %s", err)
	}
	return nil
}

// section tells cargo that a repository's crates are vendored. Branch, tag and rev
// belong to what it knows the repository by.
func (c *crate) section() string {
	values := url.Values{}
	for key, value := range c.query {
		values.Set(key, value.(string))
	}
	name := "git+" + c.repo
	if len(values) > 0 {
		name += "?" + values.Encode()
	}
	text := "[source." + quote(name) + "]\ngit = " + quote(c.repo) + "\nreplace-with = \"vendored-sources\"\n"
	for _, key := range slices.Sorted(maps.Keys(c.query)) {
		text += quote(key) + " = " + quote(c.query[key].(string)) + "\n"
	}
	return text + "\n"
}

// quote writes a text as TOML has it.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, "\\u%04x", r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
