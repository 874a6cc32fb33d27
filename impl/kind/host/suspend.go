package host

import (
	"context"
	"sync"
	"time"
)

// Suspension stops the programs of one session that use the network and lets them
// go on, as the session's sandboxes do. Others end soon by themselves. The zero
// value is ready.
type Suspension struct {
	mu      sync.Mutex // guards what follows
	on      bool
	resumed time.Time
	running map[int]struct{} // the programs' process groups
}

type suspensionKey struct{}

// WithSuspension makes programs that Run runs with the context subject to s.
func WithSuspension(ctx context.Context, s *Suspension) context.Context {
	return context.WithValue(ctx, suspensionKey{}, s)
}

// suspensionOf gives the context's, one of no other use where it has none.
func suspensionOf(ctx context.Context) *Suspension {
	if s, ok := ctx.Value(suspensionKey{}).(*Suspension); ok {
		return s
	}
	return &Suspension{}
}

// Set stops all programs or lets them go on; those that start meanwhile are
// stopped at once.
func (s *Suspension) Set(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.on && !on {
		s.resumed = time.Now()
	}
	s.on = on
	for group := range s.running {
		stopGroup(group, on)
	}
}

// enter notes a program that has started; leave that it has ended.
func (s *Suspension) enter(group int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		s.running = map[int]struct{}{}
	}
	s.running[group] = struct{}{}
	if s.on {
		stopGroup(group, true)
	}
}

func (s *Suspension) leave(group int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, group)
}

// excuse says for how much longer a program may be silent that has been for as
// long as it may: it cannot speak while it is stopped.
func (s *Suspension) excuse(patience time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.on {
		return patience
	}
	return patience - time.Since(s.resumed)
}
