package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A frame is a length, four bytes, the most significant first, and as many
// bytes. The first frame in each direction is a hello, every other one a
// sequence of values: a number and the value's CBOR, one after the other.
const (
	frameHeader = 4
	// maxFrame bounds what a reader takes into memory at once. One value is
	// seldom above 1 KiB; a heading that lists 60,000 targets takes 2 MiB, and a
	// summary in which as many elements failed 20 MiB.
	maxFrame = 64 << 20
	// maxHello is what the first frame may be: enough for two versions'
	// descriptions, and too little to mistake other output for a frame.
	maxHello = 1 << 10
	// softFrame is where a writer ends a frame although more is queued: as much
	// as a pipe takes at once.
	softFrame = 64 << 10
)

var errEmptyFrame = errors.New("wire: an empty frame")

// frameWriter builds one frame at a time in one buffer and writes it with one
// call.
type frameWriter struct {
	to   io.Writer
	buf  []byte
	said said
}

// begin starts a frame.
func (w *frameWriter) begin() {
	w.said = said{}
	w.buf = append(w.buf[:0], make([]byte, frameHeader)...)
}

// size is how many bytes the frame has so far, without its header.
func (w *frameWriter) size() int { return len(w.buf) - frameHeader }

// add adds an order or event.
func (w *frameWriter) add(t *tables, value any) (err error) {
	w.buf, err = t.appendValue(w.buf, &w.said, value)
	return err
}

// end writes the frame.
func (w *frameWriter) end() error {
	n := w.size()
	if n > maxFrame {
		return fmt.Errorf("wire: a frame of %d bytes is above the bound of %d", n, maxFrame)
	}
	binary.BigEndian.PutUint32(w.buf, uint32(n))
	_, err := w.to.Write(w.buf)
	if cap(w.buf) > 4*softFrame {
		w.buf = nil // one large value does not stay in memory
	}
	return err
}

// frameReader reads frames. What it returns is valid until the next call.
type frameReader struct {
	from io.Reader
	buf  []byte
}

// next reads a frame of at most limit bytes. It returns io.EOF when the stream
// ends between frames. Memory grows with the bytes that arrive, not with the
// length that the header claims.
func (r *frameReader) next(limit int) ([]byte, error) {
	var header [frameHeader]byte
	if _, err := io.ReadFull(r.from, header[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint32(header[:]))
	switch {
	case n == 0:
		return nil, errEmptyFrame
	case n > limit:
		return nil, &notFrameError{header: header, limit: limit}
	}
	if cap(r.buf) > 4*softFrame && n <= softFrame {
		r.buf = nil // one large value does not stay in memory
	}
	for have := 0; have < n; {
		step := min(n-have, softFrame)
		r.buf = append(r.buf[:have], make([]byte, step)...)
		if _, err := io.ReadFull(r.from, r.buf[have:have+step]); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		have += step
	}
	return r.buf[:n], nil
}

// notFrameError is a header that claims more than is allowed: mostly text of a
// program that does not speak the protocol.
type notFrameError struct {
	header [frameHeader]byte
	limit  int
}

func (e *notFrameError) Error() string {
	return fmt.Sprintf("wire: a frame of %d bytes (%q) is above the bound of %d",
		binary.BigEndian.Uint32(e.header[:]), e.header[:], e.limit)
}
