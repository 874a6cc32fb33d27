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
	// FetchSource is fetch.source: which URLs of an alias to fetch from, all,
	// aliases, mirrors or user; "" is all.
	FetchSource string
	// TrackSource is track.source: which URLs of an alias to track by; "" is
	// aliases.
	TrackSource string

	// BuildDependencies is build.dependencies: none, build, run or all.
	BuildDependencies string
	RetryFailed       bool
	// CacheBuildtrees is always, auto or never.
	CacheBuildtrees string
	PullBuildtrees  bool
	// Quota in bytes; 0 is infinite. ReservedSpace is how many bytes of its
	// filesystem the cache leaves free, LowWatermark down to how many percent of
	// the quota it is emptied when it is full.
	Quota, ReservedSpace int64
	LowWatermark         int

	// Artifacts and SourceCaches are the servers that keep artifacts and sources.
	Artifacts, SourceCaches Caches

	// ErrorLines is how many lines of a failed task's log its failure carries.
	ErrorLines int
	// Debug asks for debug messages and causes of errors.
	Debug bool
	// Verbose asks for the verbose messages.
	Verbose bool

	// Term is the kind of the person's terminal (TERM), for shells; empty where
	// there is none.
	Term string
}

// ProjectSettings is the user configuration of one project.
type ProjectSettings struct {
	Options map[string]string
	// OptionLists are the options that were given as lists.
	OptionLists   map[string][]string
	Strict        *bool
	DefaultMirror string
	// Mirrors is YAML, a mapping with the one key "mirrors" whose list takes the
	// place of the project's; "" where the user names none.
	Mirrors string
	// Artifacts and SourceCaches win over those of Settings.
	Artifacts, SourceCaches CacheServers
}

// Caches say which servers keep artifacts, or sources. For each project the
// command line's win over the user's for that project, and those over the user's
// for all; what projects recommend comes after them.
type Caches struct {
	// CommandLine are --artifact-remote or --source-remote.
	CommandLine []Remote
	// IgnoreProject leaves out what projects recommend.
	IgnoreProject bool
	// User is the user configuration's.
	User CacheServers
}

// CacheServers are the user configuration's "artifacts" or "source-caches".
type CacheServers struct {
	// Override leaves out what projects recommend.
	Override bool
	// Servers are asked in order.
	Servers []Remote
}

