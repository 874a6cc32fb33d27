package crates

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"bst/impl/kind"

	"github.com/pelletier/go-toml/v2"
)

// Locked is a package of a Cargo.lock that comes from elsewhere.
type Locked struct {
	Name, Version string
	// Source is "registry+URL" or "git+URL".
	Source string
	// Checksum is its SHA-256, "" where the file has none.
	Checksum string
}

// maxLock bounds a Cargo.lock, in bytes.
const maxLock = 64 << 20

// ReadLock reads the Cargo.lock of a package that lies in a folder.
func (r *Registry) ReadLock(dir string) ([]Locked, error) {
	if !filepath.IsLocal(r.Lock) {
		return nil, kind.SourceErrorf(r.kind, r.env, "", "The cargo-lock '%s' leads out of the sources", r.Lock)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, kind.SourceErrorf(r.kind, r.env, "", "Failed to read the sources: %s", err)
	}
	defer root.Close()
	info, err := root.Stat(r.Lock)
	if err == nil && (!info.Mode().IsRegular() || info.Size() > maxLock) {
		return nil, kind.SourceErrorf(r.kind, r.env, "", "'%s' is no file of up to %d bytes", r.Lock, maxLock)
	}
	var text []byte
	if err == nil {
		text, err = root.ReadFile(r.Lock)
	}
	if errors.Is(err, fs.ErrNotExist) {
		e := kind.SourceErrorf(r.kind, r.env, "", "Failed to find Cargo.lock file at: %s", r.Lock)
		e.Detail = "The " + r.kind + " plugin expects to find a Cargo.lock file in\n" +
			"the sources staged before it in the source list, but none was found."
		return nil, e
	}
	if err != nil {
		return nil, kind.SourceErrorf(r.kind, r.env, "", "Failed to read Cargo.lock file at: %s: %s", r.Lock, err)
	}
	var lock struct{ Package []Locked }
	if err := toml.Unmarshal(text, &lock); err != nil {
		e := kind.SourceErrorf(r.kind, r.env, "", "Malformed Cargo.lock file at: %s", r.Lock)
		e.Detail = err.Error()
		return nil, e
	}
	var list []Locked
	for _, p := range lock.Package {
		if p.Source != "" { // others are of the sources themselves
			list = append(list, p)
		}
	}
	return list, nil
}

// Checksum downloads a crate that a Cargo.lock has no checksum of, and gives it.
func (r *Registry) Checksum(ctx context.Context, w kind.SourceWork, name, version string) (string, error) {
	crate, err := r.Crate(kind.Texts("name", name, "version", version))
	if err != nil {
		return "", err
	}
	return crate.file.TrackSum(ctx, w)
}
