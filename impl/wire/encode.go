package wire

import (
	"encoding"
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"time"
	"unsafe"
)

// What is written is CBOR (RFC 8949) that any decoder reads: integers in their
// shortest form, lists, maps and strings of known length, no tags. Strings are byte
// strings: file names and the tails of build logs are not always UTF-8, and shall
// arrive as they were; one that was spelt out before in its frame is an integer
// (said). A nil pointer, slice or map and the zero time are null.

// The major types and simple values of CBOR (RFC 8949, section 3.1 and 3.3).
const (
	cborUint   = 0 << 5
	cborNegint = 1 << 5
	cborBytes  = 2 << 5
	cborArray  = 4 << 5
	cborMap    = 5 << 5
	cborFalse  = 0xf4
	cborTrue   = 0xf5
	cborNull   = 0xf6
	cborFloat  = 0xfb // eight bytes
)

// appendHead adds the head of an item: its major type and a number.
func appendHead(to []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(to, major|byte(n))
	case n <= math.MaxUint8:
		return append(to, major|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(to, major|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(to, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(to, major|27), n)
}

func appendInt(to []byte, n int64) []byte {
	if n < 0 {
		return appendHead(to, cborNegint, uint64(-1-n))
	}
	return appendHead(to, cborUint, uint64(n))
}

func appendString(to []byte, s string) []byte {
	return append(appendHead(to, cborBytes, uint64(len(s))), s...)
}

// write adds the value at an address, which is of the form's type. Its errors are
// those of values, not of types: checkValue says which.
func (f *form) write(to []byte, s *said, at unsafe.Pointer) ([]byte, error) {
	switch f.kind {
	case formBool:
		if *(*bool)(at) {
			return append(to, cborTrue), nil
		}
		return append(to, cborFalse), nil
	case formInt:
		return appendInt(to, f.int(at)), nil
	case formUint:
		return appendHead(to, cborUint, f.uint(at)), nil
	case formString:
		return s.append(to, *(*string)(at)), nil
	case formTime:
		return appendTime(to, *(*time.Time)(at))
	case formPointer:
		p := *(*unsafe.Pointer)(at)
		if p == nil {
			return append(to, cborNull), nil
		}
		return f.elem.write(to, s, p)
	case formStruct:
		var err error
		to = appendHead(to, cborArray, uint64(len(f.fields)))
		for i := range f.fields {
			field := &f.fields[i]
			if to, err = field.write(to, s, unsafe.Add(at, field.offset)); err != nil {
				return to, err
			}
		}
		return to, nil
	case formSparse:
		return f.writeSparse(to, s, at)
	}
	return f.writeValue(to, s, f.value(at))
}

// value is the value at an address, for what is seldom: reflect needs ten times as
// long.
func (f *form) value(at unsafe.Pointer) reflect.Value { return reflect.NewAt(f.typ, at).Elem() }

func (f *form) int(at unsafe.Pointer) int64 {
	switch f.size {
	case 1:
		return int64(*(*int8)(at))
	case 2:
		return int64(*(*int16)(at))
	case 4:
		return int64(*(*int32)(at))
	}
	return *(*int64)(at)
}

func (f *form) uint(at unsafe.Pointer) uint64 {
	switch f.size {
	case 1:
		return uint64(*(*uint8)(at))
	case 2:
		return uint64(*(*uint16)(at))
	case 4:
		return uint64(*(*uint32)(at))
	}
	return *(*uint64)(at)
}

// writeSparse writes the fields that are not zero, by their numbers, from 1 on.
func (f *form) writeSparse(to []byte, s *said, at unsafe.Pointer) ([]byte, error) {
	var has uint64
	for i := range f.fields {
		if field := &f.fields[i]; !field.zero(unsafe.Add(at, field.offset)) {
			has++
		}
	}
	to = appendHead(to, cborMap, has)
	for i := range f.fields {
		field := &f.fields[i]
		p := unsafe.Add(at, field.offset)
		if field.zero(p) {
			continue
		}
		var err error
		if to, err = field.write(appendHead(to, cborUint, uint64(i+1)), s, p); err != nil {
			return to, err
		}
	}
	return to, nil
}

// zero tells whether a value is its type's zero value.
func (f *form) zero(at unsafe.Pointer) bool {
	switch f.kind {
	case formBool:
		return !*(*bool)(at)
	case formString:
		return *(*string)(at) == ""
	case formInt:
		return f.int(at) == 0
	case formUint:
		return f.uint(at) == 0
	case formStruct:
		for i := range f.fields {
			if field := &f.fields[i]; !field.zero(unsafe.Add(at, field.offset)) {
				return false
			}
		}
		return true
	}
	return f.value(at).IsZero()
}

// writeValue writes what is not written in place.
func (f *form) writeValue(to []byte, s *said, v reflect.Value) (_ []byte, err error) {
	switch f.kind {
	case formFloat:
		return binary.BigEndian.AppendUint64(append(to, cborFloat), math.Float64bits(v.Float())), nil
	case formText:
		text, err := v.Addr().Interface().(encoding.TextMarshaler).MarshalText()
		return append(appendHead(to, cborBytes, uint64(len(text))), text...), err
	case formMap:
		if v.IsNil() {
			return append(to, cborNull), nil
		}
		to = appendHead(to, cborMap, uint64(v.Len()))
		elem := reflect.New(f.typ.Elem()) // a map's values have no address
		for i := v.MapRange(); i.Next(); {
			elem.Elem().Set(i.Value())
			if to, err = f.elem.write(appendString(to, i.Key().String()), s, elem.UnsafePointer()); err != nil {
				return to, err
			}
		}
		return to, nil
	case formSlice:
		if v.IsNil() {
			return append(to, cborNull), nil
		}
	}
	n := v.Len() // a slice's or an array's
	if to = appendHead(to, cborArray, uint64(n)); n == 0 {
		return to, nil
	}
	first := v.Index(0).Addr().UnsafePointer()
	for i := range n {
		if to, err = f.elem.write(to, s, unsafe.Add(first, uintptr(i)*f.elem.size)); err != nil {
			return to, err
		}
	}
	return to, nil
}

// A time crosses as nanoseconds since 1970, null for the zero time. It loses the
// zone, which is the frontend's to choose. Other times than those of the years 1678
// to 2261 are refused.
var errRange = errors.New("wire: times of the years 1678 to 2261 cross")

// unixNano gives a time other than zero as an integer.
func unixNano(t time.Time) (int64, error) {
	// Years without a table of zones: the bounds are whole years within those of
	// 64 bits, which are in 1677 and 2262.
	if s := t.Unix(); s < -9214560000 || s >= 9214646400 {
		return 0, errRange
	}
	return t.UnixNano(), nil
}

func appendTime(to []byte, t time.Time) ([]byte, error) {
	if t.IsZero() {
		return append(to, cborNull), nil
	}
	n, err := unixNano(t)
	if err != nil {
		return to, err
	}
	return appendInt(to, n), nil
}
