package wire

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

// Check walks every listed type and refuses what cannot cross, naming every
// path that leads there and what to do. It runs in a test, and in a backend before
// its first session, so that a developer who adds a field learns at once; not in
// frontends, which are of the same build and start as often as a person types.
var Check = sync.OnceValue(func() error {
	var roots []reflect.Type
	for _, list := range [][]entry{orders, events} {
		for _, e := range list {
			roots = append(roots, e.typ)
		}
	}
	return check(roots, parts)
})

// CheckError says what cannot cross.
type CheckError struct {
	// Refused are "path: what it is: what to do", in the order of the list.
	Refused []string
}

func (e *CheckError) Error() string {
	return "these fields cannot cross between backend and frontend:\n  " + strings.Join(e.Refused, "\n  ")
}

// maxRefusals bounds what one error tells: a field that leads into the graph of
// elements leads to hundreds of things that cannot cross.
const maxRefusals = 40

func check(roots, parts []reflect.Type) error {
	c := checker{
		listed:   make(map[reflect.Type]bool),
		clean:    make(map[reflect.Type]bool),
		unlisted: make(map[reflect.Type]bool),
		never:    make(map[reflect.Type][]string),
	}
	for _, list := range [][]reflect.Type{roots, parts} {
		for _, t := range list {
			c.listed[t] = true
		}
	}
	for _, t := range roots {
		c.walk(path{t.Name()}, t)
	}
	if more := len(c.refused) - maxRefusals; more > 0 {
		c.refused = append(c.refused[:maxRefusals], fmt.Sprintf("and %d more", more))
	}
	for _, t := range c.neverOrder {
		why := reflect.New(t).Interface().(neverCrosses).NeverCrosses()
		c.refused = append(c.refused, fmt.Sprintf("%v never crosses (%s); it is referred to by %s",
			t, why, strings.Join(c.never[t], ", ")))
	}
	if len(c.refused) > 0 {
		return &CheckError{c.refused}
	}
	return nil
}

// path is how a type is reached: "JobFinished", ".Failure", "[]".
type path []string

func (p path) String() string { return strings.Join(p, "") }

func (p path) add(step string) path { return append(slices.Clip(p), step) }

// refuses finds the type that says of itself that it never crosses.
func refuses(t reflect.Type) (reflect.Type, bool) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t, t.Kind() != reflect.Interface && reflect.PointerTo(t).Implements(refuser)
}

type checker struct {
	listed map[reflect.Type]bool
	// clean holds structs below which nothing was refused: other paths to
	// them need no walk.
	clean map[reflect.Type]bool
	// open are the structs being walked, to find those that contain themselves.
	open []reflect.Type
	// unlisted are the structs without a row that were refused.
	unlisted   map[reflect.Type]bool
	refused    []string
	never      map[reflect.Type][]string
	neverOrder []reflect.Type
	bad        int
}

func (c *checker) refuse(p path, what, instead string) {
	c.bad++
	c.refused = append(c.refused, fmt.Sprintf("%v: %s: %s", p, what, instead))
}

func (c *checker) walk(p path, t reflect.Type) {
	if base, ok := refuses(t); ok {
		c.bad++
		if len(c.never[base]) == 0 {
			c.neverOrder = append(c.neverOrder, base)
		}
		c.never[base] = append(c.never[base], p.String())
		return
	}
	if t == reflect.TypeFor[time.Time]() {
		return
	}
	if t.Kind() != reflect.Interface && t.Kind() != reflect.Pointer {
		switch m, u := hasText(t); {
		case m && u:
			return
		case m || u:
			c.refuse(p, t.String()+" has one of MarshalText and UnmarshalText", "declare both or neither")
			return
		}
	}
	switch t.Kind() {
	case reflect.Bool, reflect.String,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Float32, reflect.Float64:
	case reflect.Slice, reflect.Array:
		c.walk(p.add("[]"), t.Elem())
	case reflect.Pointer:
		if t.Elem().Kind() == reflect.Pointer {
			c.refuse(p, t.String()+" (pointer to a pointer)", "send what it points to")
			return
		}
		c.walk(p, t.Elem())
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			c.refuse(p, t.String()+" (map whose keys are no strings)", "send a slice of pairs")
			return
		}
		c.walk(p.add("[key]"), t.Elem())
	case reflect.Struct:
		c.walkStruct(p, t)
	case reflect.Interface:
		if t == reflect.TypeFor[error]() {
			c.refuse(p, "error (interface)", "send stream.Error")
		} else {
			c.refuse(p, t.String()+" (interface)", "send a struct that is listed in impl/wire")
		}
	case reflect.Func:
		c.refuse(p, t.String()+" (function)", "send an order or an event in its place, or keep it home with the tag wire:\"-\"")
	case reflect.Chan:
		c.refuse(p, t.String()+" (channel)", "send an order or an event in its place, or keep it home with the tag wire:\"-\"")
	default:
		c.refuse(p, t.String()+" ("+t.Kind().String()+")", "it means something in one process only")
	}
}

func (c *checker) walkStruct(p path, t reflect.Type) {
	if c.clean[t] {
		return
	}
	switch {
	case c.listed[t]:
	case t.Name() == "":
		c.refuse(p, "a struct without a name", "give it one and list it in impl/wire/parts.go")
	case c.unlisted[t]:
		c.refuse(p, t.String()+" (a struct that is not listed)", "as above")
		return
	default:
		// What it holds is walked too: whoever lists it would hear of that next.
		c.unlisted[t] = true
		c.refuse(p, t.String()+" (a struct that is not listed)",
			"list it in impl/wire/parts.go, send what is drawn of it, or give it MarshalText and UnmarshalText")
	}
	if slices.Contains(c.open, t) {
		c.refuse(p, t.String()+" (contains itself)", "send a flat list")
		return
	}
	c.open = append(c.open, t)
	before := c.bad
	for f := range fields(t) {
		if staysHome(f) {
			continue
		}
		step := p.add("." + f.Name)
		if !f.IsExported() {
			c.refuse(step, f.Type.String()+" (unexported field)", "export it, or keep it home with the tag wire:\"-\"")
			continue
		}
		c.walk(step, f.Type)
	}
	c.open = c.open[:len(c.open)-1]
	if c.bad == before {
		c.clean[t] = true
	}
}
