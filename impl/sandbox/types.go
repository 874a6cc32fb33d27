package sandbox

import (
	"context"
	"io"
	"time"

	"bst/impl/cas"
	"bst/impl/sandbox/inner"
	"bst/impl/stream"
)

// HelperWord is the argument that makes main call RunHelper: a word that no
// person types, hidden from the command line's help.
const HelperWord = inner.Word

// Config says where a Factory works.
type Config struct {
	// Store holds the content of every layer.
	Store *cas.Store
	// WorkDir holds one directory for each Root, removed by Close. It must be on
	// a file system that can be an overlay's upper layer for fast staging.
	WorkDir string
	// TreesDir holds the shared checkouts, hard-linked to the store: on the
	// store's file system. Several processes may use it at once.
	TreesDir string
	// MaxTreeEntries bounds the files, links and directories that all checkouts
	// in TreesDir hold together; the least recently used ones that nobody uses go
	// first. 0 is DefaultMaxTreeEntries.
	MaxTreeEntries int64
	// Bwrap is bubblewrap's path. Empty: it is looked for in PATH.
	Bwrap string
	// NoOverlay does without overlayfs, for tests and for systems where it
	// misbehaves.
	NoOverlay bool
}

// DefaultMaxTreeEntries is some forty sysroots of 100,000 files: hard links cost
// directory entries, not content.
const DefaultMaxTreeEntries = 4_000_000

// Box is a root that commands run in, and what they leave is read from: a Root on
// this machine. An action that runs elsewhere can be one too (docs/design.md, "Room
// for remote execution"): nothing in it speaks of files of this host but Recipe and
// Spec.Mounts, which shells alone use.
type Box interface {
	// Writable makes a directory writable and gives it content.
	Writable(path string, content cas.Digest) error
	// KeepTimes has what is captured of writable directories hold its files' times
	// of modification. It is called before anything is captured.
	KeepTimes()
	// Run runs one command and gives its exit status.
	Run(ctx context.Context, spec Spec) (status int, err error)
	// CaptureRoot and CaptureDir give what commands left.
	CaptureRoot(ctx context.Context) (*cas.Dir, error)
	CaptureDir(ctx context.Context, path string) (cas.Digest, error)
	// Recipe is what a frontend runs to open a shell.
	Recipe(spec Spec) (argv, env []string, dir string, err error)
	// Close removes what the box had on disk.
	Close() error
}

var _ Box = (*Root)(nil)

// Spec is one command and the world it sees.
type Spec struct {
	// Argv is the command; a name without a slash is looked for in Env's PATH
	// inside the sandbox.
	Argv []string
	// Env is the whole environment; PWD is added.
	Env map[string]string
	// Dir is the working directory, absolute in the sandbox, created when it is
	// missing. Empty is "/".
	Dir string
	// RootReadOnly leaves only the marked directories, /tmp and /dev/shm
	// writable.
	RootReadOnly bool
	// Network leaves the host's network open.
	Network bool
	// UID and GID that the command sees as its own. Files of the sandbox belong
	// to them. InheritUID overrides them with this process's own.
	UID, GID   int
	InheritUID bool
	// Stdout and Stderr receive the command's output; nil discards it. Equal
	// writers get both in order, and an *os.File is written directly.
	Stdout, Stderr io.Writer
	// Mounts are bound from the host, read and write, over what is staged.
	Mounts []Mount
}

// Mount is a file or directory of the host that a sandbox sees.
type Mount struct {
	// Host is a path on the host, Path the absolute one inside.
	Host, Path string
}

// BatchCommand is one command of a batch.
type BatchCommand struct {
	Argv []string
	// Label names the command in the log when it fails. Empty: the command itself.
	Label string
}

// ReasonMissingCommand and ReasonUnavailable are the reference's reasons.
const (
	ReasonMissingCommand = "missing-command"
	ReasonUnavailable    = "unavailable-local-sandbox"
)

// errorf makes the error of something that the sandbox could not do.
func failure(reason, message, detail string, cause error) *stream.Error {
	e := &stream.Error{Domain: stream.DomainSandbox, Reason: reason, Message: message, Detail: detail}
	if cause != nil {
		e.Cause = cause.Error()
		if e.Detail == "" {
			e.Detail = e.Cause
		}
	}
	return e
}

func missingCommand(name string) *stream.Error {
	return failure(ReasonMissingCommand, "Staged artifacts do not provide command '"+name+"'", "", nil)
}

// KeptTree is a checkout in a TreesDir.
type KeptTree struct {
	// Hash is that of its directory's digest.
	Hash string
	// Used is when it was last used.
	Used time.Time
	// Remove removes it, unless somebody uses it or it was used since Used.
	Remove func() (gone bool, err error)
}
