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
}

// NewRegistry makes a registry of two lists. It fails where a name comes twice.
func NewRegistry(elements []kind.Traits, sources []kind.SourceTraits) (*Registry, error) {
	r := &Registry{
		elements: make(map[string]*kind.Traits, len(elements)),
		sources:  make(map[string]*kind.SourceTraits, len(sources)),
	}
	for _, t := range elements {
		if r.elements[t.Kind] != nil {
			return nil, fmt.Errorf("element kind %q is registered twice", t.Kind)
		}
		r.elements[t.Kind] = &t
	}
	for _, t := range sources {
		if r.sources[t.Kind] != nil {
			return nil, fmt.Errorf("source kind %q is registered twice", t.Kind)
		}
		r.sources[t.Kind] = &t
	}
	return r, nil
}

// coreElements and coreSources are the kinds that the format itself has. All
// others must be declared in project.conf, although this program has them
// built in: a project must mean the same to every implementation.
var (
	coreElements = []string{"compose", "filter", "import", "junction", "link", "manual", "script", "stack"}
	coreSources  = []string{"local", "remote", "tar", "workspace"}
)

// element finds an element kind for a use of it at n.
func (r *Registry) element(p *project.Project, name string, n *node.Node) (*kind.Traits, *project.PluginOrigin, error) {
	origin := declared(p, name, func(o *project.PluginOrigin) []string { return o.Elements })
	t := r.elements[name]
	if t == nil || origin == nil && !slices.Contains(coreElements, name) {
		return nil, nil, unknownKind("element", name, n, origin, t != nil, slices.Sorted(maps.Keys(r.elements)))
	}
	return t, origin, nil
}

// source finds a source kind for a use of it at n.
func (r *Registry) source(p *project.Project, name string, n *node.Node) (*kind.SourceTraits, error) {
	origin := declared(p, name, func(o *project.PluginOrigin) []string { return o.Sources })
	t := r.sources[name]
	if t == nil || origin == nil && !slices.Contains(coreSources, name) {
		return nil, unknownKind("source", name, n, origin, t != nil, slices.Sorted(maps.Keys(r.sources)))
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
func unknownKind(what, name string, n *node.Node, origin *project.PluginOrigin, have bool, known []string) error {
	e := n.Errorf("plugin-not-found", "No %s plugin registered for kind '%s'", what, name)
	e.Domain = stream.DomainPlugin
	switch {
	case have:
		e.Detail = fmt.Sprintf("The kind '%s' is built in, but the project does not declare it.\n"+
			"Add it to the 'plugins' of project.conf, under '%ss' of the origin that provides it.", name, what)
	case origin != nil:
		e.Detail = fmt.Sprintf("%s: the project takes it from the origin '%s', as a Python plugin.\n"+
			"Python plugins are not run: the %s kinds built in are %s.\n"+
			"Use one of these, or build this element with a version that has '%s' built in.",
			origin.Provenance, origin.Origin, what, strings.Join(known, ", "), name)
	default:
		e.Detail = fmt.Sprintf("Check its spelling: the %s kinds built in are %s.", what, strings.Join(known, ", "))
	}
	return e
}
