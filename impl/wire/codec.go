package wire

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"

	"github.com/fxamacker/cbor/v2"
)

// Bounds on what a decoder accepts.
const (
	// maxNesting is deeper than any listed type.
	maxNesting = 16
	// maxElements bounds a list or map: twice the elements of the largest known
	// graph.
	maxElements = 1 << 17
)

// The codec is CBOR (RFC 8949). Strings travel as byte strings: file names and
// the tails of build logs are not always UTF-8, and shall arrive as they were.
var (
	encoder = must(cbor.EncOptions{
		String:        cbor.StringToByteString,
		FieldName:     cbor.FieldNameToByteString,
		TextMarshaler: cbor.TextMarshalerTextString,
		TagsMd:        cbor.TagsForbidden,
		IndefLength:   cbor.IndefLengthForbidden,
	}.UserBufferEncMode())

	decoder = must(cbor.DecOptions{
		ByteStringToString:  cbor.ByteStringToStringAllowed,
		FieldNameByteString: cbor.FieldNameByteStringAllowed,
		FieldNameMatching:   cbor.FieldNameMatchingCaseSensitive,
		TextUnmarshaler:     cbor.TextUnmarshalerTextString,
		DupMapKey:           cbor.DupMapKeyEnforcedAPF,
		TagsMd:              cbor.TagsForbidden,
		IndefLength:         cbor.IndefLengthForbidden,
		MaxNestedLevels:     maxNesting,
		MaxArrayElements:    maxElements,
		MaxMapPairs:         maxElements,
	}.DecMode())
)

// must is for options that are constants: a test would fail, not a user.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var errTruncated = errors.New("wire: a value is missing after its number")

// appendValue adds an order or event to a frame: its number, one byte, and its
// encoding.
func (t *tables) appendValue(to *bytes.Buffer, value any) error {
	v := reflect.ValueOf(value)
	p := t.byType[v.Type()]
	switch {
	case p == nil:
		return fmt.Errorf("wire: %T does not cross: it is not listed in impl/wire/list.go", value)
	case v.IsNil():
		return fmt.Errorf("wire: a nil %T was sent", value)
	}
	to.WriteByte(p.number)
	if err := encoder.MarshalToBuffer(p.view(v), to); err != nil {
		return fmt.Errorf("wire: %s: %w", p.name, err)
	}
	return nil
}

// readValue decodes the first order or event of a frame and returns what
// follows it. Whatever the bytes are, it uses no more memory than a fixed
// multiple of their number.
func (t *tables) readValue(data []byte) (value any, rest []byte, err error) {
	if len(data) < 2 {
		return nil, nil, errTruncated
	}
	p := t.byNumber[data[0]]
	if p == nil {
		return nil, nil, fmt.Errorf("wire: no type has the number %d", data[0])
	}
	value, view := p.fresh()
	rest, err = decoder.UnmarshalFirst(data[1:], view)
	if err != nil {
		return nil, nil, fmt.Errorf("wire: %s: %w", p.name, err)
	}
	return value, rest, nil
}
