// What whoever owns a Model takes out of it, or asks of it.

package frontend

import "bst/impl/stream"

// TakeLog gives the text for the standard error stream since the last call. It is
// valid until the Model is given or told something.
func (m *Model) TakeLog() []byte {
	m.err.end()
	return m.err.take()
}

// TakeCopy gives the whole log since the last call, without colours, where
// Options.Copy asks for it. It is valid as long as TakeLog's.
func (m *Model) TakeCopy() []byte { return m.copy.take() }

// TakeOutput gives the text for the standard output since the last call.
func (m *Model) TakeOutput() []byte {
	buf := m.out.buf
	m.out.buf = nil
	return buf
}

// Pending is how many bytes TakeLog, TakeOutput and TakeCopy would give.
func (m *Model) Pending() int { return len(m.err.buf) + len(m.out.buf) + len(m.copy.buf) }

// State is the scheduler's.
func (m *Model) State() stream.SchedulerState { return m.state }

// Terminating notes that the session is being ended, before the scheduler says
// so: a person who asked for it sees at once that it was understood.
func (m *Model) Terminating() { m.state = stream.StateTerminating }

// Scheduled says that the scheduler has run: before that, ^C simply ends the
// session.
func (m *Model) Scheduled() bool { return m.scheduled }

// Lively says that something is running whose clock ticks in the status area.
func (m *Model) Lively() bool {
	return (len(m.jobs) > 0 || len(m.stages) > 0 || m.preparing()) && !m.clock.frozen
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

// TakeLogShown gives the next artifact's log that is to be copied out.
func (m *Model) TakeLogShown() *stream.LogShown {
	if len(m.logs) == 0 {
		return nil
	}
	l := m.logs[0]
	m.logs = m.logs[1:]
	return l
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
