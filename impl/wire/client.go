package wire

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"bst/impl/stream"
)

// Client is the frontend's side of a session over bytes: a stream.Stream but
// for the end of whatever carries the bytes, which its strategy sees to.
type Client struct {
	t   *tables
	out io.WriteCloser

	orders  chan sending        // for the writer
	batches chan []stream.Event // from the reader to Recv
	read    chan struct{}       // closed when the reader has ended
	hung    chan struct{}       // closed by HangUp
	discard chan struct{}       // closed by Discard
	hangUp  sync.Once
	drop    sync.Once

	trace *tracer

	mu  sync.Mutex // guards err
	err error      // what went wrong first

	finished bool // Recv's alone
}

// sending is an order and its frame.
type sending struct {
	order stream.Order
	frame []byte
}

// Dial starts a session with the backend at the other end: it says hello at once
// and reads the other's hello before the first event. It waits for nothing. A
// trace, where given, gets every order and event as a line of JSON (trace.go).
func Dial(in io.Reader, out io.WriteCloser, trace io.Writer) *Client {
	c := &Client{
		t:       plans(),
		out:     out,
		orders:  make(chan sending, 16),
		batches: make(chan []stream.Event),
		read:    make(chan struct{}),
		hung:    make(chan struct{}),
		discard: make(chan struct{}),
	}
	if trace != nil {
		c.trace = &tracer{to: trace}
	}
	go c.write()
	go c.readAll(in)
	return c
}

// write owns out.
func (c *Client) write() {
	defer c.HangUp()
	err := own().write(c.out)
	for err == nil {
		select {
		case s := <-c.orders:
			c.trace.order(s.order, len(s.frame)-frameHeader)
			_, err = c.out.Write(s.frame)
		case <-c.hung:
			return
		case <-c.read:
			return
		}
	}
	// The other end does not read any more. Why, the reader finds out, whose news
	// are better than a broken pipe's.
	select {
	case <-c.hung:
		return
	default:
	}
	c.HangUp()
	<-c.read
	c.fail(fmt.Errorf("cannot write to the backend: %w", err))
}

// readAll reads frames to the end, also behind Finished, so that a backend never
// waits for a frontend that has heard enough.
func (c *Client) readAll(in io.Reader) {
	defer close(c.read)
	from := &frameReader{from: bufio.NewReaderSize(in, softFrame)}
	err := own().read(from)
	if errors.Is(err, io.EOF) {
		err = errNotStarted
	}
	for err == nil {
		var frame []byte
		if frame, err = from.next(maxFrame); err != nil {
			break
		}
		var batch []stream.Event
		if batch, err = c.events(frame); err != nil {
			break
		}
		select {
		case c.batches <- batch:
		case <-c.discard:
		}
	}
	if err == io.EOF {
		err = errNotFinished
	} else {
		err = fmt.Errorf("cannot read from the backend: %w", err)
		// It may wait for us to take what we cannot understand.
		c.HangUp()
	}
	c.fail(err)
}

func (c *Client) events(frame []byte) ([]stream.Event, error) {
	// An event takes some hundred bytes.
	batch := make([]stream.Event, 0, 1+min(len(frame), softFrame)/256)
	err := c.t.readFrame(frame, func(value any, size int) error {
		ev, ok := value.(stream.Event)
		if !ok {
			return fmt.Errorf("wire: a %T came instead of an event", value)
		}
		c.trace.event(ev, size)
		batch = append(batch, ev)
		return nil
	})
	return batch, err
}

func (c *Client) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
}

// Err is what went wrong first, or nil.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Send queues an order. Its errors are those of ctx, of encoding, and ErrGone.
func (c *Client) Send(ctx context.Context, o stream.Order) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var frame bytes.Buffer
	w := frameWriter{to: &frame}
	w.begin()
	if err := w.add(c.t, o); err != nil {
		return err
	}
	if err := w.end(); err != nil {
		return err
	}
	// An ended session refuses, also where there is room for another order.
	select {
	case <-c.hung:
		return ErrGone
	case <-c.read:
		return ErrGone
	default:
	}
	select {
	case c.orders <- sending{o, frame.Bytes()}:
		return nil
	case <-c.hung:
		return ErrGone
	case <-c.read:
		return ErrGone
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Recv returns the events of the next frame. After Finished it returns io.EOF;
// when the backend went away before that, ErrGone, and Err says what happened.
func (c *Client) Recv(ctx context.Context) ([]stream.Event, error) {
	if c.finished {
		return nil, io.EOF
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case batch := <-c.batches:
		_, c.finished = batch[len(batch)-1].(*stream.Finished)
		return batch, nil
	case <-c.read:
		return nil, ErrGone
	case <-c.discard:
		return nil, ErrGone
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// HangUp closes the orders: the backend learns that the frontend is gone. Events
// can still be received.
func (c *Client) HangUp() {
	c.hangUp.Do(func() {
		close(c.hung)
		// This also ends a write that waits for a backend that does not read.
		// It can fail only where the other end closed first.
		_ = c.out.Close()
	})
}

// Discard says that nobody will call Recv any more: events are read and dropped,
// so that the backend can end.
func (c *Client) Discard() {
	c.drop.Do(func() { close(c.discard) })
}

// Done is closed when nothing more can be read.
func (c *Client) Done() <-chan struct{} { return c.read }
