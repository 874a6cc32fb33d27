package frontend

import (
	"time"

	"bst/impl/stream"
)

// On a terminal the status area shows what runs, so the line of a job's start
// is held back for a moment; when the job succeeds meanwhile, only the success
// is drawn. A job that takes longer, fails, or has something to say is drawn
// whole. In a pipe, and in a --log-file, every line is written at once.
//
// It is also what keeps a build of many small elements readable, and cheap on a
// slow terminal: of eight lines an element, two are left.

// patience is how long the start of a job is held back.
const patience = time.Second

// item is a log line, or text, that waits to be drawn.
type item struct {
	at    time.Time
	entry *entry
	text  []byte
}

// jobSpan is what the waiting lines tell of one job.
type jobSpan struct {
	start  time.Time // zero where its start was drawn before
	quick  bool      // it succeeded or was skipped
	settle bool      // it ended some other way, or said something
}

// step is an activity inside a job.
type step struct {
	job  stream.JobID
	text string
}

// fold parts the lines that wait into those to draw now and those to hold; all
// holds none. Lines that were overtaken are in neither.
func fold(items []item, now time.Time, all bool) (draw, hold []item) {
	spans := make(map[stream.JobID]*jobSpan)
	ends := make(map[step]int)
	for _, it := range items {
		e := it.entry
		if e == nil || e.job == 0 {
			continue
		}
		s := spans[e.job]
		if s == nil {
			s = &jobSpan{}
			spans[e.job] = s
		}
		switch {
		case e.part == partStart:
			s.start = it.at
		case e.part == partEnd:
			s.quick = e.typ == stream.TypeSuccess || e.typ == stream.TypeSkipped
			s.settle = s.settle || !s.quick
		case !isChatter(e.typ):
			s.settle = true
		case e.typ == stream.TypeSuccess:
			ends[step{e.job, e.text}]++
		}
	}
	for _, it := range items {
		e := it.entry
		if e == nil || e.job == 0 {
			draw = append(draw, it)
			continue
		}
		s := spans[e.job]
		young := !s.start.IsZero()
		switch {
		case e.part == partEnd:
			draw = append(draw, it)
		case young && s.quick:
			if e.part == partInside && !isChatter(e.typ) {
				draw = append(draw, it)
			}
		case young && !s.settle && !all && now.Sub(s.start) < patience:
			hold = append(hold, it)
		case e.part == partInside && e.typ == stream.TypeStart && e.detail == "" && ends[step{e.job, e.text}] > 0:
			ends[step{e.job, e.text}]-- // the step's end is drawn
		default:
			draw = append(draw, it)
		}
	}
	return draw, hold
}

func isChatter(t stream.MessageType) bool {
	switch t {
	case stream.TypeStart, stream.TypeSuccess, stream.TypeStatus, stream.TypeDebug:
		return true
	}
	return false
}
