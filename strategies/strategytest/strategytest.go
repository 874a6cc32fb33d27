// Package strategytest is one suite of tests and benchmarks for every strategy.
// A strategy that passes it keeps the contract of package stream: order, nothing
// lost, a backend that never waits, and an end, whichever side dies.
//
// It knows backends that play scripts (scripts.go) and nothing of what carries
// the events. A test package that runs it calls Main in its TestMain: the test's
// own executable is what strategies with a process start as their backend.
package strategytest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"bst/impl/stream"
)

// Subject is a strategy under test.
type Subject struct {
	Name string
	Open stream.Open
	// Serve is set where the backend is a process of its own.
	Serve stream.Serve
	// Stays says that this process outlives its session.
	Stays bool
}

// process says that the backend is a process of its own.
func (s Subject) process() bool { return s.Serve != nil }

// The first argument of this executable when it is started as something other
// than a test.
const (
	asBackend  = "__backend"  // then: the strategy, the script
	asFrontend = "__frontend" // then: the strategy, the script, a folder
)

// Main is the TestMain of a package that runs the suite. It returns to the tests
// unless this process was started by one of them to be a backend or a frontend.
func Main(m *testing.M, subjects []Subject) int {
	if len(os.Args) > 3 && (os.Args[1] == asBackend || os.Args[1] == asFrontend) {
		for _, s := range subjects {
			switch {
			case s.Name != os.Args[2]:
			case os.Args[1] == asBackend:
				return backend(s, os.Args[3])
			default:
				return frontend(s, os.Args[3], os.Args[4])
			}
		}
		return 1
	}
	dir, err := os.MkdirTemp("", "bst-strategies-")
	if err == nil {
		// Backends that stay have their sockets there, and end when it is gone.
		err = os.Setenv("XDG_RUNTIME_DIR", dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	status := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return status
}

// backend is what a strategy starts. Nothing reads flags or files before this: it
// is what bst does too.
func backend(s Subject, scriptName string) int {
	err := s.Serve(context.Background(), stream.Served{In: os.Stdin, Out: os.Stdout,
		Args:       os.Args[4:],
		NewBackend: func() stream.Backend { return script(scriptName) },
		Keep:       func() func() stream.Backend { return func() stream.Backend { return script(scriptName) } },
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// frontend opens a session, says that it did, and waits to be killed.
func frontend(s Subject, scriptName, dir string) int {
	st, err := s.Open(context.Background(), host(s, scriptName))
	if err == nil {
		err = st.Send(context.Background(), work(dir))
	}
	if err == nil {
		_, err = st.Recv(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	mark(dir, "received")
	time.Sleep(patience)
	return 1
}

// patience bounds what a failing test waits for. No passing test comes near it.
const patience = 60 * time.Second

func host(s Subject, scriptName string) stream.Host {
	self, err := os.Executable()
	if err != nil {
		panic(err) // a test without its executable
	}
	return stream.Host{
		Strategy:   s.Name,
		NewBackend: func() stream.Backend { return script(scriptName) },
		Executable: self,
		Args:       []string{asBackend, s.Name, scriptName},
		Project:    filepath.Dir(self),
		Environ:    append(os.Environ(), "BST_WARM_IDLE=500ms"),
	}
}

// work is the first order of every script: the folder is where it leaves marks,
// the numbers are its arguments.
func work(dir string, numbers ...int) *stream.Show {
	o := &stream.Show{Targets: []string{dir}}
	for _, n := range numbers {
		o.Except = append(o.Except, fmt.Sprint(n))
	}
	return o
}

// mark leaves a file, whole or not at all, for the other side to find.
func mark(dir, name string, content ...any) {
	tmp := filepath.Join(dir, name+".tmp")
	if err := os.WriteFile(tmp, []byte(fmt.Sprint(content...)), 0o600); err != nil {
		panic(err) // the test fails by the missing mark
	}
	if err := os.Rename(tmp, filepath.Join(dir, name)); err != nil {
		panic(err)
	}
}

// marked waits for a mark and returns what it holds.
func marked(t testing.TB, dir, name string) string {
	t.Helper()
	var content []byte
	eventually(t, "mark "+name, func() bool {
		var err error
		content, err = os.ReadFile(filepath.Join(dir, name))
		return err == nil
	})
	return string(content)
}

// eventually waits for something that another process or goroutine brings about.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			buf := make([]byte, 1<<20)
			t.Fatalf("in vain: %s\n%s", what, buf[:runtime.Stack(buf, true)])
		}
	}
}

// session is an open stream with its test.
type session struct {
	t  testing.TB
	st stream.Stream
}

// open starts a script and gives it its work. The stream is closed at the
// test's end, if not before.
func open(t testing.TB, s Subject, scriptName, dir string, numbers ...int) *session {
	t.Helper()
	return openWith(t, t.Context(), s, host(s, scriptName), dir, numbers...)
}

func openWith(t testing.TB, ctx context.Context, s Subject, h stream.Host, dir string, numbers ...int) *session {
	t.Helper()
	st, err := s.Open(ctx, h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil && !t.Failed() {
			t.Logf("Close: %v", err)
		}
	})
	c := &session{t, st}
	c.send(work(dir, numbers...))
	return c
}

func (c *session) send(o stream.Order) {
	c.t.Helper()
	if err := c.st.Send(c.t.Context(), o); err != nil {
		c.t.Fatalf("Send: %v", err)
	}
}

// recv returns the next batch.
func (c *session) recv() []stream.Event {
	c.t.Helper()
	events, err := c.st.Recv(c.t.Context())
	if err != nil {
		c.t.Fatalf("Recv: %v", err)
	}
	if len(events) == 0 {
		c.t.Fatal("Recv returned no events")
	}
	return events
}

// all reads to the end and returns every event and the error that ended it.
func (c *session) all() ([]stream.Event, error) {
	var all []stream.Event
	for {
		events, err := c.st.Recv(c.t.Context())
		if err != nil {
			return all, err
		}
		all = append(all, events...)
	}
}
