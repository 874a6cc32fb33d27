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
	// sandbox whose content is collected.
	Assemble(ctx context.Context, a Assembly) (collect string, err error)
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
	// RunCommands is BST_RUN_COMMANDS; a kind whose use of commands depends on
	// its configuration (compose) implements CommandRunner.
	RunCommands                                       bool
	StrictRebuild                                     bool
	ForbidSources, ForbidBuildDeps, ForbidRuntimeDeps bool
	// BuildElement says that generic build-element rules hold (workspaces, build trees).
	BuildElement bool
	New          func() Element
}

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
type Handle interface{ Name() string }

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
	// Dependencies walks as StageDependencies does.
	Dependencies(selection []Handle) []Handle
	// Integrate runs the integration commands of each element.
	Integrate(ctx context.Context, elements []Handle) error
	StageSources(ctx context.Context, path string) error
	// SubsandboxDigest stages a selection by itself and tells its digest, for
	// digest-environment.
	SubsandboxDigest(ctx context.Context, selection []Handle) (cas.Digest, error)
	// Run runs commands in order; the first that fails ends it.
	Run(ctx context.Context, commands []Command) error

	// Root is the virtual root, as commands left it.
	Root(ctx context.Context) (*cas.Dir, error)
	// SplitFiles tells which files of h's artifact the domains select.
	SplitFiles(h Handle, include, exclude []string, orphans bool) ([]string, error)
	// Public is the element's own public data, to be changed in place
	// (filter's pass-integration); PublicOf another's.
	PublicOf(h Handle) (*node.Node, error)
	SetPublic(*node.Node)
	// Activity logs a timed activity (START and SUCCESS or FAILURE).
	Activity(name string, f func() error) error
	// Message logs a line of the given type.
	Message(t stream.MessageType, text, detail string)
	// Workspaced says that the build goes on in a workspace.
	Workspaced() bool
}

// Source is one configured source.
type Source interface {
	// Configure reads the source's mapping (kind and directory included).
	Configure(config *node.Node, env SourceEnv) error
	// UniqueKey is the source's part of the key (reference part D).
	UniqueKey() (any, error)
	// Resolved says that the source has a ref.
	Resolved() bool
	// Cached says that Stage would work without network now.
	Cached(ctx context.Context, w SourceWork) bool
	// Fetch brings the source into w.MirrorDir. Errors are SOURCE domain,
	// Temporary where trying again may help.
	Fetch(ctx context.Context, w SourceWork) error
	// Stage writes the source into dir, a directory on disk that may hold
	// earlier sources of the element.
	Stage(ctx context.Context, w SourceWork, dir string) error
}

// DirectSource is a source whose tree needs no staging on disk (local).
type DirectSource interface {
	Source
	// Directory captures the source into the store.
	Directory(ctx context.Context, s *cas.Store) (cas.Digest, error)
}

// SourceTraits are what a source kind is.
type SourceTraits struct {
	Kind string
	// Defaults is YAML for the "config" of sources; "" for none.
	Defaults string
	// RequiresPrevious is BST_REQUIRES_PREVIOUS_SOURCES_STAGE (patch): Stage
	// sees the earlier sources.
	RequiresPrevious bool
	New              func() Source
}

// SourceEnv is what a source may ask while it is configured.
type SourceEnv interface {
	ElementName() string
	ProjectDir() string
	Provenance() stream.Provenance
	// Translate expands an alias in a URL to the primary URL.
	Translate(url string) string
	// URLs gives every URL to try, mirrors first in order.
	URLs(url string) []string
}

// SourceWork is what fetching and staging work with.
type SourceWork interface {
	// MirrorDir is <sourcedir>/<kind>, made on demand.
	MirrorDir() (string, error)
	// TempDir is a fresh directory, removed after the task.
	TempDir() (string, error)
	// Log receives the output of programs.
	Log() LogWriter
	// Progress reports how far a download is; total 0 is unknown.
	Progress(current, total int)
	Message(t stream.MessageType, text, detail string)
}

// LogWriter is where a task's program output goes.
type LogWriter interface{ Write(p []byte) (int, error) }
