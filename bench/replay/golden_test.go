package replay

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bst/impl/record/events"
	"bst/impl/stream"
	"bst/impl/term/termtest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// demo is a recorded build: loading, rapid tasks, slow ones with an estimate and
// a critical path, a warning, a failure, and names that are wide.
func demo(t *testing.T) []byte {
	t.Helper()
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var file bytes.Buffer
	w := events.NewWriter(&file, events.Header{Program: "1", Start: start, Command: "build", Strategy: "pipe"})
	err := w.Begin()
	var at time.Duration
	put := func(step time.Duration, list ...stream.Event) {
		at += step
		for _, e := range list {
			err = errors.Join(err, w.Event(start.Add(at), e))
		}
	}
	id := stream.JobID(0)
	begin := func(action, element string, expected time.Duration, behind int) *stream.JobStarted {
		id++
		return &stream.JobStarted{Job: id, Action: action, Element: element, Time: start.Add(at), At: at,
			Key: stream.Key{Full: strings.Repeat(fmt.Sprintf("%08x", int(id)*7919), 8), Strict: true},
			Log: "demo/" + element + "/" + strings.ToLower(action) + ".log", Expected: expected, Behind: behind,
			BehindTime: time.Duration(behind) * 20 * time.Second}
	}
	end := func(j *stream.JobStarted, f *stream.Failure) *stream.JobFinished {
		e := &stream.JobFinished{Job: j.Job, Action: j.Action, Element: j.Element, Key: j.Key, Time: start.Add(at), At: at,
			Took: at - j.At, Log: j.Log, Failure: f}
		if f != nil {
			e.Status = stream.JobFailed
		}
		return e
	}
	put(0, &stream.Started{Time: start, Version: "1"}, &stream.Stage{Name: "Loading elements"})
	put(400*time.Millisecond, &stream.Stage{Name: "Loading elements", Current: 31, Total: 60})
	put(2*time.Second, &stream.Stage{Name: "Loading elements", Current: 60, Total: 60, Done: true, Elapsed: 2400 * time.Millisecond},
		&stream.Heading{Project: "demo", SessionElements: 60, TotalElements: 90, Cached: 10, LogDir: "/logs"},
		&stream.PipelineShown{}, &stream.Queue{Action: "Fetch", Complete: "Sources Fetched", Workers: 4},
		&stream.Queue{Action: "Build", Complete: "Built", Workers: 3}, &stream.State{State: stream.StateRunning, At: at},
		&stream.Counts{Action: "Fetch", Skipped: 20}, &stream.Counts{Action: "Build", Skipped: 10, Left: 10 * time.Minute, Known: 45},
		&stream.CacheUsage{Used: 50 << 30, Quota: 60 << 30})
	for i := range 40 { // rapid
		j := begin("Fetch", fmt.Sprintf("rapid/%d.bst", i), 0, 0)
		put(10*time.Millisecond, j, &stream.Message{Type: stream.TypeStart, Job: id, Action: "Fetch", Element: j.Element, Text: "Staging"})
		put(15 * time.Millisecond)
		put(0, end(j, nil), &stream.Counts{Action: "Fetch", Processed: i + 1, Skipped: 20})
	}
	slow := []*stream.JobStarted{begin("Build", "core/gcc.bst", 40*time.Second, 9), begin("Build", "core/漢字-é́.bst", 0, 2), begin("Build", "app.bst", 5*time.Second, 0)}
	for _, j := range slow {
		put(0, j, &stream.Message{Type: stream.TypeStart, Job: j.Job, Action: "Build", Element: j.Element, Text: "Running commands"})
	}
	put(time.Second, &stream.JobProgress{Job: slow[1].Job, Current: 3, Total: 40},
		&stream.Message{Type: stream.TypeWarning, Time: start.Add(at), Action: "Build", Element: "core/gcc.bst", Job: slow[0].Job, Key: slow[0].Key,
			Text: "Non-whitelisted overlaps", Detail: "/usr/bin/cc"})
	put(4 * time.Second)
	put(0, &stream.Message{Type: stream.TypeFailure, Job: slow[2].Job, Action: "Build", Element: "app.bst", Text: "Running commands"},
		end(slow[2], &stream.Failure{Error: stream.Error{Message: "Command failed"}, LogPath: "/logs/" + slow[2].Log, LogTail: []string{"cc: error", "make: *** [all] Error 1"}}),
		&stream.Counts{Action: "Build", Failed: 1, Skipped: 10, Left: 9 * time.Minute, Known: 42}, &stream.State{State: stream.StateQuitting, At: at})
	put(33 * time.Second)
	put(0, end(slow[0], nil), end(slow[1], nil), &stream.Counts{Action: "Build", Processed: 2, Failed: 1, Skipped: 10})
	put(100*time.Millisecond, &stream.Finished{At: at, Error: &stream.Error{Domain: stream.DomainStream}, Summary: &stream.Summary{Total: 90, Session: 60,
		Queues:   []stream.QueueSummary{{Action: "Fetch", Processed: 40, Skipped: 20}, {Action: "Build", Processed: 2, Skipped: 10, Failed: 1}},
		Failures: []stream.ElementFailure{{Element: "app.bst", Action: "Build"}}}})
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// TestScreens: what is on screens of several sizes at several moments, and what
// is found in the end on scrolling back. Where one differs, both are shown side
// by side.
func TestScreens(t *testing.T) {
	file := demo(t)
	moments := []time.Duration{500 * time.Millisecond, 3 * time.Second, 4500 * time.Millisecond, 6 * time.Second, 20 * time.Second}
	for _, size := range [][2]int{{160, 50}, {80, 24}, {40, 10}, {20, 5}, {400, 12}} {
		name := fmt.Sprintf("screen-%dx%d", size[0], size[1])
		t.Run(name, func(t *testing.T) {
			screen := termtest.NewCooked(size[0], size[1])
			var got strings.Builder
			next := 0
			o := Options{Columns: size[0], Rows: size[1], Color: true}
			o.Drawn = func(at time.Duration) {
				if next < len(moments) && at >= moments[next] {
					fmt.Fprintf(&got, "== after %v\n%s", moments[next], screen)
					next++
				}
			}
			stats, err := Run(bytes.NewReader(file), o, screen)
			if err != nil {
				t.Fatal(err)
			}
			if _, writes := screen.Written(); writes > stats.Frames {
				t.Errorf("%d writes for %d frames", writes, stats.Frames)
			}
			fmt.Fprintf(&got, "== in the end, with the scrollback\n%s", screen.All())
			path := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := termtest.SideBySide(string(want), got.String()); diff != "" {
				t.Errorf("%s; if it is right, run: go test ./bench/replay -update\n%s", path, diff)
			}
		})
	}
}
