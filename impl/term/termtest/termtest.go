// Package termtest is a terminal for tests: it shows what a person would see,
// and what that person would find on scrolling back, and it lays two screens
// side by side where they differ.
//
// It knows the bytes that are written to a terminal. It does not know who wrote
// them, or what they mean.
package termtest

import (
	"bytes"
	"strings"
	"sync"

	"github.com/charmbracelet/x/vt"
	"github.com/rivo/uniseg"
)

// scrollback is how many lines are kept, more than any test writes.
const scrollback = 1 << 14

// Terminal is a terminal's screen and scrollback, as an emulator sees them. It
// is an io.Writer and safe for concurrent use.
type Terminal struct {
	cooked bool

	mu     sync.Mutex // guards what follows
	vt     *vt.Emulator
	writes int
	bytes  int
}

// New makes a terminal whose input has been through a pseudo-terminal: there
// each line feed has its carriage return.
func New(columns, rows int) *Terminal {
	t := &Terminal{vt: vt.NewEmulator(columns, rows)}
	t.vt.SetScrollbackSize(scrollback)
	return t
}

// NewCooked makes a terminal that a program writes to directly: it turns line
// feeds into new lines itself, as a tty does.
func NewCooked(columns, rows int) *Terminal {
	t := New(columns, rows)
	t.cooked = true
	return t
}

func (t *Terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.writes++
	t.bytes += len(p)
	text := p
	if t.cooked {
		text = bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n"))
	}
	if _, err := t.vt.Write(text); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Resize gives the terminal another size. It cuts lines and does not rewrap
// them, as xterm does.
func (t *Terminal) Resize(columns, rows int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.vt.Resize(columns, rows)
}

// Written is how many bytes came in how many writes.
func (t *Terminal) Written() (bytes, writes int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.bytes, t.writes
}

// Cursor is where the cursor is, from 0, and whether it can be seen.
func (t *Terminal) Cursor() (x, y int, visible bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t.vt.CursorPosition()
	return at.X, at.Y, !t.vt.CursorHidden()
}

// Lines is what the screen shows, without the blanks at the ends of lines and
// without the empty lines at the end.
func (t *Terminal) Lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return trim(strings.Split(t.vt.String(), "\n"))
}

// Scrollback is what has scrolled off the screen, the oldest line first.
func (t *Terminal) Scrollback() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var lines []string
	for _, line := range t.vt.Scrollback().Lines() {
		lines = append(lines, strings.TrimRight(line.String(), " "))
	}
	return lines
}

// String is the screen as text, whole lines.
func (t *Terminal) String() string { return strings.Join(t.Lines(), "\n") + "\n" }

// All is the scrollback and the screen below it, as text.
func (t *Terminal) All() string {
	return strings.Join(trim(append(t.Scrollback(), t.Lines()...)), "\n") + "\n"
}

// Coloured is the screen with its SGR sequences, for looks.
func (t *Terminal) Coloured() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(trim(strings.Split(t.vt.Render(), "\n")), "\n") + "\n"
}

func trim(lines []string) []string {
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \r\x00")
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// SideBySide lays two screens beside each other, what is wanted on the left,
// with a mark between lines that differ; "" where none does.
func SideBySide(want, got string) string {
	if want == got {
		return ""
	}
	left, right := strings.Split(want, "\n"), strings.Split(got, "\n")
	column := len("want")
	for _, line := range left {
		column = max(column, uniseg.StringWidth(line))
	}
	var b strings.Builder
	row := func(l, mark, r string) {
		b.WriteString(strings.TrimRight(l+strings.Repeat(" ", column-uniseg.StringWidth(l))+" "+mark+" "+r, " ") + "\n")
	}
	row("want", "|", "got")
	row(strings.Repeat("-", column), "+", strings.Repeat("-", column))
	for i := range max(len(left), len(right)) {
		l, r, mark := "", "", "|"
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		switch {
		case i >= len(left):
			mark = ">"
		case i >= len(right):
			mark = "<"
		case l != r:
			mark = "X"
		}
		row(l, mark, r)
	}
	return b.String()
}
