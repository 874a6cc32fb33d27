// Package engine obeys the orders of one session: it loads the project,
// resolves elements and keys, asks the caches, runs the scheduler, and emits
// what happened.
//
// It knows every package of the backend and joins them. It has no terminal,
// catches no signal, and knows neither how events are carried nor how they are
// drawn.
package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"bst/impl/bug"
	"bst/impl/kind"
	"bst/impl/sched"
	"bst/impl/stream"
)

// Config is what a program says of itself.
type Config struct {
	// Version stands in the heading and in log files.
	Version string
	// Elements are the kinds of elements, nil for those of package all.
	Elements []kind.Traits
	// Memory is what the sessions of the process share, nil for nothing.
	Memory *Memory
	// Loaded is called when a session has loaded what it works on and begins work
	// that lasts; nil for nothing. Sessions that only tell what they loaded do
	// not call it.
	Loaded func()
}

// New makes the backend of one session. Where there is a memory it is made when the
// session's command has begun, and not before: it asks at once whether what the last
// session worked on has changed, which is mostly what this one will want to know.
func New(cfg Config) stream.Backend {
	b := &backend{cfg: cfg}
	if cfg.Memory != nil {
		b.inquiry = cfg.Memory.inquire()
	}
	return b
}

type backend struct {
	cfg     Config
	inquiry *inquiry
}

// Run implements stream.Backend.
func (b *backend) Run(ctx context.Context, orders <-chan stream.Order, emit func(...stream.Event)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	var first stream.Order
	select {
	case first = <-orders:
	case <-ctx.Done():
	}
	if first == nil {
		return // the frontend went away before it ordered anything
	}

	s := &session{
		version: b.cfg.Version,
		kinds:   b.cfg.Elements,
		memory:  b.cfg.Memory,
		inquiry: b.inquiry,
		loaded:  b.cfg.Loaded,
		clock:   sched.NewClock(),
		shells:  make(map[int]chan int),
		cancel:  cancel,
	}
	if s.loaded == nil {
		s.loaded = func() {}
	}
	s.emit = func(events ...stream.Event) {
		s.events.Add(int64(len(events)))
		emit(events...)
	}
	s.emit(&stream.Started{Time: s.clock.Start(), Version: b.cfg.Version, PID: os.Getpid()})

	work, ok := first.(stream.Work)
	if !ok {
		s.finish(nil, &stream.Error{Domain: stream.DomainStream,
			Message: fmt.Sprintf("the session's first order is %T, expected one that starts work", first)})
		return
	}
	// Control orders are obeyed while the work goes on.
	pumped := make(chan struct{})
	var pumpBug *bug.Error // read after pumped is closed
	bug.Start(func() {
		defer close(pumped)
		defer bug.Catch(func(e *bug.Error) {
			pumpBug = e
			cancel()
		})
		for {
			select {
			case o, open := <-orders:
				if !open {
					cancel() // the frontend is gone
					return
				}
				s.obey(o)
			case <-ctx.Done():
				return
			}
		}
	}, func(*bug.Error) {})
	summary, err := s.work(ctx, work)
	if s.world != nil {
		if closeErr := s.world.close(); err == nil && closeErr != nil {
			err = closeErr
		}
	}
	if ctx.Err() != nil {
		if <-pumped; pumpBug != nil {
			err = pumpBug
		}
	}
	s.finish(summary, err)
	cancel()
	<-pumped
}

// session is the state of one session. Its fields are set by the goroutine
// that does the work unless a comment says otherwise.
type session struct {
	version string
	kinds   []kind.Traits
	memory  *Memory
	inquiry *inquiry // nil once something was loaded
	loaded  func()   // Config.Loaded
	clock   *sched.Clock
	emit    func(...stream.Event)
	events  atomic.Int64
	cancel  context.CancelFunc

	set *stream.Session
	// holds says that what is found in the cache must stay there: it is used, and
	// not only told.
	holds bool
	// world is set once loading has begun.
	world *world
	// original has elements loaded with the sources that their files name, where a
	// workspace is open too.
	original bool
	// tracking has sources keep what their refs are written with.
	tracking bool

	mu        sync.Mutex       // guards what follows: orders arrive at any time
	scheduler *sched.Scheduler // while it runs
	shells    map[int]chan int
	nextShell int
	stageFor  func(stream.JobID) // obeys StageShell while the scheduler runs
	// answered is called, while the scheduler runs, with failed jobs of which no
	// more will be asked; nil stands for all.
	answered func([]stream.JobID)
	ended    bool // quit or terminated before the scheduler ran

	shellStatus int
}

