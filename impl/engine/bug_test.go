package engine

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/stream"
)

// broken is an element kind with a bug.
type broken struct{ where string }

// kindOf gives each bug's kind a name that needs no declaration.
var kindOf = map[string]string{"configure": "manual", "key": "script", "assemble": "stack"}

func brokenKinds() []kind.Traits {
	var all []kind.Traits
	for where, name := range kindOf {
		all = append(all, kind.Traits{Kind: name, New: func() kind.Element { return broken{where} }})
	}
	return all
}

func (b broken) panics(here string) {
	if b.where == here {
		panic("oh no")
	}
}

func (b broken) Configure(*node.Node, kind.Env) error          { b.panics("configure"); return nil }
func (b broken) ConfigureDependencies([]kind.Dependency) error { return nil }
func (b broken) UniqueKey() any                                { b.panics("key"); return 1 }
func (b broken) Assemble(context.Context, kind.Assembly) (string, error) {
	b.panics("assemble")
	return "/", nil
}

// build runs a session that builds one element, and gives its events.
func build(t *testing.T, dir, text string, settings stream.Settings) []stream.Event {
	t.Helper()
	for name, content := range map[string]string{"project.conf": "name: p\nmin-version: 2.0\n", "e.bst": text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	settings.CacheDir, settings.SourceDir = filepath.Join(dir, "cache"), filepath.Join(dir, "cache/sources")
	settings.OnError, settings.ErrorLines, settings.BuildDependencies = stream.OnErrorContinue, 20, "run"
	orders := make(chan stream.Order, 1)
	orders <- &stream.Build{Session: stream.Session{Directory: dir, Settings: settings}, Targets: []string{"e.bst"}}
	events := make(chan []stream.Event, 1000)
	New(Config{Version: "1", Elements: brokenKinds()}).Run(t.Context(), orders, func(e ...stream.Event) { events <- e })
	close(events)
	var all []stream.Event
	for e := range events {
		all = append(all, e...)
	}
	return all
}

// A bug ends the work it is in, in order; its stack is in a log and not in what
// is shown.
func TestBug(t *testing.T) {
	for where := range kindOf {
		t.Run(where, func(t *testing.T) {
			dir := t.TempDir()
			events := build(t, dir, "kind: "+kindOf[where]+"\n", stream.Settings{LogDir: filepath.Join(dir, "logs")})
			end, ok := events[len(events)-1].(*stream.Finished)
			if !ok || end.Error == nil {
				t.Fatalf("the session ended with %#v", events[len(events)-1])
			}
			told := *end.Error
			for _, e := range events {
				if f, ok := e.(*stream.JobFinished); ok && f.Failure != nil {
					told = f.Failure.Error
					for _, line := range f.Failure.LogTail {
						if strings.Contains(line, "bug_test.go") {
							t.Errorf("the stack is in what is shown of the log: %s", line)
						}
					}
				}
			}
			if told.Reason != stream.ReasonUnhandled || !strings.Contains(told.Message, "this is a bug in bst: oh no") {
				t.Errorf("%#v", told)
			}
			if strings.Contains(told.Detail, "bug_test.go") {
				t.Errorf("the stack is in what is shown: %s", told.Detail)
			}
			_, rest, _ := strings.Cut(told.Detail, "is told in ")
			path, _, _ := strings.Cut(rest, "\n")
			log, err := os.ReadFile(path)
			if err != nil || !strings.Contains(string(log), "bug_test.go") || !strings.Contains(string(log), "oh no") {
				t.Errorf("%v, the log:\n%s", err, log)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "cache/build/*")); len(left) > 0 {
				t.Errorf("folders are left: %v", left)
			}
		})
	}
}

// Where no log can be written the stack is not lost.
func TestBugWithoutLog(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	events := build(t, dir, "kind: script\n", stream.Settings{LogDir: filepath.Join(dir, "file/logs")})
	end := events[len(events)-1].(*stream.Finished)
	if end.Error == nil || !strings.Contains(end.Error.Detail, "bug_test.go") || !strings.Contains(end.Error.Detail, "not a directory") {
		t.Errorf("%#v", end.Error)
	}
}
