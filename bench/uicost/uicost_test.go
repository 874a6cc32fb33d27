package uicost

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/perf/benchfmt"

	"bst/bench/replay"
	"bst/impl/record/events"
	"bst/impl/stream"
	"bst/strategies"
)

// TestMain is also the backend of the strategies that start one.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "backend" {
		s, err := strategies.Lookup(os.Args[2])
		if err == nil {
			err = s.Serve(context.Background(), stream.Served{In: os.Stdin, Out: os.Stdout, Args: os.Args[3:], NewBackend: NewBackend})
		}
		if err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestRun measures little, and reads the record as the report does.
func TestRun(t *testing.T) {
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Executable: executable, Tasks: 100, Events: 1003, Delays: 8, Rounds: 1, Seed: 1, WorkDir: t.TempDir(), Log: t.Output()}
	for _, name := range []string{"inprocess", "pipe"} {
		s, err := strategies.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		row := Strategy{Name: name, Open: s.Open}
		if s.Serve != nil {
			row.Args = []string{"backend", name}
		}
		o.Strategies = append(o.Strategies, row)
	}
	var out bytes.Buffer
	if err := Run(t.Context(), o, &out); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for r := benchfmt.NewReader(strings.NewReader(out.String()), "ui.txt"); r.Scan(); {
		if result, ok := r.Result().(*benchfmt.Result); ok {
			for _, v := range result.Values {
				got[string(result.Name)+" "+v.Unit] = v.Value > 0 || v.Unit != UnitWall
			}
		}
	}
	for _, want := range []string{
		"UI/what=delay-line/style=full/strategy=pipe p99-sec/op", "UI/what=delay-status/style=digest/strategy=inprocess p50-sec/op",
		"UI/what=replay/style=digest/strategy=none B/op",
	} {
		if !got[want] {
			t.Errorf("%s is missing:\n%s", want, out.String())
		}
	}
}

func TestRecording(t *testing.T) {
	for _, n := range []int{10, 11, 14, 100} {
		file, err := recording(n)
		if err != nil {
			t.Fatal(err)
		}
		r, err := events.NewReader(bytes.NewReader(file), replay.Unmarshal)
		if err != nil {
			t.Fatal(err)
		}
		count := 0
		for {
			rec, err := r.Next()
			if err != nil {
				break
			}
			if rec.Event != nil {
				count++
			}
		}
		r.Close()
		if count != n {
			t.Errorf("%d events, want %d", count, n)
		}
	}
}

func TestStamps(t *testing.T) {
	now := time.Unix(1_700_000_000, 123_456_000)
	for _, later := range []time.Duration{0, time.Millisecond, 5 * time.Minute} {
		if got := sinceCount(now.Add(later), countStamp(now)); got != later {
			t.Errorf("%v later it is %v", later, got)
		}
	}
	s := &screen{seen: make(map[string]bool)}
	for _, p := range []string{"a at-17 b\x1b[32m1000000002 x", "again at-17 and 1000000002, 1000000003\n"} {
		if _, err := s.Write([]byte(p)); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]int{3, 2}, []int{len(s.delays), s.writes}); diff != "" {
		t.Errorf("delays, writes (-want +got):\n%s", diff)
	}
}

func TestPercentiles(t *testing.T) {
	var values []float64
	for i := range 200 {
		values = append(values, float64(199-i))
	}
	median, tail, err := percentiles(values)
	if err != nil || median != 100 || tail != 198 {
		t.Errorf("%v %v %v", median, tail, err)
	}
	if _, _, err := percentiles(nil); err == nil {
		t.Error("of nothing there are percentiles")
	}
}
