package term

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bst/impl/term/termtest"
)

func TestScreen(t *testing.T) {
	e := termtest.NewCooked(20, 8)
	s := NewScreen(e, e, Features{Status: true})
	defer s.Close()
	show := func(f Frame, want ...string) {
		t.Helper()
		if w := s.Flush(f); w.Err != nil {
			t.Fatal(w.Err)
		}
		if diff := cmp.Diff(want, e.Lines()); diff != "" {
			t.Errorf("screen (-want +got):\n%s", diff)
		}
	}
	show(Frame{Log: []byte("one\n")}, "one")
	show(Frame{Status: []string{"== a", "job 1"}}, "one", "== a", "job 1")
	show(Frame{Status: []string{"== b", "job 1"}}, "one", "== b", "job 1")
	show(Frame{Log: []byte("two\n"), Status: []string{"== b", "job 1", "job 2"}}, "one", "two", "== b", "job 1", "job 2")
	show(Frame{Status: []string{"=="}}, "one", "two", "==")
	show(Frame{Status: []string{"==", "x", "y", "z"}}, "one", "two", "==", "x", "y", "z")
	show(Frame{Log: []byte("three\nfour\nfive\n"), Status: []string{"==", "x", "y", "z"}}, "two", "three", "four", "five", "==", "x", "y", "z")
	show(Frame{Status: []string{"==", "x"}}, "two", "three", "four", "five", "==", "x")
	long := strings.Repeat("wrap", 8)
	show(Frame{Log: []byte(long + "\n"), Status: []string{"==", "x"}}, "two", "three", "four", "five", long[:20], long[20:], "==", "x")
	show(Frame{Output: []byte("shown\n"), Status: []string{"=="}}, "two", "three", "four", "five", long[:20], long[20:], "shown", "==")
	show(Frame{}, "two", "three", "four", "five", long[:20], long[20:], "shown")
	if x, _, visible := e.Cursor(); x != 0 || !visible {
		t.Errorf("cursor at the end: column %d, visible %v", x, visible)
	}
}

// TestScreenUnchanged: an unchanged frame costs nothing, a changed line costs
// that line.
func TestScreenUnchanged(t *testing.T) {
	e := termtest.NewCooked(80, 24)
	s := NewScreen(e, e, Features{Status: true})
	defer s.Close()
	status := []string{strings.Repeat("=", 79), "clock 1", strings.Repeat("-", 79)}
	s.Flush(Frame{Status: status})
	size, writes := e.Written()
	if s.Draw(Frame{Status: status}) {
		t.Error("an unchanged frame was written")
	}
	s.Flush(Frame{Status: []string{status[0], "clock 2", status[2]}})
	sizeAfter, writesAfter := e.Written()
	if writesAfter != writes+1 {
		t.Errorf("%d writes for one frame", writesAfter-writes)
	}
	if sizeAfter-size > 24 {
		t.Errorf("%d bytes for one character", sizeAfter-size)
	}
}

// TestScreenRandom: whatever frames come, the screen ends with the last log
// lines and the status.
func TestScreenRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const columns, rows = 30, 12
	e := termtest.NewCooked(columns, rows)
	s := NewScreen(e, e, Features{Status: true})
	defer s.Close()
	var log []string
	for step := range 500 {
		var f Frame
		for range random.IntN(3) {
			line := fmt.Sprintf("log %d", len(log))
			log = append(log, line)
			f.Log = append(f.Log, line+"\n"...)
		}
		for i := range random.IntN(rows - 1) {
			f.Status = append(f.Status, fmt.Sprintf("status %d: %d", i, random.IntN(3)))
		}
		if random.IntN(10) == 0 {
			s.Stale()
		}
		s.Flush(f)
		got := e.Lines()
		want := append(append([]string(nil), log...), f.Status...)
		if n := min(len(got), len(want), rows-1); n > 0 {
			if diff := cmp.Diff(want[len(want)-n:], got[len(got)-n:]); diff != "" {
				t.Fatalf("step %d (-want +got):\n%s", step, diff)
			}
		}
	}
}