// work does what the order says.
func (s *session) work(ctx context.Context, order stream.Work) (summary *stream.Summary, err error) {
	// A bug must reach the person as an error, and the frontend must see Finished.
	defer bug.Catch(func(e *bug.Error) { err = e })
	s.set = order.Common()
	s.holds = true
	switch o := order.(type) {
	case *stream.Show:
		s.holds = false
		return nil, s.show(ctx, o)
	case *stream.Build:
		return s.build(ctx, o)
	case *stream.Fetch:
		return s.fetch(ctx, o)
	case *stream.Track:
		return s.track(ctx, o)
	case *stream.PushSources:
		return s.pushSourcesCommand(ctx, o)
	case *stream.CheckoutSources:
		return s.checkoutSources(ctx, o)
	case *stream.Init:
		return nil, s.init(o)
	case *stream.Checkout:
		return nil, s.checkout(ctx, o)
	case *stream.Shell:
		return nil, s.shell(ctx, o)
	case *stream.OpenWorkspaces:
		return s.openWorkspaces(ctx, o)
	case *stream.CloseWorkspaces:
		return nil, s.closeWorkspaces(ctx, o)
	case *stream.ResetWorkspaces:
		return s.resetWorkspaces(ctx, o)
	case *stream.ListWorkspaces:
		return nil, s.listWorkspaces()
	case *stream.Pull:
		return s.pullCommand(ctx, o)
	case *stream.Push:
		return s.pushCommand(ctx, o)
	case *stream.ShowArtifacts:
		return nil, s.showArtifacts(ctx, o)
	case *stream.ListContents:
		return nil, s.listContents(ctx, o)
	case *stream.ArtifactLogs:
		return nil, s.artifactLogs(ctx, o)
	case *stream.DeleteArtifacts:
		return nil, s.deleteArtifacts(ctx, o)
	case *stream.Complete:
		s.complete(o)
		return nil, nil
	}
	return nil, &stream.Error{Domain: stream.DomainImpl,
		Message: fmt.Sprintf("this backend does not know the order %T", order)}
}

// finish emits the session's last event.
func (s *session) finish(summary *stream.Summary, err error) {
	end := &stream.Finished{
		At:          s.clock.Elapsed(),
		Summary:     summary,
		ShellStatus: s.shellStatus,
		Usage:       usage(),
	}
	if err != nil {
		end.Error = s.asError(err)
		s.mu.Lock()
		end.Terminated = s.ended
		s.mu.Unlock()
	}
	end.Usage.Events = s.events.Load() + 1
	s.emit(end)
}

// obey obeys a control order. It is called on the goroutine that reads orders.
func (s *session) obey(o stream.Order) {
	s.mu.Lock()
	scheduler, stage, answered := s.scheduler, s.stageFor, s.answered
	s.mu.Unlock()
	switch o := o.(type) {
	case *stream.ShellDone:
		s.mu.Lock()
		done := s.shells[o.Shell]
		delete(s.shells, o.Shell)
		s.mu.Unlock()
		if done != nil {
			done <- o.Status
		}
		return
	case *stream.StageShell:
		if stage != nil {
			stage(o.Job)
		} else {
			s.emit(&stream.ShellRefused{Job: o.Job, Error: stream.Error{Domain: stream.DomainStream,
				Message: "No shell can be opened: nothing is being built"}})
		}
		return
	}
	if scheduler != nil {
		switch o := o.(type) {
		case *stream.Continue:
			if len(o.Answered) > 0 {
				answered(o.Answered)
			}
		case *stream.Quit, *stream.Terminate:
			answered(nil)
		}
		scheduler.Order(o)
		return
	}
	switch o.(type) {
	case *stream.Quit, *stream.Terminate:
		// Nothing runs that could be finished: loading ends at the next check
		// of the context.
		s.mu.Lock()
		s.ended = true
		s.mu.Unlock()
		s.cancel()
	case *stream.Suspend:
		s.clock.Suspend()
	case *stream.Resume:
		s.clock.Resume()
	}
}

// asError turns any error into the form that crosses.
func asError(err error) *stream.Error {
	var e *stream.Error
	if errors.As(err, &e) {
		return e
	}
	if errors.Is(err, context.Canceled) {
		return &stream.Error{Domain: stream.DomainStream, Reason: "terminated", Message: "Terminated"}
	}
	return &stream.Error{Domain: stream.DomainStream, Message: err.Error()}
}
