package harness

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"bst/bench/environ"
	"bst/bench/measure"
	"bst/bench/place"
	"bst/impl/platform"
)

// result is what one run gave.
type result struct {
	measure.Result
	// tally is what the program says of itself, nil where it says nothing.
	tally *tally
	// around is what the rest of the machine did meanwhile.
	around around
}

// peakTold says that the platform tells a program's peak memory. In gVisor that of a
// process begins at its parent's, which here is this harness.
func peakTold() bool { return platform.Name() != platform.GVisor }

// peak is the best figure for the peak memory in bytes, 0 for none. What a process
// says of itself at its end is exact; what is seen of it from outside is not, of
// one that ends soon.
func (r *result) peak() int64 {
	if !peakTold() {
		return 0
	}
	if r.tally == nil || r.tally.Self == nil {
		return r.Peak()
	}
	r.Frontend.PeakRSS = max(r.Frontend.PeakRSS, r.tally.Self.PeakRSS)
	return max(r.Peak(), r.Frontend.PeakRSS)
}

// beside is how much may reach a terminal that is not the session's: a title, an
// error of the command line.
const beside = 4 << 10

// doubt compares what the program says of itself with what was seen of it from
// outside; nil where they agree. Times are not looked at where they are nobody's.
func (r *result) doubt(onlyWhether bool) error {
	t := r.tally
	if t == nil {
		return nil
	}
	// A pseudo-terminal puts a carriage return before a line feed.
	if seen := r.Output; !seen.Uncounted && t.Bytes > seen.Bytes {
		return fmt.Errorf("it says that it wrote %d bytes, and %d arrived: %w", t.Bytes, seen.Bytes, errLost)
	} else if !seen.Uncounted && seen.Bytes > t.Bytes+seen.Lines+beside {
		return fmt.Errorf("it says that it wrote %d bytes, and %d arrived", t.Bytes, seen.Bytes)
	}
	if onlyWhether {
		return nil
	}
	const slack = 50 * time.Millisecond // accounts are brought up to date by ticks
	if s := t.Self; s != nil && time.Duration(s.User+s.System) > r.User+r.System+slack {
		return fmt.Errorf("it says that it used %v of a processor, and %v were accounted", time.Duration(s.User+s.System), r.User+r.System)
	}
	if at := time.Unix(0, t.FirstEventAt); t.FirstEventAt != 0 && (at.Before(r.Begin.Add(-slack)) || at.After(r.Begin.Add(r.Wall+slack))) {
		return fmt.Errorf("it says that its first event came at %v, and it ran from %v for %v", at, r.Begin, r.Wall)
	}
	return nil
}

// tally is what BST_TALLY's file says: see impl/cli. Times are nanoseconds.
type tally struct {
	Events       int64 `json:"events"`
	FirstEventAt int64 `json:"first-event-at"`
	Frames       int64 `json:"frames"`
	Writes       int64 `json:"writes"`
	Bytes        int64 `json:"bytes"`
	FirstDrawnAt int64 `json:"first-drawn-at"`
	EventDelay   int64 `json:"event-delay"`
	TailDelay    int64 `json:"tail-delay"`
	LongestDelay int64 `json:"longest-delay"`
	Self         *struct {
		User    int64 `json:"user"`
		System  int64 `json:"system"`
		PeakRSS int64 `json:"peak-rss"`
	} `json:"self"`
}

// readTally reads a tally. A program that knows nothing of tallies leaves none.
func readTally(path string) (*tally, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	t := new(tally)
	if err == nil {
		err = json.Unmarshal(content, t)
	}
	if err != nil {
		return nil, fmt.Errorf("what it says of itself cannot be read: %w", err)
	}
	return t, nil
}

// around is what the machine did beside a run.
type around struct {
	known bool
	// others is processor time of other processes, this harness not counted.
	others, steal time.Duration
}

// view is a look at the machine's processors.
type view struct {
	times environ.Times
	own   time.Duration // this process's processor time
	known bool
}

func (r *runner) look() view {
	v := view{own: ownTime()}
	v.times, v.known = environ.ProcessorTimes()
	return v
}

// since is what others did between two looks, around a run. A backend that stays
// is nobody's child: its work cannot be told from that of others.
func (v view) since(before view, r *result, c Case) around {
	if !v.known || !before.known || place.Stays(c.Strategy) {
		return around{}
	}
	d := v.times.Sub(before.times)
	return around{
		known:  true,
		others: max(d.Busy-(r.User+r.System)-(v.own-before.own), 0),
		steal:  d.Steal,
	}
}

// noise sums up a round.
type noise struct {
	wall, others, steal time.Duration
}

func (n *noise) add(r *result) {
	if r.around.known {
		n.wall += r.Wall
		n.others += r.around.others
		n.steal += r.around.steal
	}
}

// What is noise: a part of all processors' time that others took, in percent, and
// a change of frequency against the first round.
const (
	noisyBusy      = 5
	noisyFrequency = 10
	// leastLook is below what processor times in steps of 10 ms say nothing.
	leastLook = time.Second
)

// tellNoise says at a round's end, on the screen and in the record, that the
// machine did something else.
func (r *runner) tellNoise(round int) error {
	if r.OnlyWhether {
		return nil // it disturbs no figure
	}
	n := r.noise
	part := func(d time.Duration) float64 { return environ.Busy(environ.Times{Busy: d}, n.wall) }
	text := ""
	if n.wall >= leastLook && part(n.others+n.steal) > noisyBusy {
		text = fmt.Sprintf("other processes took %.0f %% of the processors, %.0f %% was stolen by the host; load %s", part(n.others), part(n.steal), environ.Load())
	}
	mhz := environ.Frequency()
	if r.mhz == 0 {
		r.mhz = mhz
	}
	if r.mhz > 0 && (mhz > r.mhz*(1+noisyFrequency/100.) || mhz < r.mhz*(1-noisyFrequency/100.)) {
		if text != "" {
			text += "; "
		}
		text += fmt.Sprintf("the processors run at %.0f MHz and not at %.0f as at first", mhz, r.mhz)
	}
	if text == "" {
		return nil
	}
	r.outcome.Noisy++
	fmt.Fprintf(r.Log, "noise     round %d: %s\n", round, text)
	return r.record.remark(RemarkNoise, fmt.Sprintf("round %d: %s", round, text))
}

// firstSince is when something came after the start; 0 for never.
func firstSince(at int64, begin time.Time) int64 {
	if at == 0 {
		return 0
	}
	return max(at-begin.UnixNano(), 1)
}
