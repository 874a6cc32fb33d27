package wire

import (
	"fmt"
	"iter"
	"reflect"
	"sync"
	"unsafe"

	"bst/impl/stream"
)

// A struct crosses as an array of its fields in order, without their names:
// half the size and two thirds of the time of a map with names, and as safe,
// because both ends compare a digest of all listed types before anything else
// (Schema). The codec wants that said by a tag in each struct; package stream
// shall not know a codec; so the tagged struct is made here, from the plain one:
// its mirror, which has the same fields in the same places and differs in its
// tags alone. A value is read and written through a pointer of its mirror's type.
//
// Rejected: tags or numbers in package stream (a contract that repeats the
// codec's business on 150 fields); generated types (one more thing to forget);
// maps with names (measured in bench/codecs).
//
// The value of a map keeps its own type, and so its names: that two map types
// with mirrored values share a layout is nowhere promised.

// sparse are structs most of whose fields are zero most of the time: they cross as a
// map, from the number of a field to its value, without those that are zero. A line of
// bst show then takes 0.8 µs to decode instead of 1.2; a struct with more of its fields
// set would take longer.
var sparse = map[reflect.Type]bool{reflect.TypeFor[stream.ElementShown](): true}

// mirror makes the type through which the codec sees t. It is t itself where
// nothing needs a tag.
func mirror(t reflect.Type) reflect.Type {
	if f := forms[t]; f != nil {
		return f
	}
	switch t.Kind() {
	case reflect.String:
		if m, u := hasText(t); !m && !u {
			return reflect.TypeFor[text]()
		}
	case reflect.Pointer:
		if m := mirror(t.Elem()); m != t.Elem() {
			return reflect.PointerTo(m)
		}
	case reflect.Slice:
		if m := mirror(t.Elem()); m != t.Elem() {
			return reflect.SliceOf(m)
		}
	case reflect.Array:
		if m := mirror(t.Elem()); m != t.Elem() {
			return reflect.ArrayOf(t.Len(), m)
		}
	case reflect.Struct:
		if m, u := hasText(t); m && u {
			return t
		}
		return mirrorStruct(t)
	}
	return t
}

func mirrorStruct(t reflect.Type) reflect.Type {
	// The codec reads the option off a field named _, which takes no room.
	made := []reflect.StructField{{Name: "_", PkgPath: "bst/impl/wire", Type: reflect.TypeFor[struct{}]()}}
	if !sparse[t] {
		made[0].Tag = `cbor:",toarray"`
	}
	for f := range fields(t) {
		m := reflect.StructField{Name: f.Name, Type: mirror(f.Type)}
		if sparse[t] {
			m.Tag = reflect.StructTag(fmt.Sprintf(`cbor:"%d,keyasint,omitzero"`, len(made)))
		}
		if staysHome(f) {
			m.Type, m.Tag = f.Type, `cbor:"-"`
		}
		if !f.IsExported() {
			m.PkgPath = f.PkgPath
		}
		made = append(made, m)
	}
	return reflect.StructOf(made)
}

// sameLayout tells whether a pointer to t may be read as a pointer to its
// mirror m: the condition of package unsafe's first rule.
func sameLayout(t, m reflect.Type) error {
	if t.Size() != m.Size() || t.Align() != m.Align() || t.Kind() != m.Kind() {
		return fmt.Errorf("%v and its mirror differ in size", t)
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return sameLayout(t.Elem(), m.Elem())
	case reflect.Struct:
		if forms[t] != nil || t == m {
			return nil
		}
		for i := range t.NumField() {
			f, g := t.Field(i), m.Field(i+1)
			if f.Name != g.Name || f.Offset != g.Offset {
				return fmt.Errorf("%v.%s is not where its mirror has it", t, f.Name)
			}
			if err := sameLayout(f.Type, g.Type); err != nil {
				return err
			}
		}
	}
	return nil
}

// needsPlan tells whether a type holds what the codec cannot treat rightly
// without its mirror: a time, or a field that stays home.
func needsPlan(t reflect.Type) bool {
	if forms[t] != nil {
		return true
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return needsPlan(t.Elem())
	case reflect.Struct:
		for f := range fields(t) {
			if staysHome(f) || needsPlan(f.Type) {
				return true
			}
		}
	}
	return false
}

// plan is how the values of one listed type are encoded.
type plan struct {
	*entry
	mirror reflect.Type
	// none is a nil pointer to the mirror.
	none any
}

// newPlan makes it. Making a mirror costs some 30 µs: all of them would be a
// third of what it takes to start bst and its backend.
func newPlan(e *entry) (*plan, error) {
	m := mirror(e.typ)
	if err := sameLayout(e.typ, m); err != nil {
		return nil, err
	}
	return &plan{entry: e, mirror: m, none: reflect.Zero(reflect.PointerTo(m)).Interface()}, nil
}

// tables find the plans of all listed types, each of which is made when the first
// value of its type crosses.
type tables struct {
	byNumber [256]func() (*plan, error)
	byType   map[reflect.Type]func() (*plan, error)
}

func (t *tables) add(e *entry) {
	get := sync.OnceValues(func() (*plan, error) { return newPlan(e) })
	t.byNumber[e.number] = get
	t.byType[reflect.PointerTo(e.typ)] = get
}

// plans makes the tables once.
var plans = sync.OnceValue(func() *tables {
	t := &tables{byType: make(map[reflect.Type]func() (*plan, error), len(orders)+len(events))}
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
const schema = "3159c42c0cbe71e2"

// view gives a pointer to a value of the plan's type as a pointer of its mirror's
// type. It is what reflect.NewAt(mirror, at).Interface() gives, and that looks the
// pointer's type up in a table each time, twice an event: none has it already, and
// the second word of an interface that holds a pointer is the pointer.
func (p *plan) view(at unsafe.Pointer) any {
	v := p.none
	(*[2]unsafe.Pointer)(unsafe.Pointer(&v))[1] = at
	return v
}

// fresh makes a value and gives it as its own pointer type and as its mirror's.
func (p *plan) fresh() (value, view any) {
	v := reflect.New(p.typ)
	return v.Interface(), p.view(v.UnsafePointer())
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
