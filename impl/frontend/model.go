package frontend

import (
	"time"

	"bst/impl/stream"
)

// Options are a Model's settings: all that does not come as an event.
type Options struct {
	// Session is what a session is called in its first and last line ("Build");
	// empty for commands that are none (show, checkout, shell).
	Session string
	// Shell says that the order asked for a shell: its errors say so.
	Shell bool
	// Color turns escape sequences on.
	Color bool
	// Verbose shows status messages and the tails of failed logs.
	Verbose, Debug bool
	// KeyLength is how many digits of a key a log line shows.
	KeyLength int
	// ErrorLines and MessageLines bound a log's tail and a message's detail.
	ErrorLines, MessageLines int
	MessageFormat            *MessageFormat
	// ElementFormat draws the heading's pipeline, ShowFormat bst show.
	ElementFormat, ShowFormat *ElementFormat
	// Contents says that the order asked for the contents of artifacts: none at all
	// is a failure.
	Contents bool
	// ConfigFile is the user configuration that was read, "" for none.
	ConfigFile string
	// Subtasks tells of every step how much it did, not only of long ones.
	Subtasks bool
	// Style says which lines the log has.
	Style Style
	// Copy keeps a copy of the log without colours: see TakeCopy.
	Copy bool
	// Groups divides the log as a CI system has it.
	Groups Groups
	// Quiet is how long the full style may say nothing before a line tells how far
	// the session is, for those who wait for a log; 0 is for ever.
	Quiet time.Duration
	// Links makes links of the paths of log files (OSC 8). Host is the name of
	// this machine, which such links carry.
	Links bool
	Host  string
	// Location is the time zone of wall clocks; nil is the local one.
	Location *time.Location
}

// Model is what a session looks like. It is not safe for concurrent use: one
// goroutine owns it.
type Model struct {
	opts Options
	line logLine

	err, out pen
	outHeld  int // newlines that end the output so far, not yet written
	copy     pen
	group    string    // the open one
	lastLine time.Time // when err last grew

	started  stream.Started
	clock    sessionClock
	state    stream.SchedulerState
	stages   []stage
	anyStage bool

	heading   *stream.Heading
	pipeline  pen
	resolved  pen
	headed    bool // the heading was printed: a summary will be due
	queues    []queue
	cache     *stream.CacheUsage
	jobs      []*job // running, in the order in which they started
	byID      map[stream.JobID]*job
	held      []HeldFailure
	failures  map[string]*entry // the last failure of each element
	broken    []task            // what failed for good and was not retried, in order
	workFrom  time.Duration     // when the first job started
	stageEnd  time.Duration     // when the last step ended
	beat      time.Duration     // between the last line that told how far it is and the next
	nextBeat  time.Time
	shells    []*stream.ShellReady
	refused   []*stream.ShellRefused
	checkouts []*stream.CheckoutDone
	logs      []*stream.LogShown
	// listing says that artifacts were listed, and how the list stands.
	listing   listing
	finished  *stream.Finished
	scheduled bool // the scheduler ran
	left      bool // the session goes on without this frontend
}

type queue struct {
	action, complete           string
	processed, skipped, failed int
	workers                    int
	left                       time.Duration // what its jobs that have not begun may take
	known                      int           // how many of them an earlier build tells of
}

// task is what a job did to which element.
type task struct{ action, element string }

// stage is a step before the scheduler.
type stage struct {
	name           string
	current, total int
	at             time.Duration
}

type job struct {
	id              stream.JobID
	action, element string
	at              time.Duration
	current, total  int
	bytes           bool          // of both
	step            string        // what it is doing, as it last said
	expected        time.Duration // from earlier builds, 0 for unknown
	behind          int           // the longest chain of jobs that waits for it
	behindTime      time.Duration
}

// HeldFailure is a failure that the scheduler holds for.
type HeldFailure struct {
	Job     stream.JobID
	Action  string
	Element string
	LogPath string
	Shell   bool
}

// sessionClock follows the backend's clock, which stands still while it is
// suspended.
type sessionClock struct {
	start  time.Time
	frozen bool
	at     time.Duration
}

func (c *sessionClock) elapsed(now time.Time) time.Duration {
	if c.frozen {
		return c.at
	}
	if c.start.IsZero() || now.Before(c.start) {
		return 0
	}
	return now.Sub(c.start)
}

