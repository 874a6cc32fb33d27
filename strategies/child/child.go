// Package child runs a backend in a process of its own: this executable started
// anew. What joins the two, a pair of pipes or a socket, is for the strategies
// that use it to say.
//
// It knows processes: how one is started apart from the terminal's signals, how
// it ends, and how it is made to end. It knows nothing of what is said; that is
// package wire.
//
// The backend is not tied to the frontend by the kernel (PR_SET_PDEATHSIG): the
// end of its orders tells it that the frontend is gone, however that came about,
// and leaves it the time to stop its sandboxes and to write nothing by half.
package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"bst/impl/slack"
	"bst/impl/stream"
	"bst/impl/wire"
)

const (
	// stderrWait bounds the wait for a grandchild that keeps standard error
	// open after the backend's end.
	stderrWait = 500 * time.Millisecond
	// exitWait is how long a backend that closed its output may take to exit
	// before it is killed.
	exitWait = 5 * time.Second
)

// closeWait is how long a backend may take to end after its orders were closed:
// a little more than it gives itself (wire.Serve).
const closeWait = wire.Grace + wire.GraceCancelled + 2*time.Second

// Ends are the two ends of what joins two processes.
type Ends struct {
	// Stdin and Stdout are the backend's standard input and output. They are
	// closed here once it has them. A nil Stdin gives nothing, a nil Stdout discards.
	Stdin, Stdout *os.File
	// Handle, where it is not 0, is the backend's end on Windows, instead of its
	// standard input: the number is its last argument. It is closed here as well.
	Handle uintptr
	// In brings events and Out takes orders. Closing Out tells the backend that
	// no more will come; what it still says can be read.
	In  io.ReadCloser
	Out io.WriteCloser
}

// Join is how two ends come to be.
type Join struct {
	// New makes both.
	New func() (Ends, error)
	// Of makes In and Out of those to a process that runs already; nil where none
	// does.
	Of func(*stream.Begun) (Ends, error)
}

// Open starts host.Executable with host.Args and speaks to it.
func Open(ctx context.Context, host stream.Host, join Join) (stream.Stream, error) {
	return open(ctx, host, join, closeWait)
}

func open(ctx context.Context, host stream.Host, join Join, wait time.Duration) (stream.Stream, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	trace, err := wire.OpenTrace(host.Environ)
	if err != nil {
		return nil, err
	}
	s := &session{name: host.Strategy, wait: wait, trace: trace, exited: make(chan struct{}), stderr: tail{to: host.Stderr}}
	if err := s.start(host, join); err != nil {
		if trace != nil {
			_ = trace.Close()
		}
		return nil, &stream.Error{
			Domain:  stream.DomainApp,
			Message: "Cannot start the backend of strategy '" + host.Strategy + "'",
			Detail:  err.Error(),
			Cause:   err.Error(),
		}
	}
	stop := context.AfterFunc(ctx, s.hangUp)
	go func() {
		<-s.exited
		stop()
	}()
	return s, nil
}

// session is one backend process.
type session struct {
	*wire.Client
	name    string // of the strategy
	process *os.Process
	// ended waits for the process, and for what it wrote to standard error.
	ended  func() *os.ProcessState
	wait   time.Duration
	trace  io.Closer
	stderr tail
	// exited is closed when the process was waited for; status is set then.
	exited chan struct{}
	status string
	// killed is set, before exited is closed, when the backend did not end in
	// time.
	killed atomic.Bool
	hung   sync.Once
	closed sync.Once
	result error // of the first Close
}

func (s *session) start(host stream.Host, join Join) error {
	var ends Ends
	var err error
	if host.Begun != nil && join.Of != nil {
		ends, err = s.adopt(host.Begun, join)
	} else {
		ends, err = s.launch(host, join)
	}
	if err != nil {
		return err
	}
	var trace io.Writer
	if s.trace != nil {
		trace = s.trace.(io.Writer)
	}
	s.Client = wire.Dial(ends.In, ends.Out, trace)
	go s.reap(ends.In)
	return nil
}

