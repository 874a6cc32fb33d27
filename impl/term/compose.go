package term

import "strconv"

// What a frame is made of. Nothing here is used that a terminal without a
// status area would get.
const (
	syncBegin   = "\x1b[?2026h"
	syncEnd     = "\x1b[?2026l"
	hideCursor  = "\x1b[?25l"
	showCursor  = "\x1b[?25h"
	wrapOff     = "\x1b[?7l"
	wrapOn      = "\x1b[?7h"
	eraseToEnd  = "\x1b[K"
	startOfLine = "\r"
	// eraseBelow erases from the line that the cursor is in to the end of the
	// screen, in two steps: told to erase all from the screen's first column on,
	// tmux takes that for a clearing and keeps what was there in its scrollback.
	eraseBelow = startOfLine + eraseToEnd + "\x1b[C\x1b[J" + startOfLine
)

// compose works out the bytes that turn what is on the screen into the frame.
func (s *Screen) compose(f Frame) writes {
	if !s.features.Status {
		return writes{err1: f.Log, out: f.Output}
	}
	if len(f.Log) == 0 && len(f.Output) == 0 && len(f.Control) == 0 && !s.stale && same(f.Status, s.drawn) {
		return writes{}
	}
	var w writes
	size := len(f.Log) + len(f.Output) + 64
	for _, line := range f.Status {
		size += len(line) + 8
	}
	buf := append(s.begin(make([]byte, 0, size+len(f.Control))), f.Control...)
	if len(f.Log)+len(f.Output) > 0 || s.stale {
		if len(s.drawn) > 0 || s.stale {
			buf = append(buf, eraseBelow...)
		}
		buf = append(buf, f.Log...)
		s.drawn, s.stale = nil, false
		switch {
		case len(f.Output) == 0:
		case s.features.Shared:
			buf = append(buf, f.Output...)
		default:
			w.err1, w.out = s.end(buf), f.Output
			buf = s.begin(make([]byte, 0, size))
		}
	}
	before := len(buf)
	buf = s.statusArea(buf, f.Status)
	if w.err1 == nil {
		w.err1 = s.end(buf)
	} else if len(buf) > before {
		w.err2 = s.end(buf)
	}
	return w
}

func (s *Screen) begin(buf []byte) []byte {
	if s.features.Synchronized {
		buf = append(buf, syncBegin...)
	}
	return buf
}

func (s *Screen) end(buf []byte) []byte {
	if s.features.Synchronized {
		buf = append(buf, syncEnd...)
	}
	return buf
}

// statusArea rewrites what differs from what is drawn and puts the cursor back
// to the start of the area.
//
// Its lines are written without automatic wrapping: where the terminal has
// become narrower since they were made, they are cut, and the area keeps its
// height. Otherwise part of it would stay behind in the scrollback.
func (s *Screen) statusArea(buf []byte, lines []string) []byte {
	if len(lines) == 0 {
		if len(s.drawn) > 0 {
			buf = append(buf, eraseBelow...)
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
	row, unwrapped := 0, false
	for i, line := range lines {
		old := i < len(s.drawn)
		if old && s.drawn[i] == line {
			continue
		}
		for ; row < i; row++ {
			// A line feed makes room at the bottom, where moving down would not.
			buf = append(buf, '\n')
		}
		if !unwrapped {
			buf = append(buf, wrapOff...)
			unwrapped = true
		}
		if old {
			if patched, ok := patch(append(buf, startOfLine...), s.drawn[i], line); ok {
				buf = patched
				continue
			}
		}
		buf = append(buf, startOfLine...)
		buf = append(buf, line...)
		if old {
			buf = append(buf, eraseToEnd...)
		}
	}
	if unwrapped {
		buf = append(buf, wrapOn...)
	}
	if len(s.drawn) > len(lines) {
		for ; row < len(lines); row++ {
			buf = append(buf, '\n')
		}
		buf = append(buf, eraseBelow...)
	}
	buf = append(buf, startOfLine...)
	if row > 0 {
		buf = append(buf, "\x1b["...)
		buf = strconv.AppendInt(buf, int64(row), 10)
		buf = append(buf, 'A')
	}
	s.drawn = append(s.drawn[:0:0], lines...)
	return buf
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
