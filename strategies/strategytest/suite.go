package strategytest

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

// Test runs the suite's tests on a strategy.
func Test(t *testing.T, s Subject) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Subject)
	}{
		{"Order", testOrder},
		{"LargeEvents", testLargeEvents},
		{"EmitNeverWaits", testEmitNeverWaits},
		{"SleepingReaderIsBounded", testSleepingReaderIsBounded},
		{"SendAndRecvAtOnce", testSendAndRecvAtOnce},
		{"NothingAfterFinished", testNothingAfterFinished},
		{"SendAfterTheEnd", testSendAfterTheEnd},
		{"StrayOutput", testStrayOutput},
		{"CloseEndsTheBackend", testCloseEndsTheBackend},
		{"CloseWithoutReading", testCloseWithoutReading},
		{"CloseAtOnce", testCloseAtOnce},
		{"CloseWakesRecv", testCloseWakesRecv},
		{"RecvIsCancelled", testRecvIsCancelled},
		{"OpenIsCancelled", testOpenIsCancelled},
		{"Lost", testLost},
		{"CannotStart", testCannotStart},
		{"FrontendKilled", testFrontendKilled},
		{"NothingIsLeft", testNothingIsLeft},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, s) })
	}
}

// wantMessages checks that messages 0 to n-1 are there in order, behind Started.
func wantMessages(t *testing.T, events []stream.Event, n int) {
	t.Helper()
	if len(events) == 0 {
		t.Fatal("no events")
	}
	if _, ok := events[0].(*stream.Started); !ok {
		t.Errorf("the first event is a %T", events[0])
	}
	next := 0
	for _, ev := range events {
		if m, ok := ev.(*stream.Message); ok {
			if int(m.Job) != next {
				t.Fatalf("message %d came, want %d", m.Job, next)
			}
			next++
		}
	}
	if next != n {
		t.Errorf("%d messages came, want %d", next, n)
	}
}

func wantFinished(t *testing.T, events []stream.Event, err error) {
	t.Helper()
	if err != io.EOF {
		t.Fatalf("after the last event Recv returned %v, want io.EOF", err)
	}
	if _, ok := events[len(events)-1].(*stream.Finished); !ok {
		t.Errorf("the last event is a %T", events[len(events)-1])
	}
}

func testOrder(t *testing.T, s Subject) {
	c := open(t, s, "flood", t.TempDir(), 20_000)
	events, err := c.all()
	wantFinished(t, events, err)
	wantMessages(t, events, 20_000)
	for range 2 {
		if _, err := c.st.Recv(t.Context()); err != io.EOF {
			t.Errorf("Recv after the end returned %v", err)
		}
	}
}

func testLargeEvents(t *testing.T, s Subject) {
	const n, size = 12, 1 << 20
	c := open(t, s, "flood", t.TempDir(), n, size)
	events, err := c.all()
	wantFinished(t, events, err)
	wantMessages(t, events, n)
	for _, ev := range events {
		if m, ok := ev.(*stream.Message); ok && m.Detail != strings.Repeat("x", size) {
			t.Errorf("message %d arrived with %d bytes", m.Job, len(m.Detail))
		}
	}
}

func testEmitNeverWaits(t *testing.T, s Subject) {
	const n = 10_000
	dir := t.TempDir()
	c := open(t, s, "asleep", dir, n)
	marked(t, dir, "emitted") // and Recv was not called yet
	var events []stream.Event
	for seen := 0; seen < n; {
		for _, ev := range c.recv() {
			if _, ok := ev.(*stream.Message); ok {
				seen++
			}
			events = append(events, ev)
		}
	}
	wantMessages(t, events, n)
	if err := c.st.Close(); err != nil {
		t.Error(err)
	}
	marked(t, dir, "closed")
}

func testSleepingReaderIsBounded(t *testing.T, s Subject) {
	const n = 500_000
	dir := t.TempDir()
	c := open(t, s, "progress", dir, n)
	marked(t, dir, "emitted")
	events, err := c.all()
	wantFinished(t, events, err)
	last, seen := 0, 0
	for _, ev := range events {
		if p, ok := ev.(*stream.JobProgress); ok {
			if p.Current <= last {
				t.Fatalf("progress %d came after %d", p.Current, last)
			}
			last, seen = p.Current, seen+1
		}
	}
	if last != n {
		t.Errorf("the last progress is %d, want %d", last, n)
	}
	// What was under way when the reader stopped, a few frames, may arrive.
	if seen > n/4 {
		t.Errorf("%d of %d values of one progress were kept for a sleeping reader", seen, n)
	}
}

