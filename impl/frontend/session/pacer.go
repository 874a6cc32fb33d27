package session

import (
	"time"

	"bst/impl/term"
)

const (
	// usualInterval is between two frames of a terminal that keeps up. An event
	// waits half of it for its frame, in the median.
	usualInterval = 90 * time.Millisecond
	// slowestInterval is how seldom a slow terminal is drawn on.
	slowestInterval = 20 * time.Second
	// share is how many times as long as its drawing a frame stays: drawing
	// takes a fiftieth of the time, 2 %, at most.
	share = 50
	// stalled is how long a write takes that did not find a slow terminal but a
	// stopped one. When that goes on again it wants to be drawn on soon.
	stalled = time.Second

	// A frame's share of the log, in bytes: what a terminal takes in swift to
	// sluggish. firstBudget is for one of which nothing is known yet.
	firstBudget = 2 << 10
	leastBudget = 256
	mostBudget  = 1 << 20
	swift       = 20 * time.Millisecond
	sluggish    = 100 * time.Millisecond
)

// pacer decides when the next frame is due and how much of the log it has. It
// knows how long earlier ones took to write, and reads no clock itself.
type pacer struct {
	usual    time.Duration // the shortest interval
	interval time.Duration
	next     time.Time // when the next frame is due
	budget   int       // bytes of the log in one frame
	stalls   int       // writes in a row that stalled
	// rate is how many bytes a second the terminal takes, 0 while it was never
	// seen to be slow.
	rate float64
}

func newPacer(usual time.Duration, now time.Time) pacer {
	if usual <= 0 {
		usual = usualInterval
	}
	// The first frame waits as well: what ends at once is never drawn.
	return pacer{usual: usual, interval: usual, next: now.Add(usual), budget: firstBudget}
}

// drew notes that a frame is on its way.
func (p *pacer) drew(now time.Time) { p.next = now.Add(p.interval) }

// soon makes the next frame due now.
func (p *pacer) soon(now time.Time) {
	if now.Before(p.next) {
		p.next = now
	}
}

// landed takes in how long a write took, and sets the rate.
func (p *pacer) landed(now time.Time, w term.Written) {
	wait := min(share*w.Took, slowestInterval)
	if w.Took >= stalled {
		if p.stalls++; p.stalls == 1 {
			wait = stalled
		}
	} else {
		p.stalls = 0
	}
	p.interval = max(p.usual, wait)
	if due := now.Add(p.interval - p.usual); due.After(p.next) {
		p.next = due
	}
	switch {
	case w.Took > sluggish:
		p.rate = float64(w.Bytes) / w.Took.Seconds()
		p.budget = min(max(int(p.rate*sluggish.Seconds()), leastBudget), p.budget)
	case w.Took < swift && w.Bytes >= p.budget/2:
		p.budget = min(2*p.budget, mostBudget)
		p.rate = 0
	}
}
