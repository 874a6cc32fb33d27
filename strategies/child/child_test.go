package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"bst/impl/stream"
	"bst/impl/wire"
)

// What is common to all strategies is tested in package strategies. Here are
// the processes that the suite's scripts cannot be.

const asBackend = "__backend"

type backend func(ctx context.Context, orders <-chan stream.Order, emit func(...stream.Event))

func (b backend) Run(ctx context.Context, orders <-chan stream.Order, emit func(...stream.Event)) {
	b(ctx, orders, emit)
}

var backends = map[string]backend{
	// stubborn hears nothing.
	"stubborn": func(_ context.Context, _ <-chan stream.Order, emit func(...stream.Event)) {
		emit(&stream.Started{PID: os.Getpid()})
		select {}
	},
	// parent leaves a child that holds its standard error.
	"parent": func(_ context.Context, _ <-chan stream.Order, emit func(...stream.Event)) {
		cmd := exec.Command(os.Args[0], asBackend, "child")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Start(); err != nil {
			panic(err)
		}
		emit(&stream.Started{PID: cmd.Process.Pid}, &stream.Finished{})
	},
	// talker goes away in a way of its own.
	"talker": func(context.Context, <-chan stream.Order, func(...stream.Event)) {
		fmt.Fprintln(os.Stderr, "the last words")
		os.Exit(7)
	},
	// environment says what it was given.
	"environment": func(_ context.Context, _ <-chan stream.Order, emit func(...stream.Event)) {
		rest, err := io.ReadAll(os.Stdin)
		emit(&stream.Message{Text: strings.Join(os.Environ(), " "), Detail: fmt.Sprintf("%q %v", rest, err)}, &stream.Finished{})
	},
}

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == asBackend {
		if os.Args[2] == "child" {
			time.Sleep(time.Minute)
			return
		}
		in, out, err := TakeStdio()
		if err == nil {
			err = wire.Serve(context.Background(), in, out, backends[os.Args[2]])
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// join makes two pipes.
func join() (Ends, error) {
	orders, toBackend, err := os.Pipe()
	if err != nil {
		return Ends{}, err
	}
	fromBackend, events, err := os.Pipe()
	return Ends{Stdin: orders, Stdout: events, In: fromBackend, Out: toBackend}, err
}

var joined = Join{New: join, Of: func(b *stream.Begun) (Ends, error) { return Ends{In: b.Events, Out: b.Orders}, nil }}

// each runs a test with a process that is started by Open, and with one that was
// before.
func each(t *testing.T, name string, test func(t *testing.T, host stream.Host)) {
	t.Run("launched", func(t *testing.T) { test(t, hostOf(t, name)) })
	t.Run("begun", func(t *testing.T) {
		host := hostOf(t, name)
		host.Begun = begin(t, host)
		test(t, host)
	})
}

// begin does what package early does.
func begin(t *testing.T, host stream.Host) *stream.Begun {
	t.Helper()
	ends, err := join()
	if err != nil {
		t.Fatal(err)
	}
	from, stderr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(host.Executable, host.Args...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = host.Environ, ends.Stdin, ends.Stdout, stderr
	detach(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range []*os.File{ends.Stdin, ends.Stdout, stderr} {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return &stream.Begun{Process: cmd.Process, Orders: ends.Out.(*os.File), Events: ends.In.(*os.File), Stderr: from}
}

func hostOf(t *testing.T, name string) stream.Host {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return stream.Host{Executable: self, Args: []string{asBackend, name}, Environ: append(os.Environ(), "ONLY=this")}
}

// A backend that does not end when it is told to is killed.
func TestCloseKills(t *testing.T) { each(t, "stubborn", testCloseKills) }

func testCloseKills(t *testing.T, host stream.Host) {
	s, err := open(t.Context(), host, joined, 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Recv(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err == nil || !strings.Contains(err.Error(), "killed") {
			t.Errorf("Close returned %v", err)
		}
	}
	var lost *stream.LostError
	if _, err := s.Recv(t.Context()); !errors.As(err, &lost) || !strings.Contains(lost.Status, "kill") {
		t.Errorf("Recv returned %#v", err)
	}
}

// A process that the backend leaves behind does not hold the frontend.
func TestCloseDoesNotWaitForGrandchildren(t *testing.T) { each(t, "parent", testGrandchildren) }

func testGrandchildren(t *testing.T, host stream.Host) {
	s, err := Open(t.Context(), host, joined)
	if err != nil {
		t.Fatal(err)
	}
	events, err := s.Recv(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	child, err := os.FindProcess(events[0].(*stream.Started).PID)
	if err == nil {
		err = child.Kill()
	}
	if err != nil {
		t.Error(err)
	}
}

// The backend has the given environment and nothing on its standard input.
func TestWhatABackendGets(t *testing.T) { each(t, "environment", testWhatABackendGets) }

func testWhatABackendGets(t *testing.T, host stream.Host) {
	s, err := Open(t.Context(), host, joined)
	if err != nil {
		t.Fatal(err)
	}
	events, err := s.Recv(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m := events[0].(*stream.Message)
	if !strings.Contains(m.Text, "ONLY=this") || m.Detail != `"" <nil>` {
		t.Errorf("it was given %s, and on its standard input %s", m.Text, m.Detail)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// What it says on standard error is in the error of a frontend that lost it.
func TestWhatALostBackendSaid(t *testing.T) {
	each(t, "talker", func(t *testing.T, host stream.Host) {
		s, err := Open(t.Context(), host, joined)
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, err = s.Recv(t.Context())
		}
		var lost *stream.LostError
		if !errors.As(err, &lost) || !strings.Contains(lost.Stderr, "the last words") || lost.Status != "exit status 7" {
			t.Errorf("Recv returned %#v", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestTailKeepsTheEnd(t *testing.T) {
	for _, size := range []int{1, 100, maxTail - 1, maxTail, maxTail + 1, 5 * maxTail} {
		var passed strings.Builder
		kept := tail{to: &passed}
		var all strings.Builder
		for i := range 3 {
			text := strings.Repeat(string(rune('a'+i)), size)
			all.WriteString(text)
			if n, err := kept.Write([]byte(text)); n != len(text) || err != nil {
				t.Errorf("wrote %d, %v", n, err)
			}
		}
		want := all.String()
		if passed.String() != want {
			t.Errorf("size %d: not everything was passed on", size)
		}
		if got := kept.String(); got != want[max(0, len(want)-maxTail):] {
			t.Errorf("size %d: %d bytes were kept, and not the last", size, len(got))
		}
	}
}
