package wire

import (
	"encoding"
	"fmt"
	"iter"
	"reflect"
	"sync"
	"time"

	"bst/impl/stream"
)

// A struct crosses as an array of its fields in order, without their names:
// half the size and two thirds of the time of a map with names, and as safe,
// because both ends compare a digest of all listed types before anything else
// (schema).
//
// How a field crosses that does not cross as it stands:
//
//   - A field with the tag wire:"-" stays home: it arrives as its zero value.
//   - A type with the methods MarshalText and UnmarshalText crosses as that text.
//     They stand beside the type's declaration and need no import of this package.
//   - A time crosses as nanoseconds (unixNano).
//   - A type with the method NeverCrosses() string is refused by Check wherever
//     it turns up; the string says why, or what to send in its place.
//
// A form is worked out once from a type, and values are written and read by it in
// place, at the addresses of their fields. Rejected: a library for CBOR, which was
// here before (fxamacker/cbor takes 2.7 times as long for an event on both ends, a
// third of what a backend of its own cost a build); generated code (one more thing
// to forget); numbers or tags in package stream (a contract that repeats the
// codec's business on 150 fields). The library says in tests what is right.

// sparse are structs most of whose fields are zero most of the time: they cross as a
// map, from the number of a field to its value, without those that are zero.
var sparse = map[reflect.Type]bool{reflect.TypeFor[stream.ElementShown](): true}

// formKind says how a form is written: what else the form has depends on it.
type formKind uint8

const (
	formBool formKind = iota
	formInt           // typ's size says which
	formUint          // as well
	formFloat
	formString  // text that is shared (share)
	formTime    // unixNano
	formText    // by its MarshalText
	formPointer // to elem
	formSlice   // of elem
	formArray   // of elem
	formMap     // from strings to elem
	formStruct  // an array of fields
	formSparse  // a map of fields
)

// form is how the values of a type cross.
type form struct {
	kind   formKind
	typ    reflect.Type
	size   uintptr
	elem   *form
	fields []formField
}

// formField is a field that crosses.
type formField struct {
	*form
	offset uintptr
	name   string
}

// formOf works out the form of a type that Check has nothing against. Listed types
// do not contain themselves.
func formOf(t reflect.Type) (*form, error) {
	f := &form{typ: t, size: t.Size()}
	if t == reflect.TypeFor[time.Time]() {
		f.kind = formTime
		return f, nil
	}
	if k := t.Kind(); k != reflect.Pointer && k != reflect.Interface {
		if m, u := hasText(t); m && u {
			f.kind = formText
			return f, nil
		}
	}
	switch t.Kind() {
	case reflect.Bool:
		f.kind = formBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		f.kind = formInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		f.kind = formUint
	case reflect.Float32, reflect.Float64:
		f.kind = formFloat
	case reflect.String:
		f.kind = formString
	case reflect.Pointer:
		f.kind = formPointer
	case reflect.Slice:
		f.kind = formSlice
	case reflect.Array:
		f.kind = formArray
	case reflect.Map:
		f.kind = formMap
	case reflect.Struct:
		return f, f.addFields()
	default:
		return nil, fmt.Errorf("%v cannot cross", t)
	}
	if f.kind >= formPointer {
		var err error
		if f.elem, err = formOf(t.Elem()); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *form) addFields() error {
	f.kind = formStruct
	if sparse[f.typ] {
		f.kind = formSparse
	}
	for field := range fields(f.typ) {
		if staysHome(field) {
			continue
		}
		of, err := formOf(field.Type)
		if err != nil {
			return fmt.Errorf("%s: %w", field.Name, err)
		}
		f.fields = append(f.fields, formField{of, field.Offset, field.Name})
	}
	return nil
}

// fields yields a struct's fields in order.
func fields(t reflect.Type) iter.Seq[reflect.StructField] {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if !yield(t.Field(i)) {
				return
			}
		}
	}
}

// neverCrosses is what a type says that must stay in its process.
type neverCrosses interface{ NeverCrosses() string }

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

// plan is how the values of one listed type cross.
type plan struct {
	*entry
	*form
}

// tables find the plans of all listed types, each of which is made when the first
// value of its type crosses: all of them take some 100 µs.
type tables struct {
	byNumber [256]func() (plan, error)
	byType   map[reflect.Type]func() (plan, error)
}

func (t *tables) add(e *entry) {
	get := sync.OnceValues(func() (plan, error) {
		f, err := formOf(e.typ)
		return plan{e, f}, err
	})
	t.byNumber[e.number] = get
	t.byType[reflect.PointerTo(e.typ)] = get
}

// plans makes the tables once.
var plans = sync.OnceValue(func() *tables {
	t := &tables{byType: make(map[reflect.Type]func() (plan, error), len(orders)+len(events))}
	for _, list := range [][]entry{orders, events} {
		for i := range list {
			t.add(&list[i])
		}
	}
	return t
})

// schema is a digest of all that the encoding of the listed types depends on. Ends
// whose schemas differ do not speak to each other. It is not worked out in every
// process: TestSchema does, and tells what to write here.
const schema = "f8efdf5ef386f05d"
