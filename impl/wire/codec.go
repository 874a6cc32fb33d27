package wire

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
)

// Bounds on what a decoder accepts.
const (
	// maxElements bounds a list or map: twice the elements of the largest known
	// graph.
	maxElements = 1 << 17
	// maxItems bounds the parts of one large value, however they are nested: a
	// byte of CBOR can stand for a struct of some hundred. The closing summary
	// of the largest known graph, everything failed, has 2 million.
	maxItems = 1 << 22
)

var errTruncated = errors.New("wire: a value is missing after its number")

// appendValue adds an order or event to a frame: its number, one byte, and its
// encoding. s is what was said in the frame, nil to say everything.
func (t *tables) appendValue(to []byte, s *said, value any) ([]byte, error) {
	v := reflect.ValueOf(value)
	get := t.byType[v.Type()]
	if get == nil || v.IsNil() {
		return to, fmt.Errorf("wire: %w", checkValue(value))
	}
	p, err := get()
	if err != nil {
		return to, fmt.Errorf("wire: %s: %w", p.name, err)
	}
	before := len(to)
	to, err = p.write(append(to, p.number), s, v.UnsafePointer())
	// What is written may be more than the other end accepts. A large value alone
	// can be that, and is looked at; a small one is not.
	if err != nil || len(to)-before > maxElements {
		if wrong := checkValue(value); wrong != nil {
			return to, fmt.Errorf("wire: %w", wrong)
		}
	}
	if err != nil {
		return to, fmt.Errorf("wire: %s: %w", p.name, err)
	}
	return to, nil
}

// Encode adds an order or event to a buffer as it stands alone in a frame, with
// every string spelt out: for whoever compares codecs.
func Encode(to *bytes.Buffer, value any) error {
	b, err := plans().appendValue(to.AvailableBuffer(), nil, value)
	to.Write(b)
	return err
}

// Decode is Encode's inverse.
func Decode(data []byte) (value any, err error) {
	value, rest, err := plans().readValue(data, nil)
	if err == nil && len(rest) > 0 {
		return nil, fmt.Errorf("wire: %d bytes follow the value", len(rest))
	}
	return value, err
}

// readFrame decodes the values of a frame. Whatever the bytes are, it uses no
// more memory than a fixed multiple of their number, and a bound above that:
// of a frame that is longer than a writer makes it for several values, there is
// one value, and that has no more parts than maxItems.
func (t *tables) readFrame(frame []byte, each func(value any, size int) error) error {
	h := new(heard)
	for at := 0; at < len(frame); {
		if at >= softFrame {
			return fmt.Errorf("wire: a frame of %d bytes goes on behind %d with another value", len(frame), softFrame)
		}
		if len(frame)-at > softFrame {
			if err := countItems(frame[at+1:], maxItems); err != nil {
				return err
			}
		}
		value, rest, err := t.readValue(frame[at:], h)
		if err != nil {
			return err
		}
		size := len(frame) - at - len(rest)
		if err := each(value, size); err != nil {
			return err
		}
		at += size
	}
	return nil
}

// readValue decodes the first order or event of a frame and returns what
// follows it.
func (t *tables) readValue(data []byte, h *heard) (value any, rest []byte, err error) {
	if len(data) < 2 {
		return nil, nil, errTruncated
	}
	get := t.byNumber[data[0]]
	if get == nil {
		return nil, nil, fmt.Errorf("wire: no type has the number %d", data[0])
	}
	p, err := get()
	if err != nil {
		return nil, nil, fmt.Errorf("wire: %s: %w", p.name, err)
	}
	v := reflect.New(p.entry.typ)
	if rest, err = p.read(data[1:], h, v.UnsafePointer()); err != nil {
		return nil, nil, fmt.Errorf("wire: %s: %w", p.name, err)
	}
	return v.Interface(), rest, nil
}
