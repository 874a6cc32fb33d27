package session

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"

	"bst/impl/bug"
	"bst/impl/frontend"
	"bst/impl/stream"
)

// crashBegin is how the Go runtime begins to tell of its end.
var crashBegin = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^(panic: |fatal error: |runtime: |SIG[A-Z]+: |goroutine \d+ )`)
})

// splitCrash divides what a process wrote to its standard error into what it had
// to say and the runtime's report of its end, "" where there is none.
func splitCrash(text string) (said, report string) {
	at := crashBegin().FindStringIndex(text)
	if at == nil {
		return text, ""
	}
	return text[:at[0]], text[at[0]:]
}

// crashed fills in the error for a backend that died of a bug, and puts the
// report of that into a file. It gives false where it died of something else.
func (l *loop) crashed(e *stream.Error) bool {
	_, report := splitCrash(l.lost.Stderr)
	if l.o.Backend != nil {
		if longer := l.o.Backend.crash(); len(longer) > len(report) {
			report = longer
		}
	}
	if report == "" {
		return false
	}
	value, stack, _ := strings.Cut(report, "\n")
	if strings.HasPrefix(value, "goroutine ") {
		value, stack = "it panicked", report
	}
	e.Reason = stream.ReasonUnhandled
	if !strings.Contains(e.Message, value) {
		e.Message += ": " + value
	}
	e.Detail = l.bugDetail(&bug.Error{Value: value, Stack: stack})
	return true
}

// bugDetail writes a bug to a file among the logs and says where, or tells it.
func (l *loop) bugDetail(e *bug.Error) string {
	path, err := e.Write(l.o.Order.Common().Settings.LogDir, "bst")
	if err != nil {
		return fmt.Sprintf("%s\n(It could not be written to a file: %v)", e.Stack, err)
	}
	return "This is a bug in bst. Where it happened is told in " + path + "\nPlease report it, with that file."
}

// broke ends a session whose frontend has a bug: the terminal is as it was found,
// the backend ends, and the bug is told.
func (l *loop) broke(e *bug.Error) Result {
	if l.o.Features.Status {
		// Whatever was drawn, what is written next stands below it.
		_, _ = io.WriteString(l.o.Console.Err, "\r\x1b[J\x1b[?25h")
	}
	if l.cancel != nil {
		l.cancel()
	}
	_ = l.s.Close() // waits for the backend's end; there is no more to say of it
	told := &stream.Error{Domain: stream.DomainApp, Reason: stream.ReasonUnhandled,
		Message: "Unhandled exception: " + e.Error(), Detail: l.bugDetail(e)}
	// There is no other place to say it in.
	_, _ = io.WriteString(l.o.Console.Err, frontend.ErrorText(told, "", false))
	return Result{Status: frontend.StatusError, Error: told}
}
