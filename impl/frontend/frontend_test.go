package frontend

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bst/impl/stream"
)

// TestElementFormat: the wanted texts are what Python 3.11's str.format gives.
func TestElementFormat(t *testing.T) {
	e := &stream.ElementShown{Name: "a/b.bst", Kind: "stack", Key: stream.Key{Full: strings.Repeat("0123456789abcdef", 4), Strict: true},
		State: "cached", Description: "two\nlines", Deps: "- x.bst\n- y.bst\n", Workspaced: true}
	for _, test := range []struct{ format, want, complaint string }{
		{format: "%{name}", want: "a/b.bst"},
		{format: "%{state: >12} %{key}|", want: "      cached 01234567|"},
		{format: "%{state:<10}|", want: "cached    |"},
		{format: "%{state: ^20}|", want: "       cached       |"},
		{format: "%{state:*^9}|", want: "*cached**|"},
		{format: "%{state:10}|", want: "cached    |"},
		{format: "%{state:010}|", want: "cached0000|"},
		{format: "%{state:>3}|", want: "cached|"},
		{format: "%{state:.3}|", want: "cac|"},
		{format: "%{state:->8.2s}|", want: "------ca|"},
		{format: "%{state!s:>8}|", want: "  cached|"},
		{format: "%{description}", want: "two lines"},
		{format: "%{deps}|", want: "- x.bst\n- y.bst|"},
		{format: "%{workspaced}", want: "(workspaced)"},
		{format: "%{nothing} %{ 100% %", want: "%{nothing} %{ 100% %"},
		{format: "%{name: >12", want: "%{name: >12"},
		{format: "%{full-key:.4}", want: "0123"},
		{format: "%{state:x}", complaint: `invalid format '%{state:x}': unknown format code "x" for a string`},
		{format: "%{state:=5}", complaint: "invalid format '%{state:=5}': '=' alignment is not allowed in a string format"},
		{format: "%{state:999999}", complaint: "invalid format '%{state:999999}': width 999999 is too large"},
		{format: "%{state!r}", complaint: `invalid format '%{state!r}': conversion "!r" is not supported`},
		{format: "%{state:.}", complaint: "invalid format '%{state:.}': format specifier is missing precision"},
	} {
		f, err := ParseElementFormat(test.format)
		if test.complaint != "" {
			if err == nil || err.Error() != test.complaint {
				t.Errorf("%s: error %v, want %s", test.format, err, test.complaint)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.format, err)
			continue
		}
		var p pen
		f.render(&p, e, 8)
		if got := string(p.buf); got != test.want {
			t.Errorf("%s: %q, want %q", test.format, got, test.want)
		}
	}
}

func TestFields(t *testing.T) {
	f, err := ParseElementFormat("%{state: >12} %{key} %{state} %{other}")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"state", "key"}, f.Fields()); diff != "" {
		t.Error(diff)
	}
}

func FuzzElementFormat(f *testing.F) {
	for _, s := range []string{"%{state: >12} %{name}", "%{", "%{key:*^9.3s}", "%{name!s}", "%%{name}"} {
		f.Add(s)
	}
	e := &stream.ElementShown{Name: "n", State: "s", Key: stream.Key{Full: "k"}}
	f.Fuzz(func(t *testing.T, text string) {
		if parsed, err := ParseElementFormat(text); err == nil {
			parsed.render(&pen{color: true}, e, 8)
		}
		if parsed, err := ParseMessageFormat(text); err == nil {
			l := logLine{format: parsed, keyLength: 8, location: time.UTC}
			l.render(&pen{}, &entry{typ: stream.TypeInfo, text: text})
		}
	})
}

func TestMessageFormatErrors(t *testing.T) {
	for format, want := range map[string]string{
		"%{nope}": "'nope' is not a valid log variable name",
		"a % b":   "'% b' could not be parsed into a valid logging format",
		"%{":      "'%{' could not be parsed into a valid logging format",
	} {
		if _, err := ParseMessageFormat(format); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", format, err, want)
		}
	}
}

