package frontend

import (
	"strings"
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
	// ConfigFile is the user configuration that was read, "" for none.
	ConfigFile string
	// Subtasks tells of every step how much it did, not only of long ones.
	Subtasks bool
	// Fold leaves out the starts of what ends soon after: see fold.go.
	Fold bool
	// Copy keeps a copy of the log without colours: see TakeCopy.
	Copy bool
	// Location is the time zone of wall clocks; nil is the local one.
	Location *time.Location
}

// Model is what a session looks like. It is not safe for concurrent use: one
// goroutine owns it.
type Model struct {
	opts Options
	line logLine

	err, out pen
	outHeld  int    // newlines that end the output so far, not yet written
	waiting  []item // what err gets with the next frame, where lines are folded
	waits    int    // its size, in bytes, roughly
	now      time.Time
	copy     pen

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
	shells    []*stream.ShellReady
	refused   []*stream.ShellRefused
	checkouts []*stream.CheckoutDone
	finished  *stream.Finished
	scheduled bool // the scheduler ran
}

type queue struct {
	action, complete           string
	processed, skipped, failed int
}

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
	m.pipeline.color, m.resolved.color = o.Color, o.Color
	return m
}

// Begin prints a session's first line.
func (m *Model) Begin(now time.Time) {
	m.now, m.clock.start = now, now
	if m.opts.Session != "" {
		m.log(&entry{typ: stream.TypeStart, time: now, elapsed: noTime, text: m.opts.Session})
	}
}

