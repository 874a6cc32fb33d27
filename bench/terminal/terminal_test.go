package terminal

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
	for _, name := range []string{"none", "pty", "pty@1", "pty@20000"} {
		terminal, err := Parse(name)
		if err != nil || terminal.String() != name {
			t.Errorf("%s: %v, %v", name, terminal, err)
		}
	}
	for _, bad := range []string{"", "tty", "pty@", "pty@0", "pty@-1", "pty@fast"} {
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
