package session

import (
	"time"

	"bst/impl/frontend"
	"bst/impl/stream"
	"bst/impl/term"
)

// announceAfter is how long a session takes of whose end the desktop is told:
// nobody waits that long in front of it.
const announceAfter = 30 * time.Second

// beside is what the terminal shows beside its screen.
type beside struct {
	progress term.Progress
	percent  int
	ended    bool
}

// bar gives what makes the terminal show how far the session is, nil where it
// shows it already.
func (l *loop) bar(now time.Time) []byte {
	if !l.o.Features.Progress || l.mode == lending {
		return nil
	}
	next := beside{ended: l.beside.ended}
	switch percent, failed, known := l.m.Progress(now); {
	case next.ended || l.broken != nil:
	case l.mode == asking || l.m.State() == stream.StateHeld:
		next.progress, next.percent = term.ProgressPaused, percent
	case failed > 0:
		next.progress, next.percent = term.ProgressFailed, percent
	case known:
		next.progress, next.percent = term.ProgressNormal, percent
	case l.m.Lively():
		next.progress = term.ProgressUnknown
	}
	if next == l.beside {
		return nil
	}
	l.beside = next
	return next.progress.Sequence(next.percent)
}

// unbar takes the progress away: whatever happened, the terminal is given back as
// it was found.
func (l *loop) unbar() {
	if l.beside.progress == term.ProgressNone {
		return
	}
	l.beside.progress, l.beside.percent = term.ProgressNone, 0
	if l.broken == nil && !l.screen.Busy() {
		l.account(l.screen.Flush(term.Frame{Control: term.ProgressNone.Sequence(0)}))
	}
}

// notify tells the desktop something, through terminals that pass it on.
func (l *loop) notify(title, text string) {
	if sequence := l.o.Features.Notify.Sequence(title, text); len(sequence) > 0 && l.broken == nil {
		l.account(l.screen.Flush(term.Frame{Control: sequence}))
	}
}

// announce tells the desktop how a long session ended. A person who ended it
// knows.
func (l *loop) announce(r Result) {
	took := time.Since(l.begin)
	if took < announceAfter || l.interrupts > 0 || l.m.Project() == "" {
		return
	}
	how := "succeeded"
	if r.Status != 0 {
		how = "failed"
	}
	l.notify("BuildStream", l.m.Project()+" "+how+" after "+frontend.Clock(took))
}
