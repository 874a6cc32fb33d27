package wire

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func testTables(t testing.TB) *tables {
	t.Helper()
	return plans()
}

// appendTo adds a value to a buffer as it stands in a frame.
func appendTo(tab *tables, to *bytes.Buffer, value any) error {
	b, err := tab.appendValue(to.AvailableBuffer(), nil, value)
	to.Write(b)
	return err
}

// fill sets every field below v to something: that a field is forgotten on the
// way shows as a difference.
func fill(r *rand.Rand, v reflect.Value, depth int) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.Unix(0, r.Int64()-r.Int64())))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		b := make([]byte, 1+r.IntN(20))
		for i := range b {
			b[i] = byte(r.Uint32()) // not UTF-8, mostly
		}
		v.SetString(string(b))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(r.Int64() >> (64 - v.Type().Bits()) * int64(1-2*r.IntN(2)))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(r.Uint64() >> (64 - v.Type().Bits()))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(r.IntN(1000)) / 8)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(r, v.Elem(), depth+1)
	case reflect.Slice:
		n := 1 + r.IntN(3)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(r, v.Index(i), depth+1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 1 + r.IntN(3) {
			k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(r, k, depth+1)
			fill(r, e, depth+1)
			v.SetMapIndex(k, e)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(r, v.Field(i), depth+1)
		}
	default:
		panic(fmt.Sprintf("cannot fill %v", v.Type()))
	}
}

var sameTime = cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })

func TestEveryTypeRoundTrips(t *testing.T) {
	tab := testTables(t)
	r := rand.New(rand.NewPCG(1, 2))
	for _, list := range [][]entry{orders, events} {
		for _, e := range list {
			t.Run(e.name, func(t *testing.T) {
				for i := range 50 {
					sent := reflect.New(e.typ)
					if i > 0 { // the zero value first
						fill(r, sent.Elem(), 0)
					}
					var buf bytes.Buffer
					if err := appendTo(tab, &buf, sent.Interface()); err != nil {
						t.Fatal(err)
					}
					got, rest, err := tab.readValue(append(buf.Bytes(), "rest"...), new(heard))
					if err != nil {
						t.Fatal(err)
					}
					if string(rest) != "rest" {
						t.Errorf("rest is %q", rest)
					}
					if diff := cmp.Diff(sent.Interface(), got, sameTime); diff != "" {
						t.Fatalf("(-sent +got):\n%s", diff)
					}
				}
			})
		}
	}
}

// Empty and missing lists may become the same; nothing that draws may care.
func TestEmptyListsArrive(t *testing.T) {
	tab := testTables(t)
	sent := &stream.Heading{Targets: []string{}, Projects: []stream.ProjectHeading{{Options: []stream.Pair{}}}}
	var buf bytes.Buffer
	if err := appendTo(tab, &buf, sent); err != nil {
		t.Fatal(err)
	}
	got, _, err := tab.readValue(buf.Bytes(), new(heard))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sent, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-sent +got):\n%s", diff)
	}
}

type unlisted struct{ stream.Event }

func TestWhatIsNotListedIsRefused(t *testing.T) {
	tab := testTables(t)
	var buf bytes.Buffer
	for _, v := range []any{&unlisted{}, (*stream.Message)(nil), &stream.Key{}} {
		if err := appendTo(tab, &buf, v); err == nil {
			t.Errorf("%T was accepted", v)
		}
	}
}

func TestTimesCross(t *testing.T) {
	f, err := formOf(reflect.TypeFor[time.Time]())
	if err != nil {
		t.Fatal(err)
	}
	edge := time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, sent := range []time.Time{{}, time.Unix(0, 0), time.Unix(0, 1), time.Unix(0, -1), time.Unix(1<<33, 999), time.Unix(-1<<33, 999),
		edge, time.Date(2261, 12, 31, 23, 59, 59, 999999999, time.UTC)} {
		b, err := f.write(nil, nil, unsafe.Pointer(&sent))
		if err != nil {
			t.Fatal(err)
		}
		var got time.Time
		if rest, err := f.read(b, new(heard), unsafe.Pointer(&got)); err != nil || len(rest) > 0 {
			t.Fatal(rest, err)
		}
		if !got.Equal(sent) {
			t.Errorf("%v arrived as %v", sent, got)
		}
	}
	for _, never := range []time.Time{edge.Add(-1), time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if _, err := f.write(nil, nil, unsafe.Pointer(&never)); err == nil {
			t.Errorf("%v was accepted", never)
		}
	}
	for _, bad := range [][]byte{nil, {0xf5}, {0x41, 0}, {27, 255, 255, 255, 255, 255, 255, 255, 255}, {27, 0}, {0x1b, 0x7f, 255, 255, 255, 255, 255, 255, 255}} {
		if _, err := f.read(bad, new(heard), unsafe.Pointer(new(time.Time))); err == nil {
			t.Errorf("% x was accepted", bad)
		}
	}
}

