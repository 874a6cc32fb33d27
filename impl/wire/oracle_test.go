package wire

import (
	"bytes"
	"encoding"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
)

// plain is what a value is in CBOR, in the terms of the library that knows CBOR:
// written down a second time, from what encode.go and form.go promise.
func plain(v reflect.Value) any {
	t := v.Type()
	if t == reflect.TypeFor[time.Time]() {
		if when := v.Interface().(time.Time); !when.IsZero() {
			return when.UnixNano()
		}
		return nil
	}
	if m, ok := v.Interface().(encoding.TextMarshaler); ok && t.Kind() != reflect.Pointer {
		text, err := m.MarshalText()
		if err != nil {
			panic(err)
		}
		return text
	}
	switch v.Kind() {
	case reflect.String:
		return []byte(v.String())
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return plain(v.Elem())
	case reflect.Slice:
		if v.IsNil() {
			return nil
		}
		list := make([]any, v.Len())
		for i := range list {
			list[i] = plain(v.Index(i))
		}
		return list
	case reflect.Map:
		if v.IsNil() {
			return nil
		}
		m := make(map[cbor.ByteString]any)
		for i := v.MapRange(); i.Next(); {
			m[cbor.ByteString(i.Key().String())] = plain(i.Value())
		}
		return m
	case reflect.Struct:
		list := []any{}
		some := make(map[int]any)
		for i := range v.NumField() {
			if staysHome(t.Field(i)) {
				continue
			}
			list = append(list, plain(v.Field(i)))
			if !v.Field(i).IsZero() {
				some[len(list)] = list[len(list)-1]
			}
		}
		if sparse[t] {
			return some
		}
		return list
	}
	return v.Interface()
}

// What the library says of the same value is the same bytes, and it reads ours as
// that value. One map at most has one entry here: their order is free.
func TestTheLibraryAgrees(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	mode, err := cbor.EncOptions{Sort: cbor.SortCoreDeterministic}.EncMode()
	if err != nil {
		t.Fatal(err)
	}
	reader, err := cbor.DecOptions{MapKeyByteString: cbor.MapKeyByteStringAllowed, DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden}.DecMode()
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range [][]entry{orders, events} {
		for _, e := range list {
			for i := range 60 {
				v := reflect.New(e.typ)
				switch {
				case i > 30:
					fill(r, v.Elem(), 0)
				case i > 0: // some of its fields
					for j := range v.Elem().NumField() {
						if r.IntN(3) == 0 {
							fill(r, v.Elem().Field(j), 0)
						}
					}
				}
				var ours bytes.Buffer
				if err := appendTo(testTables(t), &ours, v.Interface()); err != nil {
					t.Fatal(err)
				}
				want, err := mode.Marshal(plain(v.Elem()))
				if err != nil {
					t.Fatal(err)
				}
				var got, expected any
				if err := reader.Unmarshal(ours.Bytes()[1:], &got); err != nil {
					t.Fatalf("%s: the library does not read % x: %v", e.name, ours.Bytes(), err)
				}
				if err := reader.Unmarshal(want, &expected); err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(expected, got) {
					t.Fatalf("%s: (-library +ours):\n%s", e.name, cmp.Diff(expected, got))
				}
				if ours.Len()-1 != len(want) {
					t.Fatalf("%s: %d bytes, the library's are %d", e.name, ours.Len()-1, len(want))
				}
			}
		}
	}
}

// What is read, the library reads too, and says that nothing follows where nothing
// does.
func FuzzTheLibraryAgrees(f *testing.F) {
	tab := testTables(f)
	for _, v := range mix() {
		var one bytes.Buffer
		if err := appendTo(tab, &one, v); err != nil {
			f.Fatal(err)
		}
		f.Add(one.Bytes())
	}
	for _, e := range orders {
		v := reflect.New(e.typ)
		fill(rand.New(rand.NewPCG(7, 8)), v.Elem(), 0)
		var one bytes.Buffer
		if err := appendTo(tab, &one, v.Interface()); err != nil {
			f.Fatal(err)
		}
		f.Add(one.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		value, rest, err := tab.readValue(data, new(heard))
		if err != nil {
			return
		}
		if err := cbor.Wellformed(data[1 : len(data)-len(rest)]); err != nil {
			t.Fatalf("%#v was read from % x: %v", value, data, err)
		}
		var again bytes.Buffer
		if err := appendTo(tab, &again, value); err != nil {
			t.Fatalf("%#v arrived and cannot be sent: %v", value, err)
		}
		twice, _, err := tab.readValue(again.Bytes(), new(heard))
		if err != nil {
			t.Fatalf("%#v cannot be read again: %v", value, err)
		}
		if diff := cmp.Diff(value, twice, sameTime, cmp.Comparer(func(a, b float64) bool { return a == b || a != a && b != b })); diff != "" {
			t.Fatalf("(-first +second):\n%s", diff)
		}
	})
}
