//go:build linux

package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// screen collects what a terminal shows.
type screen struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

// await waits until want has been shown since the last await.
func (s *screen) await(t *testing.T, want string) string {
	t.Helper()
	for range 1000 {
		s.mu.Lock()
		text := s.text.String()
		i := strings.Index(text, want)
		if i >= 0 {
			s.text.Next(i + len(want))
		}
		s.mu.Unlock()
		if i >= 0 {
			return text[:i]
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t.Fatalf("the terminal does not show %q, but %q", want, s.text.String())
	return ""
}

// A shell from a recipe, started by somebody else, works on its own terminal:
// the terminal is a terminal, ^C reaches what runs in the shell and not the
// shell, and the status comes back.
func TestShell(t *testing.T) {
	modes(t, func(t *testing.T, l *lab) {
		r := l.stage(l.tree(map[string]string{"etc/x": "lower"}))
		if err := r.Writable("/work", l.tree(map[string]string{"kept": "build tree"})); err != nil {
			t.Fatal(err)
		}
		l.sh(r, "echo integrated > /etc/x", nil)
		argv, env, dir, err := r.Recipe(Spec{
			Argv: []string{"sh", "-i"}, Env: map[string]string{"PATH": "/usr/bin", "PS1": "READY> "},
			Dir: "/work", Network: true, InheritUID: true, RootReadOnly: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Env, cmd.Dir = env, dir
		terminal, err := pty.Start(cmd)
		if err != nil {
			t.Fatal(err)
		}
		defer terminal.Close()
		shown := new(screen)
		go func() {
			buf := make([]byte, 1024)
			for {
				n, err := terminal.Read(buf)
				shown.Write(buf[:n])
				if err != nil {
					return
				}
			}
		}()
		typed := func(line string) {
			t.Helper()
			if _, err := terminal.WriteString(line); err != nil {
				t.Fatal(err)
			}
		}
		shown.await(t, "READY> ")
		if err := pty.Setsize(terminal, &pty.Winsize{Rows: 33, Cols: 77}); err != nil {
			t.Fatal(err)
		}
		typed("test -t 0 && echo a $(echo tty), uid $(id -u), $(cat kept), $(cat /etc/x)\n")
		shown.await(t, fmt.Sprintf("a tty, uid %d, build tree, integrated", os.Geteuid()))
		shown.await(t, "READY> ")
		typed("echo x > /etc/x || echo read''only; echo y > new\n")
		shown.await(t, "readonly")
		shown.await(t, "READY> ")
		const sleeps = "sh -c 'echo it slee''ps; exec sleep 1000'"
		typed(sleeps + "; echo ended''\n")
		shown.await(t, "it sleeps") // too early ^C would hit the shell
		typed("\x03")
		shown.await(t, "READY> ")
		typed(sleeps + "\n")
		shown.await(t, "it sleeps")
		typed("\x1a")
		shown.await(t, "READY> ")
		typed("jobs; kill -9 %1; echo job''s done\n")
		shown.await(t, "Stopped")
		shown.await(t, "jobs done")
		if strings.Contains(shown.text.String(), "job control") {
			t.Errorf("no job control: %s", shown.text.String())
		}
		// The shell tells of a job's end at the first prompt at which it knows of it.
		told := strings.Contains(shown.await(t, "READY> "), "Killed")
		for i := 0; i < 100 && !told; i++ {
			typed("\n")
			told = strings.Contains(shown.await(t, "READY> "), "Killed")
		}
		if !told {
			t.Error("the shell does not tell that the job was killed")
		}
		typed("exit 7\n")
		kill := time.AfterFunc(10*time.Second, func() { t.Errorf("it does not end: %q", shown.text.String()); _ = cmd.Process.Kill() })
		err = cmd.Wait()
		kill.Stop()
		if got := cmd.ProcessState.ExitCode(); got != 7 {
			t.Errorf("status %d: %v", got, err)
		}
		d, err := r.CaptureDir(t.Context(), "/work")
		if err != nil {
			t.Fatal(err)
		}
		work, err := l.store.OpenDir(d)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := work.ReadFile("new"); err != nil || string(b) != "y\n" {
			t.Errorf("what the shell wrote: %q %v", b, err)
		}
	})
}

// The one who started the recipe gets the terminal back, though the shell in it
// had made itself the terminal's foreground.
func TestShellGivesTerminalBack(t *testing.T) {
	l := newLab(t, nil)
	r := l.stage()
	argv, _, _, err := r.Recipe(Spec{Argv: []string{"sh", "-i"}, Env: map[string]string{"PATH": "/usr/bin", "PS1": "READY> "}})
	if err != nil {
		t.Fatal(err)
	}
	// The host's shell stands for the frontend: it reads the terminal afterwards.
	cmd := exec.Command("sh", "-c", `"$@"; echo status $?; read line; echo "got $line"`, "sh", argv[0], argv[1], argv[2], argv[3])
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	shown := new(screen)
	go func() {
		buf := make([]byte, 1024)
		for {
			n, err := terminal.Read(buf)
			shown.Write(buf[:n])
			if err != nil {
				return
			}
		}
	}()
	shown.await(t, "READY> ")
	if _, err := terminal.WriteString("exit 3\n"); err != nil {
		t.Fatal(err)
	}
	shown.await(t, "status 3")
	if _, err := terminal.WriteString("hello\n"); err != nil {
		t.Fatal(err)
	}
	shown.await(t, "got hello")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// A shell that is killed, or whose starter dies, leaves nothing; one whose
// sandbox is closed says so.
func TestShellEnds(t *testing.T) {
	l := newLab(t, nil)
	r := l.stage()
	recipe := func(script string) *exec.Cmd {
		argv, env, dir, err := r.Recipe(Spec{Argv: []string{"sh", "-c", script}, Env: map[string]string{"PATH": "/usr/bin"}})
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Env, cmd.Dir = env, dir
		return cmd
	}
	cmd := recipe("echo ready; (sleep 1000 & sleep 1000) & sleep 1000")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	// In use by the shell, though the stager would have died by now.
	if !inUse(filepath.Join(r.dir, lockName)) {
		t.Error("the work directory is not locked")
	}
	if err := cmd.Process.Signal(unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	var left []string
	for range 500 {
		if left = sleepers(t, l); len(left) == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if len(left) > 0 {
		t.Errorf("processes are left:\n%s", strings.Join(left, "\n"))
	}

	late := recipe("echo never")
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	late.Dir = ""
	text, err := late.CombinedOutput()
	if err == nil || !strings.Contains(string(text), "the sandbox is gone") {
		t.Errorf("%v %s", err, text)
	}
	if _, _, _, err := r.Recipe(Spec{Argv: []string{"sh"}}); err == nil {
		t.Error("a closed sandbox gives a recipe")
	}
}
