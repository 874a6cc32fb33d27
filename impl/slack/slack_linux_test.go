package slack

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A process has what it was started with, and the next one what is usual again.
func TestProcessesHaveIt(t *testing.T) {
	started := func(slack time.Duration) string {
		t.Helper()
		var out strings.Builder
		// /proc gives it for a thread itself to everybody.
		cmd := exec.Command("/bin/sh", "-c", "cat /proc/$$/timerslack_ns")
		cmd.Stdout = &out
		run := cmd.Start
		var err error
		if slack == 0 {
			err = run()
		} else {
			err = Around(slack, run)
		}
		if err = errors.Join(err, cmd.Wait()); err != nil {
			t.Skip("no /proc/PID/timerslack_ns: ", err)
		}
		return strings.TrimSpace(out.String())
	}
	before := started(0)
	if got := started(Backend); got != "500000" {
		t.Errorf("a backend has %s ns, want 500000", got)
	}
	if got := started(0); got != before {
		t.Errorf("the next one has %s ns, want %s", got, before)
	}
	failure := errors.New("no")
	if err := Around(Backend, func() error { return failure }); err != failure {
		t.Errorf("start's error is %v", err)
	}
}
