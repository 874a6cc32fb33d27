// Package crates is what the source kinds cargo and cargo2 have in common:
// crates of a registry of Rust's, downloaded by their checksums and vendored.
//
// It knows where crates are found and what cargo must be told of them. It does
// not know Cargo.lock: a source's ref lists the crates.
package crates

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"bst/impl/kind"
	"bst/impl/kind/download"
	"bst/impl/kind/tar"
	"bst/impl/node"
	"bst/impl/stream"
)

// DefaultURL is the registry where a source names no other. It is part of the
// key, as projects write no URL mostly.
const DefaultURL = "https://static.crates.io/crates"

// Registry is where crates come from and go to, as a source configures it.
type Registry struct {
	// URL is as the project writes it; base ends in a slash, or is an alias alone.
	URL, base string
	// Lock is the name of the file that tracking reads, Vendor the folder that
	// gets the crates.
	Lock, Vendor string

	kind string
	env  kind.SourceEnv
}

// Configure reads "url", "cargo-lock" and "vendor-dir", which is vendor where a
// source names none.
func (r *Registry) Configure(kindName, vendor string, config *node.Node, env kind.SourceEnv) (err error) {
	r.kind, r.env = kindName, env
	if r.URL, err = config.GetStr("url", DefaultURL); err != nil {
		return err
	}
	if r.Lock, err = config.GetStr("cargo-lock", "Cargo.lock"); err != nil {
		return err
	}
	if r.Vendor, err = config.GetStr("vendor-dir", vendor); err != nil {
		return err
	}
	r.base = r.URL
	if !strings.HasSuffix(r.base, ":") && !strings.HasSuffix(r.base, "/") {
		r.base += "/"
	}
	env.Translate(r.base)
	return nil
}

// Config is what cargo must be told to take the crates from the vendor folder
// instead of the registry.
func (r *Registry) Config() (registry, vendor string) { return r.env.Translate(r.base), r.Vendor }

// Crate is one crate of the registry.
type Crate struct {
	Name, Version string
	// Sum is the SHA-256 of the file, "" where the ref has none.
	Sum string
	// Provenance is what the project says of the crate, nil for nothing.
	Provenance *node.Node

	registry *Registry
	file     download.File
}

// Crate makes a crate of an entry of a ref.
func (r *Registry) Crate(entry *node.Node) (c *Crate, err error) {
	c = &Crate{registry: r}
	if c.Name, err = entry.NeedStr("name"); err != nil {
		return nil, err
	}
	if c.Version, err = entry.NeedStr("version"); err != nil {
		return nil, err
	}
	if c.Sum, err = entry.GetStr("sha", ""); err != nil {
		return nil, err
	}
	if c.Provenance, err = entry.GetMapping("provenance"); err != nil {
		return nil, err
	}
	file := node.NewMapping(entry.Provenance())
	file.Set("url", node.NewScalar(r.base+c.Name+"/"+c.fileName(), entry.Provenance()))
	if c.Sum != "" {
		file.Set("ref", node.NewScalar(c.Sum, entry.Provenance()))
	}
	return c, c.file.Configure(r.kind, file, quiet{r.env})
}

// quiet does not tell the project of each crate's URL: they are all the
// registry's, which was told of.
type quiet struct{ kind.SourceEnv }

func (quiet) Translate(url string) string { return url }

func (c *Crate) fileName() string { return c.Name + "-" + c.Version + ".crate" }

// Info tells where the crate comes from.
func (c *Crate) Info() kind.SourceInfo {
	return kind.SourceInfo{
		URL:    c.registry.env.Translate(c.registry.base) + c.Name + "/" + c.fileName(),
		Medium: kind.MediumRemote, VersionType: kind.VersionSHA256, Version: c.Sum, Guess: c.Version,
		Provenance: c.Provenance,
	}
}

// Cached says that the file is here.
func (c *Crate) Cached(ctx context.Context, w kind.SourceWork) bool { return c.file.Cached(ctx, w) }

// Fetch downloads the file.
func (c *Crate) Fetch(ctx context.Context, w kind.SourceWork) error { return c.file.Fetch(ctx, w) }

// Stage unpacks the crate into the vendor folder below dir, with the checksum
// file that cargo wants there.
func (c *Crate) Stage(ctx context.Context, w kind.SourceWork, dir string) error {
	path, err := c.file.Path(w)
	if err != nil {
		return err
	}
	if !filepath.IsLocal(c.registry.Vendor) {
		return kind.SourceErrorf(c.registry.kind, c.registry.env, "", "The vendor-dir '%s' leads out of the sources", c.registry.Vendor)
	}
	name := c.Name + "-" + c.Version
	if !filepath.IsLocal(name) || strings.ContainsAny(name, `/\`) {
		return kind.SourceErrorf(c.registry.kind, c.registry.env, "", "'%s' cannot be the name of a crate", name)
	}
	vendor := filepath.Join(dir, c.registry.Vendor)
	folder := filepath.Join(vendor, name)
	if _, err := os.Lstat(folder); err == nil {
		return kind.SourceErrorf(c.registry.kind, c.registry.env, "",
			"The crate %s %s is listed twice: cargo cannot have two of them vendored", c.Name, c.Version)
	} else if !errors.Is(err, os.ErrNotExist) {
		return c.failed(err)
	}
	if err := os.MkdirAll(vendor, 0o755); err != nil {
		return c.failed(err)
	}
	if err := tar.Unpack(ctx, c.registry.kind, c.registry.env, w, path, "", vendor); err != nil {
		return err
	}
	// An empty list of files tells cargo not to check them one by one. The text
	// is the reference's, spaces included: sources are shared by their digests.
	// Nothing in it needs quoting: Path has seen that it is a checksum.
	text := `{"package": "` + c.Sum + `", "files": {}}`
	if err := os.WriteFile(filepath.Join(folder, ".cargo-checksum.json"), []byte(text), 0o644); err != nil {
		return c.failed(err)
	}
	return nil
}

func (c *Crate) failed(err error) *stream.Error {
	return kind.SourceErrorf(c.registry.kind, c.registry.env, "", "Error staging source: %s", err)
}
