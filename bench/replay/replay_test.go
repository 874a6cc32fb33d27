package replay

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bst/impl/record/events"
	"bst/impl/stream"
)

// recording is a file of a build of n elements, a millisecond each.
func recording(t testing.TB, n int, finished bool) []byte {
	t.Helper()
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var file bytes.Buffer
	w := events.NewWriter(&file, events.Header{Program: "1", Start: start, Command: "build", Strategy: "pipe"})
	err := w.Begin()
	now := start
	put := func(e stream.Event) { err = errors.Join(err, w.Event(now, e)) }
	put(&stream.Started{Time: start})
	put(&stream.State{State: stream.StateRunning})
	put(&stream.Queue{Action: "Build", Complete: "Built"})
	for i := 1; i <= n; i++ {
		id := stream.JobID(i)
		put(&stream.JobStarted{Job: id, Action: "Build", Element: "e.bst", Time: now, At: now.Sub(start), Log: "e.log"})
		now = now.Add(time.Millisecond)
		put(&stream.JobFinished{Job: id, Action: "Build", Element: "e.bst", Time: now, At: now.Sub(start), Took: time.Millisecond, Log: "e.log"})
	}
	if finished {
		put(&stream.Finished{At: now.Sub(start)})
	}
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// TestSameBytes: the same recording is shown in the same bytes each time, in a
// pipe and on terminals.
func TestSameBytes(t *testing.T) {
	file := recording(t, 500, true)
	for _, o := range []Options{{}, {Columns: 80, Rows: 24}, {Columns: 160, Rows: 50, Color: true}} {
		var first []byte
		for range 3 {
			var out bytes.Buffer
			stats, err := Run(bytes.NewReader(file), o, &out)
			if err != nil {
				t.Fatal(err)
			}
			if stats.Events != 1004 || stats.Frames < 5 || stats.Bytes != int64(out.Len()) {
				t.Errorf("%+v: %+v, %d bytes", o, stats, out.Len())
			}
			if first == nil {
				first = out.Bytes()
			}
			if diff := cmp.Diff(string(first), out.String()); diff != "" {
				t.Fatalf("%+v: another time, other bytes:\n%s", o, diff)
			}
		}
	}
}

// TestPipe: in a pipe a recording gives the lines that the session gave.
func TestPipe(t *testing.T) {
	var out bytes.Buffer
	if _, err := Run(bytes.NewReader(recording(t, 2, true)), Options{}, &out); err != nil {
		t.Fatal(err)
	}
	want := `[--:--:--][        ][    main:core activity                 ] START   Build
[--:--:--][????????][   build:e.bst                         ] START   e.log
[00:00:00][????????][   build:e.bst                         ] SUCCESS e.log
[--:--:--][????????][   build:e.bst                         ] START   e.log
[00:00:00][????????][   build:e.bst                         ] SUCCESS e.log
[00:00:00][        ][    main:core activity                 ] SUCCESS Build
`
	got := strings.ReplaceAll(out.String(), "[        ][   build", "[????????][   build")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestCutShort: a recording that ends early says so.
func TestCutShort(t *testing.T) {
	var out bytes.Buffer
	_, err := Run(bytes.NewReader(recording(t, 1, false)), Options{}, &out)
	if err != nil || !strings.Contains(out.String(), "The recording ends here, after 5 events") {
		t.Errorf("%v, %s", err, out.String())
	}
	if _, err := Run(strings.NewReader("nonsense\n"), Options{}, &out); err == nil {
		t.Error("nonsense was replayed")
	}
}

// BenchmarkMillion replays a million events from memory.
func BenchmarkMillion(b *testing.B) {
	file := recording(b, 500_000, true)
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		if _, err := Run(bytes.NewReader(file), Options{Columns: 160, Rows: 50, Color: true}, io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