// New makes a model.
func New(o Options) *Model {
	if o.Location == nil {
		o.Location = time.Local
	}
	m := &Model{
		opts:     o,
		byID:     make(map[stream.JobID]*job),
		failures: make(map[string]*entry),
		line: logLine{
			format:       o.MessageFormat,
			keyLength:    o.KeyLength,
			messageLines: o.MessageLines,
			errorLines:   o.ErrorLines,
			verbose:      o.Verbose,
			debug:        o.Debug,
			location:     o.Location,
		},
	}
	m.err.color, m.out.color = o.Color, o.Color
	if o.Links {
		m.err.links = "file://" + o.Host
	}
	m.pipeline.color, m.resolved.color = o.Color, o.Color
	return m
}

// Begin prints a session's first line.
func (m *Model) Begin(now time.Time) {
	m.clock.start, m.lastLine = now, now
	m.openGroup(now, "Loading")
	if m.opts.Session != "" {
		m.log(&entry{typ: stream.TypeStart, time: now, elapsed: noTime, text: m.opts.Session})
	}
}

// Apply takes events in, at the moment now.
func (m *Model) Apply(now time.Time, events ...stream.Event) {
	before := len(m.err.buf)
	for _, e := range events {
		m.apply(now, e)
	}
	if len(m.err.buf) > before {
		m.lastLine = now
	}
}

func (m *Model) apply(now time.Time, event stream.Event) {
	switch e := event.(type) {
	case *stream.Started:
		m.started = *e
		m.line.pid = e.PID
		if !e.Time.IsZero() {
			m.clock.start = e.Time
		}
	case *stream.Detached:
		m.left = true
	case *stream.Stage:
		m.stage(now, e)
	case *stream.Heading:
		m.heading = e
	case *stream.ElementShown:
		m.shown(e)
	case *stream.PipelineShown:
		m.head()
		m.openGroup(now, m.opts.Session)
	case *stream.Message:
		m.message(e)
	case *stream.Queue:
		q := m.queue(e.Action)
		q.complete, q.workers = e.Complete, e.Workers
	case *stream.Counts:
		q := m.queue(e.Action)
		q.processed, q.skipped, q.failed = e.Processed, e.Skipped, e.Failed
		q.left, q.known = e.Left, e.Known
	case *stream.JobStarted:
		m.jobStarted(e)
	case *stream.JobProgress:
		if j := m.byID[e.Job]; j != nil {
			j.current, j.total, j.bytes = e.Current, e.Total, e.Bytes
		}
	case *stream.JobFinished:
		m.jobFinished(e)
	case *stream.State:
		m.setState(now, e)
	case *stream.CacheUsage:
		m.cache = e
	case *stream.ShellReady:
		m.shells = append(m.shells, e)
	case *stream.ShellRefused:
		m.refused = append(m.refused, e)
	case *stream.WorkspacesShown:
		m.workspaces(e)
	case *stream.ArtifactShown:
		m.artifactShown(e)
	case *stream.ArtifactContents:
		m.contents(e)
	case *stream.LogShown:
		m.logs = append(m.logs, e)
	case *stream.ProjectMade:
		m.text(func(p *pen) { p.raw("\nCreated project.conf at: " + e.Conf + "\n") })
	case *stream.CheckoutDone:
		m.checkouts = append(m.checkouts, e)
	case *stream.Finished:
		m.finished = e
		// A step that was under way is what failed, the innermost first.
		if e.Error != nil && !e.Terminated {
			for i := len(m.stages) - 1; i >= 0; i-- {
				s := &m.stages[i]
				m.log(&entry{typ: stream.TypeFailure, time: now, elapsed: max(e.At-s.at, 0), text: s.name})
			}
		}
		m.stages, m.jobs = nil, nil
		clear(m.byID)
	}
}

func (m *Model) setState(now time.Time, e *stream.State) {
	if e.State == stream.StateSuspended {
		m.clock.frozen, m.clock.at = true, e.At
	} else if m.clock.frozen {
		m.clock.frozen = false
		m.clock.start = now.Add(-e.At)
	}
	m.state = e.State
	if e.State != stream.StateLoading && e.State != stream.StateSuspended {
		m.scheduled = true
	}
}