// launch starts a process.
func (s *session) launch(host stream.Host, join Join) (Ends, error) {
	ends, err := join.New()
	if err != nil {
		return Ends{}, err
	}
	cmd := exec.Command(host.Executable, host.Args...)
	cmd.Env = host.Environ
	cmd.Stderr = &s.stderr
	if ends.Stdin != nil {
		cmd.Stdin = ends.Stdin
	}
	if ends.Stdout != nil {
		cmd.Stdout = ends.Stdout
	}
	cmd.WaitDelay = stderrWait
	detach(cmd)
	if err = give(cmd, ends.Handle); err == nil {
		err = slack.OfBackend(cmd.Start)
	}
	err = errors.Join(err, taken(ends.Handle))
	if ends.Stdin != nil {
		err = errors.Join(err, ends.Stdin.Close())
	}
	if ends.Stdout != nil {
		err = errors.Join(err, ends.Stdout.Close())
	}
	if err != nil {
		if cmd.Process != nil {
			err = errors.Join(err, cmd.Process.Kill(), cmd.Wait())
		}
		return Ends{}, errors.Join(err, ends.Out.Close(), ends.In.Close())
	}
	s.process = cmd.Process
	s.ended = func() *os.ProcessState {
		// The status says it all; Wait's other errors concern standard error only.
		_ = cmd.Wait()
		return cmd.ProcessState
	}
	return ends, nil
}

// adopt takes a process that was started before.
func (s *session) adopt(b *stream.Begun, join Join) (Ends, error) {
	ends, err := join.Of(b)
	if err != nil {
		err = errors.Join(err, b.Process.Kill(), b.Stderr.Close())
		_, werr := b.Process.Wait()
		return Ends{}, errors.Join(err, werr)
	}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = io.Copy(&s.stderr, b.Stderr) // it ends with the process, or as is said below
	}()
	s.process = b.Process
	s.ended = func() *os.ProcessState {
		state, _ := b.Process.Wait()
		t := time.NewTimer(stderrWait)
		defer t.Stop()
		select {
		case <-copied:
		case <-t.C:
		}
		_ = b.Stderr.Close()
		<-copied
		return state
	}
	return ends, nil
}

// reap waits for the process and says how it ended. It runs as long as the
// process does.
func (s *session) reap(fromBackend io.Closer) {
	state := s.ended()
	s.status = state.String()
	if state == nil || !state.Success() {
		s.kill() // what it left in its group
	}
	close(s.exited)
	// What the process wrote is still in the pipe. The reader reaches its end
	// unless a grandchild holds it open, which would be a backend's mistake.
	t := time.NewTimer(exitWait)
	defer t.Stop()
	select {
	case <-s.Done():
	case <-t.C:
	}
	_ = fromBackend.Close()
}

// Send queues an order.
func (s *session) Send(ctx context.Context, o stream.Order) error {
	err := s.Client.Send(ctx, o)
	if errors.Is(err, wire.ErrGone) {
		return s.lost()
	}
	return err
}

// Recv returns the events of one batch.
func (s *session) Recv(ctx context.Context) ([]stream.Event, error) {
	events, err := s.Client.Recv(ctx)
	if errors.Is(err, wire.ErrGone) {
		return nil, s.lost()
	}
	return events, err
}

// lost says what became of the backend. Its output has ended or makes no sense,
// or the stream was closed: it exits, or is made to.
func (s *session) lost() *stream.LostError {
	select {
	case <-s.exited:
	case <-time.After(min(exitWait, s.wait)):
		s.killed.Store(true)
		s.kill()
		<-s.exited
	}
	err := s.Err()
	if err == nil {
		err = errors.New("the stream was closed")
	}
	return &stream.LostError{Strategy: s.name, Status: s.status, Stderr: s.stderr.String(), Err: err}
}

// hangUp closes the orders, and kills the backend if it does not end in time.
func (s *session) hangUp() {
	s.hung.Do(func() {
		s.HangUp()
		go func() {
			t := time.NewTimer(s.wait)
			defer t.Stop()
			select {
			case <-s.exited:
			case <-t.C:
				s.killed.Store(true)
				s.kill()
			}
		}()
	})
}

// kill ends the backend and its process group now.
func (s *session) kill() { killGroup(s.process) }

// Close hangs up and waits for the process's end. It fails where the backend had
// to be killed.
func (s *session) Close() error {
	s.closed.Do(func() {
		s.hangUp()
		s.Discard()
		<-s.exited // hangUp sees to it
		<-s.Done()
		if s.trace != nil {
			s.result = s.trace.Close()
		}
		if s.killed.Load() {
			s.result = errors.Join(s.result, fmt.Errorf("the backend did not end within %v and was killed", s.wait))
		}
	})
	return s.result
}
