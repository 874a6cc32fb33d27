package kind

import (
	"context"
	"fmt"
	"io"

	"bst/impl/cas"
	"bst/impl/node"
	"bst/impl/stream"
)

// Source is one configured source. After Configure it is not changed: several
// goroutines may use it at once.
type Source interface {
	// Configure reads the source's mapping, whose variables are expanded. The
	// keys that every source has (kind, directory, provenance) may still be in
	// it; kinds list CommonSourceKeys among the valid ones.
	Configure(config *node.Node, env SourceEnv) error
	// UniqueKey is the source's part of the key (reference part D): as
	// Element.UniqueKey, and nil for JSON's null. It may read project files.
	UniqueKey() (any, error)
	// Resolved says that the source has a ref.
	Resolved() bool
	// Cached says that Stage would work without network now.
	Cached(ctx context.Context, w SourceWork) bool
	// Fetch brings the source into w.MirrorDir. Errors are SOURCE domain,
	// Temporary where trying again may help.
	Fetch(ctx context.Context, w SourceWork) error
	// Stage writes the source into dir, an existing directory on disk. It holds
	// the earlier sources of the element where the kind RequiresPrevious, and is
	// empty otherwise.
	Stage(ctx context.Context, w SourceWork, dir string) error
}

// Tracker is implemented by source kinds that can find a newer ref.
type Tracker interface {
	Source
	// Ref is what the source has for a ref, as project files have it: a mapping of
	// the kind's RefKeys; nil for none.
	Ref() *node.Node
	// Track finds the newest ref, in the form of Ref; nil where the source names
	// nothing to track. previous holds the earlier sources of the element, staged,
	// where the kind TracksPrevious. Errors are as Fetch's.
	Track(ctx context.Context, w SourceWork, previous string) (*node.Node, error)
}

// DirectSource is a source whose tree needs no staging on disk (local).
type DirectSource interface {
	Source
	// Directory captures the source into the store. The digest is the one that
	// UniqueKey was worked out from, or it is an error.
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
	// TracksPrevious is BST_REQUIRES_PREVIOUS_SOURCES_TRACK or _FETCH (cargo,
	// pip): the source cannot be the first of an element, and Track sees the
	// earlier ones.
	TracksPrevious bool
	// RefKeys are the keys of the source's configuration that hold its ref; nil
	// stands for "ref" alone.
	RefKeys []string
	// NoRef marks kinds that keep nothing in project.refs, and ignore what is
	// there (local, patch).
	NoRef bool
	// Plugins and Variant are as an element kind's.
	Plugins Plugins
	Variant func(file string) SourceTraits
	New     func() Source
}

// CommonSourceKeys are the keys that every source may have.
var CommonSourceKeys = []string{"kind", "directory", "provenance"}

// SourceEnv is what a source may ask about its element and project. It answers
// at any time, from several goroutines, without I/O.
type SourceEnv interface {
	ElementName() string
	// ProjectDir is absolute.
	ProjectDir() string
	// Provenance of the source's mapping.
	Provenance() stream.Provenance
	// Translate expands an alias in a URL to the primary URL. A source asks for
	// each URL of its configuration in Configure: so the project's checks of
	// aliases get to know of it.
	Translate(url string) string
	// URLs gives every URL to try, mirrors first in order. A URL without an
	// alias of the project is the only one.
	URLs(url string) []string
	// TrackURLs gives every URL to ask for a newer ref, in order: track.source of
	// the user configuration says which.
	TrackURLs(url string) []string
	// Reads says that the source's key, or what it tells of itself, is made from
	// a file or folder of the project, an absolute path. A source says so in
	// Configure, of all that it reads later but to stage it.
	Reads(path string)
	// Digests reads what many sources name once. The paths are absolute.
	Digests() *cas.Digests
}

// SourceWork is what fetching and staging work with.
type SourceWork interface {
	// MirrorDir is <sourcedir>/<kind>, made on demand.
	MirrorDir() (string, error)
	// TempDir is a fresh directory, removed after the task.
	TempDir() (string, error)
	// Log receives the output of programs.
	Log() io.Writer
	// Progress reports how many bytes of a download have come; total 0 is
	// unknown.
	Progress(current, total int)
	// Count reports how many of something have come, where bytes are not known.
	Count(current, total int)
	Message(t stream.MessageType, text, detail string)
	// Activity logs a timed activity (START and SUCCESS or FAILURE).
	Activity(name string, f func() error) error
	// Warn logs a configurable warning. It returns a PLUGIN error with the
	// token as its reason where the project makes that warning fatal. The token
	// is as in fatal-warnings: "git:unlisted-submodule", "ref-not-in-track".
	Warn(token, text, detail string) error
}

// SourceName is how messages call a source: "tar source at file [line L column C]".
func SourceName(kind string, env SourceEnv) string {
	return kind + " source at " + env.Provenance().String()
}

// SourceErrorf makes a SOURCE error that starts with the source's name.
func SourceErrorf(kind string, env SourceEnv, reason, format string, args ...any) *stream.Error {
	return &stream.Error{
		Domain:  stream.DomainSource,
		Reason:  reason,
		Message: SourceName(kind, env) + ": " + fmt.Sprintf(format, args...),
	}
}
