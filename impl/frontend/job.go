// What is told of jobs, and what they say: into the log and the status area.

package frontend

import (
	"slices"
	"strings"

	"bst/impl/stream"
)

func (m *Model) message(e *stream.Message) {
	if e.Job != 0 {
		m.step(e)
	}
	failed := isError(e.Type) && e.Element != ""
	if !failed && !m.wantedMessage(e) {
		return
	}
	line := entry{
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
	if failed && e.Job == 0 {
		// A step of a job that failed is told by the job's own end; that of one that
		// was terminated is no failure.
		m.fail(line)
	}
	m.log(&line)
}

// step follows what a job is doing.
func (m *Model) step(e *stream.Message) {
	switch e.Type {
	case stream.TypeStart:
		if j := m.byID[e.Job]; j != nil {
			j.step = e.Text
		}
	case stream.TypeSuccess, stream.TypeFailure:
		if j := m.byID[e.Job]; j != nil && j.step == e.Text {
			j.step = ""
		}
	}
}

func (m *Model) jobStarted(e *stream.JobStarted) {
	if m.byID[e.Job] == nil {
		j := &job{id: e.Job, action: e.Action, element: e.Element, at: e.At,
			expected: e.Expected, behind: e.Behind, behindTime: e.BehindTime}
		m.byID[e.Job] = j
		m.jobs = append(m.jobs, j)
		if m.workFrom == 0 {
			m.workFrom = e.At
		}
	}
	if len(m.broken) > 0 {
		t := task{e.Action, e.Element}
		m.broken = slices.DeleteFunc(m.broken, func(b task) bool { return b == t })
	}
	if !m.listed() {
		return
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
	quiet := e.Status == stream.JobSkipped || e.Status == stream.JobSucceeded && e.Took < worth
	if quiet && !m.listed() {
		return
	}
	line := entry{time: e.Time, elapsed: e.Took, action: e.Action, element: e.Element, key: e.Key,
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
		m.broken = append(m.broken, task{e.Action, e.Element})
		line.typ, line.text = stream.TypeFailure, oneLine(e.Text)
		if f := e.Failure; f != nil {
			text, rest, _ := strings.Cut(clean(f.Error.Message), "\n")
			line.text, line.detail = oneLine(text), joinDetail(rest, clean(f.Error.Detail))
			if f.Error.Cause != "" && m.opts.Debug {
				line.detail = joinDetail(line.detail, "Caused by: "+clean(f.Error.Cause))
			}
			line.fail = f
			if f.Error.Reason == stream.ReasonUnhandled {
				line.typ = stream.TypeBug
			}
			if f.Held {
				m.held = append(m.held, HeldFailure{Job: e.Job, Action: e.Action, Element: e.Element, LogPath: f.LogPath, Shell: f.Shell})
			}
		}
	}
	if isError(line.typ) && e.Element != "" {
		m.fail(line)
	}
	m.log(&line)
}

// fail keeps the line of a failure: of an element the last one, for the summary. It
// is a copy, so that lines of what did not fail need no place of their own.
func (m *Model) fail(line entry) { m.failures[line.element] = &line }

func joinDetail(a, b string) string {
	if a == "" {
		return b
	}
	if b == "" {
		return a
	}
	return strings.TrimSuffix(a, "\n") + "\n" + b
}