// Remote is a server that keeps artifacts or sources. It has no secrets in it:
// keys and tokens are named by their files, which the backend reads.
type Remote struct {
	URL string
	// Instance is the REAPI instance name, "" for none.
	Instance string
	// Type is which half it keeps: index (names), storage (files) or all.
	Type string
	// Push says that it takes what is built or fetched here.
	Push bool
	// ServerCert, ClientKey, ClientCert and AccessToken are paths of files, "" for
	// none.
	ServerCert, ClientKey, ClientCert, AccessToken string
	// TokenReload is how often the token's file is read again, 0 for once.
	TokenReload time.Duration
	// Keepalive, RetryDelay and RequestTimeout are 0, and RetryLimit is -1, where
	// nothing was said.
	Keepalive      time.Duration
	RetryLimit     int
	RetryDelay     time.Duration
	RequestTimeout time.Duration
	// From is where it was configured, for messages.
	From string
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

// Track asks for the newest refs of sources, and for these to be written into the
// project's files (bst source track).
type Track struct {
	Session
	Targets, Except []string
	// Deps is none, build, run or all; none stands for the elements whose sources
	// the targets show.
	Deps string
	// CrossJunctions takes elements of subprojects in.
	CrossJunctions bool
	PipelineFields []string
}

// PushSources asks for sources to be sent to servers, and fetched first where that is
// needed (bst source push).
type PushSources struct {
	Session
	Targets, Except []string
	// Deps is none, build, run or all.
	Deps           string
	PipelineFields []string
}

// CheckoutSources asks for the sources of elements in a folder or a tarball (bst
// source checkout).
type CheckoutSources struct {
	Session
	// Target is an element's name; "" for the one whose workspace Session.Directory
	// lies in.
	Target string
	Except []string
	Deps   string
	Force  bool
	// BuildScripts adds scripts that build the elements without bst.
	BuildScripts bool
	// Directory or Tar is the destination, absolute; Compression is empty, gz, xz
	// or bz2.
	Directory, Tar, Compression string
}

// Init asks for a new project (bst init). ProjectMade follows.
type Init struct {
	Session
	// Directory is where it is to be, absolute; it may not exist yet.
	Directory                     string
	Name, MinVersion, ElementPath string
	// Force overwrites a project.conf that is there.
	Force bool
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

// Attach joins a session that runs in a backend which stays, or has ended there
// with nobody attached: what happened so far comes as events, bounded in number,
// and then all that happens.
type Attach struct {
	Session
	// ID names the session, as Started and SessionShown do.
	ID string
}

// Sessions asks for the sessions that can be attached to. SessionShown follow.
type Sessions struct {
	Session
}

// Mount makes a host path visible in a shell.
type Mount struct{ Host, Path string }

// OpenWorkspaces asks for folders in which the sources of elements are worked on
// (bst workspace open).
type OpenWorkspaces struct {
	Session
	Targets []string
	// NoCheckout takes a folder as it is: nothing is fetched or written.
	NoCheckout bool
	// Force takes the place of what is in the folder, and of a workspace that the
	// element has.
	Force bool
	// Directory, absolute, is the one target's folder; "" for one named by the
	// element in Settings.WorkspaceDir.
	Directory string
}

// CloseWorkspaces asks for elements to have their own sources again (bst workspace
// close).
type CloseWorkspaces struct {
	Session
	// Targets are names of elements; with none, the one whose workspace
	// Session.Directory lies in.
	Targets []string
	All     bool
	// RemoveDirectory removes the folder and all in it.
	RemoveDirectory bool
}

// ResetWorkspaces asks for workspaces as they were when they were opened (bst
// workspace reset).
type ResetWorkspaces struct {
	Session
	// Targets are as in CloseWorkspaces.
	Targets []string
	All     bool
	// Soft changes no file: the last build is forgotten.
	Soft bool
}

// ListWorkspaces asks which workspaces are open (bst workspace list).
// WorkspacesShown follows.
type ListWorkspaces struct{ Session }

// Targets of the orders about artifacts are elements or artifacts: the name of one
// that is project/element/key, or a glob of such.

// ShowArtifacts asks where artifacts are (bst artifact show). ArtifactShown follow.
type ShowArtifacts struct {
	Session
	Targets []string
	// Deps is none, build, run or all.
	Deps string
}

// ListContents asks what is in artifacts (bst artifact list-contents).
// ArtifactContents follow.
type ListContents struct {
	Session
	Targets []string
	// Long asks for types and sizes too.
	Long bool
}

// ArtifactLogs asks for the logs of the builds that made artifacts (bst artifact
// log). LogShown follow.
type ArtifactLogs struct {
	Session
	Targets []string
	// Out, absolute, is a folder that is made for them, "" for none.
	Out string
}

// DeleteArtifacts asks for artifacts to be forgotten (bst artifact delete).
type DeleteArtifacts struct {
	Session
	Targets []string
	Deps    string
}

// Pull asks for artifacts from servers (bst artifact pull).
type Pull struct {
	Session
	Targets        []string
	Deps           string
	PipelineFields []string
}

// Push asks for artifacts to be sent to servers (bst artifact push).
type Push struct {
	Session
	Targets        []string
	Deps           string
	PipelineFields []string
}

// Complete asks for what a person who has typed Word may mean. Completed follows.
// It is answered while that person waits: no project is loaded, nothing fetched.
type Complete struct {
	Session
	Word string
	// Artifacts asks for the names of cached artifacts too.
	Artifacts bool
	// Options asks for the project's options and not for elements: with Option set,
	// for the values of that one.
	Options bool
	Option  string
}

// Control orders. All may be sent at any time after the work order; one that
// no longer makes sense is ignored.
type (
	// Continue goes on after a hold: failed jobs stay failed.
	Continue struct {
		// Answered are failed jobs of which no more will be asked: what is kept of
		// their builds may go.
		Answered []JobID
	}
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
	// Detach says that the frontend is about to leave and that the session shall
	// go on without it. Detached answers; after that the stream may be closed. It
	// is for a session whose Started has an ID. After Finished it says that the end
	// was heard: it is then told to nobody else.
	Detach struct{}
)

func (*Track) order()           {}
func (*CheckoutSources) order() {}
func (*PushSources) order()     {}
func (*Init) order()            {}

func (*Show) order()     {}
func (*Build) order()    {}
func (*Fetch) order()    {}
func (*Checkout) order() {}
func (*Shell) order()    {}
func (*Complete) order() {}

func (*OpenWorkspaces) order()  {}
func (*CloseWorkspaces) order() {}
func (*ResetWorkspaces) order() {}
func (*ListWorkspaces) order()  {}

func (*Pull) order()            {}
func (*Push) order()            {}
func (*ShowArtifacts) order()   {}
func (*ListContents) order()    {}
func (*ArtifactLogs) order()    {}
func (*DeleteArtifacts) order() {}

func (*Attach) order()     {}
func (*Sessions) order()   {}
func (*Continue) order()   {}
func (*Hold) order()       {}
func (*Quit) order()       {}
func (*Terminate) order()  {}
func (*Retry) order()      {}
func (*StageShell) order() {}
func (*ShellDone) order()  {}
func (*Suspend) order()    {}
func (*Resume) order()     {}
func (*Detach) order()     {}

func (o *Track) Common() *Session           { return &o.Session }
func (o *CheckoutSources) Common() *Session { return &o.Session }
func (o *PushSources) Common() *Session     { return &o.Session }
func (o *Init) Common() *Session            { return &o.Session }

func (o *Attach) Common() *Session   { return &o.Session }
func (o *Sessions) Common() *Session { return &o.Session }
func (o *Show) Common() *Session     { return &o.Session }
func (o *Build) Common() *Session    { return &o.Session }
func (o *Fetch) Common() *Session    { return &o.Session }
func (o *Checkout) Common() *Session { return &o.Session }
func (o *Shell) Common() *Session    { return &o.Session }
func (o *Complete) Common() *Session { return &o.Session }

func (o *OpenWorkspaces) Common() *Session  { return &o.Session }
func (o *CloseWorkspaces) Common() *Session { return &o.Session }
func (o *ResetWorkspaces) Common() *Session { return &o.Session }
func (o *ListWorkspaces) Common() *Session  { return &o.Session }

// JobID names a job within its session, from 1.
type JobID int

// Elapsed is time since the session started, without suspended time.
type Elapsed = time.Duration

func (o *Pull) Common() *Session            { return &o.Session }
func (o *Push) Common() *Session            { return &o.Session }
func (o *ShowArtifacts) Common() *Session   { return &o.Session }
func (o *ListContents) Common() *Session    { return &o.Session }
func (o *ArtifactLogs) Common() *Session    { return &o.Session }
func (o *DeleteArtifacts) Common() *Session { return &o.Session }
