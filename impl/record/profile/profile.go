// Package profile writes the file of --profile: a session as a trace that
// Perfetto and chrome://tracing open (docs/events.md, "A trace").
//
// It knows the trace event format (the JSON Array Format of Chromium's "Trace
// Event Format"), and which events begin and end what. It does not know the
// file, nor the scheduler: a job's lane is the lowest number that is free among
// its queue's jobs, and so that of the token it holds.
package profile

import (
	"encoding/json"
	"io"
	"strconv"
	"time"

	"bst/impl/record"
	"bst/impl/stream"
)

// Lanes that are no job's. Those of queue n begin at (n+1)*queueLanes.
const (
	sessionLane = 1
	stateLane   = 2
	loadLane    = 3
	queueLanes  = 10_000
)

// entry is one element of the trace: see the format's description for the names.
type entry struct {
	Name  string         `json:"name"`
	Cat   string         `json:"cat,omitempty"`
	Phase string         `json:"ph"`
	TS    json.Number    `json:"ts,omitempty"`
	Dur   json.Number    `json:"dur,omitempty"`
	PID   int            `json:"pid"`
	TID   int            `json:"tid"`
	Scope string         `json:"s,omitempty"`
	Color string         `json:"cname,omitempty"`
	Args  map[string]any `json:"args,omitempty"`
}

// process is the trace's one process.
const process = 1

type span struct {
	entry
	from time.Duration
}

type queue struct {
	action string
	lanes  []bool // which are taken
	base   int
	count  int // jobs that run
}

type writer struct {
	to    io.Writer
	title string
	any   bool // something was written
	err   error

	zero     time.Time // when the session began, by this clock
	work     time.Time // the same moment by the backend's
	state    *span
	loading  []span // steps that are under way
	queues   []*queue
	running  map[stream.JobID]*span
	finished bool
}

// New gives the format of --profile. title names the session ("bst build",
// strategy and all).
func New(to io.Writer, title string) record.Format {
	return &writer{to: to, title: title, running: map[stream.JobID]*span{}}
}

// Begin opens the array.
func (w *writer) Begin() error {
	w.text("[")
	w.lane(sessionLane, "session")
	w.lane(stateLane, "scheduler")
	w.lane(loadLane, "loading")
	w.put(&entry{Name: "process_name", Phase: "M", Args: map[string]any{"name": w.title}})
	return w.err
}

// Event tells of what began or ended.
func (w *writer) Event(at time.Time, event stream.Event) error {
	if w.zero.IsZero() {
		w.zero = at
	}
	now := max(at.Sub(w.zero), 0)
	switch e := event.(type) {
	case *stream.Started:
		w.work = e.Time
	case *stream.Stage:
		w.stage(now, e)
	case *stream.State:
		w.setState(now, e.State)
	case *stream.Queue:
		w.queue(e.Action)
	case *stream.Counts:
		w.put(&entry{Name: "elements", Phase: "C", TS: micros(now), Args: map[string]any{
			e.Action + " processed": e.Processed, e.Action + " skipped": e.Skipped, e.Action + " failed": e.Failed}})
	case *stream.CacheUsage:
		w.put(&entry{Name: "cache, bytes", Phase: "C", TS: micros(now), Args: map[string]any{"used": e.Used}})
	case *stream.JobStarted:
		w.jobStarted(w.clock(e.Time, now), e)
	case *stream.JobFinished:
		w.jobFinished(w.clock(e.Time, now), e)
	case *stream.Message:
		w.message(w.clock(e.Time, now), e)
	case *stream.Finished:
		w.finish(now, e)
	}
	return w.err
}

// clock turns the backend's time of day into time since the session began. Only
// differences on one clock are used: the other end may be on another machine.
func (w *writer) clock(t time.Time, now time.Duration) time.Duration {
	if t.IsZero() || w.work.IsZero() {
		return now
	}
	return max(t.Sub(w.work), 0)
}

func (w *writer) stage(now time.Duration, e *stream.Stage) {
	for i := range w.loading {
		if w.loading[i].Name != e.Name {
			continue
		}
		if e.Done {
			w.loading[i].Args = map[string]any{"elements": e.Current}
			// Steps lie within each other: what ends here ends what lies in it.
			w.endLoading(now, i)
		}
		return
	}
	if !e.Done {
		w.loading = append(w.loading, span{entry{Name: e.Name, Cat: "loading", TID: loadLane}, now})
	}
}

func (w *writer) endLoading(now time.Duration, from int) {
	for i := len(w.loading) - 1; i >= from; i-- {
		w.span(&w.loading[i], now)
	}
	w.loading = w.loading[:from]
}

var stateNames = map[stream.SchedulerState]string{
	stream.StateLoading: "loading", stream.StateRunning: "running", stream.StateHeld: "held",
	stream.StateQuitting: "quitting", stream.StateTerminating: "terminating", stream.StateSuspended: "suspended",
}

// stateColors make the states in which nothing new starts stand out.
var stateColors = map[stream.SchedulerState]string{
	stream.StateHeld: "bad", stream.StateSuspended: "grey", stream.StateTerminating: "terrible",
}

func (w *writer) setState(now time.Duration, s stream.SchedulerState) {
	name := stateNames[s]
	if w.state != nil && w.state.Name == name {
		return
	}
	if w.state != nil {
		w.span(w.state, now)
	}
	w.state = &span{entry{Name: name, Cat: "state", TID: stateLane, Color: stateColors[s]}, now}
}

