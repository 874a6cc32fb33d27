package wire

import (
	"encoding"
	"errors"
	"math"
	"reflect"
	"time"
)

// How a field crosses that does not cross as it stands:
//
//   - A field with the tag wire:"-" stays home: it arrives as its zero value.
//   - A type with the methods MarshalText and UnmarshalText crosses as that text.
//     They stand beside the type's declaration and need no import of this package.
//   - A type of another module has its form in the table forms below.
//   - A type with the method NeverCrosses() string is refused by Check wherever
//     it turns up; the string says why, or what to send in its place.

// neverCrosses is what a type says that must stay in its process.
type neverCrosses interface{ NeverCrosses() string }

// forms are types of other modules and what crosses in their place. The
// replacement has the same memory layout and its own MarshalCBOR.
var forms = map[reflect.Type]reflect.Type{
	reflect.TypeFor[time.Time](): reflect.TypeFor[unixNano](),
}

// unixNano is a time as nanoseconds since 1970, null for the zero time. It
// loses the zone, which is the frontend's to choose, and covers the years 1678
// to 2261; other times are refused.
type unixNano time.Time

var (
	errTime  = errors.New("wire: a time is neither an integer nor null")
	errRange = errors.New("wire: times of the years 1678 to 2261 cross")
)

// MarshalCBOR gives the integer's or null's encoding.
func (t unixNano) MarshalCBOR() ([]byte, error) {
	if time.Time(t).IsZero() {
		return []byte{0xf6}, nil
	}
	if year := time.Time(t).UTC().Year(); year < 1678 || year > 2261 {
		return nil, errRange
	}
	n := time.Time(t).UnixNano()
	major := byte(0x00)
	if n < 0 {
		major, n = 0x20, -1-n
	}
	b := [9]byte{major | 27}
	for i := range 8 {
		b[8-i] = byte(n >> (8 * i))
	}
	return b[:], nil
}

// UnmarshalCBOR accepts what MarshalCBOR gives and nothing else.
func (t *unixNano) UnmarshalCBOR(b []byte) error {
	if len(b) == 1 && b[0] == 0xf6 {
		*t = unixNano{}
		return nil
	}
	if len(b) != 9 || (b[0] != 0x00|27 && b[0] != 0x20|27) {
		return errTime
	}
	var u uint64
	for _, c := range b[1:] {
		u = u<<8 | uint64(c)
	}
	if u > math.MaxInt64 {
		return errTime
	}
	n := int64(u)
	if b[0] != 27 {
		n = -1 - n
	}
	*t = unixNano(time.Unix(0, n))
	return nil
}

var (
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	refuser         = reflect.TypeFor[neverCrosses]()
)

// hasText tells whether a type, or a pointer to it, has each half of the text
// form.
func hasText(t reflect.Type) (marshal, unmarshal bool) {
	p := reflect.PointerTo(t)
	return t.Implements(textMarshaler) || p.Implements(textMarshaler), p.Implements(textUnmarshaler)
}

// staysHome tells whether a field has the tag wire:"-".
func staysHome(f reflect.StructField) bool { return f.Tag.Get("wire") == "-" }
