package kind

import (
	"bst/impl/node"
	"bst/impl/stream"
)

// Informer is implemented by source kinds that report where what they stage
// comes from.
type Informer interface {
	// SourceInfo is called only where the source is Resolved. It does no I/O
	// but to read project files.
	SourceInfo() ([]SourceInfo, error)
}

// What a source is fetched by, and what its versions are. A kind may say
// something else.
const (
	MediumLocal     = "local"
	MediumRemote    = "remote-file"
	MediumGit       = "git"
	MediumBazaar    = "bzr"
	MediumOCI       = "oci-image"
	MediumPyPI      = "pypi"
	MediumWorkspace = "workspace"

	VersionCommit    = "commit"
	VersionSHA256    = "sha256"
	VersionCASDigest = "cas-digest"
	VersionOCIDigest = "oci-digest"
	VersionIndexed   = "indexed-version"
)

// SourceInfo is where one input of a build comes from.
type SourceInfo struct {
	// Kind is the source's; whoever collects them fills it in.
	Kind string
	// URL has its alias expanded to the primary URL.
	URL string
	// Provenance holds what the project says of the source, nil for what it
	// says of the whole source.
	Provenance *node.Node
	// Medium and VersionType are among the constants above.
	Medium, VersionType string
	// Version tells this input from all others.
	Version string
	// Ref is what the project names a commit by, where that says more than
	// Version: "v1.2-0-g" before it. It is not shown.
	Ref string
	// Guess is the version as people call it, "" for unknown.
	Guess string
	// Extra is further names and values, in order.
	Extra []stream.Pair
}

// Node is the form in which they are shown.
func (s *SourceInfo) Node() *node.Node {
	n := node.NewMapping(stream.Provenance{})
	set := func(to *node.Node, key, value string) {
		to.Set(key, node.NewScalar(value, stream.Provenance{}))
	}
	set(n, "kind", s.Kind)
	set(n, "url", s.URL)
	if s.Provenance != nil {
		// These two were top-level keys before there were others.
		for _, key := range []string{"homepage", "issue-tracker"} {
			if value := s.Provenance.Get(key); value != nil {
				set(n, key, value.Text())
			}
		}
		n.Set("provenance", s.Provenance.Clone())
	}
	set(n, "medium", s.Medium)
	set(n, "version-type", s.VersionType)
	set(n, "version", s.Version)
	if s.Guess != "" {
		set(n, "version-guess", s.Guess)
	}
	if len(s.Extra) > 0 {
		extra := node.NewMapping(stream.Provenance{})
		for _, pair := range s.Extra {
			set(extra, pair.Name, pair.Value)
		}
		n.Set("extra-data", extra)
	}
	return n
}
