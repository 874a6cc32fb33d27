package session

import (
	"slices"
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

	// delays are of frames: from the arrival of the oldest event that a frame is
	// the first to show to the end of its write. Bounded by maxDelays: those of a
	// longer session are the first.
	delays []time.Duration
	oldest time.Time // the arrival of the oldest event that no frame has shown; zero for none
	flying time.Time // the same of the frame on its way
}

// maxDelays is more than an hour of frames.
const maxDelays = 1 << 16

// Delay gives the median and the longest of the times from an event's arrival to
// the end of the write that shows it; zeros where nothing was drawn.
func (t *Tally) Delay() (median, longest time.Duration) {
	if len(t.delays) == 0 {
		return 0, 0
	}
	sorted := slices.Sorted(slices.Values(t.delays))
	return sorted[len(sorted)/2], sorted[len(sorted)-1]
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
	if t.oldest.IsZero() {
		t.oldest = at
	}
}

// drew notes that a frame is on its way, which shows all that was applied. Of the
// log it may show less, where the terminal is slow: that waits beside.
func (t *Tally) drew() {
	if t == nil {
		return
	}
	t.flying, t.oldest = t.oldest, time.Time{}
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
	if !t.flying.IsZero() && len(t.delays) < maxDelays {
		t.delays = append(t.delays, at.Sub(t.flying))
	}
	t.flying = time.Time{}
}
