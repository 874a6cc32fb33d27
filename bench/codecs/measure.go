package codecs

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"time"

	"bst/bench/environ"
	"bst/bench/rounds"
	"bst/impl/stream"
)

// The units of a result line, all per event.
const (
	UnitEncode    = "encode-ns/op"
	UnitDecode    = "decode-ns/op"
	UnitBytes     = "wire-B/op"
	UnitAllocs    = "allocs/op"
	UnitAllocated = "alloc-B/op"
)

// Options say what is measured.
type Options struct {
	// Sessions are recorded events, by the name of what was built.
	Sessions []Recorded
	// Rounds is how often each codec is measured.
	Rounds int
	// Least is how many events are encoded and decoded for one figure, at least.
	Least int
	Seed  uint64
	// Facts head the record.
	Facts []environ.Pair
}

// Recorded are the events of one session.
type Recorded struct {
	Name   string
	Events []stream.Event
}

// result is one figure line.
type result struct {
	encode, decode            time.Duration
	events                    int
	bytes, allocs, allocBytes uint64
}

// Run measures every codec on every session, each round in random order, and
// writes the record.
func Run(ctx context.Context, o Options, out io.Writer) error {
	var text strings.Builder
	text.WriteString(environ.Lines(o.Facts))
	fmt.Fprintf(&text, "order-seed: %d\n", o.Seed)
	for _, c := range All() {
		fmt.Fprintf(&text, "codec-%s: %s\n", c.Name, c.Doc)
	}
	type job struct {
		recorded Recorded
		codec    Codec
	}
	var jobs []job
	for _, s := range o.Sessions {
		if len(s.Events) == 0 {
			return fmt.Errorf("codecs: no events of %s", s.Name)
		}
		fmt.Fprintf(&text, "mix-%s: %s\n", s.Name, mix(s.Events))
		for _, c := range All() {
			lost, err := loses(c, s.Events)
			if err != nil {
				return fmt.Errorf("codecs: %s: %w", c.Name, err)
			}
			if lost != "" {
				fmt.Fprintf(&text, "lost-%s-%s: %s\n", c.Name, s.Name, lost)
			}
			jobs = append(jobs, job{s, c})
		}
	}
	text.WriteString("\n")
	for _, unit := range []string{UnitEncode, UnitDecode, UnitBytes, UnitAllocs, UnitAllocated} {
		fmt.Fprintf(&text, "Unit %s better=lower\n", unit)
	}
	for round, jobs := range rounds.Of(jobs, o.Rounds, rounds.Random(o.Seed)) {
		fmt.Fprintf(&text, "\n=== ROUND %d\n", round)
		for _, j := range jobs {
			if err := ctx.Err(); err != nil {
				return err
			}
			r, err := measure(j.codec, j.recorded.Events, o.Least)
			if err != nil {
				return fmt.Errorf("codecs: %s: %w", j.codec.Name, err)
			}
			n := float64(r.events)
			fmt.Fprintf(&text, "BenchmarkCodec/session=%s/codec=%s\t%d\t%.1f %s\t%.1f %s\t%.2f %s\t%.3f %s\t%.1f %s\n",
				j.recorded.Name, j.codec.Name, r.events,
				float64(r.encode.Nanoseconds())/n, UnitEncode, float64(r.decode.Nanoseconds())/n, UnitDecode,
				float64(r.bytes)/n, UnitBytes, float64(r.allocs)/n, UnitAllocs, float64(r.allocBytes)/n, UnitAllocated)
		}
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// chunk is how many events are encoded before they are decoded: about what a
// frame holds.
const chunk = 256

// measure carries the session's events, again and again from its start, until
// least of them are through.
func measure(c Codec, events []stream.Event, least int) (result, error) {
	var r result
	var before, after runtime.MemStats
	var buf bytes.Buffer
	ends := make([]int, 0, chunk)
	runtime.GC()
	runtime.ReadMemStats(&before)
	for r.events < least {
		s := c.New()
		for part := range slices.Chunk(events, chunk) {
			buf.Reset()
			ends = ends[:0]
			begin := time.Now()
			for _, ev := range part {
				if err := s.Encode(&buf, ev); err != nil {
					return r, err
				}
				ends = append(ends, buf.Len())
			}
			between := time.Now()
			from := 0
			for _, to := range ends {
				if _, err := s.Decode(buf.Bytes()[from:to]); err != nil {
					return r, err
				}
				from = to
			}
			r.encode += between.Sub(begin)
			r.decode += time.Since(between)
			r.bytes += uint64(buf.Len())
			r.events += len(part)
		}
	}
	runtime.ReadMemStats(&after)
	r.allocs, r.allocBytes = after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc
	return r, nil
}

// loses names the fields that do not arrive as they were sent, by their types.
// A time counts as the instant that it is, and an empty list as none.
func loses(c Codec, events []stream.Event) (string, error) {
	s := c.New()
	seen := map[string]bool{}
	var names []string
	for _, ev := range events {
		var buf bytes.Buffer
		if err := s.Encode(&buf, ev); err != nil {
			return "", err
		}
		got, err := s.Decode(buf.Bytes())
		if err != nil {
			return "", err
		}
		a, b := reflect.ValueOf(ev).Elem(), reflect.ValueOf(got).Elem()
		if a.Type() != b.Type() {
			return "", fmt.Errorf("a %v arrived as a %v", a.Type(), b.Type())
		}
		for i := range a.NumField() {
			if name := a.Type().Name() + "." + a.Type().Field(i).Name; !seen[name] && !same(a.Field(i), b.Field(i)) {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return strings.Join(names, " "), nil
}

// same compares what crosses: exported fields, all the way down.
func same(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Pointer:
		return a.IsNil() == b.IsNil() && (a.IsNil() || same(a.Elem(), b.Elem()))
	case reflect.Struct:
		if t, ok := a.Interface().(time.Time); ok {
			return t.Equal(b.Interface().(time.Time))
		}
		for i := range a.NumField() {
			if !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

// mix counts the events by their types, most frequent first.
func mix(events []stream.Event) string {
	counts := map[string]int{}
	for _, ev := range events {
		counts[reflect.TypeOf(ev).Elem().Name()]++
	}
	var names []string
	for name := range counts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
	text := fmt.Sprintf("%d events:", len(events))
	for _, name := range names {
		text += fmt.Sprintf(" %s %d", name, counts[name])
	}
	return text
}
