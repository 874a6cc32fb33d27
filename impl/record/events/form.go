// Package events writes and reads the file of --events: a line of JSON for each
// event of a session. docs/events.md is the schema.
//
// It knows every event's fields and their names in JSON, which it derives from
// the types that impl/wire lists. It does not know what they mean, nor where the
// file lies.
package events

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"
	"unicode"

	"bst/impl/stream"
	"bst/impl/wire"
)

// Schema and Version head a file. The version grows when a type or field goes
// away or comes to mean something else; what is added leaves it as it is, and
// readers pass over what they do not know.
const (
	Schema  = "bst.events"
	Version = 1
)

// words are the enumerations, which JSON has by name.
var words = map[reflect.Type][]string{
	reflect.TypeFor[stream.ShownWhere]():     {"show", "pipeline", "resolved"},
	reflect.TypeFor[stream.JobStatus]():      {"succeeded", "skipped", "failed", "retried", "terminated"},
	reflect.TypeFor[stream.SchedulerState](): {"loading", "running", "held", "quitting", "terminating", "suspended"},
}

// The enumerations' forms: the same number in memory, its name in JSON.
type (
	shownWhere     stream.ShownWhere
	jobStatus      stream.JobStatus
	schedulerState stream.SchedulerState
)

var enums = map[reflect.Type]reflect.Type{
	reflect.TypeFor[stream.ShownWhere]():     reflect.TypeFor[shownWhere](),
	reflect.TypeFor[stream.JobStatus]():      reflect.TypeFor[jobStatus](),
	reflect.TypeFor[stream.SchedulerState](): reflect.TypeFor[schedulerState](),
}

func (e shownWhere) MarshalText() ([]byte, error) { return word[stream.ShownWhere](uint8(e)) }
func (e jobStatus) MarshalText() ([]byte, error)  { return word[stream.JobStatus](uint8(e)) }
func (e schedulerState) MarshalText() ([]byte, error) {
	return word[stream.SchedulerState](uint8(e))
}

func (e *shownWhere) UnmarshalText(text []byte) error {
	return number[stream.ShownWhere]((*uint8)(e), text)
}

func (e *jobStatus) UnmarshalText(text []byte) error {
	return number[stream.JobStatus]((*uint8)(e), text)
}

func (e *schedulerState) UnmarshalText(text []byte) error {
	return number[stream.SchedulerState]((*uint8)(e), text)
}

func word[T any](n uint8) ([]byte, error) {
	list := words[reflect.TypeFor[T]()]
	if int(n) >= len(list) {
		return nil, fmt.Errorf("%v %d has no name in the schema", reflect.TypeFor[T](), n)
	}
	return []byte(list[n]), nil
}

func number[T any](to *uint8, text []byte) error {
	for i, w := range words[reflect.TypeFor[T]()] {
		if w == string(text) {
			*to = uint8(i)
			return nil
		}
	}
	return fmt.Errorf("%q is no %s", text, reflect.TypeFor[T]().Name())
}

// The contract has no tags (docs/design.md, "The wire"), so JSON sees each type
// through a mirror: a struct with the same fields in the same places and a name
// in JSON for each.

// mirror makes the type through which JSON sees t.
func mirror(t reflect.Type) reflect.Type {
	if e := enums[t]; e != nil {
		return e
	}
	switch t.Kind() {
	case reflect.Pointer:
		return reflect.PointerTo(mirror(t.Elem()))
	case reflect.Slice:
		return reflect.SliceOf(mirror(t.Elem()))
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			return t
		}
		made := make([]reflect.StructField, t.NumField())
		for i := range made {
			f := t.Field(i)
			tag := name(f)
			if enums[f.Type] == nil {
				tag += ",omitzero"
			}
			if f.Tag.Get("wire") == "-" {
				tag = "-" // what does not cross is not told either
			}
			made[i] = reflect.StructField{Name: f.Name, Type: mirror(f.Type), Tag: reflect.StructTag(`json:"` + tag + `"`)}
		}
		return reflect.StructOf(made)
	}
	return t
}

// name is a field's name in JSON: LogPath is log_path, and times in nanoseconds
// say so.
func name(f reflect.StructField) string {
	var b strings.Builder
	runes := []rune(f.Name)
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[time.Duration]() {
		b.WriteString("_ns")
	}
	return b.String()
}

// kind is an event's type and its mirror.
type kind struct {
	name        string
	typ, mirror reflect.Type
}

// all are all events. They are made when one is written or read: half a
// millisecond, which a command that records nothing does not have to spend.
type all struct {
	byType map[reflect.Type]*kind // of pointers
	byName map[string]*kind
}

var kinds = sync.OnceValue(func() all {
	a := all{byType: make(map[reflect.Type]*kind), byName: make(map[string]*kind)}
	for _, t := range wire.EventTypes() {
		k := &kind{t.Name(), t, mirror(t)}
		a.byType[reflect.PointerTo(t)], a.byName[k.name] = k, k
	}
	return a
})

// view gives the pointer v as a pointer of the mirror's type.
func (k *kind) view(v reflect.Value) any {
	return reflect.NewAt(k.mirror, v.UnsafePointer()).Interface()
}
