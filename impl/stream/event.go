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
}

// Counts is how far a queue is. The last value counts.
type Counts struct {
	Action                     string
	Processed, Skipped, Failed int
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
}

// JobProgress is how far a job is, where it can tell. The last value counts.
type JobProgress struct {
	Job            JobID
	Current, Total int
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

func (*Started) event()       {}
func (*Stage) event()         {}
func (*Heading) event()       {}
func (*ElementShown) event()  {}
func (*PipelineShown) event() {}
func (*Message) event()       {}
func (*Queue) event()         {}
func (*Counts) event()        {}
func (*JobStarted) event()    {}
func (*JobProgress) event()   {}
func (*JobFinished) event()   {}
func (*State) event()         {}
func (*CacheUsage) event()    {}
func (*ShellReady) event()    {}
func (*ShellRefused) event()  {}
func (*CheckoutDone) event()  {}
func (*Finished) event()      {}
