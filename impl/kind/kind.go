// Package kind says what an element kind and a source kind are, and what the
// engine gives them to work with. One small package a kind lies beside it;
// impl/kind/all lists them.
//
// A kind knows its own configuration, its part of the cache key, and how it
// makes an artifact or stages a source. It does not know the graph, the
// scheduler or the cache.
package kind

import (
	"context"

	"bst/impl/cas"
	"bst/impl/node"
	"bst/impl/stream"
)

// Element is one configured element's kind-specific half.
type Element interface {
	// Configure reads the element's config, whose variables are expanded.
	Configure(config *node.Node, env Env) error
	// ConfigureDependencies gets the direct build dependencies, in order, one
	// entry for each config mapping that the dependency has, or one with nil.
	ConfigureDependencies(deps []Dependency) error
	// UniqueKey is the kind's part of the cache key: map[string]any, []any,
	// []string, string, bool, int. Reference part D.
	UniqueKey() any
	// Assemble makes the artifact: it stages, runs and returns the path in the
	// sandbox whose content is collected, "/" for the whole root.
	Assemble(ctx context.Context, a Assembly) (collect string, err error)
}

// Preflighter is implemented by kinds that have demands on what they are given.
// Preflight comes after ConfigureDependencies. Its errors are ELEMENT domain;
// whoever calls it puts the element before the message.
type Preflighter interface{ Preflight(Given) error }

// Scripter is implemented by kinds whose build is a list of commands of a shell.
type Scripter interface {
	// Script is these commands; they run in the build root.
	Script() string
}

// Given is what an element was given, as its project files say.
type Given struct {
	// Build and Runtime are the direct dependencies; one that is both stands
	// in both. Handles may be compared.
	Build, Runtime []Handle
	// Sources is the number of sources.
	Sources int
}

// Traits are what a kind is, whatever its configuration: the reference's
// BST_* class constants.
type Traits struct {
	// Kind is the name in "kind:".
	Kind string
	// Defaults is the plugin's YAML (variables, environment, config, public…),
	// "" for none.
	Defaults string
	// ArtifactVersion is BST_ARTIFACT_VERSION.
	ArtifactVersion int
	// NoArtifact says that building it gives no files (a stack).
	NoArtifact bool
	// DependencyConfig says that dependencies may have a "config"; without it
	// one that has is refused.
	DependencyConfig bool
	// RunCommands is BST_RUN_COMMANDS; a kind whose use of commands depends on
	// its configuration (compose) implements CommandRunner.
	RunCommands                                       bool
	StrictRebuild                                     bool
	ForbidSources, ForbidBuildDeps, ForbidRuntimeDeps bool
	// BuildElement says that generic build-element rules hold (workspaces, build trees).
	BuildElement bool
	// Plugins are the Python files that the kind does the work of; the zero
	// value stands for those in Official and Samples.
	Plugins Plugins
	// Variant is for a kind whose keys or constants changed between the releases
	// of its plugin: the kind as the release has it whose file has this text.
	// What the file does not say is as here, which is how the newest has it.
	Variant func(file string) Traits
	New     func() Element
}

// Plugins say which Python plugins a kind takes the place of. A kind must do
// what the project's own file says; which files that is true of is known of the
// packages that are released, and of single files by their content.
type Plugins struct {
	// Packages are the packages that the kind is released in. A plugin of that
	// name from one of them, installed or reached across a junction to its
	// project, is this kind in each of its versions.
	Packages []string
	// Files are the SHA-256 digests, in hexadecimal, of files that lie in
	// projects themselves.
	Files []string
}

// FilesOnly says that the kind was never released in a package.
func (p Plugins) FilesOnly() bool { return len(p.Files) > 0 && len(p.Packages) == 0 }

// Packages of plugins, by the names of their projects.
const (
	Official  = "buildstream-plugins"
	Community = "buildstream-plugins-community"
	// Samples has some of Official's, and the reference's tests use them.
	Samples = "sample-plugins"
)

// CommandRunner overrides Traits.RunCommands after Configure.
type CommandRunner interface{ RunCommands() bool }

// Env is what a kind may ask about its element while it is configured.
type Env interface {
	Name() string
	// Variable is expanded, "" and false where it is not set.
	Variable(name string) (string, bool)
	// ProjectDir is absolute, for kinds and sources that name project files.
	ProjectDir() string
	// Provenance of the element.
	Provenance() stream.Provenance
}

