package warm

import (
	"fmt"
	"slices"

	"bst/impl/stream"
)

// Bounds of the log that a frontend gets which attaches: what a person may scroll
// back to. The rest is in the log files.
const (
	maxLines = 1000
	maxBytes = 1 << 20
)

// record is what a session was so far, as the events that bring a frontend to the
// same picture. Its size is bounded by the graph, as a heading's is, and the log
// by maxLines and maxBytes.
type record struct {
	// begin are the steps before the scheduler and the heading, in order.
	begin []stream.Event
	// stages are the steps that are under way, by name.
	stages []*stream.Stage
	queues []stream.Event
	counts map[string]*stream.Counts
	usage  *stream.CacheUsage
	state  *stream.State
	// running are the jobs that run, progress how far they are.
	running  []*stream.JobStarted
	progress map[stream.JobID]*stream.JobProgress
	// failed are the last failures of elements, in order.
	failed []*stream.JobFinished
	// lines are the end of the log: messages, and jobs' starts and ends.
	lines []stream.Event
	bytes int
	cut   int // lines that were there before
	// resolved is the closing list of keys.
	resolved []stream.Event
	finished *stream.Finished
}

func newRecord() *record {
	return &record{counts: make(map[string]*stream.Counts), progress: make(map[stream.JobID]*stream.JobProgress)}
}

// add takes an event in.
func (r *record) add(ev stream.Event) {
	switch ev := ev.(type) {
	case *stream.Started, *stream.Heading, *stream.PipelineShown:
		r.begin = append(r.begin, ev)
	case *stream.ElementShown:
		if ev.Where == stream.ShownResolved {
			r.resolved = append(r.resolved, ev)
		} else {
			r.begin = append(r.begin, ev)
		}
	case *stream.Stage:
		r.stages = slices.DeleteFunc(r.stages, func(s *stream.Stage) bool { return s.Name == ev.Name })
		if ev.Done {
			r.begin = append(r.begin, ev)
		} else {
			r.stages = append(r.stages, ev)
		}
	case *stream.Queue:
		r.queues = append(r.queues, ev)
	case *stream.Counts:
		r.counts[ev.Action] = ev
	case *stream.CacheUsage:
		r.usage = ev
	case *stream.State:
		r.state = ev
	case *stream.JobStarted:
		r.running = append(r.running, ev)
		r.line(ev)
	case *stream.JobProgress:
		r.progress[ev.Job] = ev
	case *stream.JobFinished:
		r.running = slices.DeleteFunc(r.running, func(s *stream.JobStarted) bool { return s.Job == ev.Job })
		delete(r.progress, ev.Job)
		switch ev.Status {
		case stream.JobFailed:
			r.forgive(ev.Element)
			r.failed = append(r.failed, ev)
		case stream.JobSucceeded:
			r.forgive(ev.Element)
		}
		r.line(ev)
	case *stream.Message:
		r.line(ev)
	case *stream.Finished:
		r.finished = ev
	}
}

// forgive forgets an element's failure: it was tried again.
func (r *record) forgive(element string) {
	r.failed = slices.DeleteFunc(r.failed, func(f *stream.JobFinished) bool { return f.Element == element })
}

// line adds to the log, and cuts it.
func (r *record) line(ev stream.Event) {
	r.lines = append(r.lines, ev)
	r.bytes += size(ev)
	for len(r.lines) > maxLines || r.bytes > maxBytes && len(r.lines) > 1 {
		r.bytes -= size(r.lines[0])
		r.lines[0] = nil // not to be held by the list's old place
		r.lines = r.lines[1:]
		r.cut++
	}
}

// size is about what a line takes.
func size(ev stream.Event) int {
	n := 256
	switch ev := ev.(type) {
	case *stream.Message:
		n += len(ev.Text) + len(ev.Detail)
	case *stream.JobFinished:
		if f := ev.Failure; f != nil {
			n += len(f.Error.Message) + len(f.Error.Detail)
			for _, line := range f.LogTail {
				n += len(line)
			}
		}
	}
	return n
}

// events are the events that bring a frontend to the picture. held says that the
// scheduler holds: then the failures that it holds for are still to be answered.
func (r *record) events(held bool) []stream.Event {
	list := slices.Clone(r.begin)
	for _, s := range r.stages {
		list = append(list, s)
	}
	list = append(list, r.queues...)
	if r.cut > 0 {
		list = append(list, &stream.Message{Type: stream.TypeInfo, Text: fmt.Sprintf(
			"%d earlier lines of this session are left out here: they are in the log files", r.cut)})
	}
	shown := make(map[stream.JobID]bool)
	for _, ev := range r.lines {
		switch ev := ev.(type) {
		case *stream.JobStarted:
			shown[ev.Job] = true
		case *stream.JobFinished:
			shown[-ev.Job] = true
		}
	}
	for _, ev := range r.failed {
		if !shown[-ev.Job] {
			list = append(list, answered(ev, held))
		}
	}
	for _, ev := range r.running {
		if !shown[ev.Job] {
			list = append(list, ev)
		}
	}
	for _, ev := range r.lines {
		if f, ok := ev.(*stream.JobFinished); ok {
			ev = answered(f, held)
		}
		list = append(list, ev)
	}
	for _, ev := range r.running {
		if p := r.progress[ev.Job]; p != nil {
			list = append(list, p)
		}
	}
	for _, q := range r.queues {
		if c := r.counts[q.(*stream.Queue).Action]; c != nil {
			list = append(list, c)
		}
	}
	if r.usage != nil {
		list = append(list, r.usage)
	}
	if r.state != nil {
		list = append(list, r.state)
	}
	list = append(list, r.resolved...)
	if r.finished != nil {
		list = append(list, r.finished)
	}
	return list
}

// answered is a failure that nobody is to be asked about any more, unless the
// scheduler still holds.
func answered(ev *stream.JobFinished, held bool) *stream.JobFinished {
	if held || ev.Failure == nil || !ev.Failure.Held {
		return ev
	}
	copied, failure := *ev, *ev.Failure
	failure.Held = false
	copied.Failure = &failure
	return &copied
}
