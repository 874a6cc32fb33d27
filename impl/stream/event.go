package stream

import "time"

// Event is what a backend emits. An event carries by value all that is needed
// to draw it. The set is closed; impl/wire lists it.
type Event interface{ event() }

// Key is a cache key as a person sees it.
type Key struct {
	// Full is 64 hexadecimal digits, or 64 "?" while unknown.
	Full string
	// Strict is false where the artifact at hand does not have this key.
	Strict bool
}

// Started is a session's first event, before anything was loaded.
type Started struct {
	// Time is the wall clock at which Elapsed is 0.
	Time time.Time
	// Version is the backend's.
	Version string
	// PID is the process that does the work.
	PID int
	// ID names the session for Attach, "" where it cannot be left and come back to.
	ID string
}

// Detached answers Detach: the session goes on without this frontend.
type Detached struct{}

// SessionShown is one session that can be attached to.
type SessionShown struct {
	ID string
	// Command is the session's name: "Build", "Fetch".
	Command string
	// Directory is where its project was looked for.
	Directory string
	Targets   []string
	Since     time.Time
	// Frontends is how many are attached.
	Frontends int
	// Finished says that it has ended.
	Finished bool
}

// Stage says that a step before the scheduler began or went on: loading,
// resolving, cache queries. The last value counts.
type Stage struct {
	// Name is "Loading elements", "Resolving elements", "Initializing remote
	// caches", "Query cache": the reference's words.
	Name string
	// Current and Total count elements; Total is 0 where unknown.
	Current, Total int
	// Done says that the step ended.
	Done    bool
	Elapsed Elapsed
}

// Heading tells what a session works on (reference part F).
type Heading struct {
	Project string
	// ProjectDir is where the project lies.
	ProjectDir string
	Targets    []string
	// Config are the user settings' lines, name and value, in order.
	Config []Pair
	// Projects are the toplevel project and its subprojects.
	Projects []ProjectHeading
	// SessionElements and TotalElements are the counts of the status bar.
	SessionElements, TotalElements int
	// Cached are the session's elements whose artifact is there already.
	Cached int
	// LogDir is where relative log paths start.
	LogDir string
}

// Pair is a name and its value.
type Pair struct{ Name, Value string }

// ProjectHeading is one project's part of the heading.
type ProjectHeading struct {
	Name     string
	Junction string
	LoadedBy string
	Options  []Pair
	// ElementPlugins and SourcePlugins are the kinds in use: name and origin.
	ElementPlugins, SourcePlugins []Pair
	// ArtifactCaches and SourceCaches are the servers in use: URL, and what else
	// tells them apart. No secrets.
	ArtifactCaches, SourceCaches []Pair
}

// ElementShown is one element's line, in bst show, in the heading's pipeline
// and in the closing list of keys. Only the fields that were asked for are set.
type ElementShown struct {
	// Where says which list the line belongs to.
	Where ShownWhere
	Name  string
	Kind  string
	Key   Key
	// State is one of the reference's: no reference, junction, waiting, failed,
	// cached, fetch needed, buildable.
	State       string
	Description string
	// The next are YAML text.
	Config, Vars, Env, Public, SourceInfo string
	Deps, BuildDeps, RuntimeDeps          string
	ArtifactDigest                        string
	Workspaced                            bool
	WorkspaceDirs                         string
}

// ShownWhere is a list of elements.
type ShownWhere uint8

const (
	ShownShow ShownWhere = iota
	ShownPipeline
	ShownResolved
)

// PipelineShown ends the heading's pipeline list: the heading can be drawn.
type PipelineShown struct{}

// MessageType is the reference's MessageType, as its log lines write it.
type MessageType string

const (
	TypeDebug   MessageType = "DEBUG"
	TypeStatus  MessageType = "STATUS"
	TypeInfo    MessageType = "INFO"
	TypeWarning MessageType = "WARNING"
	TypeStart   MessageType = "START"
	TypeSuccess MessageType = "SUCCESS"
	TypeFailure MessageType = "FAILURE"
	TypeSkipped MessageType = "SKIPPED"
	TypeError   MessageType = "ERROR"
	TypeBug     MessageType = "BUG"
)

