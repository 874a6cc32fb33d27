package wire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"bst/impl/stream"
)

// Serve is the backend's side of a session over bytes: it reads orders from in,
// lets the backend obey them, and writes its events to out, one frame for
// whatever is queued. It returns nil when the backend has ended and all its
// events are written, or the frontend is gone.
//
// The end of in, an error on either stream, or the end of ctx mean that the
// frontend is gone: the backend's orders are closed. A backend that then does
// not end within Grace and GraceCancelled is abandoned with an error. A read
// of in may be left pending: the caller closes in or exits.
func Serve(ctx context.Context, in io.Reader, out io.Writer, backend stream.Backend) error {
	return serve(ctx, in, out, backend, Grace, GraceCancelled)
}

func serve(ctx context.Context, in io.Reader, out io.Writer, backend stream.Backend, grace, graceCancelled time.Duration) error {
	if err := Check(); err != nil {
		return err
	}
	t := plans()
	if err := own().write(out); err != nil {
		return fmt.Errorf("cannot write to the frontend: %w", err)
	}
	from := &frameReader{from: bufio.NewReaderSize(in, 4<<10)}
	if err := own().read(from); err != nil {
		if errors.Is(err, io.EOF) {
			return nil // the frontend went away before it said anything
		}
		return err
	}

	session := start(ctx, "", backend, grace)
	var pace pacing
	trouble := make(chan error, 2) // what went wrong on each of the two streams
	go func() {
		if err := t.obey(session, &pace, from); err != nil {
			trouble <- err
		}
		session.HangUp()
	}()
	written := make(chan struct{})
	go func() {
		defer close(written)
		if err := t.report(session.queue, &pace, out); err != nil {
			trouble <- err
			session.HangUp()
			// Nobody listens: let the backend end without filling memory.
			for batch, _ := session.queue.Take(context.Background(), nil); len(batch) > 0; {
				batch, _ = session.queue.Take(context.Background(), batch)
			}
		}
	}()

	select {
	case <-written:
	case <-session.hung:
		end := time.NewTimer(grace + graceCancelled)
		defer end.Stop()
		select {
		case <-written:
		case <-end.C:
			return fmt.Errorf("the backend did not end within %v of its frontend's end", grace+graceCancelled)
		}
	}
	if session.crash != nil {
		return session.crash
	}
	select {
	case err := <-trouble:
		return err
	default:
		return nil
	}
}

// obey hands on orders until the frontend is gone.
func (t *tables) obey(session *Local, pace *pacing, from *frameReader) error {
	for {
		frame, err := from.next(maxFrame)
		if err == io.EOF || errors.Is(err, io.ErrClosedPipe) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("cannot read orders: %w", err)
		}
		err = t.readFrame(frame, func(value any, _ int) error {
			o, ok := value.(stream.Order)
			if !ok {
				return fmt.Errorf("a %T came instead", value)
			}
			pace.of(o)
			return session.take(o)
		})
		switch {
		case errors.Is(err, errEnded):
			return nil
		case err != nil:
			return fmt.Errorf("cannot read orders: %w", err)
		}
	}
}

// How long a frame rests before the next: in a burst of events each would wake the
// other end, which takes a processor from the work, and each end's time. The first
// after a while does not wait, nor what somebody waits for. On a terminal frames are
// drawn ten times a second, so that nobody sees the difference; a file or a pipe is
// not looked at.
const (
	watchedPace   = 20 * time.Millisecond
	unwatchedPace = 90 * time.Millisecond
)

// pacing is how long the frames of a session rest.
type pacing struct{ unwatched atomic.Bool }

// of takes in what an order says of it.
func (p *pacing) of(o stream.Order) {
	if work, ok := o.(stream.Work); ok {
		p.unwatched.Store(work.Common().Settings.Term == "")
	}
}

func (p *pacing) rest() time.Duration {
	if p.unwatched.Load() {
		return unwatchedPace
	}
	return watchedPace
}

// report writes events until the queue is closed and empty.
func (t *tables) report(queue *Queue, pace *pacing, out io.Writer) error {
	w := frameWriter{to: out}
	var batch []stream.Event
	rest := time.NewTimer(0)
	defer rest.Stop()
	for {
		queue.Gather(rest.C)
		var err error
		if batch, err = queue.Take(context.Background(), batch); err != nil || len(batch) == 0 {
			return err
		}
		rest.Reset(pace.rest())
		w.begin()
		for _, ev := range batch {
			if err := w.add(t, ev); err != nil {
				return err
			}
			if w.size() >= softFrame {
				if err := w.end(); err != nil {
					return fmt.Errorf("cannot write to the frontend: %w", err)
				}
				w.begin()
			}
		}
		if w.size() > 0 {
			if err := w.end(); err != nil {
				return fmt.Errorf("cannot write to the frontend: %w", err)
			}
		}
	}
}
