package codecs

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"golang.org/x/perf/benchfmt"

	"bst/impl/stream"
)

// session has every field that a codec of the comparison could treat wrongly.
func session() []stream.Event {
	now := time.Unix(1790000000, 123456789)
	k := stream.Key{Full: strings.Repeat("0123456789abcdef", 4), Strict: true}
	took := 3 * time.Second
	return []stream.Event{
		&stream.Started{Time: now, Version: "1", PID: 3},
		&stream.Stage{Name: "Loading elements", Current: 1, Total: 2, Done: true, Elapsed: took},
		&stream.Heading{Project: "p", Targets: []string{"a", "b"}, Config: []stream.Pair{{Name: "n", Value: "v"}},
			Projects: []stream.ProjectHeading{{Name: "p", Options: []stream.Pair{{Name: "o"}}}}, TotalElements: 3, LogDir: "l"},
		&stream.ElementShown{Where: stream.ShownResolved, Name: "a.bst", Key: k, State: "cached", Workspaced: true, WorkspaceDirs: "d"},
		&stream.PipelineShown{},
		&stream.Message{Type: stream.TypeWarning, Time: now, Elapsed: &took, Element: "a.bst", Key: k, Text: "t", Detail: "d", Job: 4},
		&stream.Message{Type: stream.TypeInfo},
		&stream.Queue{Action: "Build", Complete: "Built"},
		&stream.Counts{Action: "Build", Processed: 1, Skipped: 2, Failed: 3},
		&stream.JobStarted{Job: 4, Action: "Build", Element: "a.bst", Key: k, Time: now, At: took, Log: "log"},
		&stream.JobProgress{Job: 4, Current: 1, Total: 9},
		&stream.JobFinished{Job: 4, Action: "Build", Key: k, Time: now, At: took, Took: took, Status: stream.JobFailed, Text: "x",
			Failure: &stream.Failure{Error: stream.Error{Domain: stream.DomainSandbox, Reason: "r", Message: "m", Sandbox: true}, LogTail: []string{"a"}, Held: true}},
		&stream.State{State: stream.StateHeld, At: took},
		&stream.CacheUsage{Used: 1 << 40, Quota: 3},
		&stream.Finished{Error: &stream.Error{Message: "m", TaskDomain: stream.DomainSource}, At: took, ShellStatus: 3,
			Summary: &stream.Summary{Total: 2, Queues: []stream.QueueSummary{{Action: "Build", Failed: 1}},
				Failures: []stream.ElementFailure{{Element: "a.bst", Key: k, Error: stream.Error{Message: "m"}}}},
			Usage: stream.Usage{UserCPU: took, MaxRSS: 1 << 30, Events: 9}},
	}
}

func TestCodecsCarryWhatTheyAreGiven(t *testing.T) {
	for _, c := range All() {
		lost, err := loses(c, session())
		if err != nil || lost != "" {
			t.Errorf("%s loses %q, error %v", c.Name, lost, err)
		}
	}
}

func TestLossesAreSeen(t *testing.T) {
	forgetful := Codec{"forgetful", "", func() Session {
		s := newJSON()
		return Session{Encode: s.Encode, Decode: func(data []byte) (stream.Event, error) {
			ev, err := s.Decode(data)
			if m, ok := ev.(*stream.Message); ok {
				m.Detail, m.Job = "", 0
			}
			return ev, err
		}}
	}}
	if lost, err := loses(forgetful, session()); err != nil || lost != "Message.Detail Message.Job" {
		t.Errorf("loses %q, error %v", lost, err)
	}
}

func TestBrokenInput(t *testing.T) {
	for _, c := range All() {
		for _, data := range []string{"\xff\xff\xff\xff", "\x01"} {
			if ev, err := c.New().Decode([]byte(data)); err == nil && c.Name != "gob" {
				t.Errorf("%s: %q is %#v", c.Name, data, ev)
			}
		}
	}
}

func TestRecord(t *testing.T) {
	var out bytes.Buffer
	if err := Run(t.Context(), Options{Sessions: []Recorded{{"small", session()}}, Rounds: 2, Least: 20, Seed: 1}, &out); err != nil {
		t.Fatal(err)
	}
	lines := 0
	reader := benchfmt.NewReader(bytes.NewReader(out.Bytes()), "record")
	for reader.Scan() {
		switch r := reader.Result().(type) {
		case *benchfmt.Result:
			lines++
			if len(r.Values) != 5 {
				t.Errorf("%d figures in %s", len(r.Values), r.Name)
			}
			for _, v := range r.Values {
				if v.Value <= 0 {
					t.Errorf("%s: %v %s", r.Name, v.Value, v.Unit)
				}
			}
		case *benchfmt.SyntaxError:
			t.Error(r)
		}
	}
	if want := 2 * len(All()); lines != want {
		t.Errorf("%d lines, want %d", lines, want)
	}
	if err := Run(t.Context(), Options{Sessions: []Recorded{{Name: "none"}}, Rounds: 1, Least: 1}, &out); err == nil {
		t.Error("a session without events was measured")
	}
}
