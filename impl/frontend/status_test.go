package frontend

import (
	"strings"
	"testing"
	"time"

	"bst/impl/stream"
)

// TestStatusBetweenTasks: the area stays between one task and the next, and goes
// when the session has a question or has ended.
func TestStatusBetweenTasks(t *testing.T) {
	m := New(testOptions(Options{Session: "Build", Style: Digest}))
	m.Begin(epoch)
	m.Apply(epoch, &stream.Started{Time: epoch}, &stream.State{State: stream.StateRunning}, &stream.Heading{Project: "p", SessionElements: 2},
		&stream.PipelineShown{}, &stream.Queue{Action: "Build", Complete: "Built"})
	shown := func(when string, want bool) {
		t.Helper()
		if got := len(m.Status(after(time.Second), 80, 24)) > 0; got != want {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	shown("before the first task", false)
	m.Apply(after(time.Second), &stream.JobStarted{Job: 1, Action: "Build", Element: "a.bst", At: time.Second})
	shown("while one runs", true)
	m.Apply(after(time.Second), &stream.JobFinished{Job: 1, Action: "Build", Element: "a.bst", At: time.Second})
	shown("between two", true)
	m.Apply(after(time.Second), &stream.State{State: stream.StateHeld, At: time.Second})
	shown("while it is held", false)
	m.Apply(after(time.Second), &stream.State{State: stream.StateRunning, At: time.Second}, &stream.Finished{})
	shown("at the end", false)
}

// TestCell: what does not fit is cut between characters, and says so.
func TestCell(t *testing.T) {
	for _, test := range []struct {
		columns int
		parts   []string
		want    string
	}{
		{8, []string{"12345678"}, "12345678"},
		{8, []string{"1234", "5678"}, "12345678"},
		{8, []string{"1234", "5678", ""}, "12345678"},
		{8, []string{"123456789"}, "12345..."},
		{8, []string{"1234567", "89"}, "12345..."},
		{8, []string{"12345678", "9", "0"}, "12345..."},
		{8, []string{"漢字漢字"}, "漢字漢字"},
		{8, []string{"漢字漢字漢"}, "漢字..."},
		{8, []string{"é́é́é́é́é́é́é́é́é́"}, "é́é́é́é́é́..."},
		{3, []string{"1234"}, "..."},
		{2, []string{"1234"}, "12"},
		{0, []string{"1234"}, ""},
	} {
		for _, colors := range []bool{false, true} {
			c := newCell(colors, test.columns)
			for i, part := range test.parts {
				c.write([]style{content, failureBold}[i%2], part)
			}
			if got := string(StripEscapes([]byte(c.line()))); got != test.want {
				t.Errorf("%d columns of %q: %q, want %q", test.columns, test.parts, got, test.want)
			}
		}
	}
}

// TestStatusPreparing: where the first task is long in coming after all was
// loaded, the clock shows that the session lives.
func TestStatusPreparing(t *testing.T) {
	m := New(testOptions(Options{Session: "Build", Style: Digest}))
	m.Begin(epoch)
	m.Apply(epoch, &stream.Started{Time: epoch}, &stream.Stage{Name: "Resolving elements"})
	m.Apply(after(time.Second), &stream.Stage{Name: "Resolving elements", Done: true, Elapsed: time.Second})
	shown := func(when string, at time.Duration, want string) {
		t.Helper()
		got := strings.Join(m.Status(after(at), 80, 24), "\n")
		if got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	shown("right after loading", 1500*time.Millisecond, "")
	if !m.Lively() {
		t.Error("no clock ticks while the first task is long in coming")
	}
	shown("long after loading", 2*time.Second, "00:00:02")
	m.Apply(after(2*time.Second), &stream.State{State: stream.StateRunning}, &stream.Heading{Project: "p", SessionElements: 2, TotalElements: 3},
		&stream.PipelineShown{}, &stream.Queue{Action: "Build", Complete: "Built"})
	shown("with a heading", 3*time.Second, "00:00:03 p (2/3) [------------------------]   0% 0/2\n(Built:0 0 0)")
	m.Apply(after(3*time.Second), &stream.Finished{})
	shown("at the end", 4*time.Second, "")
	if m.Lively() {
		t.Error("a clock ticks after the end")
	}
}

// TestBarBeforeCounts: where the line has no room for both, the bar stays and how
// many elements there are gives way.
func TestBarBeforeCounts(t *testing.T) {
	m := New(testOptions(Options{Session: "Build", Style: Digest}))
	m.Begin(epoch)
	m.Apply(epoch, &stream.Started{Time: epoch}, &stream.State{State: stream.StateRunning},
		&stream.Heading{Project: "debian-all", SessionElements: 63437, TotalElements: 63437},
		&stream.Queue{Action: "Build", Complete: "Built"}, &stream.Counts{Action: "Build", Processed: 31000},
		&stream.JobStarted{Job: 1, Action: "Build", Element: "a.bst"})
	for columns, want := range map[int]string{
		80:  "00:00:01 debian-all [########---------]  48% 31000/63437",
		100: "00:00:01 debian-all (63437/63437) [###########------------]  48% 31000/63437",
	} {
		if got := m.Status(after(time.Second), columns, 24)[0]; got != want {
			t.Errorf("%d columns: %q, want %q", columns, got, want)
		}
	}
}
