package term

import (
	"errors"
	"io"
	"time"
)

// Frame is what the next write shows.
type Frame struct {
	// Log is text for the standard error stream: whole lines that stay.
	Log []byte
	// Output is text for the standard output.
	Output []byte
	// Status are the lines below the log, which the next frame replaces: each
	// fits the width, all fit the height. Ignored where Screen has no status.
	Status []string
}

// Written tells how a frame's write went.
type Written struct {
	// Took is how long the terminal or pipe took to accept it.
	Took time.Duration
	// Err is the first error of either stream.
	Err error
}

// Screen writes frames: log lines that scroll away, and below them a status
// area that is drawn in place.
//
// One goroutine may use it. The writes themselves happen on a goroutine of the
// screen's own, one frame at a time, so that a slow terminal never holds up the
// caller: while a frame is in flight the caller gathers the next.
//
// Between frames the cursor rests at the start of the status area. So whatever
// a resize does to the lines (rewrap or cut), erasing from the cursor to the
// end of the screen erases all of the status area and nothing else.
type Screen struct {
	err, out io.Writer
	status   bool

	drawn  []string // status lines on the screen
	stale  bool     // they can no longer be trusted: redraw all
	hidden bool     // the cursor is

	busy bool
	work chan writes
	done chan Written
}

// writes are the bytes of one frame, in the order in which they are written.
type writes struct {
	err1, out, err2 []byte
}

// NewScreen makes a screen. status says that err is a terminal on which a
// status area can be drawn.
func NewScreen(stderr, stdout io.Writer, status bool) *Screen {
	s := &Screen{err: stderr, out: stdout, status: status, work: make(chan writes, 1), done: make(chan Written, 1)}
	go s.writer()
	return s
}

func (s *Screen) writer() {
	for w := range s.work {
		start := time.Now()
		var err error
		put := func(to io.Writer, data []byte) {
			if len(data) > 0 {
				_, e := to.Write(data)
				err = errors.Join(err, e)
			}
		}
		put(s.err, w.err1)
		put(s.out, w.out)
		put(s.err, w.err2)
		s.done <- Written{Took: time.Since(start), Err: err}
	}
}

// Done gives the outcome of the frame in flight; the caller passes what it
// receives to Landed.
func (s *Screen) Done() <-chan Written { return s.done }

// Landed notes that the frame in flight was written.
func (s *Screen) Landed() { s.busy = false }

// Busy says that a frame is in flight.
func (s *Screen) Busy() bool { return s.busy }

// Stale makes the next frame redraw the whole status area: the size changed, or
// something else wrote to the terminal.
func (s *Screen) Stale() { s.stale = true }

// Draw sends a frame on its way. It must not be called while one is in flight.
// It reports whether there was anything to write.
func (s *Screen) Draw(f Frame) bool {
	w := s.compose(f)
	if len(w.err1)+len(w.out)+len(w.err2) == 0 {
		return false
	}
	s.busy = true
	s.work <- w
	return true
}

// Flush writes a frame and waits until it, and one in flight before it, were
// written.
func (s *Screen) Flush(f Frame) Written {
	before := s.wait()
	if !s.Draw(f) {
		return before
	}
	after := s.wait()
	after.Took += before.Took
	after.Err = errors.Join(before.Err, after.Err)
	return after
}

func (s *Screen) wait() Written {
	if !s.busy {
		return Written{}
	}
	w := <-s.done
	s.busy = false
	return w
}

// Close ends the writer. No frame may be in flight.
func (s *Screen) Close() { close(s.work) }

const (
	syncBegin   = "\x1b[?2026h" // terminals that do not know it ignore it
	syncEnd     = "\x1b[?2026l"
	hideCursor  = "\x1b[?25l"
	showCursor  = "\x1b[?25h"
	eraseBelow  = "\x1b[J"
	eraseToEnd  = "\x1b[K"
	startOfLine = "\r"
)

// compose works out the bytes that turn what is on the screen into the frame.
func (s *Screen) compose(f Frame) writes {
	if !s.status {
		return writes{err1: f.Log, out: f.Output}
	}
	if len(f.Log) == 0 && len(f.Output) == 0 && !s.stale && same(f.Status, s.drawn) {
		return writes{}
	}
	var w writes
	text := len(f.Log)+len(f.Output) > 0
	size := len(f.Log) + 64
	for _, line := range f.Status {
		size += len(line) + 8
	}
	buf := make([]byte, 0, size)
	buf = append(buf, syncBegin...)
	if text || s.stale {
		if len(s.drawn) > 0 || s.stale {
			buf = append(buf, startOfLine+eraseBelow...)
		}
		buf = append(buf, f.Log...)
		s.drawn, s.stale = nil, false
		if len(f.Output) > 0 {
			w.err1 = append(buf, syncEnd...)
			w.out = f.Output
			buf = append([]byte(nil), syncBegin...)
		}
	}
	buf = s.statusArea(buf, f.Status)
	buf = append(buf, syncEnd...)
	if w.err1 == nil {
		w.err1 = buf
	} else if len(buf) > len(syncBegin)+len(syncEnd) {
		w.err2 = buf
	}
	return w
}

// statusArea rewrites the lines that differ from what is drawn and puts the
// cursor back to the start of the area.
func (s *Screen) statusArea(buf []byte, lines []string) []byte {
	if len(lines) == 0 {
		if len(s.drawn) > 0 {
			buf = append(buf, startOfLine+eraseBelow...)
		}
		s.drawn = nil
		if s.hidden {
			buf = append(buf, showCursor...)
			s.hidden = false
		}
		return buf
	}
	if !s.hidden {
		buf = append(buf, hideCursor...)
		s.hidden = true
	}
	row := 0
	for i, line := range lines {
		if i < len(s.drawn) && s.drawn[i] == line {
			continue
		}
		for ; row < i; row++ {
			// A line feed makes room at the bottom, where moving down would not.
			buf = append(buf, '\n')
		}
		buf = append(buf, startOfLine...)
		buf = append(buf, line...)
		if i < len(s.drawn) {
			buf = append(buf, eraseToEnd...)
		}
	}
	if len(s.drawn) > len(lines) {
		for ; row < len(lines)-1; row++ {
			buf = append(buf, '\n')
		}
		buf = append(buf, '\n', '\r')
		row++
		buf = append(buf, eraseBelow...)
	}
	buf = append(buf, startOfLine...)
	if row > 0 {
		buf = append(buf, "\x1b["...)
		buf = appendInt(buf, row)
		buf = append(buf, 'A')
	}
	s.drawn = append(s.drawn[:0:0], lines...)
	return buf
}

func appendInt(buf []byte, n int) []byte {
	if n >= 10 {
		buf = appendInt(buf, n/10)
	}
	return append(buf, byte('0'+n%10))
}

func same(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
