// How a session's end is told, and its exit status.

package session

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"bst/impl/bug"
	"bst/impl/frontend"
	"bst/impl/stream"
	"bst/impl/term"
)

// end writes what is left and tells how it went.
func (l *loop) end() Result {
	l.dropQuestion()
	l.m.CloseGroup(time.Now())
	if l.mode == lending {
		l.cancel()
		<-l.lent
	}
	if l.o.Backend != nil {
		text := l.o.Backend.take()
		if l.lostErr == nil {
			text += l.o.Backend.crash() // it only looked like one
		}
		if text != "" {
			l.m.Notice(text)
		}
	}
	var result Result
	switch {
	case l.m.Finished() != nil && l.aborted && l.m.Finished().Error != nil:
		// ^C while loading: the reference's click gives up with status 1.
		l.m.Notice("\nAborted!\n")
		result = Result{Status: 1, Error: l.m.Finished().Error}
	case l.m.Finished() != nil:
		result.Status, result.Error = l.m.End(time.Now())
	case l.m.Left():
		l.m.Notice(frontend.NoteDetached(l.m.Session()))
	case l.lostErr != nil:
		result = l.endLost()
	default:
		result.Status = frontend.StatusError
	}
	l.beside.ended = true
	l.flushAll()
	l.page()
	l.announce(result)
	if l.backlog.lost > 0 && l.broken == nil {
		l.say("(" + strconv.Itoa(l.backlog.lost) + " lines are not shown: they could not be kept: " + l.backlog.failed.Error() + ")\n")
	}
	switch {
	case l.broken != nil && term.IsClosed(l.broken):
		result.Status = 1
	case l.broken != nil:
		result = l.writeFailed("Error writing output: ", l.broken)
	case l.copyErr != nil && term.IsClosed(l.copyErr):
		result.Status = 1
	case l.copyErr != nil:
		result = l.writeFailed("Error writing to the standard output: ", l.copyErr)
	case l.logErr != nil && result.Status == 0:
		result = l.writeFailed("error writing the log file: ", l.logErr)
	}
	return result
}

// page shows the logs that were asked for in the pager, one after the other, as
// the reference does. Where there is no pager they are written out.
func (l *loop) page() {
	if len(l.pages) == 0 || l.broken != nil {
		return
	}
	l.o.Console.Restore()
	l.unbar()
	for _, path := range l.pages {
		ctx, cancel := context.WithCancel(l.ctx)
		ended := make(chan lentResult, 1)
		bug.Start(func() {
			status, err := l.o.Console.Run(ctx, term.Pager(l.o.Getenv, path), nil, "")
			ended <- lentResult{status: status, err: err}
		}, func(e *bug.Error) { ended <- lentResult{err: e} })
		var r lentResult
		for waiting := true; waiting; {
			select {
			case r = <-ended:
				waiting = false
			case sig := <-l.o.Signals:
				// ^C is the pager's own affair.
				if sig == term.Terminate || sig == term.Hangup {
					cancel()
				}
			}
		}
		given := ctx.Err() != nil
		cancel()
		switch {
		case given:
			return
		case r.err != nil || r.status == notFound:
			l.copyFile(path)
		}
	}
}

// notFound is the shell's status where there is no such program.
const notFound = 127

func (l *loop) writeFailed(what string, err error) Result {
	e := &stream.Error{Domain: stream.DomainApp, Message: what + err.Error()}
	// The stream that failed may be this one; there is no other to say it on.
	_, _ = io.WriteString(l.o.Console.Err, frontend.ErrorText(e, "", false))
	return Result{Status: frontend.StatusError, Error: e}
}

// endLost says what died.
func (l *loop) endLost() Result {
	e := &stream.Error{Domain: stream.DomainStream, Reason: "backend-lost"}
	switch {
	case errors.Is(l.lostErr, errImpatient):
		e.Reason = "interrupted"
		e.Message = "Interrupted while jobs were being terminated"
	case l.lost != nil:
		e.Message = l.lost.Error()
		if l.crashed(e) {
			break
		}
		if l.o.Backend == nil || !l.o.Backend.any() {
			e.Detail = strings.TrimRight(l.lost.Stderr, "\n")
		}
	case errors.Is(l.lostErr, io.EOF):
		e.Message = "the backend ended without finishing the session"
	default:
		e.Message = "the backend went away: " + l.lostErr.Error()
	}
	l.m.Notice(frontend.ErrorText(e, "", false))
	return Result{Status: frontend.StatusError, Error: e, Lost: true}
}