// Apply takes events in, at the moment now.
func (m *Model) Apply(now time.Time, events ...stream.Event) {
	m.now = now
	for _, e := range events {
		m.apply(now, e)
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
	case *stream.Stage:
		m.stage(now, e)
	case *stream.Heading:
		m.heading = e
	case *stream.ElementShown:
		m.shown(e)
	case *stream.PipelineShown:
		m.head()
	case *stream.Message:
		m.message(e)
	case *stream.Queue:
		m.queue(e.Action).complete = e.Complete
	case *stream.Counts:
		q := m.queue(e.Action)
		q.processed, q.skipped, q.failed = e.Processed, e.Skipped, e.Failed
	case *stream.JobStarted:
		m.jobStarted(e)
	case *stream.JobProgress:
		if j := m.byID[e.Job]; j != nil {
			j.current, j.total = e.Current, e.Total
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
	if !m.opts.Fold {
		m.line.render(&m.err, e)
		return
	}
	m.waiting = append(m.waiting, item{at: m.now, entry: e})
	m.waits += usualLine + len(e.detail)
}

// usualLine is about what a line takes, in bytes.
const usualLine = 256

// text adds text to the log.
func (m *Model) text(write func(*pen)) {
	if m.opts.Copy {
		write(&m.copy)
		m.copy.end()
	}
	if !m.opts.Fold {
		write(&m.err)
		return
	}
	p := pen{color: m.opts.Color}
	write(&p)
	p.end()
	m.waiting = append(m.waiting, item{at: m.now, text: p.buf})
	m.waits += len(p.buf)
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
	m.log(&entry{typ: stream.TypeSuccess, time: now, elapsed: e.Elapsed, text: e.Name, detail: detail})
	m.stages = append(m.stages[:index], m.stages[index+1:]...)
}

func (m *Model) shown(e *stream.ElementShown) {
	switch e.Where {
	case stream.ShownPipeline:
		if m.opts.ElementFormat != nil {
			m.opts.ElementFormat.render(&m.pipeline, e, m.opts.KeyLength)
			m.pipeline.newline()
		}
	case stream.ShownResolved:
		if m.opts.ElementFormat != nil {
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

// head prints the heading of a session.
func (m *Model) head() {
	if m.opts.Session == "" || m.heading == nil {
		return
	}
	m.text(func(p *pen) {
		pipeline := m.pipeline.buf
		if !p.color {
			pipeline = StripEscapes(pipeline)
		}
		headingText(p, m.heading, &m.started, m.opts.ConfigFile, m.opts.Location, pipeline)
	})
	m.pipeline.buf = nil
	m.headed = true
}

func (m *Model) message(e *stream.Message) {
	if e.Type == stream.TypeStatus && !m.opts.Verbose {
		return
	}
	line := &entry{
		typ:     e.Type,
		time:    e.Time,
		elapsed: noTime,
		action:  e.Action,
		element: e.Element,
		key:     e.Key,
		text:    oneLine(e.Text),
		detail:  clean(e.Detail),
		job:     e.Job,
	}
	if e.Elapsed != nil {
		line.elapsed = *e.Elapsed
	}
	if isError(e.Type) && e.Element != "" {
		m.failures[e.Element] = line
	}
	m.log(line)
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

func (m *Model) jobStarted(e *stream.JobStarted) {
	if m.byID[e.Job] == nil {
		j := &job{id: e.Job, action: e.Action, element: e.Element, at: e.At}
		m.byID[e.Job] = j
		m.jobs = append(m.jobs, j)
	}
	m.log(&entry{typ: stream.TypeStart, time: e.Time, elapsed: noTime, action: e.Action,
		element: e.Element, key: e.Key, text: e.Action, log: e.Log, job: e.Job, part: partStart})
}

func (m *Model) jobFinished(e *stream.JobFinished) {
	if j := m.byID[e.Job]; j != nil {
		delete(m.byID, e.Job)
		for i := range m.jobs {
			if m.jobs[i] == j {
				m.jobs = append(m.jobs[:i], m.jobs[i+1:]...)
				break
			}
		}
	}
	line := &entry{time: e.Time, elapsed: e.Took, action: e.Action, element: e.Element, key: e.Key,
		job: e.Job, part: partEnd}
	switch e.Status {
	case stream.JobSucceeded:
		line.typ, line.text, line.log = stream.TypeSuccess, e.Action, e.Log
	case stream.JobSkipped:
		line.typ, line.text = stream.TypeSkipped, oneLine(e.Text)
	case stream.JobTerminated:
		// The reference says this outside the job.
		line.typ, line.text, line.action, line.elapsed = stream.TypeInfo, "Job terminated", "", noTime
	case stream.JobRetried:
		line.typ, line.text, line.fail = stream.TypeFailure, oneLine(e.Text), e.Failure
		if e.Failure != nil && m.opts.Debug {
			line.detail = clean(e.Failure.Error.Message)
		}
	case stream.JobFailed:
		line.typ, line.text = stream.TypeFailure, oneLine(e.Text)
		if f := e.Failure; f != nil {
			text, rest, _ := strings.Cut(clean(f.Error.Message), "\n")
			line.text, line.detail = oneLine(text), joinDetail(rest, clean(f.Error.Detail))
			if f.Error.Cause != "" && m.opts.Debug {
				line.detail = joinDetail(line.detail, "Caused by: "+clean(f.Error.Cause))
			}
			line.fail = f
			if f.Held {
				m.held = append(m.held, HeldFailure{Job: e.Job, Action: e.Action, Element: e.Element, LogPath: f.LogPath, Shell: f.Shell})
			}
		}
	}
	if line.typ == stream.TypeFailure && e.Element != "" {
		m.failures[e.Element] = line
	}
	m.log(line)
}

func joinDetail(a, b string) string {
	if a == "" {
		return b
	}
	if b == "" {
		return a
	}
	return strings.TrimSuffix(a, "\n") + "\n" + b
}

// TakeLog gives the text for the standard error stream since the last call. all
// gives the lines too that are held back while they may be overtaken.
func (m *Model) TakeLog(now time.Time, all bool) []byte {
	if len(m.waiting) > 0 {
		draw, hold := fold(m.waiting, now, all)
		for _, it := range draw {
			if it.entry != nil {
				m.line.render(&m.err, it.entry)
				continue
			}
			m.err.end()
			m.err.buf = append(m.err.buf, it.text...)
		}
		m.waiting, m.waits = hold, usualLine*len(hold)
	}
	m.err.end()
	buf := m.err.buf
	m.err.buf = nil
	return buf
}

// TakeCopy gives the whole log since the last call, without colours, where
// Options.Copy asks for it.
func (m *Model) TakeCopy() []byte {
	buf := m.copy.buf
	m.copy.buf = nil
	return buf
}

// TakeOutput gives the text for the standard output since the last call.
func (m *Model) TakeOutput() []byte {
	buf := m.out.buf
	m.out.buf = nil
	return buf
}

// Pending is how many bytes, roughly, TakeLog and TakeOutput would give.
func (m *Model) Pending() int { return len(m.err.buf) + m.waits + len(m.out.buf) }

// State is the scheduler's.
func (m *Model) State() stream.SchedulerState { return m.state }

// Scheduled says that the scheduler has run: before that, ^C simply ends the
// session.
func (m *Model) Scheduled() bool { return m.scheduled }

// Lively says that something is running whose clock ticks in the status area.
func (m *Model) Lively() bool {
	return (len(m.jobs) > 0 || len(m.stages) > 0) && !m.clock.frozen
}

// TakeHeld gives the next failure that the scheduler holds for.
func (m *Model) TakeHeld() (HeldFailure, bool) {
	if len(m.held) == 0 {
		return HeldFailure{}, false
	}
	h := m.held[0]
	m.held = m.held[1:]
	return h, true
}

// HeldCount is how many failures wait to be asked about.
func (m *Model) HeldCount() int { return len(m.held) }

// DropHeld forgets the failures that wait: the session is being ended.
func (m *Model) DropHeld() { m.held = nil }

// TakeShell gives the next shell that is ready to be run.
func (m *Model) TakeShell() *stream.ShellReady {
	if len(m.shells) == 0 {
		return nil
	}
	s := m.shells[0]
	m.shells = m.shells[1:]
	return s
}

// TakeRefusal gives the next refusal to stage a shell.
func (m *Model) TakeRefusal() *stream.ShellRefused {
	if len(m.refused) == 0 {
		return nil
	}
	r := m.refused[0]
	m.refused = m.refused[1:]
	return r
}

// TakeCheckout gives the next checkout that is done.
func (m *Model) TakeCheckout() *stream.CheckoutDone {
	if len(m.checkouts) == 0 {
		return nil
	}
	c := m.checkouts[0]
	m.checkouts = m.checkouts[1:]
	return c
}

// Finished is the session's last event, nil until it came.
func (m *Model) Finished() *stream.Finished { return m.finished }

// Project is the toplevel project's name, "" while unknown.
func (m *Model) Project() string {
	if m.heading == nil {
		return ""
	}
	return m.heading.Project
}