func testSendAndRecvAtOnce(t *testing.T, s Subject) {
	const n = 5_000
	c := open(t, s, "echo", t.TempDir())
	sent := make(chan error, 1)
	go func() {
		sent <- func() error {
			for i := range n {
				if err := c.st.Send(t.Context(), &stream.Retry{Job: stream.JobID(i)}); err != nil {
					return err
				}
			}
			return c.st.Send(t.Context(), &stream.Terminate{})
		}()
	}()
	events, err := c.all()
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	wantFinished(t, events, err)
	wantMessages(t, events, n)
	if !events[len(events)-1].(*stream.Finished).Terminated {
		t.Error("Finished does not say what the backend said")
	}
}

func testNothingAfterFinished(t *testing.T, s Subject) {
	dir := t.TempDir()
	c := open(t, s, "finished", dir)
	events, err := c.all()
	wantFinished(t, events, err)
	wantMessages(t, events, 0)
	if err := c.st.Close(); err != nil {
		t.Error(err)
	}
	marked(t, dir, "closed")
}

func testSendAfterTheEnd(t *testing.T, s Subject) {
	c := open(t, s, "flood", t.TempDir())
	events, err := c.all()
	wantFinished(t, events, err)
	eventually(t, "Send's refusal", func() bool {
		err := c.st.Send(t.Context(), &stream.Hold{})
		if err == nil {
			return false
		}
		if lost := new(stream.LostError); !errors.As(err, &lost) || lost.Strategy != s.Name {
			t.Fatalf("Send returned %#v", err)
		}
		return true
	})
	if err := c.st.Close(); err != nil {
		t.Error(err)
	}
}

// What a backend prints harms no event; what it prints on standard error can be
// read.
func testStrayOutput(t *testing.T, s Subject) {
	if !s.process() {
		t.Skip("in this process, standard output is the test's own")
	}
	if s.Stays {
		t.Skip("what a backend that stays prints is no frontend's in particular, and goes to its log")
	}
	h := host(s, "noisy")
	var stderr strings.Builder
	h.Stderr = &stderr
	c := openWith(t, t.Context(), s, h, t.TempDir())
	events, err := c.all()
	wantFinished(t, events, err)
	wantMessages(t, events, 1000)
	if err := c.st.Close(); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"noise on standard output 999\n", "noise on standard error 999\n"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("Host.Stderr got no %q", want)
		}
	}
}

func testCloseEndsTheBackend(t *testing.T, s Subject) {
	dir := t.TempDir()
	c := open(t, s, "wait", dir)
	c.recv()
	for range 3 {
		if err := c.st.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(dir + "/closed"); err != nil {
		t.Error("Close returned before the backend had seen its orders closed and ended")
	}
	if err := c.st.Send(t.Context(), &stream.Hold{}); err == nil {
		t.Error("Send after Close succeeded")
	}
	if _, err := c.st.Recv(t.Context()); err == nil {
		t.Error("Recv after Close succeeded")
	}
}

func testCloseWithoutReading(t *testing.T, s Subject) {
	dir := t.TempDir()
	c := open(t, s, "asleep", dir, 100_000)
	marked(t, dir, "emitted")
	if err := c.st.Close(); err != nil {
		t.Error(err)
	}
	marked(t, dir, "closed")
}

func testCloseAtOnce(t *testing.T, s Subject) {
	st, err := s.Open(t.Context(), host(s, "wait"))
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Error(err)
	}
}

func testCloseWakesRecv(t *testing.T, s Subject) {
	c := open(t, s, "wait", t.TempDir())
	c.recv()
	woken := make(chan error, 1)
	go func() {
		_, err := c.st.Recv(t.Context())
		woken <- err
	}()
	if err := c.st.Close(); err != nil {
		t.Error(err)
	}
	if err := <-woken; err == nil {
		t.Error("Recv returned events of a closed stream")
	}
}