func TestMenuMatch(t *testing.T) {
	m := FailureMenu(HeldFailure{Action: "Build", Element: "a.bst", LogPath: "/log", Shell: true})
	for answer, want := range map[string][2]string{
		"":         {"continue", ""},
		"c":        {"continue", ""},
		"q":        {"quit", ""},
		"term":     {"terminate", ""},
		"retry":    {"retry", ""},
		"l":        {"log", ""},
		"s":        {"shell", ""},
		"x":        {"", "Expected one of ['continue', 'quit', 'terminate', 'retry', 'log', 'shell'], got x"},
		"continue": {"continue", ""},
	} {
		choice, complaint := m.Match(answer)
		if diff := cmp.Diff(want, [2]string{choice, complaint}); diff != "" {
			t.Errorf("%q (-want +got): %s", answer, diff)
		}
	}
	ambiguous := Menu{Choices: []string{"red", "rest"}}
	if _, complaint := ambiguous.Match("re"); complaint != "Ambiguous input. 're' can refer to one of ['red', 'rest']" {
		t.Error(complaint)
	}
	bare := FailureMenu(HeldFailure{Action: "Build", Element: "a.bst"})
	if diff := cmp.Diff([]string{"continue", "quit", "terminate", "retry"}, bare.Choices); diff != "" {
		t.Error(diff)
	}
	golden(t, "menus", InterruptMenu(false).Text+InterruptMenu(false).Prompt()+"\n"+m.Text+m.Prompt()+"\n"+bare.Text)
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain\ttext\n":                    "plain\ttext\n",
		"\x1b[31mred\x1b[0m":               "red",
		"10%\r20%\r\n":                     "10%\n20%\n",
		"title\x1b]0;x\x07!":               "title!",
		"\x1b]8;;url\x1b\\link\x1b]8;;":    "link",
		"bell\x07\x00\x7f":                 "bell",
		"\x1b":                             "",
		"cut \x1b[38;5":                    "cut ",
		"\x1b[2J\x1b[1;1H\x1bcstart":       "start",
		"un\x1b[\nclosed":                  "un\nclosed",
		"\x1bPdevice control\x1b\\through": "through",
	} {
		if got := clean(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestShellPrompt(t *testing.T) {
	key := stream.Key{Full: strings.Repeat("ab", 32), Strict: true}
	if got, want := ShellPrompt(key, "a.bst", 8, false), "[abababab@a.bst:${PWD}]$ "; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := string(StripEscapes([]byte(ShellPrompt(key, "a.bst", 8, true)))); got != "[abababab@a.bst:$PWD]$ " {
		t.Errorf("%q", got)
	}
}

// TestClock: suspended time does not count.
func TestClock(t *testing.T) {
	m := New(testOptions(Options{}))
	m.Begin(epoch)
	m.Apply(epoch, &stream.Started{Time: epoch})
	m.Apply(after(10*time.Second), &stream.State{State: stream.StateSuspended, At: 10 * time.Second})
	if got := m.clock.elapsed(after(time.Minute)); got != 10*time.Second {
		t.Errorf("suspended: %v", got)
	}
	m.Apply(after(time.Minute), &stream.State{State: stream.StateRunning, At: 10 * time.Second})
	if got := m.clock.elapsed(after(61 * time.Second)); got != 11*time.Second {
		t.Errorf("resumed: %v", got)
	}
}

// manyEvents are the events of n elements that build at once: per element two
// jobs with two steps each.
func manyEvents(n int) []stream.Event {
	events := make([]stream.Event, 0, n*10)
	for i := range n {
		name, key := fmt.Sprintf("element-%d.bst", i), keyOf(i)
		for k, action := range []string{"Fetch", "Build"} {
			id := stream.JobID(2*i + k + 1)
			log := fmt.Sprintf("project/element-%d/%s-%s.20261123-030405.log", i, key.Full[:8], strings.ToLower(action))
			events = append(events,
				&stream.JobStarted{Job: id, Action: action, Element: name, Key: key, Time: epoch, Log: log},
				&stream.Message{Type: stream.TypeStart, Job: id, Action: action, Element: name, Key: key, Text: "Staging sources"},
				&stream.Message{Type: stream.TypeSuccess, Job: id, Action: action, Element: name, Key: key, Text: "Staging sources", Elapsed: elapsed(time.Second)},
				&stream.Counts{Action: action, Processed: i + 1},
				&stream.JobFinished{Job: id, Action: action, Element: name, Key: key, Time: epoch, Log: log})
		}
	}
	return events
}

// BenchmarkSession applies and renders 10,000 elements in the frames that a
// second of 10 frames would have.
func BenchmarkSession(b *testing.B) {
	const elements, frames = 10_000, 10
	events := manyEvents(elements)
	for _, mode := range []struct {
		name string
		o    Options
	}{
		{"pipe", Options{Session: "Build", Verbose: true}},
		{"terminal", Options{Session: "Build", Verbose: true, Color: true, Style: Digest}},
	} {
		b.Run(mode.name, func(b *testing.B) {
			b.ReportAllocs()
			bytes := 0
			for b.Loop() {
				m := New(testOptions(mode.o))
				m.Begin(epoch)
				bytes = 0
				for f := range frames {
					now := after(time.Duration(f) * 100 * time.Millisecond)
					part := len(events) / frames
					for i := f * part; i < (f+1)*part; i += 32 {
						m.Apply(now, events[i:min(i+32, (f+1)*part)]...)
					}
					bytes += len(m.TakeLog())
					for _, line := range m.Status(now, 160, 50) {
						bytes += len(line)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(events)), "ns/event")
			b.ReportMetric(float64(bytes)/elements, "bytes/element")
		})
	}
}

// TestFailureSummaryTerminatedRetry: where the retry of what failed is
// terminated, the summary tells why it failed, not what was interrupted.
func TestFailureSummaryTerminatedRetry(t *testing.T) {
	m := New(testOptions(Options{Session: "Build", Style: Digest}))
	m.Begin(epoch)
	m.Apply(epoch, &stream.Started{Time: epoch}, &stream.Heading{Project: "p", SessionElements: 1, TotalElements: 1}, &stream.PipelineShown{},
		&stream.JobStarted{Job: 1, Action: "Build", Element: "a.bst"},
		&stream.JobFinished{Job: 1, Action: "Build", Element: "a.bst", Status: stream.JobFailed,
			Failure: &stream.Failure{Error: stream.Error{Message: "It broke"}, LogPath: "/a.log"}},
		&stream.JobStarted{Job: 2, Action: "Build", Element: "a.bst"},
		&stream.Message{Type: stream.TypeFailure, Job: 2, Action: "Build", Element: "a.bst", Text: "Running commands"},
		&stream.JobFinished{Job: 2, Action: "Build", Element: "a.bst", Status: stream.JobTerminated})
	m.TakeLog()
	m.Apply(epoch, &stream.Finished{Terminated: true, Error: &stream.Error{Domain: stream.DomainStream, Reason: "terminated"},
		Summary: &stream.Summary{Total: 1, Session: 1, Failures: []stream.ElementFailure{{Element: "a.bst", Action: "Build"}},
			Queues: []stream.QueueSummary{{Action: "Build", Failed: 1}}}})
	m.End(epoch)
	text := string(m.TakeLog())
	if !strings.Contains(text, "FAILURE It broke") || !strings.Contains(text, "/a.log") || strings.Contains(text, "Running commands") {
		t.Errorf("the end:\n%s", text)
	}
}
