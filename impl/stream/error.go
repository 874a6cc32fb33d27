package stream

import "strconv"

// Domain is an error's domain, by the reference's name (ErrorDomain in its
// _exceptions.py; part H of the reference).
type Domain string

const (
	DomainPlugin         Domain = "PLUGIN"
	DomainLoad           Domain = "LOAD"
	DomainImpl           Domain = "IMPL"
	DomainPlatform       Domain = "PLATFORM"
	DomainSandbox        Domain = "SANDBOX"
	DomainArtifact       Domain = "ARTIFACT"
	DomainPipeline       Domain = "PIPELINE"
	DomainUtil           Domain = "UTIL"
	DomainSource         Domain = "SOURCE"
	DomainElement        Domain = "ELEMENT"
	DomainApp            Domain = "APP"
	DomainStream         Domain = "STREAM"
	DomainVirtualFS      Domain = "VIRTUAL_FS"
	DomainCAS            Domain = "CAS"
	DomainProfile        Domain = "PROF"
	DomainArtifactElt    Domain = "ARTIFACT_ELT"
	DomainSourceCacheErr Domain = "SOURCE_CACHE"
)

// ReasonUnhandled is that of a bug in bst, which the reference reports as BUG.
const ReasonUnhandled = "unhandled"

// Error is the one form of error that a person sees and that crosses the wire:
// a value, never an interface. Every package of the backend returns *Error for
// what the user must act on.
type Error struct {
	Domain Domain
	// Reason is stable and machine-readable: the name of a LoadErrorReason
	// ("INVALID_DATA") or one of the reference's literal reasons
	// ("missing-command"). Empty where the reference has none.
	Reason string
	// Message is one sentence; where it concerns a file it starts with the
	// provenance "file [line L column C]: ".
	Message string
	// Detail is further text, lines that the frontend indents. May be empty.
	Detail string
	// Temporary says that trying again may help (network tasks).
	Temporary bool
	// Sandbox says that the failure left a build that a shell can be opened in.
	Sandbox bool
	// Cause is the text of the underlying error, for --debug.
	Cause string
	// TaskDomain and TaskReason are those of the last failed task, in an error
	// that ends a session.
	TaskDomain Domain
	TaskReason string
}

func (e *Error) Error() string { return e.Message }

// Provenance is a place in a file of the project.
type Provenance struct {
	// File is as the user should see it: relative to the project, prefixed by
	// its junction where it has one.
	File string
	// Line and Column count as the reference's do: lines from 1, columns from 0.
	Line, Column int
}

// String gives the reference's form, "file [line L column C]".
func (p Provenance) String() string {
	return p.File + " [line " + strconv.Itoa(p.Line) + " column " + strconv.Itoa(p.Column) + "]"
}