func testRecvIsCancelled(t *testing.T, s Subject) {
	c := open(t, s, "echo", t.TempDir())
	c.recv()
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	if _, err := c.st.Recv(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Recv returned %v", err)
	}
	if err := c.st.Send(ctx, &stream.Hold{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Send returned %v", err)
	}
	// The session goes on.
	c.send(&stream.Retry{Job: 0})
	c.send(&stream.Terminate{})
	events, err := c.all()
	wantFinished(t, events, err)
}

func testOpenIsCancelled(t *testing.T, s Subject) {
	ctx, cancel := context.WithCancel(t.Context())
	dir := t.TempDir()
	c := openWith(t, ctx, s, host(s, "wait"), dir)
	c.recv()
	cancel()
	marked(t, dir, "closed") // without Close
	if _, err := c.all(); err == io.EOF {
		t.Error("Recv says that the session finished")
	}
	if _, err := s.Open(ctx, host(s, "wait")); !errors.Is(err, context.Canceled) {
		t.Errorf("Open returned %v", err)
	}
}

func testLost(t *testing.T, s Subject) {
	for _, test := range []struct {
		script  string
		process bool   // takes its process along
		says    string // in LostError.Stderr
		status  string // in LostError.Status, of a process
	}{
		{"return", false, "", "exit status 0"},
		{"panic", false, "script panics", "exit status 1"},
		{"goroutine-panic", true, "script panics", "exit status 2"},
		{"exit", true, "script exits", "exit status 3"},
		{"kill", true, "script is killed", ""},
	} {
		t.Run(test.script, func(t *testing.T) {
			if test.process && !s.process() {
				t.Skip("it would end this process")
			}
			c := open(t, s, test.script, t.TempDir())
			events, err := c.all()
			if !test.process { // else the process may be gone before Started is written
				wantMessages(t, events, 0)
			}
			var lost *stream.LostError
			if !errors.As(err, &lost) {
				t.Fatalf("Recv returned %v", err)
			}
			if lost.Strategy != s.Name || lost.Err == nil {
				t.Errorf("the error is %#v", lost)
			}
			if !strings.Contains(lost.Stderr+lost.Err.Error(), test.says) {
				t.Errorf("the error does not say %q: %#v", test.says, lost)
			}
			if s.process() && !s.Stays && !strings.Contains(lost.Status, test.status) {
				t.Errorf("the status is %q, want %q", lost.Status, test.status)
			}
			if _, err := c.st.Recv(t.Context()); !errors.As(err, &lost) {
				t.Errorf("the next Recv returned %v", err)
			}
			if err := c.st.Send(t.Context(), &stream.Hold{}); !errors.As(err, &lost) {
				t.Errorf("Send returned %v", err)
			}
			if err := c.st.Close(); err != nil {
				t.Logf("Close: %v", err) // it may say how the process ended
			}
		})
	}
}

func testCannotStart(t *testing.T, s Subject) {
	if !s.process() {
		t.Skip("there is nothing to start")
	}
	h := host(s, "wait")
	h.Executable = "/nonexistent/bst"
	var serr *stream.Error
	if _, err := s.Open(t.Context(), h); !errors.As(err, &serr) {
		t.Errorf("Open returned %v", err)
	}
	// Another program than bst.
	h = host(s, "wait")
	h.Args = []string{"-test.run=^$"}
	c, err := s.Open(t.Context(), h)
	if s.Stays {
		if !errors.As(err, &serr) { // it is not ready before it serves
			t.Errorf("Open of another program returned %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var lost *stream.LostError
	if _, err := c.Recv(t.Context()); !errors.As(err, &lost) {
		t.Errorf("Recv returned %v", err)
	}
}

func testFrontendKilled(t *testing.T, s Subject) {
	for _, scriptName := range []string{"wait", "asleep"} {
		dir := t.TempDir()
		self := host(s, scriptName).Executable
		cmd := exec.Command(self, asFrontend, s.Name, scriptName, dir)
		stderr, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		go func() {
			for lines := bufio.NewScanner(stderr); lines.Scan(); {
				t.Log(lines.Text())
			}
		}()
		marked(t, dir, "received")
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed: the error says so
		if s.process() {
			marked(t, dir, "closed")
		}
	}
}

// Sessions of every kind leave no goroutine and no process behind.
func testNothingIsLeft(t *testing.T, s Subject) {
	before := runtime.NumGoroutine()
	var pids []int
	for _, scriptName := range []string{"flood", "wait", "asleep", "return", "panic"} {
		st, err := s.Open(t.Context(), host(s, scriptName))
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Send(t.Context(), work(t.TempDir(), 1000)); err != nil {
			t.Fatal(err)
		}
		events, err := st.Recv(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, events[0].(*stream.Started).PID)
		if err := st.Close(); err != nil {
			t.Logf("%s: Close: %v", scriptName, err)
		}
	}
	eventually(t, "the goroutines' end", func() bool { return runtime.NumGoroutine() <= before })
	if !s.process() {
		if diff := cmp.Diff([]int{os.Getpid(), os.Getpid(), os.Getpid(), os.Getpid(), os.Getpid()}, pids); diff != "" {
			t.Errorf("a process was started (-want +got):\n%s", diff)
		}
		return
	}
	for _, pid := range pids {
		if pid == os.Getpid() {
			t.Error("no process was started")
		} else if s.Stays {
			eventually(t, "the end of a backend that is idle", func() bool { return !alive(pid) })
		} else if alive(pid) {
			t.Errorf("process %d is left", pid)
		}
	}
}
