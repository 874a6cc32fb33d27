package terminal

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == HoldWord {
		signal.Ignore(syscall.SIGHUP)
		fmt.Fprintln(os.Stderr, Hold(os.Args[2]))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func run(t *testing.T, name, script string) Output {
	t.Helper()
	terminal, err := Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/bin/sh", "-c", script)
	attached, err := terminal.Attach(cmd)
	if err != nil {
		t.Fatal(err)
	}
	err = cmd.Start()
	attached.Drain()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	output, err := attached.Finish()
	if err != nil {
		t.Error(err)
	}
	return output
}

func TestParse(t *testing.T) {
	for _, name := range []string{"none", "pty", "pty@1", "pty@20000", "pty-stopped", "model-conhost", "model-ssh-50ms", "xterm", "tmux"} {
		terminal, err := Parse(name)
		if err != nil || terminal.String() != name {
			t.Errorf("%s: %v, %v", name, terminal, err)
		}
	}
	for _, bad := range []string{"", "tty", "pty@", "pty@0", "pty@-1", "pty@fast", "conhost", "model-", "model-vt100"} {
		if terminal, err := Parse(bad); err == nil {
			t.Errorf("%q: %v", bad, terminal)
		}
	}
}

func TestOutput(t *testing.T) {
	const script = `if [ -t 1 ]; then stty size; else echo pipe; fi; printf 'err\n' >&2`
	for _, c := range []struct{ terminal, want string }{
		{"none", "pipe\nerr\n"},
		{"pty", "50 160\r\nerr\r\n"},
		{"pty@20000", "50 160\r\nerr\r\n"},
		{"pty@1", "50 160\r\nerr\r\n"},
		{"pty-stopped", "50 160\r\nerr\r\n"},
		{"model-conhost", "50 160\r\nerr\r\n"},
	} {
		got := run(t, c.terminal, script)
		if diff := cmp.Diff(c.want, string(got.Tail)); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", c.terminal, diff)
		}
		if got.Bytes != int64(len(c.want)) || got.Lines != 2 || got.Reads < 1 || got.Reads > got.Bytes {
			t.Errorf("%s: %d bytes, %d lines, %d reads", c.terminal, got.Bytes, got.Lines, got.Reads)
		}
	}
}

// Every byte is counted, and of a long output the end is kept.
func TestLongOutput(t *testing.T) {
	for _, name := range []string{"none", "pty"} {
		got := run(t, name, `i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done; echo end`)
		line := 11
		if name == "pty" {
			line = 12
		}
		want := int64(20000*line + line - 7)
		if got.Bytes != want || got.Lines != 20001 {
			t.Errorf("%s: %d bytes and %d lines, want %d and 20001", name, got.Bytes, got.Lines, want)
		}
		if len(got.Tail) < tailSize || len(got.Tail) > 2*tailSize || !strings.HasSuffix(strings.TrimSpace(string(got.Tail)), "end") {
			t.Errorf("%s: a tail of %d bytes", name, len(got.Tail))
		}
	}
}

// A process that is left behind with the terminal open does not hold the
// harness up.
func TestLeftBehind(t *testing.T) {
	for _, name := range []string{"none", "pty"} {
		got := run(t, name, `echo before; trap "" HUP; sleep 10 & exit 0`)
		if !strings.HasPrefix(string(got.Tail), "before") {
			t.Errorf("%s: %q", name, got.Tail)
		}
	}
}

// A real terminal shows the program, controls it, and is gone afterwards.
func TestReal(t *testing.T) {
	for name, needs := range map[string][]string{"xterm": {"xterm", "Xvfb"}, "tmux": {"tmux"}} {
		t.Run(name, func(t *testing.T) {
			for _, program := range needs {
				if _, err := exec.LookPath(program); err != nil {
					t.Skipf("%v: apt-get install %s", err, strings.ToLower(program))
				}
			}
			file := filepath.Join(t.TempDir(), "said")
			got := run(t, name, `stty size >`+file+`; tty >>`+file+`; echo to the terminal >/dev/tty && echo controls >>`+file)
			said, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(string(said), "\n")
			if len(lines) != 4 || lines[0] != "50 160" || !strings.HasPrefix(lines[1], "/dev/") || lines[2] != "controls" {
				t.Errorf("the program found %q", said)
			}
			if !got.Uncounted {
				t.Errorf("%+v", got)
			}
		})
	}
}

// The program that has models inside is told of one; another pays where it is
// read, and still arrives whole.
func TestModels(t *testing.T) {
	model, err := Parse("model-wsl1")
	if err != nil {
		t.Fatal(err)
	}
	if env := model.Environ(); env != nil {
		t.Errorf("a program without models is told of one: %v", env)
	}
	model.Inside = true
	if diff := cmp.Diff([]string{"BST_TERMINAL_MODEL=wsl1"}, model.Environ()); diff != "" {
		t.Error(diff)
	}
	if env := (Terminal{PTY: true, Inside: true}).Environ(); env != nil {
		t.Errorf("a plain pseudo-terminal tells of a model: %v", env)
	}
	for _, name := range Names() {
		where, err := Parse(strings.Replace(name, "N", "7", 1))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if where.String() != "none" && !strings.HasPrefix(where.String(), "pty") && where.About() == "" {
			t.Errorf("nothing is said about %s", name)
		}
	}
	got := run(t, "model-wsl1", `i=0; while [ $i -lt 2000 ]; do echo 0123456789; i=$((i+1)); done`)
	if got.Lines != 2000 {
		t.Errorf("%d lines arrived", got.Lines)
	}
}
