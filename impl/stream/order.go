package stream

import "time"

// Order is what a frontend sends: a Work order first, Control orders after it.
// The set is closed; impl/wire lists it.
type Order interface{ order() }

// Work is an order that starts a session's work.
type Work interface {
	Order
	// Common returns the part that every work order has.
	Common() *Session
}

// Session is what every work order carries: settings are resolved once, from
// command line, environment and user configuration, and travel here.
type Session struct {
	// Directory is where the project is looked for, upwards (-C).
	Directory string
	// Strategy is the name of the strategy that carries the session, for the
	// heading.
	Strategy string
	Settings Settings
}

// Settings are the resolved user settings that the backend needs
// (buildstream.conf and global options: reference parts A and E).
type Settings struct {
	CacheDir, SourceDir, LogDir, WorkspaceDir string

	Fetchers, Builders, Pushers int
	// MaxJobs is build.max-jobs; 0 stands for min(CPUs, 8).
	MaxJobs        int
	NetworkRetries int
	OnError        OnError
	// Interactive says that OnError is the frontend's to decide: on a failure
	// the scheduler holds.
	Interactive bool

	// Strict is nil where neither command line nor configuration says: then
	// true.
	Strict *bool
	// Options are the -o pairs; they win over every other value.
	Options map[string]string
	// Projects holds the user configuration's projects.<name>.
	Projects      map[string]ProjectSettings
	DefaultMirror string

	// BuildDependencies is build.dependencies: none, build, run or all.
	BuildDependencies string
	RetryFailed       bool
	// CacheBuildtrees is always, auto or never.
	CacheBuildtrees string
	PullBuildtrees  bool
	// Quota in bytes; 0 is infinite.
	Quota int64

	// ErrorLines is how many lines of a failed task's log its failure carries.
	ErrorLines int
	// Debug asks for debug messages and causes of errors.
	Debug bool
	// Verbose asks for the verbose messages.
	Verbose bool
}

// ProjectSettings is the user configuration of one project.
type ProjectSettings struct {
	Options map[string]string
	// OptionLists are the options that were given as lists.
	OptionLists   map[string][]string
	Strict        *bool
	DefaultMirror string
}

// OnError says what the scheduler does when a job fails for good.
type OnError string

const (
	OnErrorContinue  OnError = "continue"
	OnErrorQuit      OnError = "quit"
	OnErrorTerminate OnError = "terminate"
)

// Show asks for the state of elements (bst show). ElementShown events follow.
type Show struct {
	Session
	Targets, Except []string
	// Deps is none, build, run or all.
	Deps string
	// Sort is stage or alpha.
	Sort string
	// Fields are the names of the fields that the format uses, without
	// "%{}": only those are worked out and filled in.
	Fields []string
}

// Build asks for elements to be built (bst build).
type Build struct {
	Session
	Targets []string
	// Deps is empty for the configured build.dependencies.
	Deps string
	// PipelineFields are the fields that the heading's pipeline list needs.
	PipelineFields []string
}

// Fetch asks for sources (bst source fetch).
type Fetch struct {
	Session
	Targets, Except []string
	Deps            string
	PipelineFields  []string
}

// Checkout asks for an artifact's files in a folder or a tarball (bst artifact
// checkout).
type Checkout struct {
	Session
	Target string
	Deps   string
	// Integrate runs integration commands first.
	Integrate bool
	Hardlinks bool
	Force     bool
	// Directory or Tar is the destination, absolute. With TarToStdout the
	// backend writes Tar for the frontend to copy out and remove.
	Directory   string
	Tar         string
	TarToStdout bool
	// Compression is empty, gz, xz or bz2.
	Compression string
}

// Shell asks for a sandbox to be staged (bst shell). ShellReady follows.
type Shell struct {
	Session
	Target       string
	Build        bool
	UseBuildtree bool
	Isolate      bool
	Mounts       []Mount
	Command      []string
}

// Mount makes a host path visible in a shell.
type Mount struct{ Host, Path string }

// Control orders. All may be sent at any time after the work order; one that
// no longer makes sense is ignored.
type (
	// Continue goes on after a hold: failed jobs stay failed.
	Continue struct{}
	// Hold stops the scheduler from starting jobs; running ones go on.
	Hold struct{}
	// Quit lets running jobs end and starts no more.
	Quit struct{}
	// Terminate ends running jobs now.
	Terminate struct{}
	// Retry puts a failed job back into its queue.
	Retry struct{ Job JobID }
	// StageShell asks for a shell in the build that a failed job left.
	StageShell struct{ Job JobID }
	// ShellDone says that the shell of a ShellReady event has ended.
	ShellDone struct {
		Shell int
		// Status is the exit status of the command.
		Status int
	}
	// Suspend stops running sandboxes and the session's clock (SIGTSTP).
	Suspend struct{}
	// Resume undoes Suspend.
	Resume struct{}
)

func (*Show) order()       {}
func (*Build) order()      {}
func (*Fetch) order()      {}
func (*Checkout) order()   {}
func (*Shell) order()      {}
func (*Continue) order()   {}
func (*Hold) order()       {}
func (*Quit) order()       {}
func (*Terminate) order()  {}
func (*Retry) order()      {}
func (*StageShell) order() {}
func (*ShellDone) order()  {}
func (*Suspend) order()    {}
func (*Resume) order()     {}

func (o *Show) Common() *Session     { return &o.Session }
func (o *Build) Common() *Session    { return &o.Session }
func (o *Fetch) Common() *Session    { return &o.Session }
func (o *Checkout) Common() *Session { return &o.Session }
func (o *Shell) Common() *Session    { return &o.Session }

// JobID names a job within its session, from 1.
type JobID int

// Elapsed is time since the session started, without suspended time.
type Elapsed = time.Duration
