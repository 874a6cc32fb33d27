// Package project loads BuildStream projects: project.conf with its options,
// includes and conditionals, junctions to other projects, and the graph of
// element files.
//
// It knows the format of these files. It does not know what the element and
// source kinds do, cache keys, or where anything is cached: impl/element works
// those out from what is loaded here.
package project

import (
	"context"

	"bst/impl/node"
	"bst/impl/seen"
	"bst/impl/stream"
)

// Options say which project to open, and how.
type Options struct {
	// Directory is where project.conf is looked for, upwards.
	Directory string
	// Options are the command line's -o values; they win over all others.
	Options map[string]string
	// Projects is the user configuration's projects.<name>.
	Projects map[string]stream.ProjectSettings
	// DefaultMirror is the command line's.
	DefaultMirror string
	// FetchSource is which URLs of an alias to fetch from: all, aliases, mirrors
	// or user, which is the mirrors of the user configuration alone. "" is all.
	FetchSource string
	// TrackSource is the same for tracking; "" is aliases.
	TrackSource string
	// MaxJobs is the variable max-jobs; 0 stands for min(CPUs, 8).
	MaxJobs int
	// Junctions fetches junctions that do not lie in the project. Nil refuses.
	Junctions JunctionFetcher
	// OriginalSources has elements keep the sources that their files name, where a
	// workspace is open too.
	OriginalSources bool
	// Seen is told of every file that is read or looked for. Nil is nobody.
	Seen *seen.Record
	// Warn receives warnings: a line, and further lines or "". Nil drops them.
	Warn func(text, detail string)
}

// JunctionFetcher knows the kinds, as the loader does not: it brings the files
// of a junction that is not used in place.
type JunctionFetcher interface {
	// CheckJunction resolves a junction element as any other, so that mistakes
	// in it and in its sources are told before it is crossed.
	CheckJunction(ctx context.Context, e *Element) error
	// FetchJunction returns the directory that the junction's sources are
	// staged in.
	FetchJunction(ctx context.Context, j *Junction) (dir string, err error)
}

// Junction is a junction element, resolved as far as its project's first pass
// goes.
type Junction struct {
	// Element is the junction; its project is the one that contains it.
	Element *Element
	// Path is where in its sources the project lies.
	Path string
	// Sources are its sources' mappings, variables expanded and refs filled in.
	Sources []*node.Node

	options    *node.Node
	overrides  *node.Node
	aliases    *node.Node
	mapAliases bool
}

// Project is one project: the toplevel or, across a junction, a subproject.
type Project struct {
	Name string
	// Dir is the absolute directory of project.conf.
	Dir string
	// ElementPath is the absolute directory of the elements.
	ElementPath string
	// MinVersion is the lowest version of BuildStream that the project asks for.
	MinVersion string
	// Junction is the full name of the junction that leads here, "" for the
	// toplevel.
	Junction string
	// Parent is the project that the junction is in, nil for the toplevel.
	Parent *Project
	// RefStorage is "inline" or "project.refs".
	RefStorage string
	// LoadedBy is where the junction was asked for, zero for the toplevel.
	LoadedBy stream.Provenance

	session *session
	// junction is the element behind Junction.
	junction *Junction
	loader   *loader

	// conf is project.conf as it stands in the file.
	conf *node.Node
	// first is what junctions and links see: without included junctions.
	first, second pass
	fullyLoaded   bool
	// secondLoaded says that the second pass is done; whenLoaded runs then.
	secondLoaded bool
	whenLoaded   []func() error

	defaultTargets []string
	// workspaceElement is the element of the workspace that led to the project.
	workspaceElement           string
	fatalWarnings              []string
	junctionDuplicates         *node.Node
	junctionInternal           *node.Node
	disallowSubprojectURIs     bool
	plugins                    []PluginOrigin
	includes                   *includes
	environment                *node.Node
	environmentNoCache         []string
	sandbox, splitRules        *node.Node
	shell                      Shell
	artifacts, sourceCaches    []*node.Node
	sourceProvenanceAttributes *node.Node
	refs, junctionRefs         *node.Node
}

// pass is what the two passes over project.conf both give.
type pass struct {
	options                           *optionPool
	variables                         *node.Node
	elementOverrides, sourceOverrides *node.Node
	aliases                           *node.Node
	mirrors                           []Mirror
	defaultMirror                     string
	// ownMirrors says that the user configuration names the mirrors.
	ownMirrors bool
}

// Shell is project.conf's shell configuration.
type Shell struct {
	Command     []string
	Environment []stream.Pair
	HostFiles   []HostFile
}

// HostFile is a host path that a shell sees. Optional ones may be missing.
type HostFile struct {
	Path, HostPath string
	Optional       bool
}

// PluginOrigin is an entry of project.conf's plugins.
type PluginOrigin struct {
	// Origin is local, pip or junction.
	Origin string
	// Where is the path, package-name or junction.
	Where                            string
	Elements, Sources, SourceMirrors []string
	AllowDeprecated                  bool
	Provenance                       stream.Provenance

	// node is the origin in project.conf.
	node *node.Node
}

// LoadOptions is how elements are loaded.
type LoadOptions struct {
	// Junctions replaces Options.Junctions where it is not nil.
	Junctions JunctionFetcher
	// Progress hears how many elements have been read. May be nil.
	Progress func(current int)
}

// Loaded is a loaded graph.
type Loaded struct {
	// Targets are the elements that were asked for, links resolved.
	Targets []*Element
	// All holds each element of the closures once, dependencies before
	// dependents.
	All []*Element
	// Projects are all loaded projects in the order in which they were loaded.
	Projects []*Project
}

// Element is a loaded element file.
type Element struct {
	// Name is relative to the project's element path, FullName has the
	// junctions before it: "junction.bst:name.bst".
	Name, FullName string
	Project        *Project
	Kind           string
	// Node is the file's content, includes and conditionals done, without the
	// dependencies; defaults are not yet laid under it.
	Node *node.Node
	// Deps are sorted as the reference sorts them: what other dependencies
	// depend on comes first.
	Deps []*Dep

	// target is a link's target.
	target *node.Node
	// fullyLoaded says that loading its dependencies has begun.
	fullyLoaded bool
	// sorted says that Deps are.
	sorted bool
	// id numbers the elements while dependencies are sorted.
	id int32
}

// FirstPass says that the element sees the first pass of project.conf only:
// junctions and links.
func (e *Element) FirstPass() bool { return e.Kind == "junction" || e.Kind == "link" }

// Provenance is the place of the element's top.
func (e *Element) Provenance() stream.Provenance { return e.Node.Provenance() }

// Dep is a dependency of an element.
type Dep struct {
	Element        *Element
	Build, Runtime bool
	Strict         bool
	// Path is the dependency as it is written, "junction.bst:name.bst" or
	// "name.bst".
	Path string
	// Configs are the config mappings of a build dependency, in order.
	Configs []*node.Node

	// node is where the dependency is written.
	node *node.Node
}

// Provenance is where the dependency is written.
func (d *Dep) Provenance() stream.Provenance { return d.node.Provenance() }
