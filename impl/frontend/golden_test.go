package frontend

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bst/impl/stream"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares text with a file. Escape sequences are written visibly.
func golden(t *testing.T, name, got string) {
	t.Helper()
	got = strings.ReplaceAll(got, "\x1b", "<ESC>")
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

var epoch = time.Date(2026, 11, 23, 3, 4, 5, 678901000, time.UTC)

func after(d time.Duration) time.Time { return epoch.Add(d) }

func testOptions(o Options) Options {
	var err error
	if o.MessageFormat == nil {
		o.MessageFormat, err = ParseMessageFormat("[%{elapsed}][%{key}][%{element}] %{action} %{message}")
	}
	if err == nil && o.ElementFormat == nil {
		o.ElementFormat, err = ParseElementFormat("%{state: >12} %{full-key} %{name} %{workspace-dirs}")
	}
	if err != nil {
		panic(err)
	}
	if o.KeyLength == 0 {
		o.KeyLength = 8
	}
	o.ErrorLines, o.MessageLines = 20, 3
	o.Location = time.UTC
	return o
}

func keyOf(n int) stream.Key {
	return stream.Key{Full: strings.Repeat(fmt.Sprintf("%08x", n*0x1234567), 8), Strict: n%2 == 0}
}

func elapsed(d time.Duration) *time.Duration { return &d }

// buildEvents are a session in which one element builds, one fails twice and
// one is skipped.
func buildEvents() []stream.Event {
	const zlib, libc, tool = "base/zlib.bst", "junction.bst:libc.bst", "tool.bst"
	return []stream.Event{
		&stream.Started{Time: epoch, Version: "2.8.0", PID: 42},
		&stream.Stage{Name: "Loading elements"},
		&stream.Stage{Name: "Loading elements", Current: 3, Total: 3, Done: true, Elapsed: 4 * time.Second},
		&stream.Stage{Name: "Query cache", Total: 3},
		&stream.Stage{Name: "Query cache", Current: 3, Total: 3, Done: true, Elapsed: time.Second},
		&stream.Message{Type: stream.TypeWarning, Time: epoch, Element: zlib, Key: keyOf(1), Text: "Something to know", Detail: "one\ntwo\nthree\nfour\nfive\n"},
		&stream.Heading{
			Project: "example", ProjectDir: "/home/me/example", Targets: []string{tool, zlib},
			Config: []stream.Pair{{Name: "Cache Directory", Value: "/cache"}, {Name: "Maximum Build Tasks", Value: "4"}},
			Projects: []stream.ProjectHeading{
				{Name: "example", Options: []stream.Pair{{Name: "arch", Value: "x86-64"}},
					ElementPlugins: []stream.Pair{{Name: "autotools", Value: "core plugin"}, {Name: "stack", Value: "core plugin"}},
					SourcePlugins:  []stream.Pair{{Name: "tar", Value: "core plugin"}}},
				{Name: "libc", Junction: "junction.bst", LoadedBy: "elements/junction.bst [line 1 column 0]"},
			},
			SessionElements: 2, TotalElements: 3, LogDir: "/cache/logs",
		},
		&stream.ElementShown{Where: stream.ShownPipeline, Name: zlib, State: "buildable", Key: keyOf(1)},
		&stream.ElementShown{Where: stream.ShownPipeline, Name: libc, State: "cached", Key: keyOf(2)},
		&stream.ElementShown{Where: stream.ShownPipeline, Name: tool, State: "waiting", Key: stream.Key{Full: strings.Repeat("?", 64), Strict: true}},
		&stream.PipelineShown{},
		&stream.Queue{Action: "Fetch", Complete: "Sources Fetched"},
		&stream.Queue{Action: "Build", Complete: "Built"},
		&stream.State{State: stream.StateRunning, At: 5 * time.Second},
		&stream.JobStarted{Job: 1, Action: "Fetch", Element: zlib, Key: keyOf(1), Time: epoch, At: 5 * time.Second, Log: "example/base-zlib/1-fetch.log"},
		&stream.Message{Type: stream.TypeStatus, Time: epoch, Action: "Fetch", Element: zlib, Key: keyOf(1), Text: "only when verbose", Job: 1},
		&stream.JobFinished{Job: 1, Action: "Fetch", Element: zlib, Key: keyOf(1), Time: epoch, At: 6 * time.Second, Took: time.Second, Status: stream.JobRetried,
			Text: "Try #1 failed, retrying", Failure: &stream.Failure{Error: stream.Error{Message: "no answer"}, LogPath: "/cache/logs/1.log", LogTail: []string{"connecting"}}},
		&stream.JobStarted{Job: 1, Action: "Fetch", Element: zlib, Key: keyOf(1), Time: epoch, At: 6 * time.Second, Log: "example/base-zlib/1-fetch.log"},
		&stream.JobFinished{Job: 1, Action: "Fetch", Element: zlib, Key: keyOf(1), Time: epoch, At: 7 * time.Second, Took: time.Second, Log: "example/base-zlib/1-fetch.log"},
		&stream.Counts{Action: "Fetch", Processed: 1, Skipped: 1},
		&stream.JobStarted{Job: 2, Action: "Build", Element: zlib, Key: keyOf(1), Time: epoch, At: 8 * time.Second, Log: "example/base-zlib/1-build.log"},
		&stream.Message{Type: stream.TypeStart, Time: epoch, Action: "Build", Element: zlib, Key: keyOf(1), Text: "Running commands", Detail: "make\nmake install", Job: 2},
		&stream.Message{Type: stream.TypeFailure, Time: epoch, Elapsed: elapsed(62 * time.Second), Action: "Build", Element: zlib, Key: keyOf(1), Text: "Running commands", Job: 2},
		&stream.JobFinished{Job: 2, Action: "Build", Element: zlib, Key: keyOf(1), Time: epoch, At: 3671 * time.Second, Took: 3663 * time.Second, Status: stream.JobFailed,
			Failure: &stream.Failure{
				Error:   stream.Error{Domain: stream.DomainElement, Reason: "command-failed", Message: "Running command failed with exit status 2", Detail: "make\ninstall"},
				LogPath: "/cache/logs/example/base-zlib/1-build.log",
				LogTail: []string{"make: entering\tfolder", "", "cc: \x1b[31merror\x1b[m: bad\r", "make: *** [all] Error 1", "", " "},
			}},
		&stream.Counts{Action: "Build", Failed: 1},
		&stream.JobStarted{Job: 3, Action: "Build", Element: libc, Key: keyOf(2), Time: epoch, At: 8 * time.Second, Log: "libc/libc/2-build.log"},
		&stream.JobFinished{Job: 3, Action: "Build", Element: libc, Key: keyOf(2), Time: epoch, At: 9 * time.Second, Took: time.Second, Status: stream.JobSkipped, Text: "Nothing to do"},
		&stream.JobStarted{Job: 4, Action: "Build", Element: tool, Key: keyOf(4), Time: epoch, At: 9 * time.Second, Log: "example/tool/4-build.log"},
		&stream.JobFinished{Job: 4, Action: "Build", Element: tool, Key: keyOf(4), Time: epoch, At: 10 * time.Second, Took: time.Second, Status: stream.JobTerminated},
		&stream.ElementShown{Where: stream.ShownResolved, Name: tool, State: "waiting", Key: keyOf(4)},
		&stream.Finished{
			Error: &stream.Error{Domain: stream.DomainStream}, At: 3672 * time.Second,
			Summary: &stream.Summary{Total: 3, Session: 2,
				Queues:   []stream.QueueSummary{{Action: "Fetch", Processed: 1, Skipped: 12}, {Action: "Build", Failed: 1}},
				Failures: []stream.ElementFailure{{Element: zlib, Key: keyOf(1), Action: "Build", Error: stream.Error{Message: "unused"}}}},
		},
	}
}

func TestSessionText(t *testing.T) {
	custom, err := ParseMessageFormat("%{wallclock-us}|%{wallclock}|%{elapsed-us}|%{element} 100%% %{action}%{message}")
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]Options{
		"build":         {Session: "Build", Verbose: true, ConfigFile: "/etc/bst.conf"},
		"build-colors":  {Session: "Build", Verbose: true, Color: true},
		"build-quiet":   {Session: "Build", KeyLength: 12},
		"build-debug":   {Session: "Build", Verbose: true, Debug: true},
		"build-format":  {Session: "Build", Verbose: true, MessageFormat: custom},
		"build-digest":  {Session: "Build", Verbose: true, Style: Digest},
		"build-no-name": {Verbose: true},
		"build-github":  {Session: "Build", Verbose: true, Groups: GitHub},
		"build-gitlab":  {Session: "Build", Verbose: true, Groups: GitLab},
		"build-links":   {Session: "Build", Verbose: true, Links: true, Host: "here"},
	} {
		t.Run(name, func(t *testing.T) {
			m := New(testOptions(o))
			m.Begin(epoch)
			m.Apply(after(time.Second), buildEvents()...)
			m.CloseGroup(after(2 * time.Second))
			status, failed := m.End(after(2 * time.Second))
			if status != StatusError || failed == nil {
				t.Errorf("End = %d, %v", status, failed)
			}
			golden(t, name, string(m.TakeLog()))
		})
	}
}

