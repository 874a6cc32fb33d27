package crash

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// seat is a terminal with a bst on it.
type seat struct {
	t      testing.TB
	master *os.File
	tty    *os.File // kept open, so that its settings can be read afterwards
	before unix.Termios
	cmd    *exec.Cmd
	ended  chan struct{}

	mu   sync.Mutex // guards what follows
	text bytes.Buffer
	at   int // how much of the text was waited for
	read chan struct{}
}

// sit starts a command on a terminal of its own.
func sit(t testing.TB, cmd *exec.Cmd) *seat {
	t.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pty on this machine: %v", err)
	}
	if err := pty.Setsize(master, &pty.Winsize{Rows: 40, Cols: 160}); err != nil {
		t.Fatal(err)
	}
	s := &seat{t: t, master: master, tty: tty, cmd: cmd, ended: make(chan struct{}), read: make(chan struct{})}
	s.before = s.settings()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.read)
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			s.mu.Lock()
			s.text.Write(buf[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	go func() {
		defer close(s.ended)
		_ = cmd.Wait() // ProcessState says it
	}()
	return s
}

func (s *seat) settings() unix.Termios {
	s.t.Helper()
	set, err := unix.IoctlGetTermios(int(s.tty.Fd()), unix.TCGETS)
	if err != nil {
		s.t.Fatal(err)
	}
	return *set
}

// seen is all that was written to the terminal, without its control sequences.
func (s *seat) seen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return plainText(s.text.String())
}

var sequences = regexp.MustCompile("\x1b\\[[0-9;?]*[a-zA-Z]|\x1b\\][^\x07]*\x07")

func plainText(text string) string {
	return strings.ReplaceAll(sequences.ReplaceAllString(text, ""), "\r\n", "\n")
}

// patience bounds what is waited for.
const patience = 60 * time.Second

// waitFor waits until a text appears after what was waited for before.
func (s *seat) waitFor(text string) bool {
	s.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		s.mu.Lock()
		i := bytes.Index(s.text.Bytes()[s.at:], []byte(text))
		if i >= 0 {
			s.at += i + len(text)
		}
		s.mu.Unlock()
		if i >= 0 {
			return true
		}
		select {
		case <-s.ended:
			if patienceLeft := time.Until(end); patienceLeft > time.Second {
				end = time.Now().Add(time.Second) // what is in flight
			}
		default:
		}
	}
	s.t.Errorf("%q did not appear in:\n%s", text, s.seen())
	return false
}

func (s *seat) types(text string) {
	s.t.Helper()
	if _, err := s.master.WriteString(text); err != nil {
		s.t.Errorf("typing %q: %v", text, err)
	}
}

// status waits for the command's end and gives its exit status, -1 where it was
// killed.
func (s *seat) status(within time.Duration) int {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(within):
		_ = unix.Kill(s.cmd.Process.Pid, unix.SIGQUIT) // tells where it hangs
		select {
		case <-s.ended:
		case <-time.After(10 * time.Second):
			_ = s.cmd.Process.Kill()
			<-s.ended
		}
		s.t.Errorf("bst did not end within %v; the terminal:\n%s", within, s.seen())
	}
	s.catchUp()
	return s.cmd.ProcessState.ExitCode()
}

// leave closes the terminal. Whoever has it open gets a hangup.
func (s *seat) leave() {
	s.master.Close()
	// A read that waits keeps the descriptor: give it something to return with.
	_, _ = s.tty.WriteString(" ")
	<-s.read
	s.tty.Close()
}

// catchUp waits until all is read that was written to the terminal so far.
func (s *seat) catchUp() {
	const mark = "\x1b[99m" // means nothing, and plainText drops it
	s.mu.Lock()
	before := bytes.Count(s.text.Bytes(), []byte(mark))
	s.mu.Unlock()
	if _, err := s.tty.WriteString(mark); err != nil {
		return // the test has left the terminal
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		s.mu.Lock()
		now := bytes.Count(s.text.Bytes(), []byte(mark))
		s.mu.Unlock()
		if now > before {
			return
		}
	}
	s.t.Error("what was written to the terminal cannot be read")
}

// restored wants the terminal to be as it was found.
func (s *seat) restored() {
	s.t.Helper()
	if diff := cmp.Diff(s.before, s.settings()); diff != "" {
		s.t.Errorf("the terminal's settings changed (-before +after):\n%s", diff)
	}
	s.catchUp()
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.text.String()
	if strings.LastIndex(text, "\x1b[?25l") > strings.LastIndex(text, "\x1b[?25h") {
		s.t.Errorf("the cursor is left hidden")
	}
}
