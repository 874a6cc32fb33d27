// Package flatpakimage is the element kind "flatpak_image": a part of the
// dependencies' files, laid out as "flatpak build-export" takes it, with the
// metadata that makes a runtime, an extension or an application of it.
package flatpakimage

import (
	"context"
	_ "embed"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"bst/impl/cas"
	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/stream"
)

//go:embed flatpak_image.yaml
var defaults string

// Traits are what the kind is.
func Traits() kind.Traits {
	return kind.Traits{
		Kind:              "flatpak_image",
		Defaults:          defaults,
		RunCommands:       true,
		StrictRebuild:     true,
		ForbidRuntimeDeps: true,
		ForbidSources:     true,
		DependencyConfig:  true,
		Plugins:           kind.Plugins{Packages: []string{kind.Community}},
		New:               func() kind.Element { return new(element) },
	}
}

// layout is the version of what Assemble makes, as keys have it.
const layout = 4

type element struct {
	// directory is what becomes the image's "files".
	directory        string
	include, exclude []string
	components       []string
	metadata         []section
	// runtime says that the image is one, and no extension of one.
	runtime bool
	// layout is what is staged at each location.
	layout map[string][]kind.Handle
}

// section is a section of the metadata, in the order of the project file.
type section struct {
	name  string
	pairs []stream.Pair
}

func (s section) value(key string) string {
	for _, pair := range s.pairs {
		if pair.Name == key {
			return pair.Value
		}
	}
	return ""
}

