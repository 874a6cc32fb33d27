// Package record passes a session's events on to files as they arrive: a
// decorator of the stream, so that it works with every strategy.
//
// It knows queues and files. It does not know what a file's form is (packages
// events and profile do), nor what an event means.
//
// Recording never slows the work: the backend does not wait for a frontend in
// any case. It hardly slows the frontend: events are written by a goroutine of
// the file's own, behind a queue of bounded size. Where the file takes its bytes
// slower than events come (a FIFO whose reader is slow), receiving waits for it,
// for Patience in all; after that what does not fit is dropped, and the file
// says how many events are missing and where.
package record

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"bst/impl/stream"
)

// Format is the form in which a file tells of events. One goroutine calls it.
type Format interface {
	// Begin starts the file.
	Begin() error
	// Event tells of an event that arrived at the moment at.
	Event(at time.Time, e stream.Event) error
	// Lost says that n events are missing here.
	Lost(at time.Time, n int) error
	// End ends the file, also where the session did not end by itself.
	End(at time.Time) error
}

// Bounds. They are variables for tests alone.
var (
	// queueSize bounds what waits to be written, in bytes, roughly.
	queueSize = 16 << 20
	// Patience is how long the frontend waits for a file in all.
	patience = time.Second
	// drain is how long the end of a session waits for a file.
	drain = 10 * time.Second
)

// idle is how long written events may lie in the file's buffer.
const idle = 50 * time.Millisecond

// bufferSize is that buffer's, in bytes.
const bufferSize = 64 << 10

// File records events into a writer.
type File struct {
	name string
	to   io.WriteCloser
	buf  *bufio.Writer
	form Format

	ready chan struct{} // a token: there is something to do for the writer
	room  chan struct{} // a token: there is room in the queue
	done  chan struct{} // closed when the writer has ended
	err   error         // once done is closed

	mu     sync.Mutex // guards what follows
	queue  []item
	size   int
	lost   int // events dropped since the last queued one
	total  int // events dropped
	waited time.Duration
	closed bool
	failed bool // the writer has given up: nothing is queued any more
}

// item is an event that waits, or n that are missing.
type item struct {
	at    time.Time
	event stream.Event
	lost  int
}

// New makes a file and starts its goroutine. The name is for errors; form gives
// the format, which writes to the writer that it gets. Close must be called.
func New(name string, to io.WriteCloser, form func(io.Writer) Format) *File {
	f := &File{
		name: name, to: to, buf: bufio.NewWriterSize(to, bufferSize),
		ready: make(chan struct{}, 1), room: make(chan struct{}, 1), done: make(chan struct{}),
	}
	f.form = form(f.buf)
	go f.write()
	return f
}

// Put queues events. It waits where the queue is full, within bounds, and never
// fails: errors are Close's.
func (f *File) Put(ctx context.Context, at time.Time, batch []stream.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range batch {
		f.put(ctx, at, e)
	}
	signal(f.ready)
}

func (f *File) put(ctx context.Context, at time.Time, e stream.Event) {
	_, last := e.(*stream.Finished)
	for f.size > queueSize && !f.failed && !last && f.waited < patience && ctx.Err() == nil {
		begin := time.Now()
		timer := time.NewTimer(patience - f.waited)
		f.mu.Unlock()
		signal(f.ready)
		select {
		case <-f.room:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		f.mu.Lock()
		f.waited += time.Since(begin)
	}
	switch {
	case f.failed || f.closed:
	case f.size > queueSize && !last:
		f.lost++
		f.total++
	default:
		if f.lost > 0 {
			f.queue = append(f.queue, item{at: at, lost: f.lost})
			f.lost = 0
		}
		f.queue = append(f.queue, item{at: at, event: e})
		f.size += weight(e)
	}
}

// weight is what an event takes in memory, roughly, in bytes.
func weight(e stream.Event) int {
	const plain = 320
	n := plain
	switch e := e.(type) {
	case *stream.Message:
		n += len(e.Text) + len(e.Detail)
	case *stream.ElementShown:
		n += len(e.Config) + len(e.Vars) + len(e.Env) + len(e.Public) + len(e.SourceInfo) + len(e.Deps) +
			len(e.BuildDeps) + len(e.RuntimeDeps)
	case *stream.JobFinished:
		if e.Failure != nil {
			n += len(e.Failure.Error.Message) + len(e.Failure.Error.Detail)
			for _, line := range e.Failure.LogTail {
				n += len(line) + 16
			}
		}
	}
	return n
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// write is the file's goroutine.
func (f *File) write() {
	defer close(f.done)
	err := f.form.Begin()
	flushed := time.Now()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for err == nil {
		batch, closed := f.take()
		for i := range batch {
			if it := &batch[i]; it.event == nil {
				err = f.form.Lost(it.at, it.lost)
			} else {
				err = f.form.Event(it.at, it.event)
			}
			if err != nil {
				break
			}
		}
		if closed || err != nil {
			break
		}
		wait := time.Hour
		if f.buf.Buffered() > 0 {
			if wait = idle - time.Since(flushed); wait <= 0 {
				err, flushed = f.buf.Flush(), time.Now()
				continue
			}
		}
		timer.Reset(wait)
		select {
		case <-f.ready:
		case <-timer.C:
			err, flushed = f.buf.Flush(), time.Now()
		}
	}
	if err == nil {
		err = f.form.End(time.Now())
	}
	if err == nil {
		err = f.buf.Flush()
	}
	f.mu.Lock()
	f.failed, f.queue, f.size = true, nil, 0
	f.mu.Unlock()
	signal(f.room)
	f.err = errors.Join(err, f.to.Close())
}

// take gives what waits. closed says that nothing will follow.
func (f *File) take() (batch []item, closed bool) {
	f.mu.Lock()
	batch, closed = f.queue, f.closed
	if closed && f.lost > 0 {
		batch = append(batch, item{at: time.Now(), lost: f.lost})
		f.lost = 0
	}
	f.queue, f.size = nil, 0
	f.mu.Unlock()
	signal(f.room)
	return batch, closed
}

// LostError says that a file does not tell of every event.
type LostError struct {
	// Name is the file's.
	Name string
	// Events is how many are missing.
	Events int
}

func (e *LostError) Error() string {
	return fmt.Sprintf("%s lacks %d events: whoever reads it is slower than they come", e.Name, e.Events)
}

// errStuck says that the end of a file could not be written.
var errStuck = errors.New("its end could not be written: nobody reads it")

// Close writes what is left, ends the file and says what went wrong with it: an
// error of writing, or a *LostError. It waits for a bounded time.
func (f *File) Close() error {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	signal(f.ready)
	timer := time.NewTimer(drain)
	defer timer.Stop()
	select {
	case <-f.done:
	case <-timer.C:
		// The goroutine hangs in a write, and ends with the program.
		return fmt.Errorf("%s: %w", f.name, errStuck)
	}
	if f.err != nil {
		return fmt.Errorf("%s: %w", f.name, f.err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.total > 0 {
		return &LostError{f.name, f.total}
	}
	return nil
}

// Stream gives s, whose events are recorded into files as they are received.
func Stream(s stream.Stream, files ...*File) stream.Stream {
	if len(files) == 0 {
		return s
	}
	return &recorded{s, files}
}

type recorded struct {
	stream.Stream
	files []*File
}

func (r *recorded) Recv(ctx context.Context) ([]stream.Event, error) {
	events, err := r.Stream.Recv(ctx)
	if len(events) > 0 {
		at := time.Now()
		for _, f := range r.files {
			f.Put(ctx, at, events)
		}
	}
	return events, err
}
