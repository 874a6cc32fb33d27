package cargo2

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"bst/impl/kind"

	"github.com/pelletier/go-toml/v2"
)

// table is a table of TOML.
type table = map[string]any

// Bounds of what is read of a repository.
const (
	maxManifest  = 4 << 20
	maxManifests = 10000
)

// stageGit puts a crate of a repository into the vendor folder, by itself: what it
// takes from its workspace is written into its own Cargo.toml.
func (s *source) stageGit(ctx context.Context, w kind.SourceWork, c *crate, dir string) error {
	failed := func(err error) error {
		return kind.SourceErrorf("cargo2", s.env, "", "Error staging the crate %s %s: %s", c.name, c.version, err)
	}
	name := c.name + "-" + c.version
	if !filepath.IsLocal(s.registry.Vendor) || !filepath.IsLocal(name) || strings.ContainsAny(name, `/\`) {
		return kind.SourceErrorf("cargo2", s.env, "", "'%s' cannot be the name of a crate in '%s'", name, s.registry.Vendor)
	}
	vendor := filepath.Join(dir, s.registry.Vendor)
	to := filepath.Join(vendor, name)
	if _, err := os.Lstat(to); err == nil {
		return kind.SourceErrorf("cargo2", s.env, "",
			"The crate %s %s is listed twice: cargo cannot have two of them vendored", c.name, c.version)
	}
	if err := os.MkdirAll(vendor, 0o755); err != nil {
		return failed(err)
	}
	checkout, err := w.TempDir()
	if err != nil {
		return err
	}
	if err := c.git.Stage(ctx, w, checkout, ""); err != nil {
		return err
	}
	root, err := os.OpenRoot(checkout)
	if err != nil {
		return failed(err)
	}
	folder, manifest, err := place(root.FS(), c.name, c.version)
	if closeErr := root.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return failed(err)
	}
	if err := os.CopyFS(to, os.DirFS(filepath.Join(checkout, filepath.FromSlash(folder)))); err != nil {
		return failed(err)
	}
	if manifest != nil {
		text, err := toml.Marshal(manifest)
		if err == nil {
			err = os.WriteFile(filepath.Join(to, "Cargo.toml"), text, 0o644)
		}
		if err != nil {
			return failed(err)
		}
	}
	// As the plugin writes it: cargo checks no files. A link of that name leads
	// anywhere.
	checksum := filepath.Join(to, ".cargo-checksum.json")
	if err := os.RemoveAll(checksum); err != nil {
		return failed(err)
	}
	if err := os.WriteFile(checksum, []byte(`{"files": {}, "package": null}`), 0o644); err != nil {
		return failed(err)
	}
	return nil
}

// place finds a crate in a repository, wherever it is there: its folder, and its
// Cargo.toml with what it takes from its workspace; nil where that is as it stands.
func place(repository fs.FS, name, version string) (folder string, manifest table, err error) {
	manifests := map[string]table{}
	err = fs.WalkDir(repository, ".", func(at string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "target"):
			return fs.SkipDir
		case d.Name() != "Cargo.toml" || !d.Type().IsRegular():
			return nil
		}
		if len(manifests) == maxManifests {
			return fmt.Errorf("the repository has more than %d Cargo.toml", maxManifests)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Size() > maxManifest {
			return fmt.Errorf("'%s' has more than %d bytes", at, maxManifest)
		}
		text, err := fs.ReadFile(repository, at)
		if err != nil {
			return err
		}
		parsed := table{}
		if toml.Unmarshal(text, &parsed) == nil { // others may be test data
			manifests[path.Dir(at)] = parsed
		}
		return nil
	})
	if err != nil {
		return "", nil, err
	}
	// Where several have the name, the version tells; else the outermost is taken.
	folders := slices.SortedFunc(maps.Keys(manifests), func(a, b string) int {
		if d := strings.Count(a, "/") - strings.Count(b, "/"); d != 0 && a != "." && b != "." {
			return d
		}
		return strings.Compare(a, b)
	})
	best := ""
	for _, at := range folders {
		p, _ := manifests[at]["package"].(table)
		if p["name"] != name {
			continue
		}
		have := p["version"]
		if inherits(have) {
			have = lookup(workspaceOf(manifests, at), "package", "version")
		}
		if have == version {
			best = at
			break
		}
		if best == "" {
			best = at
		}
	}
	if best == "" {
		return "", nil, errors.New("the repository has no Cargo.toml of that name")
	}
	own := manifests[best]
	workspace := workspaceOf(manifests, best)
	if workspace == nil {
		return best, nil, nil
	}
	changed, err := inherit(own, workspace)
	if err != nil || !changed {
		return best, nil, err
	}
	return best, own, nil
}

// workspaceOf is the workspace that a folder's crate is in: of the nearest folder
// around it that has one; nil for none.
func workspaceOf(manifests map[string]table, at string) table {
	for {
		if w, ok := manifests[at]["workspace"].(table); ok {
			return w
		}
		if at == "." {
			return nil
		}
		at = path.Dir(at)
	}
}

// inherits says that a value is the workspace's.
func inherits(value any) bool {
	t, ok := value.(table)
	return ok && t["workspace"] == true
}

func lookup(t table, keys ...string) any {
	var value any = t
	for _, key := range keys {
		inner, ok := value.(table)
		if !ok {
			return nil
		}
		value = inner[key]
	}
	return value
}

// inherit writes what a crate takes from its workspace into its own manifest, and
// tells whether there was something. What cargo's book says of each is done: values
// of the package and lints are taken as they are, and a dependency keeps what it says
// itself, with the features of both.
func inherit(manifest, workspace table) (bool, error) {
	changed := false
	if p, ok := manifest["package"].(table); ok {
		for key, value := range p {
			if !inherits(value) {
				continue
			}
			if p[key] = lookup(workspace, "package", key); p[key] == nil {
				return false, fmt.Errorf("'package.%s' is the workspace's, which has none", key)
			}
			changed = true
		}
	}
	if inherits(manifest["lints"]) {
		if manifest["lints"] = lookup(workspace, "lints"); manifest["lints"] == nil {
			return false, errors.New("'lints' are the workspace's, which has none")
		}
		changed = true
	}
	tables := []table{manifest}
	if targets, ok := manifest["target"].(table); ok {
		for _, target := range targets {
			if t, ok := target.(table); ok {
				tables = append(tables, t)
			}
		}
	}
	for _, t := range tables {
		for _, key := range []string{"dependencies", "dev-dependencies", "dev_dependencies", "build-dependencies", "build_dependencies"} {
			deps, ok := t[key].(table)
			if !ok {
				continue
			}
			for name, dep := range deps {
				if !inherits(dep) {
					continue
				}
				from := lookup(workspace, "dependencies", name)
				if from == nil {
					return false, fmt.Errorf("the dependency '%s' is the workspace's, which has none", name)
				}
				deps[name] = merged(dep.(table), from)
				changed = true
			}
		}
	}
	return changed, nil
}

func merged(own table, from any) table {
	all := table{}
	if version, ok := from.(string); ok {
		all["version"] = version
	} else if t, ok := from.(table); ok {
		maps.Copy(all, t)
	}
	for key, value := range own {
		if key == "workspace" {
			continue
		}
		if key == "features" {
			mine, ok1 := value.([]any)
			theirs, ok2 := all[key].([]any)
			if ok1 && ok2 {
				value = append(slices.Clone(theirs), mine...)
			}
		}
		all[key] = value
	}
	return all
}
