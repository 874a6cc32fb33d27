// Package uicost measures what the UI costs a build and how soon it shows what
// happens: the processor time of an event from the scheduler to the screen, and
// the engine's part of it; the delay from an event to the frame that shows it;
// the time from ^C to the menu while events arrive as fast as they can; and the
// replay of a million recorded events.
//
// It knows the frontend's session, the strategies' Open and the program's
// command line. The events are those of tasks that do nothing, made by a backend
// of this package (Backend): what an engine spends on the tasks themselves is
// not in them.
package uicost

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"bst/bench/environ"
	"bst/bench/rounds"
	"bst/impl/stream"
)

// The units of a result line.
const (
	// UnitEvent is the processor time of an event in all processes together.
	UnitEvent = "event-ns/op"
	// UnitEngine is the part of it on the engine's thread: making the event and
	// handing it over.
	UnitEngine = "engine-ns/op"
	// UnitMedian and UnitTail are the median and the 99th percentile of the
	// delays of one run.
	UnitMedian = "p50-ns/op"
	UnitTail   = "p99-ns/op"
	// UnitWall is a run's time.
	UnitWall = "ns/op"
	// UnitBytes and UnitWrites are what reaches the screen in one run.
	UnitBytes  = "B/op"
	UnitWrites = "writes/op"
)

// Strategy is one to measure.
type Strategy struct {
	Name string
	Open stream.Open
	// Args start this program as the strategy's backend: see Serve. Nil where no
	// process is started.
	Args []string
}

// Options say what is measured.
type Options struct {
	// Program is bst's path, Executable this program's.
	Program, Executable string
	Strategies          []Strategy
	// Dir is a project of rapid tasks that Target needs, for ^C; "" leaves ^C out.
	Dir, Target string
	// Tasks are how many tasks give the events of one figure, Events how many are
	// replayed, Delays of how many events the delay is taken.
	Tasks, Events, Delays int
	Rounds                int
	Seed                  uint64
	WorkDir               string
	Facts                 []environ.Pair
	Log                   io.Writer
}

// A job measures one case once and returns a result line's values.
type job struct {
	name string
	run  func(context.Context, *Options, *rand.Rand) (string, error)
}

func (o *Options) jobs() []job {
	var jobs []job
	for _, s := range o.Strategies {
		jobs = append(jobs,
			job{"what=event/style=digest/strategy=" + s.Name, func(ctx context.Context, o *Options, _ *rand.Rand) (string, error) { return o.event(ctx, s) }},
			job{"what=delay-line/style=full/strategy=" + s.Name, func(ctx context.Context, o *Options, r *rand.Rand) (string, error) {
				return o.delay(ctx, s, lines, r)
			}},
			job{"what=delay-status/style=digest/strategy=" + s.Name, func(ctx context.Context, o *Options, r *rand.Rand) (string, error) {
				return o.delay(ctx, s, status, r)
			}})
		if o.Dir != "" && interrupts {
			jobs = append(jobs, job{"what=interrupt/style=digest/strategy=" + s.Name, func(ctx context.Context, o *Options, r *rand.Rand) (string, error) {
				return o.interrupt(ctx, s.Name, r)
			}})
		}
	}
	return append(jobs, job{"what=replay/style=digest/strategy=none", func(_ context.Context, o *Options, _ *rand.Rand) (string, error) { return o.replay() }})
}

// Run measures each case once a round, in random order, and writes the record.
// One run of each is not recorded.
func Run(ctx context.Context, o Options, out io.Writer) error {
	var text strings.Builder
	text.WriteString(environ.Lines(o.Facts))
	fmt.Fprintf(&text, "order-seed: %d\ntasks: %d\nevents-replayed: %d\ndelays: %d\n\n", o.Seed, o.Tasks, o.Events, o.Delays)
	random := rounds.Random(o.Seed)
	for round, jobs := range rounds.Warmed(o.jobs(), o.Rounds, random) {
		if round > 0 {
			fmt.Fprintf(&text, "=== ROUND %d\n", round)
		}
		for _, j := range jobs {
			line, err := j.run(ctx, &o, random)
			if err != nil {
				return fmt.Errorf("uicost: %s: %w", j.name, err)
			}
			fmt.Fprintf(o.Log, "%3d of %-3d %s:%s\n", round, o.Rounds, j.name, strings.ReplaceAll(line, "\t", " "))
			if round > 0 {
				fmt.Fprintf(&text, "BenchmarkUI/%s\t1%s\n", j.name, line)
			}
		}
	}
	_, err := io.WriteString(out, text.String())
	return err
}

func value(v float64, unit string) string { return fmt.Sprintf("\t%.5g %s", v, unit) }

func nanos(d time.Duration, unit string) string { return value(float64(d.Nanoseconds()), unit) }