// home has a field that does not cross; ownForm one that crosses as text.
type home struct {
	Name string
	Home func() `wire:"-"`
	Last version
	When time.Time
}

type version struct{ Major, Minor int }

func (v version) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%d.%d", v.Major, v.Minor), nil
}

func (v *version) UnmarshalText(b []byte) error {
	_, err := fmt.Sscanf(string(b), "%d.%d", &v.Major, &v.Minor)
	return err
}

func TestFieldsWithFormsOfTheirOwn(t *testing.T) {
	typ := reflect.TypeFor[home]()
	if err := check([]reflect.Type{typ}, nil); err != nil {
		t.Fatal(err)
	}
	e := entry{number: 200, name: "home", typ: typ}
	tab := &tables{byType: make(map[reflect.Type]func() (plan, error))}
	tab.add(&e)
	sent := &home{Name: "n", Home: func() {}, Last: version{2, 8}, When: time.Unix(5, 6)}
	var buf bytes.Buffer
	if err := appendTo(tab, &buf, sent); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(buf.Bytes(), []byte("2.8")) {
		t.Errorf("% x does not hold the version's text", buf.Bytes())
	}
	got, _, err := tab.readValue(buf.Bytes(), new(heard))
	if err != nil {
		t.Fatal(err)
	}
	want := &home{Name: "n", Last: version{2, 8}, When: time.Unix(5, 6)}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b func()) bool { return (a == nil) == (b == nil) })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// mix is what a build of one element emits.
func mix() []any {
	now := time.Unix(1790000000, 123456789)
	k := stream.Key{Full: "d7a1f0c35b2e4c8f9a6b7d8e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c", Strict: true}
	const name, log = "components/gnome-shell.bst", "gnome/components-gnome-shell/d7a1f0c3-build.20261123-024208.log"
	return []any{
		&stream.JobStarted{Job: 812, Action: "Build", Element: name, Key: k, Time: now, At: 12 * time.Second, Log: log},
		&stream.Message{Type: stream.TypeStatus, Time: now, Action: "Build", Element: name, Key: k, Text: "Running commands", Detail: "./configure --prefix=/usr\nmake -j8\n", Job: 812},
		&stream.JobProgress{Job: 812, Current: 4, Total: 11},
		&stream.Message{Type: stream.TypeSuccess, Time: now, Elapsed: new(stream.Elapsed), Action: "Build", Element: name, Key: k, Text: "Caching artifact", Job: 812},
		&stream.JobFinished{Job: 812, Action: "Build", Element: name, Key: k, Time: now, At: 14 * time.Second, Took: 2 * time.Second, Log: log},
		&stream.Counts{Action: "Build", Processed: 412, Skipped: 31},
	}
}

func BenchmarkEncode(b *testing.B) {
	tab, events := testTables(b), mix()
	var buf bytes.Buffer
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		buf.Reset()
		if err := appendTo(tab, &buf, events[n%len(events)]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	tab := testTables(b)
	var all [][]byte
	for _, ev := range mix() {
		var buf bytes.Buffer
		if err := appendTo(tab, &buf, ev); err != nil {
			b.Fatal(err)
		}
		all = append(all, buf.Bytes())
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if _, _, err := tab.readValue(all[n%len(all)], new(heard)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkShown is a line of bst show.
func BenchmarkShown(b *testing.B) {
	e := &stream.ElementShown{Name: "components/gnome-shell.bst", Key: stream.Key{Full: strings.Repeat("0123456789abcdef", 4), Strict: true}, State: "buildable"}
	tab := testTables(b)
	var buf bytes.Buffer
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			buf.Reset()
			if err := appendTo(tab, &buf, e); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := tab.readValue(buf.Bytes(), new(heard)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
