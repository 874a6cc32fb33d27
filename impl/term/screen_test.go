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
	"github.com/hinshun/vt10x"
)

// emulator is a terminal that turns line feeds into new lines, as a tty does.
type emulator struct {
	vt     vt10x.Terminal
	writes int
	bytes  int
}

func newEmulator(columns, rows int) *emulator {
	return &emulator{vt: vt10x.New(vt10x.WithSize(columns, rows))}
}

func (e *emulator) Write(p []byte) (int, error) {
	e.writes++
	e.bytes += len(p)
	if _, err := e.vt.Write(bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n"))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// lines is what the screen shows, without blanks at the end of lines and
// without empty lines at its end.
func (e *emulator) lines() []string {
	columns, rows := e.vt.Size()
	var out []string
	for y := range rows {
		var b strings.Builder
		for x := range columns {
			c := e.vt.Cell(x, y).Char
			if c == 0 {
				c = ' '
			}
			b.WriteRune(c)
		}
		out = append(out, strings.TrimRight(b.String(), " "))
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

func TestScreen(t *testing.T) {
	e := newEmulator(20, 8)
	s := NewScreen(e, e, true)
	defer s.Close()
	show := func(f Frame, want ...string) {
		t.Helper()
		if w := s.Flush(f); w.Err != nil {
			t.Fatal(w.Err)
		}
		if diff := cmp.Diff(want, e.lines()); diff != "" {
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
	if cursor := e.vt.Cursor(); cursor.X != 0 || !e.vt.CursorVisible() {
		t.Errorf("cursor at the end: %+v, visible %v", cursor, e.vt.CursorVisible())
	}
}

// TestScreenUnchanged: an unchanged frame costs nothing, a changed line costs
// that line.
func TestScreenUnchanged(t *testing.T) {
	e := newEmulator(80, 24)
	s := NewScreen(e, e, true)
	defer s.Close()
	status := []string{strings.Repeat("=", 79), "clock 1", strings.Repeat("-", 79)}
	s.Flush(Frame{Status: status})
	writes, size := e.writes, e.bytes
	if s.Draw(Frame{Status: status}) {
		t.Error("an unchanged frame was written")
	}
	s.Flush(Frame{Status: []string{status[0], "clock 2", status[2]}})
	if e.writes != writes+1 {
		t.Errorf("%d writes for one frame", e.writes-writes)
	}
	if e.bytes-size > 50 {
		t.Errorf("%d bytes for one short line", e.bytes-size)
	}
}

// TestScreenRandom: whatever frames come, the screen ends with the last log
// lines and the status.
func TestScreenRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const columns, rows = 30, 12
	e := newEmulator(columns, rows)
	s := NewScreen(e, e, true)
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
		got := e.lines()
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
	e := newEmulator(40, 10)
	s := NewScreen(e, e, true)
	defer s.Close()
	s.Flush(Frame{Log: []byte("log\n"), Status: []string{strings.Repeat("=", 39), "old job"}})
	e.vt.Resize(25, 10)
	s.Stale()
	s.Flush(Frame{Status: []string{strings.Repeat("-", 24), "new job"}})
	if diff := cmp.Diff([]string{"log", strings.Repeat("-", 24), "new job"}, e.lines()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPipeGetsPlainText(t *testing.T) {
	var log, out bytes.Buffer
	s := NewScreen(&log, &out, false)
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
	s := NewScreen(w, w, true)
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
	s := NewScreen(failingWriter{}, failingWriter{}, true)
	defer s.Close()
	if w := s.Flush(Frame{Log: []byte("a\n")}); w.Err == nil {
		t.Error("the error was lost")
	}
}

func BenchmarkCompose(b *testing.B) {
	s := &Screen{status: true}
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
