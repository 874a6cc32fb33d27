package crash

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// perStrategy runs a test through every strategy, on a stack of its own.
func perStrategy(t *testing.T, elements map[string]string, test func(t *testing.T, s *stack)) {
	for _, strategy := range standing() {
		t.Run(strategy.Name, func(t *testing.T) {
			s := newStack(t, strategy.Name, elements)
			s.round(1)
			test(t, s)
			orphansEnd(t, grace)
		})
	}
}

var clock = regexp.MustCompile(`\[(\d\d):(\d\d):(\d\d)\]\[ *\]\[ *main:core activity *\] SUCCESS Build`)

// TestStopped: ^Z stops what runs, in whatever session and group it is, until the
// program is continued; the session's clock stands still.
func TestStopped(t *testing.T) {
	const pause = 3 * time.Second
	perStrategy(t, map[string]string{"all.bst": commands(
		`(setsid sh -c "sleep 22.22; true" &); setsid sh -c "while ! test -e go; do sleep 0.1; done"; sleep 1`)(0)},
		func(t *testing.T, s *stack) {
			start := time.Now()
			seat := sit(t, s.command("build", "all.bst"))
			defer seat.leave()
			bst := seat.cmd.Process.Pid
			runs(t, bst, "sleep 22.22")
			seat.types("\x1a")
			seat.stops()
			seat.restored()
			inside := func() (stopped, going int) {
				for _, p := range others(bst) {
					switch {
					case p.name != "sh" && p.name != "sleep" && p.name != "busybox" || p.state == 'Z':
					case p.state == 'T':
						stopped++
					default:
						going++
					}
				}
				return stopped, going
			}
			for range 20 {
				if stopped, going := inside(); stopped < 4 || going > 0 {
					t.Errorf("%d processes of the sandbox are stopped and %d are not", stopped, going)
					break
				}
				time.Sleep(pause / 20)
			}
			seat.signal(unix.SIGCONT)
			// Before it is seen to run, the session may still be stopped.
			for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
				if stopped, going := inside(); stopped == 0 && going > 0 {
					break
				}
				if time.Now().After(end) {
					t.Fatal("the sandbox did not go on")
				}
			}
			// The build's own folder is the one in which it waits for this file.
			marked, err := filepath.Glob(s.cache("build/sandbox-*/marked/*"))
			if err != nil || len(marked) == 0 {
				t.Fatalf("the build's folders were not found: %v", err)
			}
			for _, dir := range marked {
				s.must(os.WriteFile(filepath.Join(dir, "go"), nil, 0o644))
			}
			if status := seat.status(patience); status != 0 {
				t.Fatalf("status %d; the terminal:\n%s", status, seat.seen())
			}
			total := time.Since(start)
			hit := clock.FindStringSubmatch(seat.seen())
			if hit == nil {
				t.Fatalf("no time in:\n%s", seat.seen())
			}
			var h, m, sec int
			_, err = fmt.Sscan(hit[1]+" "+hit[2]+" "+hit[3], &h, &m, &sec)
			s.must(err)
			if told := time.Duration(h*3600+m*60+sec) * time.Second; told > total-pause+time.Second {
				t.Errorf("the session took %v with a pause of %v, and tells of %v", total, pause, told)
			}
		})
}

// TestNobodyReads: bst ends when what it writes is no longer read, and so do its
// jobs.
func TestNobodyReads(t *testing.T) {
	elements := map[string]string{
		"soon.bst":  commands("sleep 1")(0),
		"later.bst": commands("sleep 12350")(0),
		"all.bst":   "kind: stack\ndepends:\n- soon.bst\n- later.bst\n",
	}
	for i := range 200 {
		elements[fmt.Sprintf("filler%d.bst", i)] = "kind: stack\n"
	}
	perStrategy(t, elements, func(t *testing.T, s *stack) {
		// bst show | head -1
		cmd := s.command("show")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		head(t, cmd)
		if got := cmd.ProcessState.ExitCode(); got != 1 && got != 0 {
			t.Errorf("bst show | head -1: status %d\n%s", got, &stderr)
		}
		if strings.Contains(stderr.String(), "panic") || strings.Contains(stderr.String(), "Error") {
			t.Errorf("bst show | head -1 complains:\n%s", &stderr)
		}
		// bst build 2>&1 | head -1, which ends with the next line that is written.
		cmd = s.command("build", "all.bst")
		head(t, cmd)
		if got := cmd.ProcessState.ExitCode(); got != 1 {
			t.Errorf("bst build 2>&1 | head -1: status %d", got)
		}
		if left := s.leftovers(); len(left) > 0 {
			t.Errorf("folders are left: %v", left)
		}
		// No standard error at all.
		cmd = s.command("show", "all.bst")
		cmd.Stderr = nil
		if err := cmd.Run(); err != nil {
			t.Errorf("bst show 2>/dev/null: %v", err)
		}
		closed := exec.Command("sh", "-c", `exec "$0" show all.bst 2>&- >out`, s.bst)
		closed.Dir, closed.Env = s.path("project"), s.environ()
		if err := closed.Run(); err != nil {
			t.Errorf("bst show 2>&-: %v", err)
		}
		if out, err := os.ReadFile(s.path("project/out")); err != nil || !strings.Contains(string(out), "all.bst") {
			t.Errorf("bst show 2>&- wrote %q, %v", out, err)
		}
	})
}

// head runs a command, reads a line of what it writes, and no more.
func head(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = writer
	if cmd.Stderr == nil {
		cmd.Stderr = writer
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	if _, err := bufio.NewReaderSize(reader, 16).ReadString('\n'); err != nil {
		t.Error(err)
	}
	reader.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // ProcessState says it
	}()
	select {
	case <-ended:
	case <-time.After(patience):
		_ = cmd.Process.Signal(syscall.SIGQUIT)
		<-ended
		t.Errorf("bst did not end when nobody read")
	}
}
