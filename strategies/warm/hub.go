package warm

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"time"

	"bst/impl/stream"
	"bst/impl/wire"
)

// maxEnded is how many sessions that ended with nobody attached are remembered.
const maxEnded = 16

// hub holds the sessions of one process, so that frontends can leave them, come
// back to them, and share them.
type hub struct {
	newBackend func() stream.Backend
	// name tells this process's sessions from those of others.
	name string
	// crashed is told of a backend that panicked.
	crashed func(value any, stack []byte)

	mu       sync.Mutex // guards what follows
	sessions []*shared  // that run, or ended with nobody attached
	next     int
	running  sync.WaitGroup
}

func newHub(name string, newBackend func() stream.Backend) *hub {
	return &hub{name: name, newBackend: newBackend, crashed: func(any, []byte) {}}
}

// backend is what serves one connection, which has just been made.
func (h *hub) backend() stream.Backend { return visitor{h, h.newBackend()} }

// busy tells whether a session runs.
func (h *hub) busy() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(h.sessions, func(s *shared) bool { return !s.hasEnded() })
}

// end ends the sessions that run with nobody attached; those with frontends end
// with these.
func (h *hub) end() {
	h.mu.Lock()
	sessions := slices.Clone(h.sessions)
	h.mu.Unlock()
	for _, s := range sessions {
		s.close()
	}
}

// wait waits for the end of all sessions. Those that do not end although they were
// told to are given up.
func (h *hub) wait(told <-chan struct{}) error {
	all := make(chan struct{})
	go func() {
		h.running.Wait()
		close(all)
	}()
	select {
	case <-all:
		return nil
	case <-told:
	}
	h.end()
	select {
	case <-all:
		return nil
	case <-time.After(wire.Grace):
	}
	h.mu.Lock()
	for _, s := range h.sessions {
		s.cancel()
	}
	h.mu.Unlock()
	select {
	case <-all:
		return nil
	case <-time.After(wire.GraceCancelled):
		return fmt.Errorf("sessions did not end within %v", wire.Grace+wire.GraceCancelled)
	}
}

// visitor is one connection's backend: it brings a frontend to its session, for which
// there is a backend where it begins one.
type visitor struct {
	hub *hub
	own stream.Backend
}

// Run implements stream.Backend.
func (v visitor) Run(ctx context.Context, orders <-chan stream.Order, emit func(...stream.Event)) {
	var first stream.Order
	select {
	case first = <-orders:
	case <-ctx.Done():
	}
	f := &frontend{emit: emit}
	switch o := first.(type) {
	case nil: // it went away before it ordered anything
	case *stream.Sessions:
		v.hub.list(emit)
	case *stream.Attach:
		s := v.hub.find(o.ID)
		if s == nil || !s.join(f) {
			emit(&stream.Started{}, &stream.Finished{Error: &stream.Error{Domain: stream.DomainApp, Reason: "no-such-session",
				Message: "There is no session '" + o.ID + "' any more"}})
			return
		}
		v.hub.attend(ctx, s, f, orders)
	default:
		s := v.hub.start(ctx, o, f, v.own)
		v.hub.attend(ctx, s, f, orders)
	}
}

// list tells of the sessions that can be attached to.
func (h *hub) list(emit func(...stream.Event)) {
	h.mu.Lock()
	sessions := slices.Clone(h.sessions)
	h.mu.Unlock()
	emit(&stream.Started{})
	for _, s := range sessions {
		if s.id == "" {
			continue
		}
		command, targets := describe(s.work)
		s.mu.Lock()
		if !s.told {
			emit(&stream.SessionShown{ID: s.id, Command: command, Targets: targets, Directory: s.work.Common().Directory,
				Since: s.since, Frontends: len(s.frontends), Finished: s.isOver()})
		}
		s.mu.Unlock()
	}
	emit(&stream.Finished{})
}

// describe says what a session does, "" for one that nobody can come back to: it
// ends soon, or needs its own frontend's terminal or files.
func describe(work stream.Order) (command string, targets []string) {
	switch o := work.(type) {
	case *stream.Build:
		return "Build", o.Targets
	case *stream.Fetch:
		return "Fetch", o.Targets
	}
	return "", nil
}

func (h *hub) find(id string) *shared {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.sessions {
		if s.id != "" && s.id == id {
			return s
		}
	}
	return nil
}

