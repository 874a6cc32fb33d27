//go:build unix

package term

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// TestMain: the tests that need a process of their own on a terminal of its own
// start this program again with TERM_TEST set.
func TestMain(m *testing.M) {
	if role := os.Getenv("TERM_TEST"); role != "" {
		os.Exit(child(role))
	}
	os.Exit(m.Run())
}

// child is what runs on the terminal.
func child(role string) int {
	c := Open(os.Stdin, os.Stdout, os.Stderr)
	switch role {
	case "echo":
		c.Quiet("")
		os.Stdout.WriteString("quiet\n")
		line, err := c.ReadLine(context.Background())
		c.Restore()
		os.Stdout.WriteString("got " + line + "\n")
		if err != nil {
			return 1
		}
		line, _ = c.ReadLine(context.Background())
		os.Stdout.WriteString("got " + line + "\n")
	case "killed":
		c.Quiet("reset")
		os.Stdout.WriteString("quiet\n")
		select {} // until it is killed
	case "silent":
		// Somebody else has turned the echo off.
		state, err := unix.IoctlGetTermios(0, getTermios)
		if err != nil {
			return 1
		}
		state.Lflag &^= unix.ECHO
		if unix.IoctlSetTermios(0, setTermios, state) != nil {
			return 1
		}
		c.Guard("reset")
		c.Quiet("reset")
		os.Stdout.WriteString("guarded\n")
		select {} // until it is killed
	case "run":
		signals, caught, stop := Signals()
		defer stop()
		<-caught
		status, err := c.Run(context.Background(), []string{"/bin/sh", "-c", "echo started; read line; echo line $line; exit 3"}, os.Environ(), "/")
		if err != nil {
			os.Stdout.WriteString(err.Error() + "\n")
		}
		select {
		case <-signals:
			os.Stdout.WriteString("signal\n")
		default:
		}
		if c.Foreground() {
			os.Stdout.WriteString("foreground again\n")
		}
		return status
	case "interrupt":
		// ^C reaches the program that has the terminal, and no other.
		signals, caught, stop := Signals()
		defer stop()
		<-caught
		status, _ := c.Run(context.Background(), []string{"/bin/sh", "-c", "echo started; exec sleep 60"}, os.Environ(), "")
		select {
		case <-signals:
			os.Stdout.WriteString("both were interrupted\n")
			return 1
		default:
		}
		return status
	}
	return 0
}

func startChild(t *testing.T, role string) (*exec.Cmd, *os.File, *bufio.Reader) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TERM_TEST="+role)
	tty, err := pty.Start(cmd)
	if err != nil {
		t.Skipf("no pty on this machine: %v", err)
	}
	t.Cleanup(func() {
		tty.Close()
		_ = cmd.Process.Kill()
	})
	// A test that waits for what never comes must end.
	timer := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() { timer.Stop() })
	return cmd, tty, bufio.NewReader(tty)
}

// until reads lines up to one that is wanted and returns all of them.
func until(t *testing.T, r *bufio.Reader, want string) string {
	t.Helper()
	var all strings.Builder
	for {
		line, err := r.ReadString('\n')
		all.WriteString(line)
		if strings.TrimRight(line, "\r\n") == want {
			return all.String()
		}
		if err != nil {
			t.Fatalf("waiting for %q: %v after %q", want, err, all.String())
		}
	}
}

