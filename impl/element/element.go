// Package element turns what the project loader read into a graph of resolved
// elements: final variables, environment, public data and sandbox
// configuration, configured kinds and sources, and the weak and strict cache
// keys.
//
// It knows the layers that an element is composed of, the scopes of the
// dependency graph and what a cache key is made of. It does not know whether
// anything is cached, and does no I/O of its own: only source kinds read
// files, to work out their part of the key.
package element

import (
	"sync"

	"bst/impl/element/variables"
	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/project"
	"bst/impl/stream"
)

// Graph is every element that was loaded. It does not change once Resolve has
// returned, and all its methods may be called by several goroutines at once.
type Graph struct {
	// Targets are the loaded targets, in the order in which they were asked
	// for.
	Targets []*Element
	// Elements holds each element once, dependencies before dependents.
	// Elements[i].Index is i.
	Elements []*Element
	// Warnings are for the person, in order.
	Warnings []Warning
	// Notes are for a person who wants to know more.
	Notes []Warning

	walkers sync.Pool
}

// Warning is something to tell the person that stops nothing.
type Warning struct{ Text, Detail string }

// Element is one resolved element. Its fields must not be changed.
type Element struct {
	// Index is the element's place in Graph.Elements.
	Index int
	// Name is local to the project: "base/alpine.bst".
	Name string
	// FullName has the junctions before it: "sdk.bst:base/alpine.bst".
	FullName string
	// NormalName is Name without folders and extension, as artifact names and
	// log directories use it.
	NormalName string
	// Kind is the name in "kind:".
	Kind        string
	Description string
	Project     *project.Project
	Provenance  stream.Provenance

	Traits *kind.Traits
	// Impl is configured.
	Impl kind.Element
	// Config is what it was configured with, expanded. Elements without a config
	// of their own share it.
	Config *node.Node
	// RunCommands says that building it may run commands in the sandbox.
	RunCommands bool

	// Workspace is the folder, absolute, that takes the place of the element's
	// sources while it is worked on there; "" for none.
	Workspace string
	// Sources are in the order of the element's list; of an element with a
	// workspace, that alone.
	Sources []*Source
	// SourcesResolved says that every source has a ref. Without it the element
	// has no cache key, and neither have those that are built from it.
	SourcesResolved bool
	// SourcesKey is the cache key of the sources together (elementsources/),
	// empty without SourcesResolved.
	SourcesKey string

	Variables *variables.Set
	// Environment is in order, and shared between elements.
	Environment []Binding
	// NoCache names those of Environment that are not part of the key.
	NoCache []string
	// Public is expanded, with the split rules merged. It is shared between
	// elements: clone it before changing it.
	Public  *node.Node
	Sandbox Sandbox

	// Build and Runtime are the direct dependencies in staging order; one that
	// is both stands in both.
	Build, Runtime []*Element
	// strict holds the build dependencies that were declared strict.
	strict []*Element

	// WeakKey changes with the element itself and with the names of what it is
	// built from; StrictKey also with the keys of what it is built from. Both
	// are 64 hexadecimal digits, or empty where a ref is missing.
	WeakKey, StrictKey string

	// What goes into the key, encoded; publicJSON is nil where the element does
	// not share its public data.
	environmentJSON, sandboxJSON, publicJSON []byte
}

// Binding is one variable of an environment.
type Binding struct{ Name, Value string }

// Strict says that a change of dep rebuilds e even in non-strict mode.
func (e *Element) Strict(dep *Element) bool {
	for _, s := range e.strict {
		if s == dep {
			return true
		}
	}
	return false
}

// HasArtifact tells whether building e gives files at all (a stack does not).
func (e *Element) HasArtifact() bool { return !e.Traits.NoArtifact }

// Source is one resolved source of an element.
type Source struct {
	Element *Element
	// Index is its place in the element's list, from 0.
	Index int
	Kind  string
	// Directory is where it is staged below the build root, "" for the root.
	Directory string
	// Attributes are the "provenance" of the source that the project file
	// gives, nil where it gives none.
	Attributes *node.Node
	Provenance stream.Provenance

	Traits *kind.SourceTraits
	// Impl is configured.
	Impl kind.Source
	// Resolved says that it has a ref.
	Resolved bool
	// Key is the cache key of the source alone, empty without Resolved.
	Key string
	// unique is the encoded form of its unique key.
	unique []byte
	// kept is nil but with Options.KeepSources.
	kept *keptSource
}

// String names the source as messages do.
func (s *Source) String() string { return s.Kind + " source at " + s.Provenance.String() }

// String names the element as messages do.
func (e *Element) String() string { return e.Kind + " element at " + e.Provenance.String() }

// Handle is the kind.Handle of an element.
type Handle struct{ Element *Element }

// Name is the element's name in its project.
func (h Handle) Name() string { return h.Element.Name }

// HasArtifact tells whether the element gives files.
func (h Handle) HasArtifact() bool { return h.Element.HasArtifact() }