// Handle names an element inside an Assembly; the engine owns what is behind.
// Handles of the same element are equal.
type Handle interface {
	// Name is local to the element's project.
	Name() string
	// HasArtifact is false for kinds with NoArtifact.
	HasArtifact() bool
}

// Described is a Handle that tells more of its element: what kinds report that
// look at their dependencies, rather than at the files of these.
type Described interface {
	Handle
	// FullName has the junctions before the name: "junction.bst:name.bst".
	FullName() string
	// NormalName is the name as directories are called by it.
	NormalName() string
	// ProjectName is the name of the project that the element is of.
	ProjectName() string
	// ElementKind is the name in "kind:".
	ElementKind() string
	// Runtime are the direct dependencies that it needs at run time, in
	// staging order.
	Runtime() []Handle
	// Sources are its sources, in order.
	Sources() []DescribedSource
}

// DescribedSource is a source of a Described element.
type DescribedSource interface {
	Kind() string
	// Info is what the source reports of where it comes from; false where its
	// kind does not, or it has no ref.
	Info() ([]SourceInfo, bool)
}

// Dependency is a direct build dependency.
type Dependency struct {
	Element Handle
	// Path is the name as the key sees it: "junction.bst:name.bst" or "name.bst".
	Path string
	// Config is nil, or one config mapping with variables expanded.
	Config     *node.Node
	Provenance stream.Provenance
}

// StageDeps selects what StageDependencies stages.
type StageDeps struct {
	// Selection roots the walk: these elements and their runtime closure, in
	// staging order. Nil: all build dependencies of the element.
	Selection []Handle
	// Path in the sandbox, "" is "/".
	Path string
	// Include and Exclude are split-rule domains; Include nil means all domains.
	Include, Exclude []string
	// NoOrphans leaves out files that no domain speaks for.
	NoOrphans bool
	// Direct stages the selection without its runtime closure (filter).
	Direct bool
}

// Command is run in the sandbox.
type Command struct {
	Argv []string
	// Label is what the log shows, the command's text.
	Label string
	// RootReadOnly leaves only marked directories writable.
	RootReadOnly bool
}

// Assembly is one element's build. All paths are absolute in the sandbox.
type Assembly interface {
	Env
	Environment() map[string]string
	SetEnvironment(name, value string)
	// MarkDirectory makes a directory that stays writable.
	MarkDirectory(path string)
	SetWorkDirectory(path string)

	StageDependencies(ctx context.Context, s StageDeps) error
	// Dependencies walks as StageDependencies does: the selection and its
	// runtime closure in staging order, or with nil all that the element is
	// built from.
	Dependencies(selection []Handle) []Handle
	// Integrate runs the integration commands of each element.
	Integrate(ctx context.Context, elements []Handle) error
	StageSources(ctx context.Context, path string) error
	// SubsandboxDigest stages a selection by itself and tells its digest, for
	// digest-environment.
	SubsandboxDigest(ctx context.Context, selection []Handle) (cas.Digest, error)
	// Run runs commands in order; the first that fails ends it.
	Run(ctx context.Context, commands []Command) error

	// Root is the virtual root, as commands left it. Changes to it are seen by
	// what follows.
	Root(ctx context.Context) (*cas.Dir, error)
	// SplitFiles tells which files of h's artifact the domains select.
	SplitFiles(h Handle, include, exclude []string, orphans bool) ([]string, error)
	// Public is a copy of the element's own public data; SetPublic replaces
	// what the artifact will hold (filter's pass-integration).
	Public() *node.Node
	SetPublic(*node.Node)
	// PublicOf is the public data in the artifact of a dependency; it must not
	// be changed.
	PublicOf(h Handle) (*node.Node, error)
	// Activity logs a timed activity (START and SUCCESS or FAILURE).
	Activity(name string, f func() error) error
	// Message logs a line of the given type.
	Message(t stream.MessageType, text, detail string)
	// Workspaced says that the build is of a workspace: it may go on from the last.
	Workspaced() bool
	// Exists says whether something lies at path now.
	Exists(ctx context.Context, path string) (bool, error)
}
