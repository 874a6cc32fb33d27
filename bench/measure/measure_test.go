package measure

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"bst/bench/terminal"
)

// The test's own program plays the commands that are measured.
func TestMain(m *testing.M) {
	switch os.Getenv("MEASURE_TEST") {
	case "frontend":
		os.Exit(frontend())
	case "backend":
		burn(200*time.Millisecond, 64<<20)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// frontend starts its own program anew, as the strategy "pipe" does.
func frontend() int {
	program, err := os.Executable()
	if err != nil {
		return 3
	}
	cmd := exec.Command(program, "backend")
	cmd.Env = []string{"MEASURE_TEST=backend"}
	if err := cmd.Run(); err != nil {
		return 4
	}
	return 0
}

var sink []byte

func burn(d time.Duration, memory int) {
	sink = make([]byte, memory)
	for i := 0; i < len(sink); i += 512 {
		sink[i] = 1
	}
	// A busy machine gives less than it takes: both have to be over.
	for begin := time.Now(); time.Since(begin) < d || used() < d; {
		sink[0]++
	}
}

func TestRun(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"none", "pty"} {
		where, err := terminal.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Run(context.Background(), Command{Path: program, Env: []string{"MEASURE_TEST=frontend"}, Terminal: where})
		if err != nil {
			t.Fatal(err)
		}
		if r.Wall < 200*time.Millisecond || r.User+r.System < 100*time.Millisecond || r.User+r.System > time.Minute {
			t.Errorf("wall %v, user %v, system %v", r.Wall, r.User, r.System)
		}
		if r.Backend.PeakRSS < 64<<20 || r.Frontend.PeakRSS <= 0 || r.Frontend.PeakRSS > 64<<20 {
			t.Errorf("peaks: %+v %+v", r.Frontend, r.Backend)
		}
		if r.Backend.CPU < 100*time.Millisecond || r.Frontend.CPU > r.Backend.CPU {
			t.Errorf("processor: %+v %+v", r.Frontend, r.Backend)
		}
		if peak := r.Peak(); peak != r.Frontend.PeakRSS+r.Backend.PeakRSS {
			t.Errorf("peak %d", peak)
		}
	}
}

// A command that should fail is well when it does, in the way that it should.
func TestStatus(t *testing.T) {
	for _, c := range []struct {
		script string
		status int
		well   bool
	}{{"exit 3", 3, true}, {"exit 4", 3, false}, {"exit 0", 3, false}, {"kill -9 $$", 3, false}, {"exit 0", 0, true}} {
		_, err := Run(context.Background(), Command{Path: "/bin/sh", Args: []string{"-c", c.script}, Env: []string{"PATH=/usr/bin:/bin"}, Status: c.status})
		if (err == nil) != c.well {
			t.Errorf("%q with status %d: %v", c.script, c.status, err)
		}
	}
}

func TestFailures(t *testing.T) {
	shell := func(script string) Command {
		return Command{Path: "/bin/sh", Args: []string{"-c", script}, Env: []string{"PATH=/usr/bin:/bin"}, Timeout: 300 * time.Millisecond}
	}
	for _, c := range []struct {
		name     string
		command  Command
		tail     string
		timedOut bool
	}{
		{"status", shell("echo why >&2; exit 3"), "why\n", false},
		{"killed", shell("kill -9 $$"), "", false},
		{"missing", Command{Path: "/no/such/program"}, "", false},
		{"time", shell("echo begun; exec sleep 20"), "begun\n", true},
	} {
		_, err := Run(context.Background(), c.command)
		var failed *FailedError
		if !errors.As(err, &failed) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if failed.Tail != c.tail || failed.TimedOut != c.timedOut || failed.Err == nil {
			t.Errorf("%s: %+v", c.name, failed)
		}
	}
}

func TestParseProc(t *testing.T) {
	if got := parsePeak("Name:\tx\nVmPeak:\t  10 kB\nVmHWM:\t    1234 kB\nVmRSS:\t 3 kB\n"); got != 1234<<10 {
		t.Errorf("VmHWM %d", got)
	}
	stat := "12 (a) b (c) R 1 12 12 0 -1 4194304 1 2 3 4 150 25 7 8 20 0 1 0 100 200 300"
	if got := parseCPU(stat); got != 1750*time.Millisecond {
		t.Errorf("processor time %v", got)
	}
	for _, bad := range []string{"", "VmHWM: many kB", "12 (a", "12 (a) R 1 2"} {
		if parsePeak(bad) != 0 || parseCPU(bad) != 0 {
			t.Errorf("%q was understood", bad)
		}
	}
}
