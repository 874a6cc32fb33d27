package profile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bst/impl/stream"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// timed is an event and when it arrives, in milliseconds.
type timed struct {
	at int
	e  stream.Event
}

func at(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }

func started(ms int, id stream.JobID, action, element string) timed {
	// The backend's clock is an hour behind.
	return timed{ms + 1, &stream.JobStarted{Job: id, Action: action, Element: element, Time: at(ms).Add(-time.Hour), Log: element + ".log"}}
}

func ended(ms int, id stream.JobID, status stream.JobStatus) timed {
	return timed{ms + 1, &stream.JobFinished{Job: id, Time: at(ms).Add(-time.Hour), Status: status}}
}

// trace is what the format makes of a session, as a viewer reads it.
func trace(t *testing.T, events ...timed) []map[string]any {
	t.Helper()
	var file bytes.Buffer
	w := New(&file, "bst build")
	err := w.Begin()
	last := 0
	for _, e := range events {
		if err == nil {
			err = w.Event(at(e.at), e.e)
		}
		last = e.at
	}
	if err == nil {
		err = w.End(at(last + 1))
	}
	if err != nil {
		t.Fatal(err)
	}
	var entries []map[string]any
	if err := json.Unmarshal(file.Bytes(), &entries); err != nil {
		t.Fatalf("%v in:\n%s", err, file.String())
	}
	return entries
}

// drawn are the spans, marks and counters of a trace, one a line.
func drawn(entries []map[string]any) string {
	lanes := map[any]any{}
	var b strings.Builder
	for _, e := range entries {
		args, _ := e["args"].(map[string]any)
		switch e["ph"] {
		case "M":
			if e["name"] == "thread_name" {
				lanes[e["tid"]] = args["name"]
			}
		case "X":
			fmt.Fprintf(&b, "%s: %s %v+%v %v\n", lanes[e["tid"]], e["name"], e["ts"], e["dur"], args["status"])
		case "i":
			fmt.Fprintf(&b, "%s: %s at %v\n", lanes[e["tid"]], e["name"], e["ts"])
		case "C":
			fmt.Fprintf(&b, "%s %v at %v\n", e["name"], args, e["ts"])
		}
	}
	return b.String()
}

func TestBuild(t *testing.T) {
	got := drawn(trace(t,
		timed{0, &stream.Started{Time: at(0).Add(-time.Hour)}},
		timed{1, &stream.Stage{Name: "Loading elements"}},
		timed{2, &stream.Stage{Name: "Inner"}},
		timed{3, &stream.Stage{Name: "Loading elements", Current: 5}},
		timed{4, &stream.Stage{Name: "Inner", Done: true}},
		timed{6, &stream.Stage{Name: "Loading elements", Current: 9, Done: true}},
		timed{10, &stream.State{State: stream.StateRunning}},
		timed{10, &stream.Queue{Action: "Fetch"}},
		timed{10, &stream.Queue{Action: "Build"}},
		started(20, 1, "Build", "a.bst"),
		started(21, 2, "Build", "b.bst"),
		timed{22, &stream.Message{Type: stream.TypeWarning, Job: 2, Text: "odd", Time: at(22).Add(-time.Hour)}},
		timed{22, &stream.Message{Type: stream.TypeInfo, Job: 2, Text: "not drawn"}},
		ended(30, 1, stream.JobSucceeded),
		timed{31, &stream.Counts{Action: "Build", Processed: 1}},
		started(31, 3, "Build", "c.bst"), // a.bst's token
		timed{40, &stream.State{State: stream.StateHeld}},
		ended(45, 2, stream.JobFailed),
		timed{46, &stream.CacheUsage{Used: 77}},
		timed{50, &stream.State{State: stream.StateRunning}},
		ended(60, 3, stream.JobSkipped),
		ended(60, 99, stream.JobSkipped), // never began
		timed{70, &stream.Finished{}},
	))
	want := `loading: Inner 2000+2000 <nil>
loading: Loading elements 1000+5000 <nil>
running jobs map[Build:1 Fetch:0] at 20000
running jobs map[Build:2 Fetch:0] at 21000
Build 2: WARNING odd at 22000
Build 1: a.bst 20000+10000 succeeded
running jobs map[Build:1 Fetch:0] at 30000
elements map[Build failed:0 Build processed:1 Build skipped:0] at 31000
running jobs map[Build:2 Fetch:0] at 31000
scheduler: running 10000+30000 <nil>
Build 2: b.bst 21000+24000 failed
running jobs map[Build:1 Fetch:0] at 45000
cache, bytes map[used:77] at 46000
scheduler: held 40000+10000 <nil>
Build 1: c.bst 31000+29000 skipped
running jobs map[Build:0 Fetch:0] at 60000
scheduler: running 50000+20000 <nil>
session: bst build 0+70000 succeeded
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestCutShort: however a session ends, the file is whole.
func TestCutShort(t *testing.T) {
	open := []timed{
		{0, &stream.Started{Time: at(0).Add(-time.Hour)}},
		{1, &stream.Stage{Name: "Loading elements"}},
		{2, &stream.State{State: stream.StateTerminating}},
		started(3, 1, "Build", "a.bst"),
	}
	for _, c := range []struct {
		name   string
		events []timed
		status string
	}{
		{"terminated", append(open[:4:4], timed{9, &stream.Finished{Terminated: true, Error: &stream.Error{Message: "no"}}}), "terminated"},
		{"failed", append(open[:4:4], timed{9, &stream.Finished{Error: &stream.Error{Message: "no"}}}), "failed"},
		{"lost", open, "the backend was lost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := drawn(trace(t, c.events...))
			for _, want := range []string{"loading: Loading elements", "Build 1: a.bst", "scheduler: terminating", " " + c.status + "\n"} {
				if !strings.Contains(got, want) {
					t.Errorf("%q is missing in:\n%s", want, got)
				}
			}
		})
	}
	if got := trace(t); len(got) == 0 {
		t.Error("nothing was written of an empty session")
	}
}

// TestMissing: where events are missing there is a mark.
func TestMissing(t *testing.T) {
	var file bytes.Buffer
	w := New(&file, "bst")
	if err := w.Begin(); err != nil {
		t.Fatal(err)
	}
	if err := w.Lost(at(0), 3); err != nil {
		t.Fatal(err)
	}
	if err := w.End(at(1)); err != nil || !strings.Contains(file.String(), "3 events are missing here") || !json.Valid(file.Bytes()) {
		t.Errorf("%v, %s", err, file.String())
	}
}
