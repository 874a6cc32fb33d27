package events

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	gojson "github.com/goccy/go-json"
	"github.com/google/go-cmp/cmp"

	"bst/impl/stream"
	"bst/impl/wire"
)

// fill sets every field below v to something that is not zero.
func fill(r *rand.Rand, v reflect.Value) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.Unix(r.Int64N(1<<32), r.Int64N(1e9)).UTC()))
		return
	}
	if list := words[v.Type()]; list != nil {
		v.SetUint(uint64(r.IntN(len(list))))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString(fmt.Sprintf("text <%d> \"\\\n\u2028", r.IntN(1000)))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(1 + r.Int64N(100))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(1 + r.Uint64N(100))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(1 + r.Float64())
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(r, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(r, v.Index(0))
		fill(r, v.Index(1))
	case reflect.Map:
		k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(r, k)
		fill(r, e)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(k, e)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(r, v.Field(i))
		}
	default:
		panic(fmt.Sprintf("cannot fill %v", v.Type()))
	}
}

// decoders are what readers are known to bring.
var decoders = map[string]Unmarshal{
	"encoding": nil,
	"goccy":    func(data []byte, v any) error { return gojson.Unmarshal(data, v) },
}

// TestEveryEventRoundTrips: every event that impl/wire lists, empty and with
// every field set, is read back as it was.
func TestEveryEventRoundTrips(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	start := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	var file bytes.Buffer
	w := NewWriter(&file, Header{Program: "1.2", Start: start, Command: "build", Strategy: "pipe"})
	if err := w.Begin(); err != nil {
		t.Fatal(err)
	}
	var want []Record
	for i, typ := range wire.EventTypes() {
		for _, full := range []bool{false, true} {
			v := reflect.New(typ)
			if full {
				fill(r, v.Elem())
			}
			rec := Record{At: time.Duration(i) * time.Millisecond, Event: v.Interface().(stream.Event)}
			if err := w.Event(start.Add(rec.At), rec.Event); err != nil {
				t.Fatal(err)
			}
			want = append(want, rec)
		}
	}
	if err := errors.Join(w.Lost(start.Add(time.Second), 7), w.End(start)); err != nil {
		t.Fatal(err)
	}
	want = append(want, Record{At: time.Second, Dropped: 7})
	if n := strings.Count(file.String(), "\n"); n != len(want)+1 {
		t.Errorf("%d lines, want %d", n, len(want)+1)
	}
	file.WriteString(`{"at_ns":0,"type":"OfTheFuture","event":{"x":1}}` + "\n")

	header := Header{Schema: "bst.events", Version: 1, Program: "1.2", Start: start, Command: "build", Strategy: "pipe"}
	for name, unmarshal := range decoders {
		t.Run(name, func(t *testing.T) {
			rd, err := NewReader(bytes.NewReader(file.Bytes()), unmarshal)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(header, rd.Header); diff != "" {
				t.Error(diff)
			}
			var got []Record
			for {
				rec, err := rd.Next()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, rec)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if rd.Unknown != 1 {
				t.Errorf("%d unknown types, want 1", rd.Unknown)
			}
		})
	}
}

