package element

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/project"
	"bst/impl/stream"
)

// Registry is the kinds that this program has.
type Registry struct {
	elements map[string]*kind.Traits
	sources  map[string]*kind.SourceTraits
	// elementFiles and sourceFiles are the kinds by the Python files that they
	// stand for. Several may have one name: projects have files of their own
	// that are called as a released plugin is.
	elementFiles map[string]*kind.Traits
	sourceFiles  map[string]*kind.SourceTraits
}

// NewRegistry makes a registry of two lists. It fails where a name comes twice
// and both are more than single files, and where a file does.
func NewRegistry(elements []kind.Traits, sources []kind.SourceTraits) (*Registry, error) {
	r := &Registry{
		elements:     make(map[string]*kind.Traits, len(elements)),
		sources:      make(map[string]*kind.SourceTraits, len(sources)),
		elementFiles: map[string]*kind.Traits{},
		sourceFiles:  map[string]*kind.SourceTraits{},
	}
	for _, t := range elements {
		if err := register("element", r.elements, r.elementFiles, t.Kind, &t, elementPlugins); err != nil {
			return nil, err
		}
	}
	for _, t := range sources {
		if err := register("source", r.sources, r.sourceFiles, t.Kind, &t, sourcePlugins); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func elementPlugins(t *kind.Traits) kind.Plugins      { return t.Plugins }
func sourcePlugins(t *kind.SourceTraits) kind.Plugins { return t.Plugins }

// register adds a kind by its name and its files. Of several that have one
// name, the one that is released in a package is the kind of that name.
func register[T any](what string, names, files map[string]*T, name string, t *T, plugins func(*T) kind.Plugins) error {
	for _, file := range plugins(t).Files {
		if files[file] != nil {
			return fmt.Errorf("the file %s is registered twice as an %s kind, at last for %q", file, what, name)
		}
		files[file] = t
	}
	switch earlier := names[name]; {
	case earlier == nil || plugins(earlier).FilesOnly() && !plugins(t).FilesOnly():
		names[name] = t
	case !plugins(t).FilesOnly():
		return fmt.Errorf("%s kind %q is registered twice", what, name)
	}
	return nil
}

// coreElements and coreSources are the kinds that the format itself has. All
// others must be declared in project.conf, although this program has them
// built in: a project must mean the same to every implementation.
var (
	coreElements = []string{"compose", "filter", "import", "junction", "link", "manual", "script", "stack"}
	coreSources  = []string{"local", "remote", "tar", "workspace"}
)

// element finds an element kind for a use of it at n.
func (r *Registry) element(p *project.Project, name string, n *node.Node, found foundPlugin) (*kind.Traits, *project.PluginOrigin, error) {
	origin := declared(p, name, func(o *project.PluginOrigin) []string { return o.Elements })
	if origin != nil && found.element != nil {
		return found.element, origin, nil
	}
	t := r.elements[name]
	if t == nil || origin == nil && !slices.Contains(coreElements, name) {
		return nil, nil, unknownKind("element", name, n, origin, t != nil, found, slices.Sorted(maps.Keys(r.elements)))
	}
	return t, origin, nil
}

// source finds a source kind for a use of it at n.
func (r *Registry) source(p *project.Project, name string, n *node.Node, found foundPlugin) (*kind.SourceTraits, error) {
	origin := declared(p, name, func(o *project.PluginOrigin) []string { return o.Sources })
	if origin != nil && found.source != nil {
		return found.source, nil
	}
	t := r.sources[name]
	if t == nil || origin == nil && !slices.Contains(coreSources, name) {
		return nil, unknownKind("source", name, n, origin, t != nil, found, slices.Sorted(maps.Keys(r.sources)))
	}
	return t, nil
}

// declared is the origin that a project declares for a kind, nil for none.
func declared(p *project.Project, name string, names func(*project.PluginOrigin) []string) *project.PluginOrigin {
	plugins := p.Plugins()
	for i := range plugins {
		if slices.Contains(names(&plugins[i]), name) {
			return &plugins[i]
		}
	}
	return nil
}

// unknownKind says which kind is not there, where it is used, and what to do.
func unknownKind(what, name string, n *node.Node, origin *project.PluginOrigin, have bool, found foundPlugin, known []string) error {
	e := n.Errorf("plugin-not-found", "No %s plugin registered for kind '%s'", what, name)
	e.Domain = stream.DomainPlugin
	switch {
	case have:
		e.Detail = fmt.Sprintf("The kind '%s' is built in, but the project does not declare it.\n"+
			"Add it to the 'plugins' of project.conf, under '%ss' of the origin that provides it.", name, what)
	case origin != nil:
		from := fmt.Sprintf("the origin '%s'", origin.Origin)
		if found.plugin != nil {
			from = found.plugin.String()
		}
		e.Detail = fmt.Sprintf("%s: the project takes it from %s, as a Python plugin.\n", origin.Provenance, from)
		if found.sum != "" {
			e.Detail += "That file has the SHA-256 " + found.sum + ".\n"
		}
		e.Detail += fmt.Sprintf("Python plugins are not run: the %s kinds built in are %s.\n"+
			"Use one of these, or build this element with a version that has '%s' built in.",
			what, strings.Join(known, ", "), name)
	default:
		e.Detail = fmt.Sprintf("Check its spelling: the %s kinds built in are %s.", what, strings.Join(known, ", "))
	}
	return e
}
