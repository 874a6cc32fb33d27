package wire

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Check refuses types; a value of a type that crosses may still be one that does
// not: a list that the other end would not accept, a time that has no form. It
// is looked at where it was refused, to say which of its fields did it, and each
// time where a trace is written: a developer's session (trace.go).

// ValueError says what in a value cannot cross.
type ValueError struct {
	// Refused are "path: what it is: what would cross".
	Refused []string
}

func (e *ValueError) Error() string {
	return "these values cannot cross between backend and frontend:\n  " + strings.Join(e.Refused, "\n  ")
}

// checkValue walks an order or event and names every path to what cannot cross.
func checkValue(value any) error {
	v := reflect.ValueOf(value)
	if byType[v.Type()] == nil {
		return &ValueError{[]string{fmt.Sprintf("%T: it is not listed in impl/wire/list.go: give it a row", value)}}
	}
	if v.IsNil() {
		return &ValueError{[]string{fmt.Sprintf("%T: nil: send a value", value)}}
	}
	w := valueWalker{}
	w.walk(&place{name: v.Elem().Type().Name()}, v.Elem())
	if len(w.refused) == 0 {
		return nil
	}
	if more := len(w.refused) - maxRefusals; more > 0 {
		w.refused = append(w.refused[:maxRefusals], fmt.Sprintf("and %d more", more))
	}
	return &ValueError{w.refused}
}

type valueWalker struct{ refused []string }

// place is how a value is reached. Large values have millions of them: it is text
// only where something is refused.
type place struct {
	in    *place
	name  string        // the type's or field's, or
	key   reflect.Value // a map's, or
	index int           // a list's
}

func (p *place) String() string {
	switch {
	case p.in == nil:
		return p.name
	case p.name != "":
		return p.in.String() + "." + p.name
	case p.key.IsValid():
		return fmt.Sprintf("%v[%q]", p.in, p.key)
	}
	return fmt.Sprintf("%v[%d]", p.in, p.index)
}

func (w *valueWalker) refuse(p *place, format string, args ...any) {
	w.refused = append(w.refused, p.String()+": "+fmt.Sprintf(format, args...))
}

func (w *valueWalker) walk(p *place, v reflect.Value) {
	switch t := v.Type(); {
	case t == reflect.TypeFor[time.Time]():
		if _, err := appendTime(nil, v.Interface().(time.Time)); err != nil {
			w.refuse(p, "%v: %v", v.Interface(), err)
		}
		return
	case t.Kind() != reflect.Pointer && t.Implements(textMarshaler):
		if _, err := v.Interface().(encoding.TextMarshaler).MarshalText(); err != nil {
			w.refuse(p, "%v: its MarshalText fails: %v", t, err)
		}
		return
	}
	switch v.Kind() {
	case reflect.String:
		if v.Len() > maxFrame {
			w.refuse(p, "a text of %d bytes: at most %d cross", v.Len(), maxFrame)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			w.walk(p, v.Elem())
		}
	case reflect.Slice, reflect.Array:
		if w.tooMany(p, v.Len()) {
			return
		}
		for i := range v.Len() {
			w.walk(&place{in: p, index: i}, v.Index(i))
		}
	case reflect.Map:
		if w.tooMany(p, v.Len()) {
			return
		}
		for i := v.MapRange(); i.Next(); {
			w.walk(&place{in: p, key: i.Key()}, i.Value())
		}
	case reflect.Struct:
		t := v.Type()
		for i := range t.NumField() {
			switch f := v.Field(i); f.Kind() {
			case reflect.Struct, reflect.Slice, reflect.Array, reflect.Map, reflect.Pointer, reflect.String:
				if field := t.Field(i); !staysHome(field) {
					w.walk(&place{in: p, name: field.Name}, f)
				}
			default: // of a kind that always crosses
				if field := t.Field(i); field.Type.Implements(textMarshaler) && !staysHome(field) {
					w.walk(&place{in: p, name: field.Name}, f)
				}
			}
		}
	}
}

func (w *valueWalker) tooMany(p *place, n int) bool {
	if n > maxElements {
		w.refuse(p, "%d entries: at most %d cross", n, maxElements)
	}
	return n > maxElements
}
