package frontend

import (
	"time"

	"bst/impl/stream"
)

// Style says which lines of the log a person gets.
//
// The rule of the digest, which docs/ui.md tells to people:
//
//   - What went wrong is there, whole: warnings, errors, failures with their
//     detail and the tail of their log, and retries.
//   - A task that succeeded has one line, if it took worth seconds or more. One
//     that was quicker is a number in the status area.
//   - Milestones are there: what the session is about, once it is loaded; how it
//     ended, with the counts of each queue. A step of loading that took worth
//     seconds or more has one line.
//   - What the frontend itself says is there: questions, answers, notices.
//   - The rest is left out: starts, steps inside tasks, the commands that tasks
//     run, status and information of tasks, skipped tasks, the configuration,
//     the list of elements and of their keys. It stands in the tasks' logs, and
//     with --log-file in that file, in the reference's form.
//
// So what a person reads grows with what went wrong and with the time that
// passed, not with the number of elements.
type Style uint8

const (
	// Full is every line of the reference, in its form.
	Full Style = iota
	// Digest is what matters.
	Digest
	// Plain is the digest for those for whom nothing is drawn in place (screen
	// readers, terminals that cannot): how far the session is, is told by lines
	// of their own. See Heartbeat.
	Plain
)

// Styles are the names of the styles, as logging.style and --style have them.
var Styles = []string{"full", "digest", "plain"}

// ParseStyle is the style of a name of Styles.
func ParseStyle(name string) (Style, bool) {
	for i, s := range Styles {
		if s == name {
			return Style(i), true
		}
	}
	return Full, false
}

// worth is how long a task or step takes that is worth a line of its own.
const worth = 2 * time.Second

// wanted says that a line belongs into the log as a person sees it.
func (m *Model) wanted(e *entry) bool {
	if m.opts.Style == Full {
		return true
	}
	switch e.typ {
	case stream.TypeWarning, stream.TypeError, stream.TypeBug:
		return true
	case stream.TypeFailure:
		// A step inside a task that failed ends the task too, which tells more.
		return e.job == 0 || e.part != partInside
	case stream.TypeSuccess:
		return e.part == partClose || e.part == partEnd && e.elapsed >= worth
	case stream.TypeInfo, stream.TypeDebug:
		return e.job == 0 && e.part != partEnd
	}
	return false
}

// wantedMessage is wanted for what a backend says, before an entry is made of
// it: nothing is formatted that nobody sees.
func (m *Model) wantedMessage(e *stream.Message) bool {
	if m.opts.Style == Full || m.opts.Copy {
		return e.Type != stream.TypeStatus || m.opts.Verbose
	}
	return m.wanted(&entry{typ: e.Type, job: e.Job})
}

// milestone tells what a session is about, in place of the heading.
func (m *Model) milestone(p *pen) {
	h := m.heading
	p.write(contentBold, m.opts.Session)
	p.write(format, ": ")
	p.write(content, oneLine(h.Project))
	p.write(format, ", ")
	p.write(content, itoa(h.SessionElements))
	p.write(format, plural(" element", h.SessionElements)+", ")
	switch {
	case h.Cached >= h.SessionElements:
		p.write(format, "all cached")
	case h.Cached > 0:
		p.write(content, itoa(h.Cached))
		p.write(format, " of them cached")
	default:
		p.write(format, "none of them cached")
	}
	p.newline()
}

func plural(word string, n int) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// The times between two lines that tell how far a session is: they come less
// often the longer it takes, so that a build of a day has not a thousand.
const (
	firstHeartbeat = 10 * time.Second
	lastHeartbeat  = 5 * time.Minute
)

// Heartbeat adds a line that tells how far the session is, where the style is
// Plain, or Full and Options.Quiet has passed, and one is due. It returns when the next one is due, the zero time
// where none will be.
func (m *Model) Heartbeat(now time.Time) time.Time {
	if m.finished != nil || m.clock.frozen || (len(m.jobs) == 0 && len(m.stages) == 0) {
		return time.Time{}
	}
	switch m.opts.Style {
	case Plain:
	case Full:
		return m.unquiet(now)
	default:
		return time.Time{}
	}
	if m.nextBeat.IsZero() {
		m.beat, m.nextBeat = firstHeartbeat, now.Add(firstHeartbeat)
	}
	if !now.Before(m.nextBeat) {
		m.heartbeat(&m.err, now) // no line of the reference: the copy has none
		m.beat = min(m.beat*3/2, lastHeartbeat)
		m.nextBeat = now.Add(m.beat)
	}
	return m.nextBeat
}

// unquiet is Heartbeat where every line is shown, and none came for a while.
func (m *Model) unquiet(now time.Time) time.Time {
	if m.opts.Quiet <= 0 {
		return time.Time{}
	}
	due := m.lastLine.Add(m.opts.Quiet)
	if !now.Before(due) {
		m.heartbeat(&m.err, now)
		m.lastLine, due = now, now.Add(m.opts.Quiet)
	}
	return due
}

func (m *Model) heartbeat(p *pen, now time.Time) {
	elapsed := m.clock.elapsed(now)
	timeCode(p, elapsed, false)
	if len(m.stages) > 0 && !m.scheduled {
		s := &m.stages[len(m.stages)-1]
		p.write(plain, " "+oneLine(s.name))
		if text := progress(s.current, s.total, itoa); text != "" {
			p.write(plain, ": "+text)
		}
		p.newline()
		return
	}
	w := m.progress(elapsed)
	p.write(plain, " "+itoa(w.percent())+"% done, "+itoa(w.done)+" of "+itoa(w.total))
	if w.failed > 0 {
		p.write(failure, ", "+itoa(w.failed)+" failed")
	}
	if w.left > 0 {
		p.write(plain, ", about ")
		timeCode(p, w.left, false)
		p.write(plain, " left")
	}
	if len(m.jobs) > 0 {
		j := m.jobs[0]
		p.write(plain, ", "+itoa(len(m.jobs))+plural(" task", len(m.jobs))+" running, the longest "+
			oneLine(j.action)+" "+oneLine(j.element))
	}
	p.newline()
}
