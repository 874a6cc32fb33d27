//go:build unix

package testscripts

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/creack/pty"
	"github.com/rogpeppe/go-internal/testscript"

	"bst/impl/term/termtest"
)

// screenPatience bounds what a step of a dialogue waits for.
const screenPatience = 60 * time.Second

// screen runs a command on a terminal of its own and writes what is on its
// screen in the end to a file; with -all, what has scrolled off it too. A dialogue is a file of lines, done in order
// while the command runs:
//
//	wait TEXT       until the screen shows it, once more than at the last send
//	match PATTERN   until the screen as a whole matches
//	change          until the screen is another than after the last step
//	send TEXT       type it; \r is Enter, \x03 is ^C
//	save FILE       write the screen as it is now
//	resize 80x24
//
//	screen [-all] [-in DIALOGUE] [-status N] 100x40 FILE COMMAND [ARG]...
func screen(ts *testscript.TestScript, neg bool, args []string) {
	const usage = "usage: screen [-all] [-in DIALOGUE] [-status N] COLUMNSxROWS FILE COMMAND [ARG]..."
	var dialogue []string
	want, all := 0, false
	for len(args) > 1 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-all":
			all = true
			args = args[1:]
			continue
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

	s := termtest.New(columns, rows)
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
	last := "" // the screen after the last step
	for _, line := range dialogue {
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch verb {
		case "":
		case "wait":
			times := 1 + strings.Count(sent, rest)
			if !shows(s, func(text string) bool { return strings.Count(text, rest) >= times }) {
				stop("in vain: wait %s", rest)
			}
		case "match":
			pattern, err := regexp.Compile(rest)
			if err != nil {
				stop("match: %v", err)
			}
			if !shows(s, pattern.MatchString) {
				stop("in vain: match %s", rest)
			}
		case "change":
			if !shows(s, func(text string) bool { return text != last }) {
				stop("in vain: change")
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
				s.Resize(columns, rows)
				err = pty.Setsize(tty, &pty.Winsize{Rows: uint16(rows), Cols: uint16(columns)})
			}
			if err != nil {
				stop("resize %s: %v", rest, err)
			}
		default:
			stop("unknown step %q in the dialogue", line)
		}
		last = s.String()
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
	text := s.String()
	if all {
		text = s.All()
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o666))
}

// environ is the script's environment.
func environ(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{
		"PATH", "HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "BST_WARM_IDLE", "BST_STRATEGY", "TERM", "LC_ALL", "TZ", "TMPDIR", "EDITOR", "PAGER",
		"BST_TERMINAL_MODEL", "BST_DRAWING", "BST_FRAME", "BST_BATCHING_WINDOW", "BST_TALLY", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "VTE_VERSION", "TERM_PROGRAM", "WT_SESSION", "ConEmuANSI",
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

// shows waits until the screen is as it is wanted.
func shows(s *termtest.Terminal, wanted func(text string) bool) bool {
	for end := time.Now().Add(screenPatience); !wanted(s.String()); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}