func TestQuietAndReadLine(t *testing.T) {
	cmd, tty, r := startChild(t, "echo")
	until(t, r, "quiet")
	io.WriteString(tty, "secret\n")
	if text := until(t, r, "got secret"); strings.Contains(strings.TrimSuffix(text, "got secret\r\n"), "secret") {
		t.Errorf("typed text was echoed: %q", text)
	}
	io.WriteString(tty, "shown\n")
	if text := until(t, r, "got shown"); !strings.HasPrefix(text, "shown") {
		t.Errorf("the echo was not turned on again: %q", text)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// A terminal gets its echo back when the program that took it is killed, but not
// where a shell edits a line on it by then.
func TestQuietAndKilled(t *testing.T) {
	for _, test := range []struct {
		name  string
		taken uint32 // flags that the terminal's next owner took away
		echo  bool
	}{
		{"nobody's", 0, true},
		{"a shell's", unix.ICANON, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			cmd, master, r := startChild(t, "killed")
			until(t, r, "quiet")
			set := func(change func(*unix.Termios)) (echoes bool) {
				t.Helper()
				state, err := unix.IoctlGetTermios(int(master.Fd()), getTermios)
				if err != nil {
					t.Fatal(err)
				}
				if change != nil {
					change(state)
					if err := unix.IoctlSetTermios(int(master.Fd()), setTermios, state); err != nil {
						t.Fatal(err)
					}
				}
				return state.Lflag&unix.ECHO != 0
			}
			if set(func(s *unix.Termios) { s.Lflag &^= test.taken }) {
				t.Fatal("the terminal still echoes")
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			// Once nobody has the terminal any more, reading fails.
			said, err := io.ReadAll(r)
			if errors.Is(err, syscall.EIO) == false && err != nil {
				t.Error(err)
			}
			if echoes := set(nil); echoes != test.echo || string(said) != map[bool]string{true: "reset"}[test.echo] {
				t.Errorf("it echoes: %v; %q was written to it", echoes, said)
			}
			_ = cmd.Wait() // it was killed
		})
	}
}

// What somebody else did to a terminal is not undone.
func TestGuardLeavesSilentTerminals(t *testing.T) {
	cmd, master, r := startChild(t, "silent")
	until(t, r, "guarded")
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(r)
	if err != nil && !errors.Is(err, syscall.EIO) {
		t.Error(err)
	}
	state, err := unix.IoctlGetTermios(int(master.Fd()), getTermios)
	if err != nil {
		t.Fatal(err)
	}
	if state.Lflag&unix.ECHO != 0 || len(said) > 0 {
		t.Errorf("its echo was turned on, or %q was written to it", said)
	}
	_ = cmd.Wait() // it was killed
}

func TestRunLendsTheTerminal(t *testing.T) {
	cmd, tty, r := startChild(t, "run")
	until(t, r, "started")
	io.WriteString(tty, "hello\n")
	until(t, r, "line hello")
	until(t, r, "foreground again")
	err := cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Errorf("ended with %v, want status 3", err)
	}
}

func TestInterruptGoesToTheBorrower(t *testing.T) {
	cmd, tty, r := startChild(t, "interrupt")
	until(t, r, "started")
	io.WriteString(tty, "\x03")
	err := cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 128+int(syscall.SIGINT) {
		t.Errorf("ended with %v, want status 130", err)
	}
}

func TestReadLineFromPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := Open(r, io.Discard, io.Discard)
	io.WriteString(w, "one\r\ntwo")
	if line, err := c.ReadLine(context.Background()); line != "one" || err != nil {
		t.Errorf("%q, %v", line, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		_, err := c.ReadLine(ctx)
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, ErrCancelled) {
		t.Errorf("cancelled: %v", err)
	}
	w.Close()
	if _, err := c.ReadLine(context.Background()); err != io.EOF && err != nil {
		t.Errorf("at the end: %v", err)
	}
	if _, err := c.ReadLine(context.Background()); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

func TestRunWithoutTerminal(t *testing.T) {
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	in, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	c := Open(in, out, out)
	for _, test := range []struct {
		argv   []string
		status int
		fails  bool
	}{
		{[]string{"/bin/sh", "-c", "echo $GREETING; pwd; exit 5"}, 5, false},
		{[]string{"/bin/sh", "-c", "kill -9 $$"}, 137, false},
		{[]string{"/no/such/program"}, 0, true},
		{nil, 0, true},
	} {
		status, err := c.Run(context.Background(), test.argv, []string{"GREETING=hello"}, "/")
		if status != test.status || (err != nil) != test.fails {
			t.Errorf("%v: %d, %v", test.argv, status, err)
		}
	}
	text, err := os.ReadFile(out.Name())
	if err != nil || string(text) != "hello\n/\n" {
		t.Errorf("%q, %v", text, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	by := syscall.SIGHUP
	if signal.Ignored(by) { // under nohup: then the program does not obey it either
		by = syscall.SIGKILL
	}
	if status, err := c.Run(ctx, []string{"/bin/sleep", "60"}, nil, ""); status != 128+int(by) || err != nil {
		t.Errorf("cancelled: %d, %v", status, err)
	}
}

func TestNonBlocking(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if !NonBlocking(w) { // Go's own pipes are, for its poller
		t.Error("a non-blocking pipe was not seen")
	}
	w.Fd()
	if NonBlocking(io.Discard) || NonBlocking((*os.File)(nil)) {
		t.Error("what is no file was taken for one")
	}
}