func (e *element) Configure(config *node.Node, env kind.Env) (err error) {
	if err := config.ValidateKeys("directory", "include", "exclude", "metadata", "component-ids"); err != nil {
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
	if e.components, err = config.GetStrs("component-ids"); err != nil {
		return err
	}
	if _, err := config.Need("metadata"); err != nil {
		return err
	}
	metadata, err := config.GetMapping("metadata")
	if err != nil {
		return err
	}
	for _, name := range metadata.Keys() {
		pairs, err := metadata.GetMapping(name)
		if err != nil {
			return err
		}
		s := section{name: name}
		for _, key := range pairs.Keys() {
			value, err := pairs.GetStr(key, "")
			if err != nil {
				return err
			}
			s.pairs = append(s.pairs, stream.Pair{Name: key, Value: value})
		}
		e.metadata = append(e.metadata, s)
	}
	switch {
	case metadata.Get("Application") != nil:
	case metadata.Get("Runtime") != nil:
		e.runtime = metadata.Get("ExtensionOf") == nil
	default:
		return &stream.Error{
			Domain:  stream.DomainElement,
			Message: env.Name() + ": Either Application or Runtime section must be present in metadata",
		}
	}
	return nil
}

// ConfigureDependencies reads "location". Without one, the dependency's files
// are for the image.
func (e *element) ConfigureDependencies(deps []kind.Dependency) error {
	e.layout = map[string][]kind.Handle{}
	for _, dep := range deps {
		location := stagedAt
		if dep.Config != nil {
			if err := dep.Config.ValidateKeys("location"); err != nil {
				return err
			}
			var err error
			if location, err = dep.Config.NeedStr("location"); err != nil {
				return err
			}
		}
		e.layout[location] = append(e.layout[location], dep.Element)
	}
	return nil
}

func (e *element) UniqueKey() any {
	metadata := make(map[string]any, len(e.metadata))
	for _, s := range e.metadata {
		pairs := make(map[string]any, len(s.pairs))
		for _, pair := range s.pairs {
			pairs[pair.Name] = pair.Value
		}
		metadata[s.name] = pairs
	}
	key := map[string]any{
		"directory": e.directory,
		"include":   slices.Sorted(slices.Values(e.include)),
		"exclude":   slices.Sorted(slices.Values(e.exclude)),
		"metadata":  metadata,
		"version":   layout,
	}
	if len(e.components) > 0 {
		key["component-ids"] = e.components
	}
	return key
}

const (
	stagedAt = "/buildstream/allfiles"
	imageAt  = "/buildstream/install"
)

func (e *element) Assemble(ctx context.Context, a kind.Assembly) (string, error) {
	a.SetWorkDirectory("/")
	a.MarkDirectory(stagedAt)
	a.MarkDirectory(imageAt)
	for _, location := range slices.Sorted(maps.Keys(e.layout)) {
		stage := kind.StageDeps{Selection: e.layout[location], Path: location}
		if location == stagedAt {
			stage.Include, stage.Exclude = e.include, e.exclude
		}
		err := a.Activity("Staging dependencies at: "+location, func() error { return a.StageDependencies(ctx, stage) })
		if err != nil {
			return "", err
		}
	}
	if err := e.compose(ctx, a); err != nil {
		return "", err
	}
	root, err := a.Root(ctx)
	if err != nil {
		return "", err
	}
	staged, err := root.Sub(stagedAt, true)
	if err != nil {
		return "", err
	}
	image, err := root.Sub(imageAt, true)
	if err != nil {
		return "", err
	}
	if err := e.layOut(image, staged); err != nil {
		return "", err
	}
	return imageAt, nil
}

// compose makes the AppStream data of a component, with a program that must be
// among the dependencies. Of several components the last one alone is composed:
// so it is in the plugin, and equal keys must stand for equal artifacts.
func (e *element) compose(ctx context.Context, a kind.Assembly) error {
	if len(e.components) == 0 {
		return nil
	}
	id := e.components[len(e.components)-1]
	command := strings.Join([]string{
		"appstreamcli compose --components", id, "--result-root", imageAt, "--prefix", e.directory,
		"--data-dir", path.Join(stagedAt, e.directory, "share"), "--origin", id, stagedAt,
	}, " ")
	return a.Run(ctx, []kind.Command{{
		Argv: []string{"sh", "-c", "-e", command + "\n"}, Label: command, RootReadOnly: true,
	}})
}

// layOut makes the image of what is staged.
func (e *element) layOut(image, staged *cas.Dir) error {
	files, err := image.Sub("files", true)
	if err != nil {
		return err
	}
	for _, s := range e.metadata {
		switch {
		case s.name == "Application":
			err = image.MkdirAll("export")
		case strings.HasPrefix(s.name, "Extension "):
			// Flatpak mounts extensions at places that must be there.
			at := s.value("directory")
			if at == "" {
				return &stream.Error{
					Domain:  stream.DomainElement,
					Message: fmt.Sprintf("flatpak_image: the section '%s' of the metadata has no 'directory'", s.name),
				}
			}
			err = files.MkdirAll(at)
		}
		if err != nil {
			return err
		}
	}
	if err := take(files, staged, strings.Trim(e.directory, "/")); err != nil {
		return err
	}
	if _, err := staged.Lookup("etc"); err == nil && e.runtime {
		etc, err := files.Sub("etc", true)
		if err != nil {
			return err
		}
		if err := take(etc, staged, "etc"); err != nil {
			return err
		}
	}
	digest, err := image.Store().PutBytes([]byte(e.keyFile()))
	if err != nil {
		return err
	}
	return image.AddFile("metadata", digest, false)
}

// take imports the folder at path, if there is one.
func take(to, staged *cas.Dir, path string) error {
	if entry, err := staged.Stat(path); path != "" && (err != nil || entry.Type != cas.TypeDirectory) {
		return nil
	}
	from, err := staged.Sub(path, false)
	if err != nil {
		return err
	}
	_, err = to.Import(from, cas.ImportOptions{NoResult: true})
	return err
}

// keyFile is the metadata as flatpak reads it.
func (e *element) keyFile() string {
	var text strings.Builder
	for _, s := range e.metadata {
		fmt.Fprintf(&text, "[%s]\n", s.name)
		for _, pair := range s.pairs {
			fmt.Fprintf(&text, "%s = %s\n", pair.Name, strings.ReplaceAll(pair.Value, "\n", "\n\t"))
		}
		text.WriteByte('\n')
	}
	return text.String()
}
