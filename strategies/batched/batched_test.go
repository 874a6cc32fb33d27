package batched

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

type script func(emit func(...stream.Event))

func (s script) Run(_ context.Context, _ <-chan stream.Order, emit func(...stream.Event)) { s(emit) }

func message(n int) stream.Event { return &stream.Message{Text: "message", Job: stream.JobID(n)} }

// sizes runs a backend behind the decorator and gives how many events came at
// once, and when, in milliseconds of its clock.
func sizes(t *testing.T, s script) (sizes, at []int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		defer func() { _ = recover() }() // of the script that panics
		Backend(s, Window).Run(t.Context(), nil, func(events ...stream.Event) {
			sizes = append(sizes, len(events))
			at = append(at, int(time.Since(start).Milliseconds()))
		})
	})
	return sizes, at
}

func TestBackend(t *testing.T) {
	const window = int(Window / time.Millisecond)
	urgent := map[string]stream.Event{
		"state":    &stream.State{},
		"failure":  &stream.JobFinished{Failure: &stream.Failure{}},
		"shell":    &stream.ShellReady{},
		"refusal":  &stream.ShellRefused{},
		"detached": &stream.Detached{},
		"finished": &stream.Finished{},
		"error":    &stream.Message{Type: stream.TypeError},
	}
	for name, ev := range urgent {
		t.Run(name, func(t *testing.T) {
			got, at := sizes(t, func(emit func(...stream.Event)) {
				emit(message(1))
				emit(message(2))
				emit(ev)
				time.Sleep(time.Hour)
			})
			if diff := cmp.Diff([][]int{{3}, {0}}, [][]int{got, at}); diff != "" {
				t.Errorf("sizes and times (-want +got):\n%s", diff)
			}
		})
	}
	for _, test := range []struct {
		name      string
		script    script
		sizes, at []int
	}{
		{"a window", func(emit func(...stream.Event)) {
			for i := range 10 {
				emit(message(i))
				time.Sleep(Window * 3 / 10)
			}
		}, []int{4, 4, 2}, []int{window, 44, 60}},
		{"success waits", func(emit func(...stream.Event)) {
			emit(&stream.JobFinished{})
			time.Sleep(time.Hour)
		}, []int{1}, []int{window}},
		{"many", func(emit func(...stream.Event)) {
			for i := range 2*most + 1 {
				emit(message(i))
			}
		}, []int{most, most, 1}, []int{0, 0, 0}},
		{"the end", func(emit func(...stream.Event)) { emit(message(0)) }, []int{1}, []int{0}},
		{"a panic", func(emit func(...stream.Event)) {
			emit(message(0))
			panic("script panics")
		}, []int{1}, []int{0}},
		{"nothing", func(emit func(...stream.Event)) { emit(); time.Sleep(time.Hour) }, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, at := sizes(t, test.script)
			if diff := cmp.Diff([][]int{test.sizes, test.at}, [][]int{got, at}); diff != "" {
				t.Errorf("sizes and times (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWindowOf(t *testing.T) {
	for _, test := range []struct {
		environ []string
		want    time.Duration // 0 for an error
	}{
		{nil, Window},
		{[]string{"PATH=/bin", WindowVariable + "="}, Window},
		{[]string{WindowVariable + "=5ms", WindowVariable + "=1s"}, time.Second},
		{[]string{WindowVariable + "=100us"}, 100 * time.Microsecond},
		{[]string{WindowVariable + "=0s"}, 0},
		{[]string{WindowVariable + "=-1s"}, 0},
		{[]string{WindowVariable + "=61s"}, 0},
		{[]string{WindowVariable + "=20"}, 0},
	} {
		got, err := windowOf(test.environ)
		if got != test.want || (err != nil) != (test.want == 0) {
			t.Errorf("%v: %v, %v", test.environ, got, err)
		}
	}
	_, err := Open(func(context.Context, stream.Host) (stream.Stream, error) { panic("opened") })(t.Context(), stream.Host{Environ: []string{WindowVariable + "=no"}})
	if err == nil {
		t.Error("no error")
	}
}