func (w *writer) queue(action string) *queue {
	for _, q := range w.queues {
		if q.action == action {
			return q
		}
	}
	q := &queue{action: action, base: (len(w.queues) + 1) * queueLanes}
	w.queues = append(w.queues, q)
	return q
}

func (w *writer) jobStarted(at time.Duration, e *stream.JobStarted) {
	if w.running[e.Job] != nil {
		return
	}
	q := w.queue(e.Action)
	lane := 0
	for lane < len(q.lanes) && q.lanes[lane] {
		lane++
	}
	if lane == len(q.lanes) {
		q.lanes = append(q.lanes, false)
		w.lane(q.base+lane, e.Action+" "+strconv.Itoa(lane+1))
	}
	q.lanes[lane] = true
	q.count++
	w.running[e.Job] = &span{entry{Name: e.Element, Cat: e.Action, TID: q.base + lane,
		Args: map[string]any{"job": int(e.Job), "key": e.Key.Full, "log": e.Log}}, at}
	w.counts(at)
}

var statusNames = map[stream.JobStatus]string{
	stream.JobSucceeded: "succeeded", stream.JobSkipped: "skipped", stream.JobFailed: "failed",
	stream.JobRetried: "retried", stream.JobTerminated: "terminated",
}

var statusColors = map[stream.JobStatus]string{
	stream.JobSkipped: "grey", stream.JobFailed: "terrible", stream.JobRetried: "bad", stream.JobTerminated: "grey",
}

func (w *writer) jobFinished(at time.Duration, e *stream.JobFinished) {
	s := w.running[e.Job]
	if s == nil {
		return
	}
	s.Args["status"], s.Color = statusNames[e.Status], statusColors[e.Status]
	if e.Text != "" {
		s.Args["text"] = e.Text
	}
	if e.Failure != nil {
		s.Args["error"] = e.Failure.Error.Message
	}
	w.endJob(e.Job, s, at)
	w.counts(at)
}

func (w *writer) endJob(id stream.JobID, s *span, at time.Duration) {
	delete(w.running, id)
	w.span(s, at)
	q := w.queue(s.Cat)
	q.lanes[s.TID-q.base] = false
	q.count--
}

func (w *writer) counts(at time.Duration) {
	args := make(map[string]any, len(w.queues))
	for _, q := range w.queues {
		args[q.action] = q.count
	}
	w.put(&entry{Name: "running jobs", Phase: "C", TS: micros(at), Args: args})
}

// message shows what a person should see as a mark on its job's lane.
func (w *writer) message(at time.Duration, e *stream.Message) {
	switch e.Type {
	case stream.TypeWarning, stream.TypeError, stream.TypeFailure, stream.TypeBug:
	default:
		return
	}
	mark := entry{Name: string(e.Type) + " " + e.Text, Cat: "message", Phase: "i", TS: micros(at), TID: sessionLane, Scope: "t",
		Args: map[string]any{"element": e.Element, "detail": e.Detail}}
	if s := w.running[e.Job]; s != nil {
		mark.TID = s.TID
	}
	w.put(&mark)
}

func (w *writer) finish(now time.Duration, e *stream.Finished) {
	args := map[string]any{"status": "succeeded"}
	switch {
	case e.Terminated:
		args["status"] = "terminated"
	case e.Error != nil:
		args["status"] = "failed"
	}
	if e.Error != nil {
		args["error"] = e.Error.Message
	}
	w.end(now, args)
}

// end closes all that is open.
func (w *writer) end(now time.Duration, args map[string]any) {
	if w.finished {
		return
	}
	w.finished = true
	w.endLoading(now, 0)
	for id, s := range w.running {
		s.Args["status"], s.Color = "unknown: the session ended first", "grey"
		w.endJob(id, s, max(now, s.from))
	}
	if w.state != nil {
		w.span(w.state, now)
	}
	w.span(&span{entry{Name: w.title, Cat: "session", TID: sessionLane, Args: args}, 0}, now)
}

// Lost marks where events are missing.
func (w *writer) Lost(at time.Time, n int) error {
	w.put(&entry{Name: strconv.Itoa(n) + " events are missing here", Cat: "message", Phase: "i", Scope: "g",
		TS: micros(max(at.Sub(w.zero), 0)), TID: sessionLane})
	return w.err
}

// End closes the array, and before it whatever is open: the backend may have
// gone without a word.
func (w *writer) End(at time.Time) error {
	if !w.zero.IsZero() {
		w.end(max(at.Sub(w.zero), 0), map[string]any{"status": "the backend was lost"})
	}
	w.text("\n]\n")
	return w.err
}

func (w *writer) lane(tid int, name string) {
	w.put(&entry{Name: "thread_name", Phase: "M", TID: tid, Args: map[string]any{"name": name}})
	w.put(&entry{Name: "thread_sort_index", Phase: "M", TID: tid, Args: map[string]any{"sort_index": tid}})
}

// span writes what lasted until now.
func (w *writer) span(s *span, now time.Duration) {
	s.Phase, s.TS, s.Dur = "X", micros(s.from), micros(max(now-s.from, 0))
	w.put(&s.entry)
}

// micros is a time in the format's unit.
func micros(d time.Duration) json.Number {
	return json.Number(strconv.FormatFloat(float64(d)/1000, 'f', 3, 64))
}

func (w *writer) put(e *entry) {
	if w.err != nil {
		return
	}
	e.PID = process
	data, err := json.Marshal(e)
	if err != nil {
		w.err = err
		return
	}
	if w.any {
		w.text(",")
	}
	w.any = true
	w.text("\n" + string(data))
}

func (w *writer) text(s string) {
	if w.err == nil {
		_, w.err = io.WriteString(w.to, s)
	}
}
