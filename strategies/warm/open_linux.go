package warm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"bst/impl/slack"
	"bst/impl/stream"
	"bst/impl/wire"
)

const (
	// helloWait is how long a backend that is there may take to say so: it has
	// nothing else to do. One that does not is replaced.
	helloWait = 10 * time.Second
	// startWait is how long a fresh one may take.
	startWait = 30 * time.Second
	// maxTail is how much of a backend's log a LostError shows.
	maxTail = 16 << 10
)

// closeWait is how long a session may take to end after its orders were closed: a
// little more than its backend gives itself (wire.Serve).
const closeWait = wire.Grace + wire.GraceCancelled + 2*time.Second

// Open finds the backend for host.Project, or starts host.Executable with
// host.Args as one, and opens a session with it.
func Open(ctx context.Context, host stream.Host) (stream.Stream, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s, err := open(ctx, host)
	var told *stream.Error
	if errors.As(err, &told) {
		return nil, told
	}
	if err != nil {
		return nil, &stream.Error{
			Domain:  stream.DomainApp,
			Message: "Cannot find or start the backend of strategy '" + host.Strategy + "'",
			Detail:  err.Error(),
			Cause:   err.Error(),
		}
	}
	return s, nil
}

func open(ctx context.Context, host stream.Host) (stream.Stream, error) {
	p, err := find(host)
	if err != nil {
		return nil, err
	}
	if s, err := p.connect(ctx, host); err == nil {
		return s, nil
	}
	// There is none, or it is ending, or it makes no sense. Of several frontends
	// that find this out, one starts another.
	unlock, err := p.lock(true)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if s, err := p.connect(ctx, host); err == nil {
		return s, nil
	}
	if err := p.start(host); err != nil {
		return nil, err
	}
	return p.connect(ctx, host)
}