// Message is a log line that is not the start or end of a job: those are
// JobStarted and JobFinished.
type Message struct {
	Type MessageType
	Time time.Time
	// Elapsed is how long the activity took that the line ends; nil draws as
	// --:--:--.
	Elapsed *Elapsed
	// Action is the queue's action name (Build, Fetch), empty outside jobs.
	Action string
	// Element is the full name, empty for core activity.
	Element string
	Key     Key
	Text    string
	// Detail is further lines, indented when drawn.
	Detail string
	// Job is set inside a job.
	Job JobID
}

// Queue declares a queue, in pipeline order, before its first job.
type Queue struct {
	// Action is "Fetch", Complete "Sources Fetched" (reference part G).
	Action, Complete string
	// Workers is how many of its jobs run at once, at most.
	Workers int
}

// Counts is how far a queue is. The last value counts.
type Counts struct {
	Action                     string
	Processed, Skipped, Failed int
	// Left is how long the jobs that have not begun took in earlier sessions,
	// one after another.
	Left Elapsed
	// Known is how many of the jobs that have not begun Left tells of.
	Known int
}

// JobStarted says that a job runs.
type JobStarted struct {
	Job     JobID
	Action  string
	Element string
	Key     Key
	Time    time.Time
	// At is the session's clock.
	At Elapsed
	// Log is the path of its log file, relative to Heading.LogDir.
	Log string
	// Expected is how long it took in an earlier session, 0 where unknown.
	Expected Elapsed
	// Behind is the longest chain of jobs that wait for this one, each for the
	// one before it.
	Behind int
	// BehindTime is how long that chain took, as far as earlier sessions tell.
	BehindTime Elapsed
}

// JobProgress is how far a job is, where it can tell. The last value counts.
type JobProgress struct {
	Job            JobID
	Current, Total int
	// Bytes says that both count bytes.
	Bytes bool
}

// JobStatus is how a job ended.
type JobStatus uint8

const (
	JobSucceeded JobStatus = iota
	JobSkipped
	JobFailed
	// JobRetried failed and is started anew.
	JobRetried
	JobTerminated
)

// JobFinished says that a job ended.
type JobFinished struct {
	Job     JobID
	Action  string
	Element string
	Key     Key
	Time    time.Time
	// At is the session's clock, Took the job's own time.
	At, Took Elapsed
	Status   JobStatus
	Log      string
	// Text is the message of a skipped or retried job.
	Text string
	// Failure is set for JobFailed and JobRetried.
	Failure *Failure
}

// Failure is a failed job, whole: its error and the tail of its log.
type Failure struct {
	Error Error
	// LogTail are the last lines of the log file, ErrorLines at most.
	LogTail []string
	// LogPath is absolute.
	LogPath string
	// Shell says that StageShell can be ordered for it.
	Shell bool
	// Held says that the scheduler holds until it gets an order.
	Held bool
}

// State says what the scheduler does. The last value counts.
type State struct {
	State SchedulerState
	At    Elapsed
}

// SchedulerState is the one state of a session.
type SchedulerState uint8

const (
	StateLoading SchedulerState = iota
	StateRunning
	StateHeld
	StateQuitting
	StateTerminating
	StateSuspended
)

// CacheUsage is how full the cache is. Quota 0 is infinite.
type CacheUsage struct{ Used, Quota int64 }

// ShellReady answers Shell and StageShell: the sandbox is staged. The frontend
// runs the recipe on its own terminal and sends ShellDone.
type ShellReady struct {
	Shell int
	Job   JobID
	// Argv is run as it stands.
	Argv []string
	// Env is the whole environment of Argv's process, as "NAME=value".
	Env []string
	// Dir is its working directory on the host.
	Dir string
	// Prompt is the reference's heading of the shell: element and key.
	Element string
	Key     Key
}

// ShellRefused answers StageShell where there is nothing to stage.
type ShellRefused struct {
	Job   JobID
	Error Error
}

// CheckoutDone says where a checkout went.
type CheckoutDone struct {
	Target string
	// Tar is the file that the frontend copies to its standard output and
	// removes, when Checkout.TarToStdout was set.
	Tar string
}

