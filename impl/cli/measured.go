package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"bst/impl/frontend/session"
	"bst/impl/stream"
	"bst/impl/term"
	"bst/impl/term/termmodel"
	"bst/impl/usage"
)

// drawingVariable chooses when a terminal is drawn: "event" on every event, which
// frames are measured against; empty or "frame" as ever.
const drawingVariable = "BST_DRAWING"

// frameVariable is the shortest time between two frames, as in 45ms.
const frameVariable = "BST_FRAME"

// tallyVariable names a file that is written at the session's end: what it cost,
// as one JSON object (tally).
const tallyVariable = "BST_TALLY"

// The bounds of frameVariable.
const (
	leastFrame = time.Millisecond
	mostFrame  = time.Minute
)

// tally is what tallyVariable's file says. Times are nanoseconds, those of
// moments since 1970.
type tally struct {
	Events       int   `json:"events"`
	FirstEventAt int64 `json:"first-event-at"` // 0 for none
	Frames       int   `json:"frames"`
	Writes       int   `json:"writes"`
	Bytes        int64 `json:"bytes"`
	FirstDrawnAt int64 `json:"first-drawn-at"` // 0 for nothing drawn
	// From an event's arrival to the end of the write that shows it: the median of
	// all events, their 99th percentile, and the longest.
	EventDelay   int64 `json:"event-delay"`
	TailDelay    int64 `json:"tail-delay"`
	LongestDelay int64 `json:"longest-delay"`
	// Self is what this process has used, Children what those have that it waited
	// for, a backend and sandboxes; nil where the platform does not tell.
	Self     *usage.Usage `json:"self,omitempty"`
	Children *usage.Usage `json:"children,omitempty"`
}

// writeTally obeys tallyVariable; t is nil where that is not set. The session's
// backend has been waited for.
func (a *app) writeTally(t *session.Tally) error {
	if t == nil {
		return nil
	}
	moment := func(at time.Time) int64 {
		if at.IsZero() {
			return 0
		}
		return at.UnixNano()
	}
	median, tail, longest := t.Delay()
	out := tally{
		Events: t.Events, FirstEventAt: moment(t.FirstEvent),
		Frames: t.Frames, Writes: t.Writes, Bytes: t.Bytes, FirstDrawnAt: moment(t.FirstDrawn),
		EventDelay: median.Nanoseconds(), TailDelay: tail.Nanoseconds(), LongestDelay: longest.Nanoseconds(),
	}
	out.Self, out.Children = usage.Of()
	text, err := json.Marshal(out)
	if err == nil {
		err = os.WriteFile(a.getenv(tallyVariable), append(text, '\n'), 0o644)
	}
	if err != nil {
		return &stream.Error{Domain: stream.DomainApp, Message: tallyVariable + ": " + err.Error()}
	}
	return nil
}

// measured obeys the variables that measurements of the UI set
// (docs/benchmarks.md): a model of a slow terminal in front of the real one,
// drawing on every event, and the time between frames, 0 for the usual.
func (a *app) measured(console *term.Console) (perEvent bool, frame time.Duration, err error) {
	if name := a.getenv(termmodel.Variable); name != "" {
		m, err := termmodel.Find(name)
		if err != nil {
			return false, 0, &stream.Error{Domain: stream.DomainApp, Message: termmodel.Variable + ": " + err.Error()}
		}
		console.Behind(m.NewClock().Writer)
	}
	if text := a.getenv(frameVariable); text != "" {
		if frame, err = time.ParseDuration(text); err != nil || frame < leastFrame || frame > mostFrame {
			return false, 0, &stream.Error{Domain: stream.DomainApp,
				Message: fmt.Sprintf("%s: %q is no time between frames; want one between %v and %v, as in 45ms", frameVariable, text, leastFrame, mostFrame)}
		}
	}
	switch how := a.getenv(drawingVariable); how {
	case "", "frame":
		return false, frame, nil
	case "event":
		return true, frame, nil
	default:
		return false, 0, &stream.Error{Domain: stream.DomainApp,
			Message: fmt.Sprintf("%s: %q is no way of drawing; want frame or event", drawingVariable, how)}
	}
}
