package wire

import (
	"reflect"
	"strings"
	"testing"

	"bst/impl/stream"
)

// odd has a field of each kind that a form treats in a way of its own.
type odd struct {
	Yes   bool
	Small int8
	Byte  uint8
	Half  float32
	Two   [2]int16
	Names map[string]int
	Ptr   *uint16
}

// What a well-meaning other end never sends is refused, with the field's name.
func TestDecodeRefuses(t *testing.T) {
	f, err := formOf(reflect.TypeFor[odd]())
	if err != nil {
		t.Fatal(err)
	}
	shown, err := formOf(reflect.TypeFor[stream.ElementShown]())
	if err != nil {
		t.Fatal(err)
	}
	fields := func(at int, item string) string { // the other fields are null
		all := strings.Split(strings.Repeat("\xf6", 7), "")
		all[at] = item
		return "\x87" + strings.Join(all, "")
	}
	for _, test := range []struct {
		name string
		form *form
		data string
		want string // in the error, "" where it is read
	}{
		{"nulls", f, fields(0, "\xf6"), ""},
		{"a number for a bool", f, fields(0, "\x01"), "Yes: CBOR of major type 0"},
		{"127", f, fields(1, "\x18\x7f"), ""},
		{"128", f, fields(1, "\x18\x80"), "Small: 128 is too large for int8"},
		{"-129", f, fields(1, "\x38\x80"), "Small: -129 is too large"},
		{"255", f, fields(2, "\x18\xff"), ""},
		{"256", f, fields(2, "\x19\x01\x00"), "Byte: 256 is too large for uint8"},
		{"-1", f, fields(2, "\x20"), "Byte: CBOR of major type 1"},
		{"half a float", f, fields(3, "\xfb\x00"), "Half: it ends too early"},
		{"a float of two bytes", f, fields(3, "\xf9\x00\x00"), "Half: simple value 25"},
		{"an array of two", f, fields(4, "\x82\x01\x02"), ""},
		{"of three", f, fields(4, "\x83\x01\x02\x03"), "Two: 3 entries instead of 2"},
		{"a text in it", f, fields(4, "\x82\x01\x41a"), "Two.[1]: CBOR of major type 2"},
		{"a map", f, fields(5, "\xa2\x41a\x01\x41b\x02"), ""},
		{"a key twice", f, fields(5, "\xa2\x41a\x01\x41a\x02"), `Names: "a" is there twice`},
		{"a key that is no byte string", f, fields(5, "\xa1\x61a\x01"), "Names: CBOR of major type 3"},
		{"behind a pointer", f, fields(6, "\x1a\x00\x01\x00\x00"), "Ptr: 65536 is too large for uint16"},
		{"too few fields", f, "\x81\xf6", "1 fields instead of 7"},
		{"a map for a struct", f, "\xa0", "a list of fields"},
		{"cut", f, "\x87\xf5", "it ends too early"},
		{"sparse", shown, "\xa2\x02\x41a\x03\x41b", ""},
		{"sparse, out of order", shown, "\xa2\x03\x41a\x02\x41b", "after 3"},
		{"sparse, twice", shown, "\xa2\x02\x41a\x02\x41b", "after 2"},
		{"sparse, none such", shown, "\xa1\x18\x63\x41a", "the field 99"},
		{"sparse, a name", shown, "\xa1\x41a\x41b", "the number of a field"},
	} {
		v := reflect.New(test.form.typ)
		rest, err := test.form.read([]byte(test.data), new(heard), v.UnsafePointer())
		switch {
		case test.want == "" && (err != nil || len(rest) > 0):
			t.Errorf("%s: %v, %d bytes are left", test.name, err, len(rest))
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
	}
}