// ArtifactShown is one artifact's line in bst artifact show.
type ArtifactShown struct {
	// Name is the element's full name, or the artifact's.
	Name  string
	State ArtifactState
}

// ArtifactState is where an artifact is.
type ArtifactState string

const (
	ArtifactCached    ArtifactState = "cached"
	ArtifactFailed    ArtifactState = "failed"     // cached, of a build that failed
	ArtifactAvailable ArtifactState = "available"  // on a server
	ArtifactNotCached ArtifactState = "not cached" // nowhere
)

// ArtifactContents are files of one artifact. Those of a large one come in several
// events, one after another.
type ArtifactContents struct {
	Name string
	// Begin is set in an artifact's first event.
	Begin bool
	Files []ContentsFile
}

// ContentsFile is a name in an artifact.
type ContentsFile struct {
	// Path is relative to the artifact's root.
	Path string
	// The next are set where the order asked for more.
	Type ContentsType
	Size int64
	// Target is a link's.
	Target string
}

// ContentsType is the type of a ContentsFile.
type ContentsType string

const (
	ContentsRegular    ContentsType = "reg"
	ContentsExecutable ContentsType = "exe"
	ContentsLink       ContentsType = "link"
	ContentsDirectory  ContentsType = "dir"
)

// LogShown says that an artifact's log can be read.
type LogShown struct {
	Name string
	// Path is the file that the frontend copies to its standard output.
	Path string
}

// ProjectMade answers Init.
type ProjectMade struct {
	// Conf is the path of its project.conf.
	Conf string
}

// WorkspacesShown answers ListWorkspaces.
type WorkspacesShown struct {
	// Workspaces are in the order of the project's file.
	Workspaces []OpenWorkspace
}

// OpenWorkspace is an element's.
type OpenWorkspace struct {
	// Element is a full name.
	Element string
	// Directory is absolute.
	Directory string
}

// Completed answers Complete.
type Completed struct {
	// Words begin with the order's. One that ends in a slash or a colon can go on.
	Words []string
}

// Finished is a session's last event.
type Finished struct {
	// Error is nil on success.
	Error *Error
	At    Elapsed
	// Terminated says that the session was ended by an order.
	Terminated bool
	// ShellStatus is the exit status of bst shell's command.
	ShellStatus int
	// Summary is set where the scheduler ran.
	Summary *Summary
	Usage   Usage
}

// Summary is what the reference prints at the end of a session.
type Summary struct {
	// Total and Session count elements.
	Total, Session int
	Queues         []QueueSummary
	// Failures are elements that finally failed, with their messages in order.
	Failures []ElementFailure
}

// QueueSummary is a queue's final counts.
type QueueSummary struct {
	Action                     string
	Processed, Skipped, Failed int
}

// ElementFailure is one entry of the failure summary.
type ElementFailure struct {
	Element string
	Key     Key
	Action  string
	Error   Error
}

// Usage is what the backend used, from the operating system's accounting; zero
// where the backend shares the frontend's process.
type Usage struct {
	UserCPU, SystemCPU time.Duration
	// MaxRSS in bytes.
	MaxRSS int64
	// Events emitted in this session, this one included.
	Events int64
}

func (*Started) event()          {}
func (*Stage) event()            {}
func (*Detached) event()         {}
func (*SessionShown) event()     {}
func (*Heading) event()          {}
func (*ElementShown) event()     {}
func (*PipelineShown) event()    {}
func (*Message) event()          {}
func (*Queue) event()            {}
func (*Counts) event()           {}
func (*JobStarted) event()       {}
func (*JobProgress) event()      {}
func (*JobFinished) event()      {}
func (*State) event()            {}
func (*CacheUsage) event()       {}
func (*ShellReady) event()       {}
func (*ShellRefused) event()     {}
func (*CheckoutDone) event()     {}
func (*Completed) event()        {}
func (*WorkspacesShown) event()  {}
func (*ArtifactShown) event()    {}
func (*ArtifactContents) event() {}
func (*LogShown) event()         {}
func (*ProjectMade) event()      {}
func (*Finished) event()         {}
