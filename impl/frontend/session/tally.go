package session

import (
	"time"

	"bst/impl/term"
)

// Tally counts what a session costs on the person's side, for those who measure.
// It knows when things happened and not what they were.
type Tally struct {
	// Events is how many arrived, the first of them at FirstEvent.
	Events     int
	FirstEvent time.Time
	// Frames is how many were written, in that many Writes and Bytes; the first of
	// them had been at FirstDrawn. What is written beside the session, as a
	// command's error is, does not count.
	Frames, Writes int
	Bytes          int64
	FirstDrawn     time.Time

	waiting []arrival // that no frame has shown
	flying  []arrival // of the frame on its way
	// delays counts events by how long they waited to be seen, in steps of
	// delayStep; the last counts all that waited longer.
	delays  [maxDelay/delayStep + 1]int
	longest time.Duration
}

// arrival is when events came, about.
type arrival struct {
	at time.Time
	n  int
}

const (
	// delayStep is how exactly delays are told, and how far apart arrivals are that
	// are told apart.
	delayStep = time.Millisecond
	// maxDelay is the longest that is told but for the longest of all.
	maxDelay = 2 * time.Second
)

// Delay gives the median, the 99th percentile, both to a millisecond, and the
// longest of the times from an event's arrival to the end of the write of the frame
// that was made with it; zeros where nothing was drawn.
func (t *Tally) Delay() (median, tail, longest time.Duration) {
	all := 0
	for _, n := range t.delays {
		all += n
	}
	return t.quantile(all, 50), t.quantile(all, 99), t.longest
}

// quantile is the delay that so many of a hundred events had at most; all is
// their number.
func (t *Tally) quantile(all, percent int) time.Duration {
	below := 0
	for i, n := range t.delays {
		if below += n; below > 0 && below*100 >= all*percent {
			return min(time.Duration(i+1)*delayStep, t.longest)
		}
	}
	return 0
}

// arrived notes events that came at a time. A nil tally notes nothing.
func (t *Tally) arrived(n int, at time.Time) {
	if t == nil || n == 0 {
		return
	}
	if t.Events == 0 {
		t.FirstEvent = at
	}
	t.Events += n
	// One for each step: a rapid build does not make this long, nor does a terminal
	// that is stopped.
	if last := len(t.waiting) - 1; last >= 0 && (at.Sub(t.waiting[last].at) < delayStep || last > int(maxDelay/delayStep)) {
		t.waiting[last].n += n
		return
	}
	t.waiting = append(t.waiting, arrival{at, n})
}

// drew notes that a frame is on its way, which shows all that was applied. Of the
// log it may show less, where the terminal is slow: that waits beside.
func (t *Tally) drew() {
	if t == nil {
		return
	}
	t.flying, t.waiting = t.waiting, t.flying[:0]
}

// landed notes that a frame's write has ended.
func (t *Tally) landed(at time.Time, w term.Written) {
	if t == nil || w.Writes == 0 {
		return
	}
	if t.Writes == 0 {
		t.FirstDrawn = at
	}
	t.Frames++
	t.Writes += w.Writes
	t.Bytes += int64(w.Bytes)
	for _, a := range t.flying {
		d := max(at.Sub(a.at), 0)
		t.longest = max(t.longest, d)
		t.delays[min(int(d/delayStep), len(t.delays)-1)] += a.n
	}
	t.flying = t.flying[:0]
}
