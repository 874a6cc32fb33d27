// Package timeline records what the user interface costs while a build runs: how
// much processor time frontend and backend have used, and how much has been
// written to the terminal, at each moment.
//
// It knows the program's command line and Linux's /proc. It does not know what is
// drawn, nor what the figures mean: bench/report draws them.
package timeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"bst/bench/environ"
	"bst/bench/harness"
	"bst/bench/measure"
	"bst/bench/place"
	"bst/bench/rounds"
	"bst/bench/spawn"
	"bst/bench/stacks"
	"bst/bench/terminal"
	"bst/bench/workdir"
)

// Options say what is measured.
type Options struct {
	// Program is bst's path.
	Program    string
	Strategies []string
	Projects   []spawn.Project
	Terminals  []terminal.Terminal
	// Rounds is how often each case runs. One run of each is recorded, the one
	// that took the middle of the times.
	Rounds  int
	Seed    uint64
	WorkDir string
	Timeout time.Duration
	Facts   []environ.Pair
	Log     io.Writer
}

// samples is how many moments of a run are recorded at most.
const samples = 60

type job struct {
	project  spawn.Project
	strategy string
	perEvent bool
	where    terminal.Terminal
}

func (j job) name() string {
	tool := "bst"
	if j.perEvent {
		tool += harness.PerEventSuffix
	}
	return fmt.Sprintf("Timeline/stack=%s/tool=%s/strategy=%s/terminal=%s", j.project.Name, tool, j.strategy, j.where)
}

// moment is a look at a run. All but At grows.
type moment struct {
	at          time.Duration
	front, back time.Duration // processor time
	written     int64         // bytes that have arrived
}

type run struct {
	wall    time.Duration
	moments []moment
}

// Run measures each case, in random order within rounds, drawn in frames and on
// every event, and writes the record.
func Run(ctx context.Context, o Options, out io.Writer) error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("timeline: what a process has used while it runs is read from /proc, which %s has not", runtime.GOOS)
	}
	var jobs []job
	for _, p := range o.Projects {
		for _, s := range o.Strategies {
			for _, where := range o.Terminals {
				jobs = append(jobs, job{p, s, false, where}, job{p, s, true, where})
			}
		}
	}
	runs := map[string][]run{}
	caches := filepath.Join(o.WorkDir, "caches")
	if err := errors.Join(os.MkdirAll(caches, 0o700), workdir.Spread(caches)); err != nil {
		return fmt.Errorf("timeline: %w", err)
	}
	for round, order := range rounds.Of(jobs, o.Rounds, rounds.Random(o.Seed)) {
		for i, j := range order {
			cache := filepath.Join(caches, fmt.Sprintf("%d-%d", round, i))
			r, err := o.measure(ctx, j, cache)
			if err == nil {
				err = workdir.Remove(ctx, cache, nil)
			}
			if err == nil {
				err = place.Settled(ctx, j.strategy)
			}
			if err != nil {
				return fmt.Errorf("timeline: %s: %w", j.name(), err)
			}
			fmt.Fprintf(o.Log, "%3d of %-3d %s: %.2f s\n", round, o.Rounds, j.name(), r.wall.Seconds())
			runs[j.name()] = append(runs[j.name()], r)
		}
	}
	var text strings.Builder
	text.WriteString(environ.Lines(o.Facts))
	fmt.Fprintf(&text, "order-seed: %d\nrecorded: of %d runs of each case the one that took the middle of the times\n", o.Seed, o.Rounds)
	for _, p := range o.Projects {
		fmt.Fprintf(&text, "elements-%s: %d\n", p.Name, p.Elements)
	}
	text.WriteString("\n=== ROUND 1\n")
	for _, j := range jobs {
		all := runs[j.name()]
		slices.SortFunc(all, func(a, b run) int { return int(a.wall - b.wall) })
		for _, m := range thinned(all[(len(all)-1)/2].moments) {
			fmt.Fprintf(&text, "Benchmark%s/at=%dms\t1\t%d frontend-cpu-ns/op\t%d backend-cpu-ns/op\t%d written-B/op\n",
				j.name(), m.at.Milliseconds(), m.front.Nanoseconds(), m.back.Nanoseconds(), m.written)
		}
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// thinned keeps the first and the last moment and as many between as are wanted,
// no two in the same millisecond.
func thinned(all []moment) []moment {
	step := max(1, (len(all)+samples-1)/samples)
	var kept []moment
	for i, m := range all {
		last := i == len(all)-1
		if i%step != 0 && !last {
			continue
		}
		if n := len(kept); n > 0 && kept[n-1].at.Milliseconds() >= m.at.Milliseconds() {
			if last {
				kept[n-1] = m
			}
			continue
		}
		kept = append(kept, m)
	}
	return kept
}

// measure builds a project into an empty cache and looks on.
func (o *Options) measure(ctx context.Context, j job, cache string) (run, error) {
	at, err := place.Make(cache, stacks.BuildStream2, 0)
	if err != nil {
		return run{}, err
	}
	env := at.Environ()
	if j.perEvent {
		env = append(env, "BST_DRAWING=event")
	}
	where := j.where
	where.Inside = true
	var mu sync.Mutex // guards r and now: reads and looks come from goroutines
	var r run
	var now moment
	begin := time.Now()
	arrived := func(n int) {
		mu.Lock()
		defer mu.Unlock()
		now.written += int64(n)
	}
	look := func(frontend, backend int) {
		front, back := processorTime(frontend), processorTime(backend)
		mu.Lock()
		defer mu.Unlock()
		// A process that has ended reads as nothing.
		now.at, now.front, now.back = time.Since(begin), max(now.front, front), max(now.back, back)
		r.moments = append(r.moments, now)
	}
	result, err := measure.Run(ctx, measure.Command{
		Path:     o.Program,
		Args:     []string{"--config", at.Config, "-C", j.project.Dir, "--on-error", "quit", "--strategy", j.strategy, "build", j.project.Target},
		Dir:      j.project.Dir,
		Env:      append(env, where.Environ()...),
		Terminal: where,
		Timeout:  o.Timeout,
		Look:     look,
		Arrived:  arrived,
	})
	if err != nil {
		return run{}, err
	}
	r.wall = result.Wall
	now.at, now.written = result.Wall, result.Output.Bytes
	r.moments = append(r.moments, now)
	return r, nil
}

// processorTime is what a process's threads have used, to the nanosecond; what
// threads used that have ended is missing, and Go's do not end. It is 0 for no
// process and for one that has ended.
func processorTime(pid int) time.Duration {
	if pid == 0 {
		return 0
	}
	threads, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task", "*", "schedstat"))
	if err != nil {
		return 0
	}
	var total time.Duration
	for _, path := range threads {
		content, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		running, _, _ := strings.Cut(string(content), " ")
		if ns, err := strconv.ParseInt(running, 10, 64); err == nil {
			total += time.Duration(ns)
		}
	}
	return total
}