// TestScreenResize: however a terminal treats lines that no longer fit, the
// next frame leaves nothing of the old status area.
func TestScreenResize(t *testing.T) {
	e := termtest.NewCooked(40, 10)
	s := NewScreen(e, e, Features{Status: true})
	defer s.Close()
	s.Flush(Frame{Log: []byte("log\n"), Status: []string{strings.Repeat("=", 39), "old job"}})
	e.Resize(25, 10)
	s.Stale()
	s.Flush(Frame{Status: []string{strings.Repeat("-", 24), "new job"}})
	if diff := cmp.Diff([]string{"log", strings.Repeat("-", 24), "new job"}, e.Lines()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestScreenNarrowed: lines that were made for a wider terminal than it is by
// the time they arrive leave nothing in the scrollback.
func TestScreenNarrowed(t *testing.T) {
	e := termtest.NewCooked(40, 6)
	s := NewScreen(e, e, Features{Status: true})
	defer s.Close()
	s.Flush(Frame{Log: []byte("1\n2\n3\n"), Status: []string{"old", "job"}})
	e.Resize(10, 6)
	wide := []string{strings.Repeat("=", 39), strings.Repeat("-", 39), strings.Repeat("~", 39)}
	s.Flush(Frame{Status: wide})
	s.Stale()
	s.Flush(Frame{Log: []byte("4\n"), Status: []string{"new"}})
	s.Flush(Frame{Log: []byte("5\n6\n7\n")})
	if diff := cmp.Diff("1\n2\n3\n4\n5\n6\n7\n", e.All()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// clearing is a terminal that, as tmux does, keeps what it shows in its
// scrollback where it is told to erase all of it.
type clearing struct {
	*termtest.Terminal
	kept []string
}

func (c *clearing) Write(p []byte) (int, error) {
	before := 0
	for rest := p; ; {
		at := bytes.Index(rest, []byte("\x1b[J"))
		if at < 0 {
			n, err := c.Terminal.Write(rest)
			return before + n, err
		}
		if n, err := c.Terminal.Write(rest[:at]); err != nil {
			return before + n, err
		}
		if x, y, _ := c.Cursor(); x == 0 && y == 0 {
			c.kept = append(c.kept, c.Lines()...)
		}
		if _, err := c.Terminal.Write(rest[at : at+3]); err != nil {
			return before + at, err
		}
		before, rest = before+at+3, rest[at+3:]
	}
}

// TestScreenTop: a status area at the top of the screen, as after "clear && bst"
// and after a resize, leaves nothing in tmux's scrollback.
func TestScreenTop(t *testing.T) {
	c := &clearing{Terminal: termtest.NewCooked(40, 6)}
	s := NewScreen(c, c, Features{Status: true})
	defer s.Close()
	s.Flush(Frame{Status: []string{"old", "job"}})
	s.Flush(Frame{Status: []string{"only"}})
	s.Flush(Frame{Status: []string{"more", "job"}})
	s.Stale()
	s.Flush(Frame{Status: []string{"new", "job"}})
	s.Flush(Frame{Log: []byte("log\n"), Status: []string{"new", "job"}})
	if diff := cmp.Diff([]string{"log", "new", "job"}, c.Lines()); diff != "" {
		t.Errorf("screen (-want +got):\n%s", diff)
	}
	s.Stale()
	s.Flush(Frame{})
	if diff := cmp.Diff([]string{"log"}, c.Lines()); diff != "" {
		t.Errorf("screen (-want +got):\n%s", diff)
	}
	if len(c.kept) > 0 {
		t.Errorf("in the scrollback: %q", c.kept)
	}
	// Nor what is told to the terminal of a program that was killed.
	s.Flush(Frame{Status: []string{"left"}})
	if _, err := c.Write([]byte(Features{Status: true}.Reset())); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"log"}, c.Lines()); diff != "" || len(c.kept) > 0 {
		t.Errorf("after the reset, %q is kept, and the screen (-want +got):\n%s", c.kept, diff)
	}
}

// TestFeatures: synchronized output only where the terminal has it, and one
// write for a frame with both streams only where they are one terminal.
func TestFeatures(t *testing.T) {
	frame := Frame{Log: []byte("l\n"), Output: []byte("o\n"), Status: []string{"s"}}
	for _, test := range []struct {
		features Features
		writes   int
		text     string
	}{
		{Features{}, 2, "l\no\n"},
		{Features{Status: true}, 3, "l\no\n\x1b[?25l\x1b[?7l\rs\x1b[?7h\r"},
		{Features{Status: true, Shared: true}, 1, "l\no\n\x1b[?25l\x1b[?7l\rs\x1b[?7h\r"},
		{Features{Status: true, Shared: true, Synchronized: true}, 1, "\x1b[?2026hl\no\n\x1b[?25l\x1b[?7l\rs\x1b[?7h\r\x1b[?2026l"},
	} {
		w := &countingWriter{}
		s := NewScreen(w, w, test.features)
		s.Flush(frame)
		s.Close()
		if w.writes != test.writes || w.text.String() != test.text {
			t.Errorf("%+v: %d writes, %q", test.features, w.writes, w.text.String())
		}
	}
}

type countingWriter struct {
	writes int
	text   bytes.Buffer
}

func (w *countingWriter) Write(p []byte) (int, error) {
	w.writes++
	return w.text.Write(p)
}

func TestPipeGetsPlainText(t *testing.T) {
	var log, out bytes.Buffer
	s := NewScreen(&log, &out, Features{})
	defer s.Close()
	s.Flush(Frame{Log: []byte("a\n"), Output: []byte("b\n"), Status: []string{"never"}})
	s.Flush(Frame{Log: []byte("c\n")})
	if log.String() != "a\nc\n" || out.String() != "b\n" {
		t.Errorf("log %q, output %q", log.String(), out.String())
	}
}

// slowWriter is a terminal that takes its time.
type slowWriter struct{ release chan struct{} }

func (w *slowWriter) Write(p []byte) (int, error) {
	<-w.release
	return len(p), nil
}

// TestDrawDoesNotWait: the caller goes on while a frame is in flight.
func TestDrawDoesNotWait(t *testing.T) {
	w := &slowWriter{make(chan struct{})}
	s := NewScreen(w, w, Features{Status: true})
	defer s.Close()
	s.Draw(Frame{Log: []byte("a\n")})
	if !s.Busy() {
		t.Error("not busy")
	}
	close(w.release)
	select {
	case <-s.Done():
		s.Landed()
	case <-time.After(10 * time.Second):
		t.Fatal("the write never ended")
	}
	if s.Busy() {
		t.Error("still busy")
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestWriteErrors(t *testing.T) {
	s := NewScreen(failingWriter{}, failingWriter{}, Features{Status: true})
	defer s.Close()
	if w := s.Flush(Frame{Log: []byte("a\n")}); w.Err == nil {
		t.Error("the error was lost")
	}
}

func BenchmarkCompose(b *testing.B) {
	s := &Screen{features: Features{Status: true}}
	log := bytes.Repeat([]byte("a line of the log that is about as long as others are\n"), 20)
	status := make([]string, 12)
	for i := range status {
		status[i] = strings.Repeat("x", 120)
	}
	b.ReportAllocs()
	for b.Loop() {
		s.compose(Frame{Log: log, Status: status})
		status[3] += "y"
		s.compose(Frame{Status: status})
		status[3] = status[3][:120]
	}
}

// bytesOf are both streams' bytes, in order.
func bytesOf(w writes) string { return string(w.err1) + string(w.out) + string(w.err2) }
