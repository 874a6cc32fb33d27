package crash

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// built is an element to open shells in.
var built = map[string]string{"all.bst": `kind: manual
depends:
- base.bst
environment:
  OF: the element
config:
  install-commands:
  - mkdir -p "%{install-root}/etc"
  - echo installed > "%{install-root}/etc/thing"
  strip-commands: []
`}

const shellConf = `name: crash
min-version: 2.0
element-path: elements
shell:
  command: [sh, -i]
  environment:
    OF: the shell
    FROM: $FROM
    TERM: $TERM
  host-files:
  - /etc/hostname
  - path: /etc/maybe
    host_path: /nowhere/at/all
    optional: true
  - path: /etc/copied
    host_path: '%{project-root}/hosted'
`

// TestShell: an interactive shell has what a shell of the person's own has: job
// control, the window and its changes, the terminal's kind, an exit status.
func TestShell(t *testing.T) {
	perStrategy(t, built, func(t *testing.T, s *stack) {
		s.run("build", "all.bst")
		seat := sit(t, s.command("shell", "all.bst"))
		defer seat.leave()
		seat.waitFor("@all.bst:/]$ ")
		say := func(line, answer string) {
			t.Helper()
			seat.types(line + "\n")
			seat.waitFor("\n" + answer)
		}
		say("echo size $(stty size)", "size 40 160")
		if err := pty.Setsize(seat.master, &pty.Winsize{Rows: 33, Cols: 99}); err != nil {
			t.Fatal(err)
		}
		// The program hears of it and hands it on, in its own time.
		say("until test \"$(stty size)\" = '33 99'; do sleep 0.1; done; echo size $(stty size)", "size 33 99")
		say("tty && echo has one", "/dev/")
		say("echo term $TERM", "term xterm\r\n")

		// ^Z stops what runs, jobs are listed, fg brings it back, ^C ends it and not
		// the shell nor bst.
		seat.types("sleep 12351\n")
		runs(t, seat.cmd.Process.Pid, "sleep 12351")
		seat.types("\x1a")
		seat.waitFor("Stopped")
		say("jobs", "[1]+")
		seat.types("fg\n")
		seat.waitFor("sleep 12351")
		for stopped := true; stopped; {
			for _, p := range others(seat.cmd.Process.Pid) {
				if p.args == "sleep 12351" {
					stopped = p.state == 'T'
				}
			}
		}
		seat.types("\x03")
		say("echo after $?", "after 130")
		seat.types("sleep 12352\n")
		runs(t, seat.cmd.Process.Pid, "sleep 12352")
		seat.types("\x1a")
		seat.waitFor("Stopped")
		say("bg", "[1]")
		say("jobs", "[1]+  Running")
		say("kill %1; echo told", "told")
		seat.types("exit 9\n")
		if status := seat.status(patience); status != 9 {
			t.Errorf("exit status %d", status)
		}
		seat.restored()
		if left := s.leftovers(); len(left) > 0 {
			t.Errorf("folders are left: %v", left)
		}
		if t.Failed() {
			t.Logf("the terminal:\n%s", seat.seen())
		}
	})
}

// TestShellGone: a shell's session ends with its terminal, with the program, and
// with its frontend, and nothing is left of the sandbox.
func TestShellGone(t *testing.T) {
	perStrategy(t, built, func(t *testing.T, s *stack) {
		s.run("build", "all.bst")
		for _, end := range []struct {
			name string
			do   func(*seat)
			dies bool
		}{
			{"the terminal goes", (*seat).leave, false},
			{"SIGTERM", func(s *seat) { s.signal(unix.SIGTERM) }, false},
			{"SIGHUP", func(s *seat) { s.signal(unix.SIGHUP) }, false},
			{"kill -9", func(s *seat) { s.signal(unix.SIGKILL) }, true},
		} {
			t.Run(end.name, func(t *testing.T) {
				seat := sit(t, s.command("shell", "all.bst"))
				defer seat.leave()
				seat.waitFor("@all.bst:/]$ ")
				seat.types("setsid sleep 12353 & sleep 12354\n")
				runs(t, seat.cmd.Process.Pid, "sleep 12353")
				runs(t, seat.cmd.Process.Pid, "sleep 12354")
				end.do(seat)
				seat.status(endWithin)
				orphansEnd(t, grace)
				if !end.dies {
					if left := s.leftovers(); len(left) > 0 {
						t.Errorf("folders are left: %v", left)
					}
					return
				}
				// The next session sweeps what a dead one left.
				s.run("shell", "all.bst", "--", "true")
				orphansEnd(t, grace)
				for _, dir := range s.leftovers() {
					if strings.Contains(dir, "/sandbox-") {
						t.Errorf("%s is left", dir)
					}
				}
			})
		}
	})
}

// TestShellCommand: what a shell's command sees, without a terminal.
func TestShellCommand(t *testing.T) {
	perStrategy(t, built, func(t *testing.T, s *stack) {
		s.write("project/project.conf", strings.ReplaceAll(shellConf, "%{project-root}", s.path("project")))
		s.write("project/hosted", "hosted\n")
		s.write("mounted/file", "mounted\n")
		s.run("build", "all.bst")
		for _, test := range []struct {
			args   []string
			line   string
			stdout string
			status int
		}{
			{nil, "echo $OF, $FROM, $TERM; cat /etc/thing /etc/copied; test -s /etc/hostname; test ! -e /etc/maybe; exit 7",
				"the shell, here, xterm\ninstalled\nhosted\n", 7},
			{[]string{"--isolate"}, "echo $OF, $FROM; cat /etc/thing; test ! -e /etc/copied && echo alone", "the element,\ninstalled\nalone\n", 0},
			{[]string{"--mount", s.path("mounted"), "/mnt/it"}, "cat /mnt/it/file; cat; kill -15 $$", "mounted\ntyped\n", 128 + 15},
			{[]string{"--build"}, "pwd; echo $OF; test ! -e /etc/thing", "/buildstream/crash/all.bst\nthe shell\n", 0},
			{nil, "tty", "not a tty\n", 1},
		} {
			args := append(append([]string{"shell"}, test.args...), "all.bst", "--", "sh", "-c", test.line)
			cmd := s.command(args...)
			cmd.Env = append(cmd.Env, "FROM=here")
			cmd.Stdin = strings.NewReader("typed\n")
			out, err := cmd.Output()
			if exit, ok := err.(*exec.ExitError); err != nil && !ok {
				t.Error(err)
			} else if got := cmd.ProcessState.ExitCode(); got != test.status || string(out) != test.stdout {
				t.Errorf("bst %s: status %d, output %q; want %d, %q", strings.Join(args, " "), got, out, test.status, test.stdout)
				if exit != nil {
					t.Logf("%s", exit.Stderr)
				}
			}
		}
		if left := s.leftovers(); len(left) > 0 {
			t.Errorf("folders are left: %v", left)
		}
	})
}