// log adds a line to the log.
func (m *Model) log(e *entry) {
	if m.opts.Copy {
		m.line.render(&m.copy, e)
	}
	if m.wanted(e) {
		m.line.render(&m.err, e)
	}
}

// text adds text to the log.
func (m *Model) text(write func(*pen)) {
	if m.opts.Copy {
		write(&m.copy)
		m.copy.end()
	}
	write(&m.err)
	m.err.end()
}

// stage turns a step's first and last value into a START and a SUCCESS line.
func (m *Model) stage(now time.Time, e *stream.Stage) {
	m.anyStage = true
	index := -1
	for i := range m.stages {
		if m.stages[i].name == e.Name {
			index = i
		}
	}
	if index < 0 {
		at := m.clock.elapsed(now)
		if e.Done {
			at -= e.Elapsed
		}
		m.stages = append(m.stages, stage{name: e.Name, at: at})
		index = len(m.stages) - 1
		m.log(&entry{typ: stream.TypeStart, time: now, elapsed: noTime, text: e.Name})
	}
	s := &m.stages[index]
	s.current, s.total = e.Current, e.Total
	if !e.Done {
		return
	}
	detail := ""
	// A step that took long tells how much it did, as in the reference.
	if (e.Elapsed > 3*time.Second || m.opts.Subtasks) && e.Current > 0 {
		detail = itoa(e.Current)
		if e.Total > 0 {
			detail += " of " + itoa(e.Total)
		}
		detail += " subtasks processed"
	}
	m.log(&entry{typ: stream.TypeSuccess, time: now, elapsed: e.Elapsed, text: e.Name, detail: detail, part: partEnd})
	m.stages = append(m.stages[:index], m.stages[index+1:]...)
	m.stageEnd = m.clock.elapsed(now)
}

func (m *Model) shown(e *stream.ElementShown) {
	switch e.Where {
	case stream.ShownPipeline:
		if m.opts.ElementFormat != nil && m.listed() {
			m.opts.ElementFormat.render(&m.pipeline, e, m.opts.KeyLength)
			m.pipeline.newline()
		}
	case stream.ShownResolved:
		if m.opts.ElementFormat != nil && m.listed() {
			m.opts.ElementFormat.render(&m.resolved, e, m.opts.KeyLength)
			m.resolved.newline()
		}
	case stream.ShownShow:
		if m.opts.ShowFormat == nil {
			return
		}
		// The report's last newlines are dropped and one is added, so newlines
		// wait until something follows them.
		for ; m.outHeld > 0; m.outHeld-- {
			m.out.newline()
		}
		start := len(m.out.buf)
		m.opts.ShowFormat.render(&m.out, e, m.opts.KeyLength)
		m.out.end()
		for len(m.out.buf) > start && m.out.buf[len(m.out.buf)-1] == '\n' {
			m.out.buf = m.out.buf[:len(m.out.buf)-1]
			m.outHeld++
		}
		m.outHeld++
	}
}

// listed says that somebody reads lists of elements.
func (m *Model) listed() bool { return m.opts.Style == Full || m.opts.Copy }

// head prints the heading of a session.
func (m *Model) head() {
	if m.opts.Session == "" || m.heading == nil {
		return
	}
	whole := func(p *pen) {
		pipeline := m.pipeline.buf
		if !p.color {
			pipeline = StripEscapes(pipeline)
		}
		headingText(p, m.heading, &m.started, m.opts.ConfigFile, m.opts.Location, pipeline)
		p.end()
	}
	if m.opts.Copy {
		whole(&m.copy)
	}
	if m.opts.Style == Full {
		whole(&m.err)
	} else {
		m.milestone(&m.err)
	}
	m.line.logDir = m.heading.LogDir
	m.pipeline.buf = nil
	m.headed = true
}

func (m *Model) queue(action string) *queue {
	for i := range m.queues {
		if m.queues[i].action == action {
			return &m.queues[i]
		}
	}
	m.queues = append(m.queues, queue{action: action, complete: action})
	return &m.queues[len(m.queues)-1]
}

// Session names the session for bst attach, "" where it cannot be left.
func (m *Model) Session() string { return m.started.ID }

// Left says that the session goes on without this frontend.
func (m *Model) Left() bool { return m.left }
