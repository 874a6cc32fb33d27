package session

import (
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"bst/impl/stream"
	"bst/impl/term"
)

var oscs = regexp.MustCompile("\x1b\\](9;[^\x07\x1b]*|777;[^\x07\x1b]*)")

// beside gives what was shown beside the screen, in order.
func besideOf(c *console) []string {
	var list []string
	for _, m := range oscs.FindAllStringSubmatch(c.seen(), -1) {
		list = append(list, m[1])
	}
	return list
}

// TestBeside: progress is shown, changes with what happens, and is gone at every
// way out; the desktop hears of the end of long sessions alone.
func TestBeside(t *testing.T) {
	all := term.Features{Progress: true, Notify: term.Notify777}
	build := func(b backend, took time.Duration, end *stream.Finished) {
		b.expect("build")
		b.emit(&stream.Started{}, &stream.Stage{Name: "Loading elements"})
		time.Sleep(time.Second)
		b.emit(&stream.Stage{Name: "Loading elements", Done: true}, running,
			&stream.Heading{Project: "p", SessionElements: 2, TotalElements: 2}, &stream.PipelineShown{},
			&stream.Queue{Action: "Build", Complete: "Built"}, &stream.JobStarted{Job: 1, Action: "Build", Element: "a.bst"})
		time.Sleep(took)
		b.emit(&stream.JobFinished{Job: 1, Action: "Build", Element: "a.bst"}, &stream.Counts{Action: "Build", Processed: 1})
		time.Sleep(time.Second)
		if end != nil {
			b.emit(end)
			return
		}
		close(b.s.events)
	}
	failed := &stream.Finished{Error: &stream.Error{Message: "no"}}
	for _, c := range []struct {
		name     string
		features term.Features
		took     time.Duration
		end      *stream.Finished
		want     []string
	}{
		{"short", all, time.Second, &stream.Finished{}, []string{"9;4;3;0", "9;4;1;0", "9;4;1;50", "9;4;0;0"}},
		{"long", all, time.Minute, &stream.Finished{}, []string{"9;4;3;0", "9;4;1;0", "9;4;1;50", "9;4;0;0", "777;notify;BuildStream;p succeeded after 00:01:02"}},
		{"failed", all, time.Minute, failed, []string{"9;4;3;0", "9;4;1;0", "9;4;1;50", "9;4;0;0", "777;notify;BuildStream;p failed after 00:01:02"}},
		{"backend lost", all, time.Second, nil, []string{"9;4;3;0", "9;4;1;0", "9;4;1;50", "9;4;0;0"}},
		{"a terminal that has neither", term.Features{}, time.Minute, &stream.Finished{}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				out := &console{}
				onConsole(t, out, Options{Features: c.features}, func(b backend) { build(b, c.took, c.end) })
				if diff := cmp.Diff(c.want, besideOf(out)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestBesideEndedEarly: a signal takes the progress away too, and nobody is told
// of what he did himself.
func TestBesideEndedEarly(t *testing.T) {
	for _, sig := range []term.Signal{term.Interrupt, term.Terminate, term.Hangup} {
		synctest.Test(t, func(t *testing.T) {
			out := &console{}
			signals := make(chan term.Signal, 1)
			onConsole(t, out, Options{Features: term.Features{Progress: true, Notify: term.Notify9}, Signals: signals}, func(b backend) {
				b.expect("build")
				b.emit(&stream.Started{}, &stream.Stage{Name: "Loading elements"})
				time.Sleep(time.Second)
				signals <- sig
				b.expect("terminate")
				b.emit(&stream.Finished{Terminated: true, Error: &stream.Error{Message: "ended"}})
			})
			if got := strings.Join(besideOf(out), " "); got != "9;4;3;0 9;4;0;0" {
				t.Errorf("signal %d: %s", sig, got)
			}
		})
	}
}