// start starts a session of a backend.
func (h *hub) start(ctx context.Context, first stream.Order, f *frontend, backend stream.Backend) *shared {
	s := &shared{orders: make(chan stream.Order), ended: make(chan struct{}), closed: make(chan struct{}),
		since: time.Now(), frontends: []*frontend{f}, staging: make(map[stream.JobID]*frontend), lent: make(map[int]*frontend)}
	s.work, _ = first.(stream.Work)
	if command, _ := describe(first); command != "" {
		h.mu.Lock()
		h.next++
		s.id = h.name + "-" + strconv.Itoa(h.next)
		h.mu.Unlock()
		s.record = newRecord()
	}
	h.mu.Lock()
	h.sessions = append(h.sessions, s)
	h.mu.Unlock()
	// The session may outlive the connection that it was ordered through.
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	obeyed := make(chan stream.Order)
	go s.pump(first, obeyed)
	h.running.Go(func() {
		defer h.over(s)
		defer func() {
			if v := recover(); v != nil {
				stack := debug.Stack()
				s.crash = fmt.Sprintf("%v\n\n%s", v, stack)
				h.crashed(v, stack)
			}
			s.cancel()
			close(s.ended)
		}()
		backend.Run(ctx, obeyed, s.emit)
	})
	return s
}

// over forgets a session that has ended, unless somebody may come back to hear how.
// It is called for each frontend before that learns that it may go: whoever comes
// back then does not find the session.
func (h *hub) over(s *shared) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.mu.Lock()
	remember := s.detached && !s.told
	s.mu.Unlock()
	if !remember {
		h.sessions = slices.DeleteFunc(h.sessions, func(other *shared) bool { return other == s })
	}
	ended := 0
	for i := len(h.sessions) - 1; i >= 0; i-- {
		if h.sessions[i].hasEnded() {
			if ended++; ended > maxEnded {
				h.sessions = slices.Delete(h.sessions, i, i+1)
			}
		}
	}
}

// attend hands a frontend's orders to its session until either is gone.
func (h *hub) attend(ctx context.Context, s *shared, f *frontend, orders <-chan stream.Order) {
	for {
		select {
		case o, open := <-orders:
			if !open || s.obey(f, o) {
				if s.leave(f) {
					// The session ends with its frontend, which waits for that.
					select {
					case <-s.ended:
					case <-ctx.Done():
						s.cancel()
						<-s.ended
					}
				}
				if s.hasEnded() {
					h.over(s)
				}
				return
			}
		case <-s.ended:
			h.farewell(s, f, orders)
			if s.crash != "" {
				panic(s.crash) // for the frontend to hear of
			}
			return
		}
	}
}

// farewell waits until a frontend has heard how the session ended, or is gone. A
// session that ends with its frontend has nobody else to tell.
func (h *hub) farewell(s *shared, f *frontend, orders <-chan stream.Order) {
	for s.waits(f) {
		if o, open := <-orders; !open || s.obey(f, o) {
			break
		}
	}
	s.leave(f)
	h.over(s)
}

// frontend is one that is attached.
type frontend struct{ emit func(...stream.Event) }

// shared is one session.
type shared struct {
	id     string // "" for one that cannot be come back to
	work   stream.Work
	since  time.Time
	orders chan stream.Order // to pump
	cancel context.CancelFunc
	ended  chan struct{} // closed when the backend has returned
	closed chan struct{} // closed when the orders shall be
	once   sync.Once
	crash  string // set before ended is closed

	mu        sync.Mutex // guards what follows, and the order of events
	frontends []*frontend
	// detached says that the session goes on with nobody attached.
	detached bool
	// told says that somebody has heard how it ended: nobody else needs to.
	told bool
	// staging and lent say who asked for a shell, by the job and by the shell.
	staging map[stream.JobID]*frontend
	lent    map[int]*frontend
	state   stream.SchedulerState
	record  *record // nil for one that cannot be come back to
}

func (s *shared) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// waits tells whether a frontend that is attached is still to say that it has heard
// how the session ended. One that hears of a crash says nothing.
func (s *shared) waits(f *frontend) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.crash != "" || s.record == nil || s.record.finished == nil {
		s.told = s.told || slices.Contains(s.frontends, f)
		return false
	}
	return s.detached && slices.Contains(s.frontends, f)
}

// isOver tells whether nothing more will happen. It is called with the lock held.
func (s *shared) isOver() bool { return s.hasEnded() || s.record != nil && s.record.finished != nil }

// close lets the session end as if its frontend were gone.
func (s *shared) close() { s.once.Do(func() { close(s.closed) }) }

