package wire

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"bst/impl/stream"
)

func TestText(t *testing.T) {
	long := strings.Repeat("x", 70000)
	for _, test := range []struct {
		name string
		data []byte
		want string
		ok   bool
	}{
		{"null", []byte{0xf6}, "", true},
		{"empty", []byte{0x40}, "", true},
		{"short", []byte("\x43abc"), "abc", true},
		{"not UTF-8", []byte("\x42\xff\x00"), "\xff\x00", true},
		{"one byte of length", append([]byte{0x58, 200}, long[:200]...), (long[:200]), true},
		{"two", append([]byte{0x59, 1, 0}, long[:256]...), (long[:256]), true},
		{"four", append([]byte{0x5a, 0, 1, 0x11, 0x70}, long...), (long), true},
		{"eight", append([]byte{0x5b, 0, 0, 0, 0, 0, 0, 0, 1}, 'a'), "a", true},
		{"a text string", []byte("\x63abc"), "", false},
		{"a number", []byte{0x01}, "", false},
		{"a list", []byte{0x81, 0x41, 'a'}, "", false},
		{"of no known length", []byte{0x5f, 0x41, 'a', 0xff}, "", false},
		{"nothing", nil, "", false},
		{"half a length", []byte{0x59, 1}, "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := formOf(reflect.TypeFor[string]())
			if err != nil {
				t.Fatal(err)
			}
			var got string
			_, err = f.read(test.data, new(heard), unsafe.Pointer(&got))
			if (err == nil) != test.ok || test.ok && got != test.want {
				t.Errorf("%.20q, %v", got, err)
			}
		})
	}
}

// What comes twice is kept once, and is not the reader's buffer.
func TestTextIsShared(t *testing.T) {
	var frame bytes.Buffer
	if err := Encode(&frame, &stream.Message{Element: "components/one.bst"}); err != nil {
		t.Fatal(err)
	}
	var got [2]string
	for i := range got {
		value, err := Decode(frame.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		got[i] = value.(*stream.Message).Element
	}
	for i := range frame.Bytes() {
		frame.Bytes()[i] = 0
	}
	if got[0] != "components/one.bst" || unsafe.StringData(got[0]) != unsafe.StringData(got[1]) {
		t.Errorf("%q and %q", got[0], got[1])
	}
}
