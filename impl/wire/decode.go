package wire

import (
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
	"unsafe"
)

// What is read is what encode.go writes, in that order and of those types, with
// heads of any width, and null for every zero value. All else is an error: the
// other end is of the same build, or it is nobody to be understood.

var (
	errShort = errors.New("it ends too early")
	errHead  = errors.New("a length that is not known, or reserved")
)

// wrongItem is an item of another type than was expected.
type wrongItem struct {
	got  byte
	want string
}

func (e wrongItem) Error() string {
	if e.got>>5 == 7 {
		return fmt.Sprintf("simple value %d of CBOR is where %s should be", e.got&31, e.want)
	}
	return fmt.Sprintf("CBOR of major type %d is where %s should be", e.got>>5, e.want)
}

// fieldError is an error below a field.
type fieldError struct {
	path []string // the innermost first
	err  error
}

func (e *fieldError) Error() string {
	path := slices.Clone(e.path)
	slices.Reverse(path)
	return strings.Join(path, ".") + ": " + e.err.Error()
}

func (e *fieldError) Unwrap() error { return e.err }

func inField(err error, name string) error {
	if inner, ok := err.(*fieldError); ok {
		inner.path = append(inner.path, name)
		return inner
	}
	return &fieldError{[]string{name}, err}
}

// head reads the head of an item of a major type other than 7.
func head(data []byte) (major byte, n uint64, rest []byte, err error) {
	if len(data) == 0 {
		return 0, 0, nil, errShort
	}
	major, low := data[0]&0xe0, data[0]&0x1f
	if low < 24 {
		return major, uint64(low), data[1:], nil
	}
	if low > 27 {
		return 0, 0, nil, errHead
	}
	width := 1 << (low - 24)
	if len(data) <= width {
		return 0, 0, nil, errShort
	}
	switch width {
	case 1:
		n = uint64(data[1])
	case 2:
		n = uint64(binary.BigEndian.Uint16(data[1:]))
	case 4:
		n = uint64(binary.BigEndian.Uint32(data[1:]))
	case 8:
		n = binary.BigEndian.Uint64(data[1:])
	}
	return major, n, data[1+width:], nil
}

// readBytes reads a byte string. It is the reader's.
func readBytes(data []byte) (b, rest []byte, err error) {
	major, n, rest, err := head(data)
	switch {
	case err != nil:
		return nil, nil, err
	case major != cborBytes:
		return nil, nil, wrongItem{data[0], "a byte string"}
	case n > uint64(len(rest)):
		return nil, nil, errShort
	}
	return rest[:n], rest[n:], nil
}

// readCount reads the head of a list or map. Each of its parts takes a byte at
// least: a number that does not come takes no memory.
func readCount(data []byte, want byte, name string) (n int, rest []byte, err error) {
	major, count, rest, err := head(data)
	switch {
	case err != nil:
		return 0, nil, err
	case major != want:
		return 0, nil, wrongItem{data[0], name}
	case count > maxElements:
		return 0, nil, fmt.Errorf("%d entries, more than %d", count, maxElements)
	case count > uint64(len(rest)):
		return 0, nil, errShort
	}
	return int(count), rest, nil
}

func readInt(data []byte) (n int64, rest []byte, err error) {
	major, u, rest, err := head(data)
	switch {
	case err != nil:
		return 0, nil, err
	case major != cborUint && major != cborNegint:
		return 0, nil, wrongItem{data[0], "an integer"}
	case u > math.MaxInt64:
		return 0, nil, errors.New("an integer of more than 64 bits")
	case major == cborNegint:
		return -1 - int64(u), rest, nil
	}
	return int64(u), rest, nil
}

// read sets the value at an address, which is of the form's type and zero, and
// returns what follows it. h is what was heard of the frame.
func (f *form) read(data []byte, h *heard, at unsafe.Pointer) (rest []byte, err error) {
	if len(data) == 0 {
		return nil, errShort
	}
	if data[0] == cborNull {
		return data[1:], nil
	}
	switch f.kind {
	case formBool:
		if data[0] != cborTrue && data[0] != cborFalse {
			return nil, wrongItem{data[0], "true or false"}
		}
		*(*bool)(at) = data[0] == cborTrue
		return data[1:], nil
	case formInt:
		n, rest, err := readInt(data)
		if err != nil {
			return nil, err
		}
		return rest, f.setInt(at, n)
	case formUint:
		major, n, rest, err := head(data)
		switch {
		case err != nil:
			return nil, err
		case major != cborUint:
			return nil, wrongItem{data[0], "an integer that is not negative"}
		}
		return rest, f.setUint(at, n)
	case formString:
		text, rest, err := h.read(data)
		*(*string)(at) = text
		return rest, err
	case formTime:
		n, rest, err := readInt(data)
		if err != nil {
			return nil, err
		}
		t := time.Unix(0, n)
		if _, err := unixNano(t); err != nil {
			return nil, err
		}
		*(*time.Time)(at) = t
		return rest, nil
	case formPointer:
		p := reflect.New(f.elem.typ).UnsafePointer()
		*(*unsafe.Pointer)(at) = p
		return f.elem.read(data, h, p)
	case formStruct:
		n, rest, err := readCount(data, cborArray, "a list of fields")
		if err != nil {
			return nil, err
		}
		if n != len(f.fields) {
			return nil, fmt.Errorf("%d fields instead of %d", n, len(f.fields))
		}
		for i := range f.fields {
			field := &f.fields[i]
			if rest, err = field.read(rest, h, unsafe.Add(at, field.offset)); err != nil {
				return nil, inField(err, field.name)
			}
		}
		return rest, nil
	case formSparse:
		return f.readSparse(data, h, at)
	}
	return f.readValue(data, h, f.value(at))
}

