// Package codecs compares what could carry events between two processes, on the
// events of a real session: encoding and decoding time, memory, bytes.
//
// It knows the candidates and how they are timed. What crosses in truth is
// package wire's, which is one of them here. bench/report makes reports/codecs.md
// of what is recorded.
package codecs

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/fxamacker/cbor/v2"

	"bst/impl/stream"
	"bst/impl/wire"
)

// Codec is one candidate.
type Codec struct {
	// Name stands in results.
	Name string
	// Doc is what it is, for the report.
	Doc string
	// New makes a session's codec: an encoder and a decoder that see the same
	// events in the same order.
	New func() Session
}

// Session encodes and decodes the events of one session. Encode appends to to;
// Decode takes what one call of Encode appended.
type Session struct {
	Encode func(to *bytes.Buffer, ev stream.Event) error
	Decode func(data []byte) (stream.Event, error)
}

// All are the candidates; the first is what crosses.
func All() []Codec {
	return []Codec{
		{"wire", "what crosses: CBOR arrays, written and read in place by impl/wire", newWire},
		{"cbor", "CBOR maps with field names, by fxamacker/cbor with its defaults", newCBOR},
		{"protobuf", "Protocol Buffers by google.golang.org/protobuf, with its messages filled from and copied to the contract's structs", newProtobuf},
		{"gob", "encoding/gob, one stream a session, so that types are described once", newGob},
		{"json", "encoding/json", newJSON},
	}
}

func newWire() Session {
	return Session{
		Encode: func(to *bytes.Buffer, ev stream.Event) error { return wire.Encode(to, ev) },
		Decode: func(data []byte) (stream.Event, error) {
			v, err := wire.Decode(data)
			if err != nil {
				return nil, err
			}
			ev, ok := v.(stream.Event)
			if !ok {
				return nil, fmt.Errorf("codecs: a %T is no event", v)
			}
			return ev, nil
		},
	}
}

// numbered puts a type's number before its encoding, for codecs that do not say
// what it is that they encode.
func numbered(encode func(*bytes.Buffer, stream.Event) error, decode func([]byte, any) error) Session {
	return Session{
		Encode: func(to *bytes.Buffer, ev stream.Event) error {
			number, ok := numbers[reflect.TypeOf(ev)]
			if !ok {
				return fmt.Errorf("codecs: %T has no number", ev)
			}
			to.WriteByte(number)
			return encode(to, ev)
		},
		Decode: func(data []byte) (stream.Event, error) {
			if len(data) == 0 || int(data[0]) >= len(types) {
				return nil, errors.New("codecs: no type has this number")
			}
			v := reflect.New(types[data[0]])
			if err := decode(data[1:], v.Interface()); err != nil {
				return nil, err
			}
			return v.Interface().(stream.Event), nil
		},
	}
}

// types are those of all events, and numbers their places there.
var (
	types   = wire.EventTypes()
	numbers = func() map[reflect.Type]byte {
		byType := make(map[reflect.Type]byte)
		for i, t := range types {
			byType[reflect.PointerTo(t)] = byte(i)
		}
		return byType
	}()
)

func newCBOR() Session {
	// Without this, times have no fractions of a second.
	mode, err := cbor.EncOptions{Time: cbor.TimeRFC3339Nano}.UserBufferEncMode()
	if err != nil {
		panic(err) // the options are constants
	}
	return numbered(func(to *bytes.Buffer, ev stream.Event) error { return mode.MarshalToBuffer(ev, to) }, cbor.Unmarshal)
}

func newJSON() Session {
	return numbered(func(to *bytes.Buffer, ev stream.Event) error {
		data, err := json.Marshal(ev)
		to.Write(data)
		return err
	}, json.Unmarshal)
}

func newGob() Session {
	var out, in bytes.Buffer
	encoder, decoder := gob.NewEncoder(&out), gob.NewDecoder(&in)
	return numbered(func(to *bytes.Buffer, ev stream.Event) error {
		out.Reset()
		if _, empty := ev.(*stream.PipelineShown); empty {
			return nil // gob refuses types without fields
		}
		err := encoder.Encode(ev)
		to.Write(out.Bytes())
		return err
	}, func(data []byte, v any) error {
		if len(data) == 0 {
			return nil
		}
		in.Write(data)
		return decoder.Decode(v)
	})
}

func newProtobuf() Session {
	return Session{
		Encode: func(to *bytes.Buffer, ev stream.Event) error {
			data, err := encodeProtobuf(to.AvailableBuffer(), ev)
			to.Write(data)
			return err
		},
		Decode: decodeProtobuf,
	}
}
