package wire

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type handle struct{ fd int }

func (handle) NeverCrosses() string { return "a mount lives in one process; send its path" }

// plainPart is not listed; what is wrong in it is said along with that.
type plainPart struct {
	Name string
	Done chan bool
	Hold handle
}

type textOnly struct{ N int }

func (textOnly) MarshalText() ([]byte, error) { return nil, nil }

type badEvent struct {
	Err      error
	Any      any
	Call     func()
	Wait     chan int
	Part     *plainPart
	Again    plainPart
	Listed   []part
	ByNumber map[int]string
	Handle   *handle
	Handles  []handle
	private  int
	Home     func() `wire:"-"`
	home     int    `wire:"-"`
	Deep     **string
	Tree     tree
	Nameless struct{ A int }
	Address  uintptr
	Text     textOnly
	Times    map[string]timed
}

type part struct {
	Deeper deeper
	Fine   map[string][]string
}

type deeper struct {
	Err  error
	When time.Time
}

type tree struct{ Children []tree }

type timed struct{ When time.Time }

func TestCheckNamesEveryPath(t *testing.T) {
	_ = badEvent{private: 0, home: 0}
	_ = handle{fd: 0}
	roots := []reflect.Type{reflect.TypeFor[badEvent]()}
	parts := []reflect.Type{reflect.TypeFor[part](), reflect.TypeFor[deeper](), reflect.TypeFor[tree](), reflect.TypeFor[timed]()}
	err, ok := check(roots, parts).(*CheckError)
	if !ok {
		t.Fatal("nothing was refused")
	}
	want := []string{
		`badEvent.Err: error (interface): send stream.Error`,
		`badEvent.Any: interface {} (interface): send a struct that is listed in impl/wire`,
		`badEvent.Call: func() (function): send an order or an event in its place, or keep it home with the tag wire:"-"`,
		`badEvent.Wait: chan int (channel): send an order or an event in its place, or keep it home with the tag wire:"-"`,
		`badEvent.Part: wire.plainPart (a struct that is not listed): list it in impl/wire/parts.go, send what is drawn of it, or give it MarshalText and UnmarshalText`,
		`badEvent.Part.Done: chan bool (channel): send an order or an event in its place, or keep it home with the tag wire:"-"`,
		`badEvent.Again: wire.plainPart (a struct that is not listed): as above`,
		`badEvent.Listed[].Deeper.Err: error (interface): send stream.Error`,
		`badEvent.ByNumber: map[int]string (map whose keys are no strings): send a slice of pairs`,
		`badEvent.private: int (unexported field): export it, or keep it home with the tag wire:"-"`,
		`badEvent.Deep: **string (pointer to a pointer): send what it points to`,
		`badEvent.Tree.Children[]: wire.tree (contains itself): send a flat list`,
		`badEvent.Nameless: a struct without a name: give it one and list it in impl/wire/parts.go`,
		`badEvent.Address: uintptr (uintptr): it means something in one process only`,
		`badEvent.Text: wire.textOnly has one of MarshalText and UnmarshalText: declare both or neither`,
		`wire.handle never crosses (a mount lives in one process; send its path); it is referred to by badEvent.Part.Hold, badEvent.Handle, badEvent.Handles[]`,
	}
	if diff := cmp.Diff(want, err.Refused); diff != "" {
		t.Errorf("refusals (-want +got):\n%s", diff)
	}
}

type wide struct{ A, B, C, D, E, F, G, H, I, J func() }

func TestCheckIsBounded(t *testing.T) {
	wideType := reflect.TypeFor[wide]()
	many := make([]reflect.StructField, 0, 10)
	for i := range cap(many) {
		many = append(many, reflect.StructField{Name: string(rune('A' + i)), Type: wideType})
	}
	err, ok := check([]reflect.Type{reflect.StructOf(many)}, []reflect.Type{wideType, reflect.StructOf(many)}).(*CheckError)
	if !ok {
		t.Fatal("nothing was refused")
	}
	if n := len(err.Refused); n != maxRefusals+1 || err.Refused[n-1] != "and 60 more" {
		t.Errorf("%d refusals, the last is %q", n, err.Refused[n-1])
	}
}

// The list itself: everything passes, numbers are unique and on their side.
func TestListedTypesCross(t *testing.T) {
	if err := Check(); err != nil {
		t.Fatal(err)
	}
	tab := plans()
	for _, list := range [][]entry{orders, events} {
		for _, e := range list {
			if _, err := tab.byNumber[e.number](); err != nil {
				t.Error(err)
			}
		}
	}
	seen := make(map[number]string)
	for _, list := range [][]entry{orders, events} {
		for _, e := range list {
			if seen[e.number] != "" {
				t.Errorf("%s and %s have the number %d", seen[e.number], e.name, e.number)
			}
			seen[e.number] = e.name
		}
	}
	for _, e := range orders {
		if e.number == 0 || e.number >= 64 {
			t.Errorf("order %s has the number %d", e.name, e.number)
		}
	}
	for _, e := range events {
		if e.number < 64 {
			t.Errorf("event %s has the number %d", e.name, e.number)
		}
	}
}

// Every listed part is reached: nothing stays in the list that crosses no more.
func TestPartsAreUsed(t *testing.T) {
	used := make(map[reflect.Type]bool)
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			walk(t.Elem())
		case reflect.Struct:
			if used[t] || t == reflect.TypeFor[time.Time]() {
				return
			}
			used[t] = true
			for f := range fields(t) {
				walk(f.Type)
			}
		}
	}
	for _, list := range [][]entry{orders, events} {
		for _, e := range list {
			walk(e.typ)
		}
	}
	for _, p := range parts {
		if !used[p] {
			t.Errorf("%v is listed in parts.go and is part of nothing that crosses", p)
		}
	}
}

func TestCheckIsCheap(t *testing.T) {
	// Not a timed test: it counts what the walk allocates, which is what it
	// would spend its time on.
	var roots []reflect.Type
	for _, e := range events {
		roots = append(roots, e.typ)
	}
	allocs := testing.AllocsPerRun(10, func() {
		if err := check(roots, parts); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 2000 {
		t.Errorf("a check allocates %v times", allocs)
	}
}

func BenchmarkCheck(b *testing.B) {
	var roots []reflect.Type
	for _, list := range [][]entry{orders, events} {
		for _, e := range list {
			roots = append(roots, e.typ)
		}
	}
	for b.Loop() {
		if err := check(roots, parts); err != nil {
			b.Fatal(err)
		}
	}
}

func TestCheckErrorIsReadable(t *testing.T) {
	err := &CheckError{[]string{"a: b: c", "d: e: f"}}
	if got := err.Error(); strings.Count(got, "\n") != 2 {
		t.Errorf("%q has not one line for each refusal", got)
	}
}