// Find gives a way to open a session with each backend that runs for
// host.Project, whatever its environment; without a project, for any.
func Find(ctx context.Context, host stream.Host) ([]stream.Open, error) {
	dir, err := folder(host.Environ)
	if err != nil {
		return nil, err
	}
	pattern := "*-*.sock"
	if host.Project != "" {
		pattern = projectName(host.Project) + "-*.sock"
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var found []stream.Open
	for _, entry := range entries {
		if ok, err := filepath.Match(pattern, entry.Name()); err != nil || !ok {
			continue
		}
		p := place{dir, strings.TrimSuffix(entry.Name(), ".sock")}
		found = append(found, func(ctx context.Context, host stream.Host) (stream.Stream, error) {
			return p.connect(ctx, host)
		})
	}
	return found, nil
}

// connect opens a session with the backend at the place.
func (p place) connect(ctx context.Context, host stream.Host) (stream.Stream, error) {
	conn, err := p.dial()
	if err != nil {
		return nil, err
	}
	s, err := p.greet(ctx, host, conn)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return s, nil
}

// greet waits for the backend's first word. One that is ending says none.
func (p place) greet(ctx context.Context, host stream.Host, conn *net.UnixConn) (stream.Stream, error) {
	if err := checkPeer(conn); err != nil {
		return nil, err
	}
	in := bufio.NewReaderSize(conn, 64<<10)
	if err := conn.SetReadDeadline(time.Now().Add(helloWait)); err != nil {
		return nil, err
	}
	if err := wire.PeekHello(in); err != nil {
		return nil, err
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return nil, err
	}
	trace, err := wire.OpenTrace(host.Environ)
	if err != nil {
		return nil, err
	}
	s := &session{name: host.Strategy, conn: conn, trace: trace, log: p.file(".log")}
	if info, err := os.Stat(s.log); err == nil {
		s.logStart = info.Size()
	}
	var to io.Writer
	if trace != nil {
		to = trace
	}
	s.Client = wire.Dial(in, half{conn}, to)
	stop := context.AfterFunc(ctx, s.HangUp)
	go func() {
		<-s.Done()
		stop()
	}()
	return s, nil
}

// half closes one direction alone: what the other end still says can be read.
type half struct{ *net.UnixConn }

func (h half) Close() error { return h.CloseWrite() }

// start starts a backend. Whoever calls it holds the place's lock, so that the
// backend itself need not.
func (p place) start(host stream.Host) error {
	log, err := os.OpenFile(p.file(".log"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	ready, told, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ready.Close()
	idle := defaultIdle
	if text := getenv(host.Environ, IdleVariable); text != "" {
		if idle, err = time.ParseDuration(text); err != nil || idle <= 0 || idle > maxIdle {
			return errors.Join(fmt.Errorf("%s is '%s', expected a time up to %v, as in 90s or 10m", IdleVariable, text, maxIdle), told.Close())
		}
	}
	cmd := exec.Command(host.Executable, append(append([]string(nil), host.Args...), p.dir, p.name, idle.String())...)
	cmd.Env = host.Environ
	cmd.Dir = "/" // no folder is held that somebody may want to remove
	cmd.Stdout, cmd.Stderr = told, log
	// Its own session: neither the terminal's signals nor its end concern it.
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	err = errors.Join(slack.OfBackend(cmd.Start), told.Close())
	if err != nil {
		return err
	}
	if err := ready.SetReadDeadline(time.Now().Add(startWait)); err != nil {
		return err
	}
	said, err := io.ReadAll(io.LimitReader(ready, 64))
	if string(said) == readyWord {
		return cmd.Process.Release() // it outlives this process
	}
	status := "it said nothing"
	if errors.Is(err, os.ErrDeadlineExceeded) {
		status = fmt.Sprintf("it was not ready within %v and was killed", startWait)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // its status is in the error
	text := fmt.Sprintf("the backend that was started is not there (%v; %s)", cmd.ProcessState, status)
	if tail := tail(p.file(".log"), 0); tail != "" {
		text += ":\n" + tail
	}
	return errors.New(text)
}

// tail is the end of a log, from start on at most.
func tail(path string, start int64) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil {
		start = max(start, info.Size()-maxTail)
	}
	b, err := io.ReadAll(io.NewSectionReader(f, start, maxTail))
	if err != nil {
		return ""
	}
	return string(b)
}

// session is one session with a backend that stays.
type session struct {
	*wire.Client
	name     string // of the strategy
	conn     *net.UnixConn
	trace    io.Closer
	log      string
	logStart int64
	id       string // of the session, "" for one that cannot be left; Recv's alone
	// heard says that the end of one that can be left was received.
	heard atomic.Bool

	closed sync.Once
	result error // of the first Close
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
	for _, ev := range events {
		switch ev := ev.(type) {
		case *stream.Started:
			s.id = ev.ID
		case *stream.Finished:
			s.heard.Store(s.id != "")
		}
	}
	return events, err
}

// lost says what became of the session. What became of the backend's process is
// not known here; it says so in its log, if it can.
func (s *session) lost() *stream.LostError {
	err := s.Err()
	if err == nil {
		err = errors.New("the stream was closed")
	}
	return &stream.LostError{Strategy: s.name, Stderr: tail(s.log, s.logStart), Err: err}
}

// Close hangs up and waits for the session's end, which the backend tells by
// closing the connection.
func (s *session) Close() error {
	s.closed.Do(func() {
		s.Discard()
		t := time.NewTimer(closeWait)
		defer t.Stop()
		if s.heard.Load() {
			// The end of a session whose frontend is killed before this is told to the
			// next. The backend answers by closing the connection: hanging up now could
			// overtake the order. One that is gone already does not wait for it.
			if err := s.Client.Send(context.Background(), &stream.Detach{}); err == nil {
				select {
				case <-s.Done():
				case <-t.C:
				}
			}
		}
		s.HangUp()
		select {
		case <-s.Done():
		case <-t.C:
			s.result = fmt.Errorf("the backend did not end the session within %v", closeWait)
		}
		err := s.conn.Close()
		<-s.Done()
		s.result = errors.Join(s.result, err)
		if s.trace != nil {
			s.result = errors.Join(s.result, s.trace.Close())
		}
	})
	return s.result
}
