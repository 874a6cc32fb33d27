package session

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bst/impl/frontend"
	"bst/impl/stream"
)

// toldIn reads the log that a text says a bug is told in.
func toldIn(t *testing.T, text string) string {
	t.Helper()
	_, rest, _ := strings.Cut(text, "is told in ")
	path, _, _ := strings.Cut(rest, "\n")
	log, err := os.ReadFile(path)
	if err != nil {
		t.Errorf("%v; it was told:\n%s", err, text)
	}
	return string(log)
}

// TestBackendBug: how the backend's runtime tells of its end goes to a file, however
// it came.
func TestBackendBug(t *testing.T) {
	const stack = "goroutine 7 [running]:\nmain.main()\n\t/x/main.go:1\n"
	for name, report := range map[string]string{
		"panic":       "panic: oh\n\n" + stack,
		"fatal error": "runtime: out of memory\nfatal error: oh\n\n" + stack,
		"stack alone": stack,
	} {
		for _, live := range []bool{false, true} {
			var log bytes.Buffer
			dir := filepath.Join(t.TempDir(), "logs")
			stderr := NewStderr()
			result, _ := play(t, Options{
				Console: piped("", io.Discard, &log), Backend: stderr,
				Order: &stream.Build{Session: stream.Session{Settings: stream.Settings{LogDir: dir}}},
			}, func(b backend) {
				b.expect("build")
				if live { // it comes in pieces, before the end is known
					io.WriteString(stderr, "a warning\n")
					b.emit(&stream.Started{}, running)
					io.WriteString(stderr, report[:20])
					b.emit(&stream.State{State: stream.StateHeld})
					io.WriteString(stderr, report[20:])
				}
				b.s.err = &stream.LostError{Strategy: "pipe", Status: "exit status 2", Stderr: report}
				close(b.s.events)
			})
			text := log.String()
			if result.Status != 255 || result.Error == nil || result.Error.Reason != stream.ReasonUnhandled {
				t.Errorf("%s: %+v", name, result)
			}
			if strings.Contains(text, "main.go") || !strings.Contains(text, "went away: exit status 2") {
				t.Errorf("%s: on the screen:\n%s", name, text)
			}
			if live && !strings.Contains(text, "a warning\n") {
				t.Errorf("%s: what the backend said before is lost:\n%s", name, text)
			}
			if !strings.Contains(toldIn(t, text), "main.go:1") {
				t.Errorf("%s: the log has no stack", name)
			}
		}
	}
}

// TestNoBackendBug: what looks like the report of an end and is none is shown.
func TestNoBackendBug(t *testing.T) {
	var log bytes.Buffer
	stderr := NewStderr()
	result, _ := play(t, Options{Console: piped("", io.Discard, &log), Backend: stderr}, func(b backend) {
		b.expect("build")
		io.WriteString(stderr, "before\npanic: a program of the host's said so\nafter\n")
		b.emit(&stream.Started{}, running, &stream.Finished{})
	})
	if result.Status != 0 || !strings.Contains(log.String(), "before\n") || !strings.Contains(log.String(), "said so\nafter\n") {
		t.Errorf("%+v\n%s", result, &log)
	}
}

// bomb is a log file with a bug.
type bomb struct{}

func (bomb) Write([]byte) (int, error) { panic("oh no") }

// TestFrontendBug: a bug of the frontend's ends the session in order.
func TestFrontendBug(t *testing.T) {
	var log bytes.Buffer
	dir := filepath.Join(t.TempDir(), "logs")
	result, _ := play(t, Options{
		Console: piped("", io.Discard, &log), LogFile: bomb{},
		Model: newModel(t, frontend.Options{Session: "Build", Copy: true}),
		Order: &stream.Build{Session: stream.Session{Settings: stream.Settings{LogDir: dir}}},
	}, func(b backend) {
		b.expect("build")
		b.emit(&stream.Started{}, running)
	})
	if result.Status != 255 || result.Error == nil || result.Error.Reason != stream.ReasonUnhandled {
		t.Errorf("%+v", result)
	}
	if !strings.Contains(log.String(), "Unhandled exception: this is a bug in bst: oh no") || strings.Contains(log.String(), "bug_test.go") {
		t.Errorf("it was told:\n%s", &log)
	}
	if !strings.Contains(toldIn(t, log.String()), "bug_test.go") {
		t.Error("the log has no stack")
	}
}
