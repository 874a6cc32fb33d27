package term

import (
	"errors"
	"io"
	"time"

	"bst/impl/bug"
)

// Frame is what the next write shows.
type Frame struct {
	// Control are escape sequences that move nothing on the screen: what a
	// terminal shows beside it. Ignored where Screen has no status.
	Control []byte
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
	// Bytes is how many it accepted.
	Bytes int
	// Writes is in how many writes.
	Writes int
	// Err is the first error of either stream.
	Err error
}

// Features are what a terminal can do. The zero value is a pipe or a file.
type Features struct {
	// Status says that a status area can be drawn in place.
	Status bool
	// Synchronized says that the terminal knows synchronized output (DEC private
	// mode 2026): it shows a frame at once, not as it arrives.
	Synchronized bool
	// Links says that the terminal is known to have links (OSC 8), Progress that
	// it shows progress beside the screen (OSC 9;4).
	Links, Progress bool
	// Notify is how the terminal passes on a notification.
	Notify Notify
	// Shared says that the standard output and error are the same terminal, so
	// that a frame is one write whatever is in it.
	Shared bool
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
	features Features

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

// NewScreen makes a screen on the streams, of which stderr has the features.
func NewScreen(stderr, stdout io.Writer, features Features) *Screen {
	s := &Screen{err: stderr, out: stdout, features: features, work: make(chan writes, 1), done: make(chan Written, 1)}
	bug.Start(s.writer, func(e *bug.Error) { s.done <- Written{Err: e} })
	return s
}

func (s *Screen) writer() {
	for w := range s.work {
		start := time.Now()
		var written Written
		put := func(to io.Writer, data []byte) {
			if len(data) > 0 {
				n, err := to.Write(data)
				written.Bytes += n
				written.Writes++
				written.Err = errors.Join(written.Err, err)
			}
		}
		put(s.err, w.err1)
		put(s.out, w.out)
		put(s.err, w.err2)
		written.Took = time.Since(start)
		s.done <- written
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
	after.Bytes += before.Bytes
	after.Writes += before.Writes
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
