package wire

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"
	"time"

	"bst/impl/stream"
)

// allocated is how many bytes f takes into memory in total.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// array is CBOR's head of a list of n.
func array(n int) []byte { return binary.BigEndian.AppendUint32([]byte{0x9a}, uint32(n)) }

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// What is made to take much memory takes little, or little more than it is long.
func TestHostileFramesTakeBoundedMemory(t *testing.T) {
	tab := testTables(t)
	null := []byte{0xf6}
	nulls := func(n int) []byte { return bytes.Repeat(null, n) }
	heading := func(targets, projects []byte) []byte {
		typ := reflect.TypeFor[stream.Heading]()
		data := []byte{66, 0x80 | byte(typ.NumField())}
		for field := range fields(typ) {
			switch field.Name {
			case "Targets":
				data = append(data, targets...)
			case "Projects":
				data = append(data, projects...)
			default:
				data = append(data, null...)
			}
		}
		return data
	}
	lists := func(n, each int) []byte {
		return join(array(n), bytes.Repeat(join([]byte{0x88}, nulls(3), array(each), nulls(each), nulls(4)), n))
	}
	for _, test := range []struct {
		name string
		data []byte
		most uint64
		ok   bool
	}{
		{"a length that never comes", join([]byte{66, 0x89, 0xf6, 0xf6}, array(maxElements)), 64 << 10, false},
		{"a longer one", join([]byte{66, 0x89, 0xf6, 0xf6, 0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), 64 << 10, false},
		{"a text that never comes", join([]byte{69, 0x8a, 0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), 64 << 10, false},
		{"deep nesting", join([]byte{66}, bytes.Repeat([]byte{0x81}, 1<<20)), 64 << 10, false},
		{"deep nesting, short", join([]byte{66}, bytes.Repeat([]byte{0x81}, 1000)), 64 << 10, false},
		{"indefinite lengths", join([]byte{66}, bytes.Repeat([]byte{0x9f}, 1000)), 64 << 10, false},
		{"tags", join([]byte{66}, bytes.Repeat([]byte{0xc0}, 1000)), 64 << 10, false},
		{"many empty events", bytes.Repeat([]byte{69, 0xf6}, softFrame), 64 << 20, false},
		{"as many as a writer makes", bytes.Repeat([]byte{69, 0xf6}, softFrame/2), 64 << 20, true},
		{"a list of nulls", heading(join(array(maxElements), nulls(maxElements)), null), 32 << 20, true},
		{"a list that is too long", heading(join(array(maxElements+1), nulls(maxElements+1)), null), 1 << 20, false},
		{"lists of lists of nulls", heading(null, lists(3, maxElements)), 32 << 20, true},
		{"more of them", heading(null, lists(33, maxElements)), 1 << 20, false},
		{"many small ones", heading(null, lists(maxElements, 30)), 1 << 20, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var err error
			got := allocated(func() {
				err = tab.readFrame(test.data, func(any, int) error { return nil })
			})
			if (err == nil) != test.ok {
				t.Errorf("error %v", err)
			}
			if got > test.most {
				t.Errorf("%d bytes were taken for %d, more than %d", got, len(test.data), test.most)
			}
		})
	}
}

func TestCountItems(t *testing.T) {
	for _, test := range []struct {
		name  string
		data  []byte
		limit int
		ok    bool
	}{
		{"nothing", nil, 10, false},
		{"one", []byte{0x01}, 1, true},
		{"what follows is not counted", []byte{0x01, 0xff, 0xff}, 1, true},
		{"a list", []byte{0x83, 1, 2, 3}, 4, true},
		{"a list above", []byte{0x83, 1, 2, 3}, 3, false},
		{"a list cut", []byte{0x83, 1, 2}, 10, false},
		{"a map", []byte{0xa1, 0x41, 'k', 1}, 3, true},
		{"a string", []byte{0x43, 1, 2, 3}, 1, true},
		{"a string cut", []byte{0x43, 1, 2}, 1, false},
		{"wide numbers", []byte{0x1b, 1, 2, 3, 4, 5, 6, 7, 8}, 1, true},
		{"wide numbers cut", []byte{0x1b, 1, 2, 3}, 1, false},
		{"reserved", []byte{0x1c}, 1, false},
		{"indefinite", []byte{0x9f, 0xff}, 10, false},
		{"tag", []byte{0xc1, 1}, 10, false},
		{"overflow", []byte{0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 10, false},
	} {
		if err := countItems(test.data, test.limit); (err == nil) != test.ok {
			t.Errorf("%s: error %v", test.name, err)
		}
	}
}

// Every value that can be sent is within what is counted.
func TestCountItemsAgreesWithTheCodec(t *testing.T) {
	tab := testTables(t)
	r := rand.New(rand.NewPCG(3, 4))
	for _, list := range [][]entry{orders, events} {
		for _, e := range list {
			p, err := tab.byNumber[e.number]()
			if err != nil {
				t.Fatal(err)
			}
			v := reflect.New(p.entry.typ)
			fill(r, v.Elem(), 0)
			var buf bytes.Buffer
			if err := appendTo(tab, &buf, v.Interface()); err != nil {
				t.Fatal(err)
			}
			if err := countItems(buf.Bytes()[1:], maxItems); err != nil {
				t.Errorf("%s: %v", e.name, err)
			}
		}
	}
}

// The closing summary of the largest known graph, in which everything failed,
// is within the bounds.
func TestTheLargestSummaryCrosses(t *testing.T) {
	tab := testTables(t)
	sent := &stream.Finished{Summary: &stream.Summary{}}
	for range 63_436 {
		sent.Summary.Failures = append(sent.Summary.Failures, stream.ElementFailure{
			Element: "components/some-name.bst", Action: "Fetch", Error: stream.Error{Domain: stream.DomainSource,
				Message: "tar source at components/some-name.bst [line 12 column 2]: Download of https://example.org/some-name-1.2.3.tar.xz failed",
				Detail:  "connection refused by the host, and by both of its mirrors"},
		})
	}
	var stream bytes.Buffer
	w := frameWriter{to: &stream}
	w.begin()
	if err := w.add(tab, sent); err != nil {
		t.Fatal(err)
	}
	if err := w.end(); err != nil {
		t.Fatal(err)
	}
	frame, err := (&frameReader{from: &stream}).next(maxFrame)
	if err != nil {
		t.Fatal(err)
	}
	if err := countItems(frame[1:], maxItems/2); err != nil {
		t.Error(err)
	}
}

// FuzzSession: a frontend whose backend sends anything, behind a good hello,
// ends, and a backend whose frontend does.
func FuzzSession(f *testing.F) {
	tab := testTables(f)
	for _, v := range append(mix(), &stream.Hold{}, &stream.Finished{}, &stream.Retry{Job: 3}) {
		var out bytes.Buffer
		w := frameWriter{to: &out}
		w.begin()
		if err := w.add(tab, v); err != nil {
			f.Fatal(err)
		}
		if err := w.end(); err != nil {
			f.Fatal(err)
		}
		f.Add(out.Bytes(), true)
		f.Add(out.Bytes(), false)
	}
	f.Add([]byte("panic: something\n\ngoroutine 1"), true)
	hello := frameOf(f, own().encode())
	f.Fuzz(func(t *testing.T, data []byte, frontend bool) {
		data = join(hello, data)
		if frontend {
			c := Dial(bytes.NewReader(data), nowhere{}, nil)
			for {
				if _, err := c.Recv(t.Context()); err != nil {
					break
				}
			}
			c.Discard()
			c.HangUp()
			<-c.Done()
			return
		}
		// An error or none: what counts is that it ends and does not panic.
		_ = serve(t.Context(), bytes.NewReader(data), nowhere{}, backend(func(_ context.Context, orders <-chan stream.Order, _ func(...stream.Event)) {
			for range orders {
			}
		}), time.Minute, time.Minute)
	})
}

// nowhere takes everything.
type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) Close() error                { return nil }