// TestForm fixes what a line looks like.
func TestForm(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var file bytes.Buffer
	w := NewWriter(&file, Header{Program: "1.2", Start: start, Command: "build", Strategy: "pipe"})
	took := 3 * time.Second
	err := w.Begin()
	for _, e := range []stream.Event{
		&stream.Started{Time: start, Version: "1.2", PID: 5},
		&stream.State{State: stream.StateRunning, At: time.Second},
		&stream.Message{Type: stream.TypeInfo, Elapsed: &took, Element: "a.bst", Text: "<b> & \xff"},
		&stream.JobFinished{Job: 1, Action: "Build", Status: stream.JobFailed, Took: took,
			Failure: &stream.Failure{Error: stream.Error{Domain: stream.DomainSandbox, Message: "no"}, LogPath: "/l"}},
		&stream.Finished{Usage: stream.Usage{UserCPU: 2, MaxRSS: 3}},
	} {
		err = errors.Join(err, w.Event(start.Add(time.Microsecond), e))
	}
	if err = errors.Join(err, w.Lost(start, 4)); err != nil {
		t.Fatal(err)
	}
	want := `{"schema":"bst.events","version":1,"bst":"1.2","start":"2026-01-02T03:04:05Z","command":"build","strategy":"pipe"}
{"at_ns":1000,"type":"Started","event":{"time":"2026-01-02T03:04:05Z","version":"1.2","pid":5}}
{"at_ns":1000,"type":"State","event":{"state":"running","at_ns":1000000000}}
{"at_ns":1000,"type":"Message","event":{"type":"INFO","elapsed_ns":3000000000,"element":"a.bst","text":"<b> & ` + "\ufffd" + `"}}
{"at_ns":1000,"type":"JobFinished","event":{"job":1,"action":"Build","took_ns":3000000000,"status":"failed","failure":{"error":{"domain":"SANDBOX","message":"no"},"log_path":"/l"}}}
{"at_ns":1000,"type":"Finished","event":{"usage":{"user_cpu_ns":2,"max_rss":3}}}
{"at_ns":0,"type":"Dropped","event":{"events":4}}
`
	if diff := cmp.Diff(want, strings.ReplaceAll(file.String(), `\ufffd`, "\ufffd")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

const header = `{"schema":"bst.events","version":1,"bst":"1","start":"2026-01-02T03:04:05Z","command":"","strategy":""}` + "\n"

func TestRefused(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"", "line 1: the file is empty; want the header of a file that bst --events wrote"},
		{"[]\n", `line 1: this is no header of a file that bst --events wrote; want "schema":"bst.events"`},
		{`{"schema":"bst.events","version":2}` + "\n", "line 1: the file has version 2 of the schema, this bst reads version 1"},
		{header + "\n", "line 2: unexpected end of JSON input"},
		{header + `{"type":"State","event":{"state":"asleep"}}`, `line 2: State: "asleep" is no SchedulerState`},
		{header + `{"type":"Dropped","event":[]}`, "line 2: Dropped: json: cannot unmarshal array into Go value of type struct"},
	} {
		for name, unmarshal := range decoders {
			rd, err := NewReader(strings.NewReader(c.file), unmarshal)
			if err == nil {
				_, err = rd.Next()
			}
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("%s: %q: %v, want %s", name, c.file, err, c.want)
			}
		}
	}
}

// FuzzReader: whatever the file holds, reading it ends without a panic, and an
// event that was read can be written.
func FuzzReader(f *testing.F) {
	f.Add([]byte(header + `{"at_ns":1000,"type":"JobFinished","event":{"job":1,"status":"failed","failure":{"error":{"message":"no"},"log_tail":["a"]}}}`))
	f.Add([]byte(header + `{"type":"State","event":null}` + "\n" + `{"type":"Dropped","event":{"events":-1}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, unmarshal := range decoders {
			rd, err := NewReader(bytes.NewReader(data), unmarshal)
			for err == nil {
				var rec Record
				if rec, err = rd.Next(); err == nil && rec.Event != nil {
					if e := NewWriter(io.Discard, Header{}).Event(time.Time{}, rec.Event); e != nil {
						t.Fatal(e)
					}
				}
			}
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	e := &stream.JobStarted{Job: 1, Action: "Build", Element: "base/element.bst", Key: stream.Key{Full: strings.Repeat("a", 64)}, Time: time.Now(), Log: "p/e/x-build.log"}
	w := NewWriter(io.Discard, Header{})
	for b.Loop() {
		if err := w.Event(time.Time{}, e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	line := `{"at_ns":1,"type":"JobStarted","event":{"job":1,"action":"Build","element":"base/element.bst","key":{"full":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},"time":"2026-01-02T03:04:05Z","at_ns":5,"log":"p/e/x-build.log"}}` + "\n"
	for name, unmarshal := range decoders {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				rd, err := NewReader(strings.NewReader(header+line), unmarshal)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := rd.Next(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
