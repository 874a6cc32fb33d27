package wire

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

func TestValuesThatCannotCross(t *testing.T) {
	early := time.Date(1066, 10, 14, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name  string
		value any
		want  []string
	}{
		{"fine", &stream.Message{Time: time.Now(), Text: "x"}, nil},
		{"times", &stream.JobFinished{Time: early, Failure: &stream.Failure{}}, []string{
			"JobFinished.Time: 1066-10-14 00:00:00 +0000 UTC: wire: times of the years 1678 to 2261 cross"}},
		{"lists", &stream.Heading{Projects: []stream.ProjectHeading{{}, {Options: make([]stream.Pair, maxElements+1)}}, Targets: make([]string, maxElements+2)}, []string{
			"Heading.Targets: 131074 entries: at most 131072 cross",
			"Heading.Projects[1].Options: 131073 entries: at most 131072 cross"}},
		{"maps", &stream.Show{Session: stream.Session{Settings: stream.Settings{Projects: map[string]stream.ProjectSettings{
			"p": {OptionLists: map[string][]string{"o": make([]string, maxElements+1)}}}}}}, []string{
			`Show.Session.Settings.Projects["p"].OptionLists["o"]: 131073 entries: at most 131072 cross`}},
		{"text", &stream.Message{Text: strings.Repeat("x", maxFrame+1)}, []string{
			"Message.Text: a text of 67108865 bytes: at most 67108864 cross"}},
		{"nil", (*stream.Message)(nil), []string{"*stream.Message: nil: send a value"}},
		{"unlisted", &stream.Key{}, []string{"*stream.Key: it is not listed in impl/wire/list.go: give it a row"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := checkValue(test.value)
			var got []string
			if err != nil {
				got = err.(*ValueError).Refused
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Fatalf("(-want +got):\n%s", diff)
			}
			// Whoever sends it is told the same.
			var to bytes.Buffer
			err = appendTo(testTables(t), &to, test.value)
			if (err != nil) != (test.want != nil) {
				t.Fatalf("sending it: %v", err)
			}
			for _, line := range test.want {
				if !strings.Contains(err.Error(), line[strings.LastIndex(line, ":")+1:]) {
					t.Errorf("sending it: %v", err)
				}
			}
		})
	}
}

func TestValueErrorsAreBounded(t *testing.T) {
	m := &stream.Finished{Summary: &stream.Summary{}}
	h := &stream.Heading{}
	for range maxRefusals + 7 {
		h.Projects = append(h.Projects, stream.ProjectHeading{Options: make([]stream.Pair, maxElements+1)})
	}
	if err := checkValue(m); err != nil {
		t.Error(err)
	}
	refused := checkValue(h).(*ValueError).Refused
	if len(refused) != maxRefusals+1 || refused[maxRefusals] != "and 7 more" {
		t.Errorf("%d lines, the last %q", len(refused), refused[len(refused)-1])
	}
	if got := fmt.Sprint(checkValue(h)); strings.Count(got, "\n") != maxRefusals+1 {
		t.Errorf("%q has not one line for each", got)
	}
}

// What a trace holds can be read again, and is what was sent.
func TestReadTrace(t *testing.T) {
	var to bytes.Buffer
	tr := &tracer{to: &to}
	tr.order(&stream.Retry{Job: 3}, 5)
	for _, v := range mix() {
		tr.event(v.(stream.Event), 7)
	}
	crossed, err := ReadTrace(&to)
	if err != nil {
		t.Fatal(err)
	}
	var got []any
	for i, c := range crossed {
		if i == 0 {
			if diff := cmp.Diff(&stream.Retry{Job: 3}, c.Order); diff != "" || c.Bytes != 5 {
				t.Errorf("%d bytes, (-want +got):\n%s", c.Bytes, diff)
			}
			continue
		}
		got = append(got, c.Event)
	}
	if diff := cmp.Diff(mix(), got, sameTime); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, bad := range []string{"{", `{"type":"Nothing","value":{}}`, `{"type":"Retry","value":{"Job":"x"}}`} {
		if _, err := ReadTrace(strings.NewReader(bad + "\n")); err == nil || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%s: error %v", bad, err)
		}
	}
}

func TestTracesTellWhatWouldNotCross(t *testing.T) {
	var to bytes.Buffer
	(&tracer{to: &to}).event(&stream.Heading{Targets: make([]string, maxElements+1)}, 0)
	if !strings.Contains(to.String(), `"refused":["Heading.Targets: 131073 entries: at most 131072 cross"]`) {
		t.Errorf("%.300s", to.String())
	}
}
