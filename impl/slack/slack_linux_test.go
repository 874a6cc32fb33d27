package slack

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A backend is woken late; what others started, and a backend starts, is not.
func TestProcessesHaveIt(t *testing.T) {
	started := func(with func(start func() error) error) string {
		t.Helper()
		var out strings.Builder
		// /proc gives it for a thread itself to everybody.
		cmd := exec.Command("/bin/sh", "-c", "cat /proc/$$/timerslack_ns")
		cmd.Stdout = &out
		if err := errors.Join(with(cmd.Start), cmd.Wait()); err != nil {
			t.Skip("no /proc/PID/timerslack_ns: ", err)
		}
		return strings.TrimSpace(out.String())
	}
	as := func(own time.Duration, then func(start func() error) error) func(start func() error) error {
		return func(start func() error) error {
			return around(func(time.Duration) time.Duration { return own }, func() error { return then(start) })
		}
	}
	for _, test := range []struct {
		name string
		with func(start func() error) error
		want string
	}{
		{"a backend", OfBackend, "500000"},
		{"a backend of one that is woken later still", as(time.Millisecond, OfBackend), "500000"},
		{"a command of a backend", as(backend, OfOthers), "50000"},
		{"a command of a process that somebody chose it for", as(7*time.Microsecond, OfOthers), "7000"},
	} {
		before := started(func(start func() error) error { return start() })
		if got := started(test.with); got != test.want {
			t.Errorf("%s has %s ns, want %s", test.name, got, test.want)
		}
		if got := started(func(start func() error) error { return start() }); got != before {
			t.Errorf("after %s the next process has %s ns, want %s", test.name, got, before)
		}
	}
	failure := errors.New("no")
	if err := OfBackend(func() error { return failure }); err != failure {
		t.Errorf("start's error is %v", err)
	}
}
