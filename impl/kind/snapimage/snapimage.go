// Package snapimage is the element kind "snap_image": the dependencies' files,
// laid out as "snap pack" takes them, with the metadata in meta/snap.yaml.
package snapimage

import (
	"context"
	_ "embed"
	"path"
	"regexp"
	"slices"
	"strconv"
	"sync"

	"bst/impl/kind"
	"bst/impl/node"

	"go.yaml.in/yaml/v4"
)

//go:embed snap_image.yaml
var defaults string

// Traits are what the kind is.
func Traits() kind.Traits {
	return kind.Traits{
		Kind:              "snap_image",
		Defaults:          defaults,
		ArtifactVersion:   1,
		RunCommands:       true,
		ForbidRuntimeDeps: true,
		ForbidSources:     true,
		Plugins: kind.Plugins{
			Packages: []string{kind.Community},
			// Freedesktop SDK's own, before it was released in a package.
			Files: []string{
				"51ecccfdf22a39405cf43ca94efb5b4f4e39d65aa43f3405ce4cb9d17e5920a6",
				"b857cc1bab7195638a00eee72b436b39fde319a9339070d6f1faa80a1015fa93",
			},
		},
		Variant: variant,
		New:     func() kind.Element { return new(element) },
	}
}

var versionInFile = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`key\[['"]version['"]\] = ([0-9]+)`) })

// variant knows that the version of what is made was in the key itself before
// it was that of the artifact.
func variant(file string) kind.Traits {
	traits := Traits()
	if m := versionInFile().FindStringSubmatch(file); m != nil {
		if version, err := strconv.Atoi(m[1]); err == nil {
			traits.New = func() kind.Element { return &element{version: version} }
		}
	}
	return traits
}

type element struct {
	// version is in the key where it is not 0.
	version int
	// directory is what is collected.
	directory        string
	include, exclude []string
	orphans          bool
	metadata         *node.Node
}

func (e *element) Configure(config *node.Node, _ kind.Env) (err error) {
	if err := config.ValidateKeys("directory", "include", "exclude", "metadata", "include-orphans"); err != nil {
		return err
	}
	if e.directory, err = config.NeedStr("directory"); err != nil {
		return err
	}
	if e.include, err = config.GetStrs("include"); err != nil {
		return err
	}
	if e.exclude, err = config.GetStrs("exclude"); err != nil {
		return err
	}
	if e.orphans, err = config.GetBool("include-orphans", true); err != nil {
		return err
	}
	e.metadata, err = config.Need("metadata")
	return err
}

func (e *element) ConfigureDependencies([]kind.Dependency) error { return nil }

func (e *element) UniqueKey() any {
	key := map[string]any{
		"directory":       e.directory,
		"include":         slices.Sorted(slices.Values(e.include)),
		"exclude":         slices.Sorted(slices.Values(e.exclude)),
		"include-orphans": e.orphans,
		"metadata":        e.metadata.Plain(),
	}
	if e.version != 0 {
		key["version"] = e.version
	}
	return key
}

func (e *element) Assemble(ctx context.Context, a kind.Assembly) (string, error) {
	err := a.Activity("Staging dependencies", func() error {
		return a.StageDependencies(ctx, kind.StageDeps{Include: e.include, Exclude: e.exclude, NoOrphans: !e.orphans})
	})
	if err != nil {
		return "", err
	}
	// Every value is a string, whatever it looks like: so snapd must read it.
	text, err := yaml.Marshal(e.metadata.Plain())
	if err != nil {
		return "", err
	}
	at := path.Join("/", e.directory)
	return at, kind.PutFile(ctx, a, path.Join(at, "meta/snap.yaml"), text, false)
}
