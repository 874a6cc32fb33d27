package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"iter"
	"reflect"
	"sync"
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
// maps with names (measured in BenchmarkCodec).
//
// The value of a map keeps its own type, and so its names: that two map types
// with mirrored values share a layout is nowhere promised.

// mirror makes the type through which the codec sees t. It is t itself where
// nothing needs a tag.
func mirror(t reflect.Type) reflect.Type {
	if f := forms[t]; f != nil {
		return f
	}
	switch t.Kind() {
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
	made := []reflect.StructField{{
		Name: "_", PkgPath: "bst/impl/wire", Type: reflect.TypeFor[struct{}](), Tag: `cbor:",toarray"`,
	}}
	for f := range fields(t) {
		m := reflect.StructField{Name: f.Name, Type: mirror(f.Type)}
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
}

// tables are the plans of all listed types.
type tables struct {
	byNumber [256]*plan
	byType   map[reflect.Type]*plan
	schema   string
}

// plans makes the tables once, after Check passed.
var plans = sync.OnceValues(func() (*tables, error) {
	if err := Check(); err != nil {
		return nil, err
	}
	t := &tables{byType: make(map[reflect.Type]*plan)}
	digest := sha256.New()
	for _, list := range [][]entry{orders, events} {
		for i := range list {
			e := &list[i]
			p := &plan{entry: e, mirror: mirror(e.typ)}
			if err := sameLayout(e.typ, p.mirror); err != nil {
				return nil, err
			}
			t.byNumber[e.number] = p
			t.byType[reflect.PointerTo(e.typ)] = p
			fmt.Fprintf(digest, "%d ", e.number)
			describe(digest, e.typ)
		}
	}
	t.schema = hex.EncodeToString(digest.Sum(nil)[:8])
	return t, nil
})

// describe writes all that an encoding depends on.
func describe(to hash.Hash, t reflect.Type) {
	switch {
	case forms[t] != nil:
		fmt.Fprintf(to, "%v ", forms[t])
	case t.Kind() == reflect.Struct:
		fmt.Fprintf(to, "%v{", t)
		for f := range fields(t) {
			fmt.Fprintf(to, "%s:%v ", f.Name, staysHome(f))
			if !staysHome(f) {
				describe(to, f.Type)
			}
		}
		fmt.Fprint(to, "}")
	case t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Array || t.Kind() == reflect.Map:
		fmt.Fprintf(to, "%v ", t.Kind())
		describe(to, t.Elem())
	default:
		fmt.Fprintf(to, "%v ", t.Kind())
	}
}

// view gives the pointer v as a pointer of the mirror's type.
func (p *plan) view(v reflect.Value) any {
	return reflect.NewAt(p.mirror, v.UnsafePointer()).Interface()
}

// fresh makes a value and gives it as its own pointer type and as its mirror's.
func (p *plan) fresh() (value, view any) {
	v := reflect.New(p.typ)
	return v.Interface(), reflect.NewAt(p.mirror, v.UnsafePointer()).Interface()
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
