//go:build linux

package session

import (
	"bytes"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"bst/impl/frontend"
	"bst/impl/stream"
	"bst/impl/term"
)

// person sits at a terminal: types when something appears.
type person struct {
	t      *testing.T
	master *os.File

	mu   sync.Mutex
	seen bytes.Buffer
	at   int // how much of it was waited for
}

func sitDown(t *testing.T) (*person, *term.Console) {
	t.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pty on this machine: %v", err)
	}
	t.Cleanup(func() { master.Close(); tty.Close() })
	if err := pty.Setsize(master, &pty.Winsize{Rows: 40, Cols: 100}); err != nil {
		t.Fatal(err)
	}
	p := &person{t: t, master: master}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			p.mu.Lock()
			p.seen.Write(buf[:n])
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return p, term.Open(tty, tty, tty)
}

// waitFor waits until a text appears after what was waited for before.
func (p *person) waitFor(text string) {
	for range 2000 {
		p.mu.Lock()
		i := strings.Index(p.seen.String()[p.at:], text)
		if i >= 0 {
			p.at += i + len(text)
		}
		p.mu.Unlock()
		if i >= 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.t.Errorf("%q did not appear in %q", text, p.seen.String()[p.at:])
}

func (p *person) types(text string) { io.WriteString(p.master, text) }

func TestFailureMenu(t *testing.T) {
	p, console := sitDown(t)
	result, sent := play(t, Options{
		Console: console, Interactive: true, Features: term.Features{Status: true},
		Model: newModel(t, frontend.Options{Session: "Build", Style: frontend.Digest}),
	}, func(b backend) {
		b.expect("build")
		b.emit(&stream.Started{}, &stream.Heading{Project: "p"}, &stream.Queue{Action: "Build"}, running)
		b.emit(failed(1, true), failed(2, true), &stream.State{State: stream.StateHeld})
		p.waitFor("Build failure on element: e1.bst")
		p.waitFor("Choice: [continue]: ")
		// Jobs go on meanwhile; what they say waits.
		b.emit(&stream.Message{Type: stream.TypeInfo, Text: "said meanwhile"})
		p.types("x\n")
		p.waitFor("Error: Expected one of ['continue', 'quit', 'terminate', 'retry', 'shell'], got x")
		p.types("r\n")
		b.expect("retry 1")
		p.waitFor("Retrying failed job")
		p.waitFor("Build failure on element: e2.bst")
		p.waitFor("Choice: [continue]: ")
		p.types("\n")
		b.expect("continue")
		p.waitFor("Continuing with other non failing elements")
		b.emit(failed(3, true))
		p.waitFor("Build failure on element: e3.bst")
		p.types("q\n")
		b.expect("quit")
		p.waitFor("Completing ongoing tasks before quitting")
		b.emit(&stream.Finished{Error: &stream.Error{Domain: stream.DomainStream}})
	})
	if result.Status != 255 {
		t.Errorf("%+v", result)
	}
	if diff := cmp.Diff([]string{"build", "retry 1", "continue", "quit"}, sent); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if text := p.seen.String(); strings.Index(text, "said meanwhile") < strings.Index(text, "got x") {
		t.Error("a log line was written across a question")
	}
}

func TestFailureShell(t *testing.T) {
	p, console := sitDown(t)
	ready := func(job stream.JobID, argv ...string) stream.Event {
		return &stream.ShellReady{Shell: 5, Job: job, Argv: argv, Env: []string{"PATH=/usr/bin:/bin"}, Dir: "/",
			Element: "e1.bst", Key: stream.Key{Full: "0123456789"}}
	}
	_, sent := play(t, Options{Console: console, Interactive: true, KeyLength: 8}, func(b backend) {
		b.expect("build")
		b.emit(running, failed(1, true))
		p.waitFor("Choice: [continue]: ")
		p.types("s\n")
		p.waitFor("Dropping into an interactive shell in the failed build sandbox")
		b.expect("stage 1")
		b.emit(&stream.ShellRefused{Job: 1, Error: stream.Error{Message: "nothing to stage"}})
		p.waitFor("Error while attempting to create interactive shell: nothing to stage")
		p.waitFor("Choice: [continue]: ")
		p.types("shell\n")
		b.expect("stage 1")
		b.emit(ready(1, "/bin/sh", "-c", `echo "prompt <$PS1>"; exit 4`))
		p.waitFor("prompt <[01234567@e1.bst:${PWD}]$ >")
		b.expect("done 4")
		p.waitFor("Choice: [continue]: ")
		p.types("t\n")
		b.expect("terminate")
		b.emit(&stream.Finished{Terminated: true, Error: &stream.Error{Domain: stream.DomainStream}})
	})
	if diff := cmp.Diff([]string{"build", "stage 1", "stage 1", "done 4", "terminate"}, sent); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
}

func TestShell(t *testing.T) {
	p, console := sitDown(t)
	result, sent := play(t, Options{
		Console: console, Interactive: true, Order: &stream.Shell{},
		Model: newModel(t, frontend.Options{Shell: true}),
	}, func(b backend) {
		b.expect("shell")
		b.emit(&stream.ShellReady{Shell: 1, Argv: []string{"/bin/sh", "-c", "read x; echo read $x; exit 7"}, Dir: "/"})
		p.types("hello\n")
		p.waitFor("read hello")
		done := b.expect("done 7")
		if d, ok := done.(*stream.ShellDone); ok {
			b.emit(&stream.Finished{ShellStatus: d.Status})
		}
	})
	if result.Status != 7 || result.Error != nil {
		t.Errorf("%+v", result)
	}
	if diff := cmp.Diff([]string{"shell", "done 7"}, sent); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
}

// TestQuestionIsTakenBack: the session ends while a question waits.
func TestQuestionIsTakenBack(t *testing.T) {
	p, console := sitDown(t)
	result, _ := play(t, Options{Console: console, Interactive: true}, func(b backend) {
		b.expect("build")
		b.emit(running, failed(1, true))
		p.waitFor("Choice: [continue]: ")
		b.emit(&stream.Finished{Error: &stream.Error{Domain: stream.DomainStream}})
	})
	if result.Status != 255 {
		t.Errorf("%+v", result)
	}
	p.waitFor("FAILURE Build")
}

// TestFrontendBugOnTerminal: the terminal is given back.
func TestFrontendBugOnTerminal(t *testing.T) {
	p, console := sitDown(t)
	before, err := unix.IoctlGetTermios(int(p.master.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	play(t, Options{
		Console: console, Interactive: true, Features: term.Features{Status: true}, LogFile: bomb{},
		Model: newModel(t, frontend.Options{Session: "Build", Copy: true}),
		Order: &stream.Build{Session: stream.Session{Settings: stream.Settings{LogDir: t.TempDir()}}},
	}, func(b backend) {
		b.expect("build")
		b.emit(&stream.Started{}, running)
	})
	p.waitFor("Unhandled exception")
	after, err := unix.IoctlGetTermios(int(p.master.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the terminal's settings changed (-before +after):\n%s", diff)
	}
}
