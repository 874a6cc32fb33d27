// Package distribution is what the source kinds of package indexes have in
// common (cpan, pypi): an archive at a place below an index' address, without
// the folder that everything in it lies in.
//
// It knows the archive, its key and how it is staged. It does not know how an
// index writes a ref.
package distribution

import (
	"context"
	"strings"

	"bst/impl/kind"
	"bst/impl/kind/download"
	"bst/impl/kind/tar"
	"bst/impl/kind/zip"
	"bst/impl/node"
)

// Keys are those that Configure reads.
var Keys = append(append([]string{"name"}, kind.VersionKeys...), kind.CommonSourceKeys...)

// Archive is a configured archive.
type Archive struct {
	download.File
	// Suffix is its place below the index, "" where the source has no ref, and
	// Sum its SHA-256. They are set before Configure.
	Suffix, Sum string

	// Name is the package's, which tracking asks for.
	Name string

	kind, index string
	env         kind.SourceEnv
	version     kind.Versioning
}

// Configure reads what all indexes have: the package's name, which tracking
// needs, and what the source says of its version.
func (a *Archive) Configure(kindName, index string, config *node.Node, env kind.SourceEnv) error {
	a.kind, a.index, a.env = kindName, index, env
	var err error
	if a.Name, err = config.NeedStr("name"); err != nil {
		return err
	}
	if err := a.version.Configure(config); err != nil {
		return err
	}
	file := node.NewMapping(config.Provenance())
	set := func(key, value string) { file.Set(key, node.NewScalar(value, config.Provenance())) }
	set("url", index+a.Suffix)
	if a.Sum != "" {
		set("ref", a.Sum)
	}
	if a.version.Version != nil {
		set("version", *a.version.Version)
	}
	if a.version.Pattern != nil {
		set("version-guess-pattern", *a.version.Pattern)
	}
	return a.File.Configure(kindName, file, env)
}

// Checksum downloads the archive at another place below the index, and gives its
// SHA-256.
func (a *Archive) Checksum(ctx context.Context, w kind.SourceWork, suffix string) (string, error) {
	known := ""
	if suffix == a.Suffix {
		known = a.Sum
	}
	return download.SumAt(ctx, w, a.kind, a.env, a.index+suffix, known)
}

// Resolved says that there is a ref.
func (a *Archive) Resolved() bool { return a.Suffix != "" && a.Sum != "" }

// UniqueKey does not hold the index: mirrors are as good.
func (a *Archive) UniqueKey() (any, error) {
	return a.version.AppendTo([]any{a.Suffix, a.Sum}), nil
}

// Stage unpacks the archive, whose name says of what form it is.
func (a *Archive) Stage(ctx context.Context, w kind.SourceWork, dir string) error {
	file, err := a.Path(w)
	if err != nil {
		return err
	}
	if strings.HasSuffix(a.Suffix, ".zip") {
		return zip.Unpack(ctx, a.kind, a.env, file, "*", dir)
	}
	return tar.Unpack(ctx, a.kind, a.env, w, file, "*", dir)
}