// TestCopy: whatever the terminal gets, the copy is the whole log without
// colours.
func TestCopy(t *testing.T) {
	m := New(testOptions(Options{Session: "Build", Verbose: true, Color: true, Style: Digest, Copy: true, ConfigFile: "/etc/bst.conf",
		Groups: GitLab, Links: true}))
	m.Begin(epoch)
	m.Apply(after(time.Second), buildEvents()...)
	m.End(after(2 * time.Second))
	golden(t, "build", string(m.TakeCopy()))
}

func TestStripEscapes(t *testing.T) {
	plain := New(testOptions(Options{Session: "Build", Verbose: true}))
	colored := New(testOptions(Options{Session: "Build", Verbose: true, Color: true}))
	for _, m := range []*Model{plain, colored} {
		m.Begin(epoch)
		m.Apply(epoch, buildEvents()...)
		m.End(epoch)
	}
	want := string(plain.TakeLog())
	if diff := cmp.Diff(want, string(StripEscapes(colored.TakeLog()))); diff != "" {
		t.Errorf("colours change the text (-plain +stripped):\n%s", diff)
	}
}

func TestEndings(t *testing.T) {
	show, err := ParseElementFormat("%{name}\n%{config}")
	if err != nil {
		t.Fatal(err)
	}
	loaded := []stream.Event{&stream.Started{Time: epoch}, &stream.Stage{Name: "Loading elements", Done: true}}
	for _, test := range []struct {
		name     string
		opts     Options
		events   []stream.Event
		status   int
		domain   stream.Domain
		log, out string
	}{
		{
			name:   "project does not load",
			opts:   Options{Session: "Build"},
			events: []stream.Event{&stream.Finished{Error: &stream.Error{Domain: stream.DomainLoad, Reason: "INVALID_DATA", Message: "project.conf [line 1 column 0]: Unexpected key: x", Detail: "a\nb"}}},
			status: 255, domain: stream.DomainLoad,
			log: "START   Build\n\nError loading project: project.conf [line 1 column 0]: Unexpected key: x\n\n    a\n    b\n",
		},
		{
			name:   "no project",
			opts:   Options{Session: "Build"},
			events: []stream.Event{&stream.Finished{Error: &stream.Error{Domain: stream.DomainLoad, Reason: "MISSING_PROJECT_CONF", Message: "None found"}}},
			status: 255, domain: stream.DomainLoad,
			log: "START   Build\nFAILURE Build\n\nNone found\n",
		},
		{
			name: "a step fails",
			opts: Options{Session: "Build"},
			events: []stream.Event{&stream.Started{Time: epoch}, &stream.Stage{Name: "Loading elements"},
				&stream.Finished{At: time.Second, Error: &stream.Error{Domain: stream.DomainLoad, Reason: "MISSING_FILE", Message: "Could not find a.bst"}}},
			status: 255, domain: stream.DomainLoad,
			log: "START   Build\nSTART   Loading elements\nFAILURE Loading elements\nFAILURE Build\n\nCould not find a.bst\n",
		},
		{
			name:   "terminated",
			opts:   Options{Session: "Fetch"},
			events: append(loaded[:2:2], &stream.Finished{Error: &stream.Error{Domain: stream.DomainStream}, Terminated: true}),
			status: 255, domain: stream.DomainStream,
			log: "START   Fetch\nSTART   Loading elements\nSUCCESS Loading elements\nWARNING Fetch Terminated\n",
		},
		{
			name:   "shell refused",
			opts:   Options{Shell: true},
			events: append(loaded[:2:2], &stream.Finished{Error: &stream.Error{Domain: stream.DomainElement, Reason: "missing-artifact", Message: "not built"}}),
			status: 255, domain: stream.DomainApp,
			log: "START   Loading elements\nSUCCESS Loading elements\n\nError launching shell: not built\n",
		},
		{
			name:   "shell's status",
			opts:   Options{Shell: true},
			events: append(loaded[:2:2], &stream.Finished{ShellStatus: 7}),
			status: 7,
			log:    "START   Loading elements\nSUCCESS Loading elements\n",
		},
		{
			name: "cause only when debugging",
			opts: Options{Debug: true},
			events: append(loaded[:2:2], &stream.Finished{Error: &stream.Error{Domain: stream.DomainCAS, Message: "it broke",
				Cause: "open /x: permission denied"}}),
			status: 255, domain: stream.DomainCAS,
			log: "pid:0    element name:n/a                           START   Loading elements\n" +
				"pid:0    element name:n/a                           SUCCESS Loading elements\n" +
				"\nit broke\n\n    Caused by: open /x: permission denied\n",
		},
		{
			name: "show drops the last newlines and adds one",
			opts: Options{ShowFormat: show},
			events: []stream.Event{
				&stream.ElementShown{Name: "a.bst", Config: "x: 1\n"},
				&stream.ElementShown{Name: "b.bst", Config: "{}\n\n"},
				&stream.Finished{},
			},
			out: "a.bst\nx: 1\n\nb.bst\n{}\n",
		},
		{
			name:   "show of nothing",
			opts:   Options{ShowFormat: show},
			events: []stream.Event{&stream.Finished{}},
			out:    "\n",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			short, err := ParseMessageFormat("%{action} %{message}")
			if err != nil {
				t.Fatal(err)
			}
			test.opts.MessageFormat = short
			m := New(testOptions(test.opts))
			m.Begin(epoch)
			m.Apply(epoch, test.events...)
			status, failed := m.End(epoch)
			if status != test.status {
				t.Errorf("status %d, want %d", status, test.status)
			}
			domain := stream.Domain("")
			if failed != nil {
				domain = failed.Domain
			}
			if domain != test.domain {
				t.Errorf("domain %q, want %q", domain, test.domain)
			}
			if diff := cmp.Diff(test.log, string(m.TakeLog())); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.out, string(m.TakeOutput())); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	m := New(testOptions(Options{Color: false}))
	m.Begin(epoch)
	m.Apply(epoch, &stream.Started{Time: epoch}, &stream.Stage{Name: "Loading elements", Current: 12, Total: 1139})
	loading := m.Status(after(2*time.Second), 80, 24)
	m.Apply(epoch, &stream.Stage{Name: "Loading elements", Done: true},
		&stream.Heading{Project: "exämple", SessionElements: 143, TotalElements: 387},
		&stream.Queue{Action: "Fetch", Complete: "Sources Fetched"}, &stream.Queue{Action: "Build", Complete: "Built"},
		&stream.Counts{Action: "Fetch", Processed: 12, Skipped: 117, Failed: 1},
		&stream.CacheUsage{Used: 47459000000, Quota: 64 << 30})
	idle := m.Status(epoch, 80, 24)
	for i := range 7 {
		m.Apply(epoch, &stream.JobStarted{Job: stream.JobID(i + 1), Action: "Build", At: time.Duration(i) * time.Minute,
			Element: strings.Repeat("lib", i+1) + "漢字.bst"})
	}
	m.Apply(epoch, &stream.JobProgress{Job: 2, Current: 3, Total: 40}, &stream.JobProgress{Job: 3, Current: 4404020, Total: 64 << 20, Bytes: true})
	var b strings.Builder
	draw := func(title string, lines []string) {
		fmt.Fprintf(&b, "-- %s\n", title)
		for _, line := range lines {
			fmt.Fprintf(&b, "%s\n", line)
		}
	}
	draw("loading, 80 columns", loading)
	draw("nothing runs", idle)
	for _, columns := range []int{80, 200, 20} {
		draw(fmt.Sprintf("%d columns", columns), m.Status(after(time.Hour), columns, 50))
	}
	draw("80 columns, 6 rows", m.Status(after(time.Hour), 80, 6))
	draw("80 columns, 3 rows", m.Status(after(time.Hour), 80, 3))

	m.Apply(epoch, &stream.Counts{Action: "Build", Processed: 40, Skipped: 20, Failed: 3, Left: time.Hour, Known: 70},
		&stream.Queue{Action: "Build", Complete: "Built", Workers: 4})
	for i, element := range []string{"first.bst", "second.bst", "third.bst"} {
		m.Apply(epoch, &stream.JobFinished{Job: stream.JobID(i + 1), Action: "Build", Element: element, Status: stream.JobFailed})
	}
	m.Apply(epoch, &stream.JobStarted{Job: 20, Action: "Build", Element: "glibc.bst", At: 50 * time.Minute, Expected: 20 * time.Minute,
		Behind: 12, BehindTime: 40 * time.Minute})
	draw("failures, estimate, critical path", m.Status(after(time.Hour), 120, 50))
	draw("the same, 5 rows", m.Status(after(time.Hour), 40, 5))
	m.Apply(epoch, &stream.JobStarted{Job: 21, Action: "Build", Element: "second.bst", At: time.Hour}, &stream.State{State: stream.StateQuitting})
	draw("one is tried again", m.Status(after(time.Hour), 100, 50)[:3])
	m.Apply(epoch, &stream.CacheUsage{Used: 1234})
	m.Apply(epoch, &stream.State{State: stream.StateSuspended, At: 90 * time.Second})
	draw("suspended, no quota", m.Status(after(time.Hour), 80, 50)[:3])
	golden(t, "status", b.String())
}

// TestStatusFits: no line is ever as wide as the screen, nor are there as many
// as it has rows.
func TestStatusFits(t *testing.T) {
	m := New(testOptions(Options{Color: true}))
	m.Apply(epoch, &stream.Heading{Project: "project", SessionElements: 1, TotalElements: 2}, &stream.Queue{Action: "Build", Complete: "Built"},
		&stream.CacheUsage{Used: 5 << 30, Quota: 6 << 30})
	for i := range 40 {
		m.Apply(epoch, &stream.JobStarted{Job: stream.JobID(i + 1), Action: "Build", Element: fmt.Sprintf("e%d-%s.bst", i, strings.Repeat("字", i%9))})
	}
	for columns := 1; columns < 220; columns += 3 {
		for rows := 1; rows < 60; rows += 4 {
			lines := m.Status(after(time.Second), columns, rows)
			if len(lines) >= rows {
				t.Fatalf("%d lines on %d rows", len(lines), rows)
			}
			for _, line := range lines {
				if w := width(string(StripEscapes([]byte(line)))); w >= columns {
					t.Fatalf("line %q is %d wide on %d columns", line, w, columns)
				}
			}
		}
	}
}

// TestQuiet: where every line is shown and none came for a while, one tells how
// far the session is; a line that comes puts it off.
func TestQuiet(t *testing.T) {
	m := New(testOptions(Options{Session: "Build", Quiet: time.Minute}))
	m.Begin(epoch)
	if due := m.Heartbeat(epoch); !due.IsZero() {
		t.Errorf("a line is due at %v although nothing runs", due)
	}
	m.Apply(after(10*time.Second), &stream.Started{Time: epoch}, &stream.State{State: stream.StateRunning},
		&stream.Heading{SessionElements: 4}, &stream.Queue{Action: "Build"},
		&stream.JobStarted{Job: 1, Action: "Build", Element: "a.bst", At: 10 * time.Second})
	m.TakeLog()
	if due := m.Heartbeat(after(69 * time.Second)); due != after(70*time.Second) || m.Pending() > 0 {
		t.Errorf("the line is due at %v, and %d bytes wait", due, m.Pending())
	}
	if due := m.Heartbeat(after(70 * time.Second)); due != after(130*time.Second) {
		t.Errorf("the next line is due at %v", due)
	}
	const want = "00:01:10 0% done, 0 of 4, 1 task running, the longest Build a.bst\n"
	if diff := cmp.Diff(want, string(m.TakeLog())); diff != "" {
		t.Error(diff)
	}
	if m.opts.Quiet = 0; !m.Heartbeat(after(time.Hour)).IsZero() {
		t.Error("a line is due although none is wanted")
	}
}

// TestHeartbeat: where nothing is drawn in place, lines tell how far it is, less
// and less often, and the log file has none of them.
func TestHeartbeat(t *testing.T) {
	m := New(testOptions(Options{Style: Plain, Copy: true}))
	m.Begin(epoch)
	m.Apply(epoch, &stream.Started{Time: epoch}, &stream.Stage{Name: "Loading elements", Current: 12, Total: 1139})
	m.TakeCopy()
	var got strings.Builder
	now := time.Duration(0)
	beat := func(until time.Duration) {
		for ; now <= until; now += time.Second {
			m.Heartbeat(after(now))
			if text := m.TakeLog(); len(text) > 0 {
				fmt.Fprintf(&got, "%v: %s", now, text)
			}
		}
	}
	beat(12 * time.Second)
	m.Apply(after(now), &stream.Stage{Name: "Loading elements", Done: true}, &stream.State{State: stream.StateRunning, At: now},
		&stream.Heading{Project: "p", SessionElements: 143, TotalElements: 387}, &stream.Queue{Action: "Build", Complete: "Built", Workers: 2},
		&stream.Counts{Action: "Build", Processed: 30, Skipped: 3, Failed: 1, Left: 20 * time.Minute, Known: 100},
		&stream.JobStarted{Job: 1, Action: "Build", Element: "gcc.bst", At: now})
	m.TakeLog()
	copied := len(m.TakeCopy())
	beat(40 * time.Minute)
	m.Apply(after(now), &stream.State{State: stream.StateSuspended, At: now})
	if due := m.Heartbeat(after(now)); !due.IsZero() {
		t.Errorf("a line is due at %v while all is suspended", due)
	}
	if len(m.TakeCopy()) > 0 || copied == 0 {
		t.Error("the log file has lines that the reference has not, or none")
	}
	golden(t, "heartbeat", got.String())
}
