//go:build unix

package testscripts

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
	"github.com/rogpeppe/go-internal/testscript"
)

// screenPatience bounds what a step of a dialogue waits for.
const screenPatience = 60 * time.Second

// screen runs a command on a terminal of its own and writes what is on its
// screen in the end to a file. A dialogue is a file of lines, done in order
// while the command runs:
//
//	wait TEXT       until the screen shows it, once more than at the last send
//	send TEXT       type it; \r is Enter, \x03 is ^C
//	save FILE       write the screen as it is now
//	resize 80x24
//
//	screen [-in DIALOGUE] [-status N] 100x40 FILE COMMAND [ARG]...
func screen(ts *testscript.TestScript, neg bool, args []string) {
	const usage = "usage: screen [-in DIALOGUE] [-status N] COLUMNSxROWS FILE COMMAND [ARG]..."
	var dialogue []string
	want := 0
	for len(args) > 1 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-in":
			dialogue = strings.Split(strings.TrimSpace(ts.ReadFile(args[1])), "\n")
		case "-status":
			n, err := strconv.Atoi(args[1])
			ts.Check(err)
			want = n
		default:
			ts.Fatalf(usage)
		}
		args = args[2:]
	}
	if neg || len(args) < 3 {
		ts.Fatalf(usage)
	}
	columns, rows, err := sizeOf(args[0])
	ts.Check(err)

	s := &screenOf{term: vt10x.New(vt10x.WithSize(columns, rows))}
	cmd := exec.Command(args[2], args[3:]...)
	// LookPath of this process: its PATH has the scripts' commands, and no
	// script changes it.
	cmd.Dir, cmd.Env = ts.MkAbs("."), environ(ts)
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: uint16(rows), Cols: uint16(columns)})
	ts.Check(err)
	defer tty.Close()
	read := make(chan error, 1)
	go func() {
		_, err := io.Copy(s, tty)
		read <- err
	}()
	stop := func(format string, a ...any) {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		ts.Fatalf("%s; the screen:\n%s", fmt.Sprintf(format, a...), s)
	}
	sent := "" // the screen at the last send
	for _, line := range dialogue {
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch verb {
		case "":
		case "wait":
			if !s.shows(rest, 1+strings.Count(sent, rest), screenPatience) {
				stop("in vain: wait %s", rest)
			}
		case "send":
			sent = s.String()
			text, err := strconv.Unquote(`"` + rest + `"`)
			if err == nil {
				_, err = io.WriteString(tty, text)
			}
			if err != nil {
				stop("send %s: %v", rest, err)
			}
		case "save":
			if err := os.WriteFile(ts.MkAbs(rest), []byte(s.String()), 0o666); err != nil {
				stop("save %s: %v", rest, err)
			}
		case "resize":
			columns, rows, err := sizeOf(rest)
			if err == nil {
				s.resize(columns, rows)
				err = pty.Setsize(tty, &pty.Winsize{Rows: uint16(rows), Cols: uint16(columns)})
			}
			if err != nil {
				stop("resize %s: %v", rest, err)
			}
		default:
			stop("unknown step %q in the dialogue", line)
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err = <-ended:
	case <-time.After(screenPatience):
		_ = cmd.Process.Kill()
		<-ended
		ts.Fatalf("the command did not end; the screen:\n%s", s)
	}
	got := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	// The terminal's end is an error on Linux (EIO); what was written before is
	// read by then.
	<-read
	if got != want {
		ts.Fatalf("exit status %d, want %d; the screen:\n%s", got, want, s)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(s.String()), 0o666))
}

// environ is the script's environment.
func environ(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{
		"PATH", "HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "BST_STRATEGY", "TERM", "LC_ALL", "TZ", "TMPDIR", "EDITOR", "PAGER",
	} {
		if value := ts.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

func sizeOf(text string) (columns, rows int, err error) {
	_, err = fmt.Sscanf(text, "%dx%d", &columns, &rows)
	return columns, rows, err
}

// screenOf is a terminal's screen, as an emulator sees it.
type screenOf struct {
	mu   sync.Mutex // guards term
	term vt10x.Terminal
}

func (s *screenOf) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.term.Write(p)
}

func (s *screenOf) resize(columns, rows int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.term.Resize(columns, rows)
}

// String is the screen's text, without the blanks at the ends of lines and the
// empty lines at the end.
func (s *screenOf) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for line := range strings.Lines(s.term.String()) {
		lines = append(lines, strings.TrimRight(line, " \n\x00"))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

// shows waits until the screen holds a text so many times.
func (s *screenOf) shows(text string, times int, patience time.Duration) bool {
	for end := time.Now().Add(patience); strings.Count(s.String(), text) < times; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

func TestScreen(t *testing.T) {
	s := &screenOf{term: vt10x.New(vt10x.WithSize(10, 3))}
	for _, text := range []string{"one\r\n", "two \x1b[31mred\x1b[0m\r\n", "\x1b[?2026hgone\x1b[2K\rthree\x1b[?2026l"} {
		if _, err := io.WriteString(s, text); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := s.String(), "one\ntwo red\nthree\n"; got != want {
		t.Errorf("the screen is %q, want %q", got, want)
	}
	if !s.shows("red", 1, 0) || s.shows("red", 2, 0) || s.shows("gone", 1, 0) {
		t.Error("the screen shows another text")
	}
}
