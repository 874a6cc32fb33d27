package sched

import (
	"sync"
	"time"
)

// Clock measures a session's time without the time it was suspended.
type Clock struct {
	start time.Time

	mu        sync.Mutex    // guards what follows
	suspended time.Time     // zero while running
	lost      time.Duration // suspended time so far
}

// NewClock starts a clock.
func NewClock() *Clock { return &Clock{start: time.Now()} }

// Start is the moment at which Elapsed was 0.
func (c *Clock) Start() time.Time { return c.start }

// Elapsed is the time since the start, suspensions left out.
func (c *Clock) Elapsed() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if !c.suspended.IsZero() {
		now = c.suspended
	}
	return now.Sub(c.start) - c.lost
}

// Suspend stops the clock; Resume lets it go on. Both may be repeated.
func (c *Clock) Suspend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.suspended.IsZero() {
		c.suspended = time.Now()
	}
}

// Resume undoes Suspend.
func (c *Clock) Resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.suspended.IsZero() {
		c.lost += time.Since(c.suspended)
		c.suspended = time.Time{}
	}
}