// pump owns the channel of what the backend obeys.
func (s *shared) pump(first stream.Order, obeyed chan<- stream.Order) {
	defer close(obeyed)
	for o := first; ; {
		select {
		case obeyed <- o:
		case <-s.closed:
			return
		case <-s.ended:
			return
		}
		select {
		case o = <-s.orders:
		case <-s.closed:
			return
		case <-s.ended:
			return
		}
	}
}

// send hands an order on.
func (s *shared) send(o stream.Order) {
	select {
	case s.orders <- o:
	case <-s.closed:
	case <-s.ended:
	}
}

// emit is what the backend calls. It never waits: neither does what it calls.
func (s *shared) emit(events ...stream.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	plain := 0 // events before it were handed to everybody
	flush := func(end int) {
		if end > plain {
			for _, f := range s.frontends {
				f.emit(events[plain:end]...)
			}
		}
		plain = end
	}
	for i, ev := range events {
		var only *frontend
		switch ev := ev.(type) {
		case *stream.Started:
			ev.ID = s.id
		case *stream.State:
			s.state = ev.State
			s.unattended()
		case *stream.ShellReady:
			// The terminal that it is for is that of whoever asked.
			if only = s.staging[ev.Job]; only == nil && ev.Job == 0 && len(s.frontends) > 0 {
				only = s.frontends[0]
			}
			delete(s.staging, ev.Job)
			if only == nil {
				go s.send(&stream.ShellDone{Shell: ev.Shell})
			} else {
				s.lent[ev.Shell] = only
			}
			flush(i)
			plain++
		case *stream.ShellRefused:
			only = s.staging[ev.Job]
			delete(s.staging, ev.Job)
			flush(i)
			plain++
		}
		if only != nil {
			only.emit(ev)
		}
		if s.record != nil {
			s.record.add(ev)
		}
	}
	flush(len(events))
}

// unattended answers in the place of a person who is away: what is held goes on
// as --on-error says, what is suspended goes on. It is called with the lock held.
func (s *shared) unattended() {
	if len(s.frontends) > 0 || s.work == nil {
		return
	}
	switch s.state {
	case stream.StateSuspended:
		go s.send(&stream.Resume{})
	case stream.StateHeld:
		switch s.work.Common().Settings.OnError {
		case stream.OnErrorContinue:
			go s.send(&stream.Continue{})
		case stream.OnErrorTerminate:
			go s.send(&stream.Terminate{})
		default:
			go s.send(&stream.Quit{})
		}
	}
}

// join brings a frontend to the session: it hears what happened so far, and from
// then on everything. It fails where the session's end was told to somebody else.
func (s *shared) join(f *frontend) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.told {
		return false
	}
	f.emit(s.record.events(s.state == stream.StateHeld)...)
	s.frontends = append(s.frontends, f)
	return true
}

// obey obeys an order of one of the frontends. It tells whether that was its last:
// it has heard how the session ended.
func (s *shared) obey(f *frontend, o stream.Order) bool {
	switch o := o.(type) {
	case *stream.Detach:
		if s.id == "" {
			return false
		}
		s.mu.Lock()
		if s.isOver() {
			s.told = true
			s.mu.Unlock()
			return true
		}
		s.detached = true
		s.frontends = without(s.frontends, f)
		s.giveBack(f)
		s.unattended()
		s.mu.Unlock()
		f.emit(&stream.Detached{})
		return false
	case *stream.StageShell:
		s.mu.Lock()
		s.staging[o.Job] = f
		s.mu.Unlock()
	case *stream.ShellDone:
		s.mu.Lock()
		delete(s.lent, o.Shell)
		s.mu.Unlock()
	}
	s.send(o)
	return false
}

// leave takes in that a frontend is gone. It tells whether the session ends with
// it: it was the last, and did not say before that it would go.
func (s *shared) leave(f *frontend) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frontends = without(s.frontends, f)
	s.giveBack(f)
	if len(s.frontends) == 0 && !s.detached {
		s.close()
		return true
	}
	s.unattended()
	return false
}

// giveBack ends the shells of a frontend that is gone. It is called with the lock
// held.
func (s *shared) giveBack(f *frontend) {
	for shell, owner := range s.lent {
		if owner == f {
			delete(s.lent, shell)
			go s.send(&stream.ShellDone{Shell: shell, Status: 1})
		}
	}
	for job, owner := range s.staging {
		if owner == f {
			delete(s.staging, job)
		}
	}
}

func without(list []*frontend, f *frontend) []*frontend {
	return slices.DeleteFunc(list, func(other *frontend) bool { return other == f })
}