func (f *form) setInt(at unsafe.Pointer, n int64) error {
	fits := true
	switch f.size {
	case 1:
		*(*int8)(at), fits = int8(n), n == int64(int8(n))
	case 2:
		*(*int16)(at), fits = int16(n), n == int64(int16(n))
	case 4:
		*(*int32)(at), fits = int32(n), n == int64(int32(n))
	default:
		*(*int64)(at) = n
	}
	if !fits {
		return fmt.Errorf("%d is too large for %v", n, f.typ)
	}
	return nil
}

func (f *form) setUint(at unsafe.Pointer, n uint64) error {
	fits := true
	switch f.size {
	case 1:
		*(*uint8)(at), fits = uint8(n), n <= math.MaxUint8
	case 2:
		*(*uint16)(at), fits = uint16(n), n <= math.MaxUint16
	case 4:
		*(*uint32)(at), fits = uint32(n), n <= math.MaxUint32
	default:
		*(*uint64)(at) = n
	}
	if !fits {
		return fmt.Errorf("%d is too large for %v", n, f.typ)
	}
	return nil
}

// readSparse reads fields by their numbers, which ascend.
func (f *form) readSparse(data []byte, h *heard, at unsafe.Pointer) (rest []byte, err error) {
	n, rest, err := readCount(data, cborMap, "a map of fields")
	if err != nil {
		return nil, err
	}
	last := uint64(0)
	for range n {
		var major byte
		var number uint64
		before := rest
		if major, number, rest, err = head(rest); err != nil {
			return nil, err
		}
		if major != cborUint {
			return nil, wrongItem{before[0], "the number of a field"}
		}
		if number <= last || number > uint64(len(f.fields)) {
			return nil, fmt.Errorf("the field %d of %d after %d", number, len(f.fields), last)
		}
		last = number
		field := &f.fields[number-1]
		if rest, err = field.read(rest, h, unsafe.Add(at, field.offset)); err != nil {
			return nil, inField(err, field.name)
		}
	}
	return rest, nil
}

// readValue reads what is not read in place.
func (f *form) readValue(data []byte, h *heard, v reflect.Value) (rest []byte, err error) {
	switch f.kind {
	case formFloat:
		if data[0] != cborFloat {
			return nil, wrongItem{data[0], "a float of eight bytes"}
		}
		if len(data) < 9 {
			return nil, errShort
		}
		v.SetFloat(math.Float64frombits(binary.BigEndian.Uint64(data[1:])))
		return data[9:], nil
	case formText:
		text, rest, err := readBytes(data)
		if err != nil {
			return nil, err
		}
		return rest, v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText(text)
	case formMap:
		return f.readMap(data, h, v)
	}
	n, rest, err := readCount(data, cborArray, "a list")
	if err != nil {
		return nil, err
	}
	if f.kind == formSlice {
		v.Set(reflect.MakeSlice(f.typ, n, n))
	} else if n != v.Len() {
		return nil, fmt.Errorf("%d entries instead of %d", n, v.Len())
	}
	if n == 0 {
		return rest, nil
	}
	first := v.Index(0).Addr().UnsafePointer()
	for i := range n {
		if rest, err = f.elem.read(rest, h, unsafe.Add(first, uintptr(i)*f.elem.size)); err != nil {
			return nil, inField(err, fmt.Sprintf("[%d]", i))
		}
	}
	return rest, nil
}

// readMap refuses keys that come twice.
func (f *form) readMap(data []byte, h *heard, v reflect.Value) (rest []byte, err error) {
	n, rest, err := readCount(data, cborMap, "a map")
	if err != nil {
		return nil, err
	}
	v.Set(reflect.MakeMapWithSize(f.typ, min(n, len(rest)/2)))
	for range n {
		var name []byte
		if name, rest, err = readBytes(rest); err != nil {
			return nil, err
		}
		key, elem := reflect.New(f.typ.Key()).Elem(), reflect.New(f.typ.Elem())
		key.SetString(string(name))
		if v.MapIndex(key).IsValid() {
			return nil, fmt.Errorf("%q is there twice", name)
		}
		if rest, err = f.elem.read(rest, h, elem.UnsafePointer()); err != nil {
			return nil, inField(err, fmt.Sprintf("[%q]", name))
		}
		v.SetMapIndex(key, elem.Elem())
	}
	return rest, nil
}
