// Package spawn measures what it costs to begin a session: what is handed over
// to a backend, and when what happens until the first thing is drawn. It answers
// the question of 2019, what is needed to spawn the scheduler instead of forking
// it, with figures (reports/spawn.md, which bench/report makes of the record).
//
// It knows the trace of what crosses (wire.ReadTrace) and the program's command
// line. It does not know what a strategy does.
package spawn

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"bst/bench/environ"
	"bst/bench/measure"
	"bst/bench/place"
	"bst/bench/rounds"
	"bst/bench/stacks"
	"bst/bench/terminal"
	"bst/impl/stream"
	"bst/impl/wire"
)

// The units of a result line. Times are from the start of the program.
const (
	UnitWall    = "ns/op"
	UnitOrder   = "order-ns/op"       // the frontend has opened its strategy and gives the order
	UnitStarted = "started-ns/op"     // the backend begins to obey it
	UnitFirst   = "first-event-ns/op" // the frontend has the first event
	UnitLoaded  = "loaded-ns/op"      // the frontend has the first event that tells of an element
	UnitDrawn   = "drawn-ns/op"       // the terminal has the first byte

	UnitOrderBytes = "order-B/op" // the first order, encoded; 0 where nothing is
	UnitHello      = "hello-B/op" // each end's hello
	UnitEnviron    = "environ-B/op"
	UnitEvents     = "events/op"
	UnitEventBytes = "event-B/op" // all events, encoded
)

// Options say what is measured.
type Options struct {
	// Program is bst's path.
	Program    string
	Strategies []string
	// Projects are folders of written stacks, by their names.
	Projects []Project
	Terminal terminal.Terminal
	Rounds   int
	Seed     uint64
	WorkDir  string
	Timeout  time.Duration
	Facts    []environ.Pair
	Log      io.Writer
}

// Project is a stack to measure with.
type Project struct {
	Name, Dir, Target string
	Elements          int
}

// Commands are what is measured: showing, and a build that has nothing to do.
var Commands = []string{"show", "build"}

type job struct {
	project           Project
	strategy, command string
}

func (j job) name() string {
	return fmt.Sprintf("Spawn/stack=%s/strategy=%s/command=%s", j.project.Name, j.strategy, j.command)
}

// Run measures each case once a round, in random order, and writes the record.
// One run of each, which also fills the caches, is not recorded.
func Run(ctx context.Context, o Options, out io.Writer) error {
	identity := wire.Identity()
	var jobs []job
	for _, p := range o.Projects {
		for _, s := range o.Strategies {
			for _, c := range Commands {
				jobs = append(jobs, job{p, s, c})
			}
		}
	}
	var text strings.Builder
	text.WriteString(environ.Lines(o.Facts))
	fmt.Fprintf(&text, "order-seed: %d\nterminal: %v\n", o.Seed, o.Terminal)
	for _, p := range o.Projects {
		fmt.Fprintf(&text, "elements-%s: %d\n", p.Name, p.Elements)
	}
	inits, err := initialised(ctx, o)
	if err != nil {
		return err
	}
	text.WriteString(inits)
	text.WriteString("\n")

	for round, jobs := range rounds.Warmed(jobs, o.Rounds, rounds.Random(o.Seed)) {
		if round > 0 {
			fmt.Fprintf(&text, "=== ROUND %d\n", round)
		}
		for _, j := range jobs {
			line, err := o.measure(ctx, j, len(identity)+4)
			if err == nil {
				err = place.Settled(ctx, j.strategy)
			}
			if err != nil {
				return fmt.Errorf("spawn: %s: %w", j.name(), err)
			}
			fmt.Fprintf(o.Log, "%3d of %-3d %s\n", round, o.Rounds, j.name())
			if round > 0 {
				fmt.Fprintf(&text, "Benchmark%s\t1%s\n", j.name(), line)
			}
		}
	}
	_, err = io.WriteString(out, text.String())
	return err
}

func (o *Options) measure(ctx context.Context, j job, hello int) (string, error) {
	at, err := place.Make(filepath.Join(o.WorkDir, "caches", j.project.Name+"+"+j.strategy), stacks.BuildStream2, 0)
	if err != nil {
		return "", err
	}
	trace := filepath.Join(at.Dir, "trace")
	if err := os.WriteFile(trace, nil, 0o600); err != nil {
		return "", err
	}
	env := at.Environ(wire.TraceVariable + "=" + trace)
	result, err := measure.Run(ctx, measure.Command{
		Path: o.Program,
		Args: []string{"--config", at.Config, "-C", j.project.Dir, "--on-error", "quit", "--strategy", j.strategy, j.command, j.project.Target},
		Dir:  j.project.Dir, Env: env, Terminal: o.Terminal, Timeout: o.Timeout,
	})
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(trace)
	if err != nil {
		return "", err
	}
	crossed, err := wire.ReadTrace(bytes.NewReader(data))
	if err != nil {
		return "", err
	}
	m, err := milestones(crossed)
	if err != nil {
		return "", err
	}
	size := 0
	for _, pair := range env {
		size += len(pair) + 1
	}
	var line strings.Builder
	add := func(value int64, unit string) { fmt.Fprintf(&line, "\t%d %s", value, unit) }
	add(result.Wall.Nanoseconds(), UnitWall)
	for _, t := range []struct {
		at   time.Time
		unit string
	}{{m.order, UnitOrder}, {m.started, UnitStarted}, {m.first, UnitFirst}, {m.loaded, UnitLoaded}, {result.Output.First, UnitDrawn}} {
		since := t.at.Sub(result.Begin)
		if t.at.IsZero() || since < 0 || since > result.Wall+time.Second { // the reader may come late
			return "", fmt.Errorf("%s is at %v of %v", t.unit, since, result.Wall)
		}
		add(since.Nanoseconds(), t.unit)
	}
	if m.orderBytes == 0 {
		hello, size = 0, 0 // nothing is handed over inside one process
	}
	add(int64(m.orderBytes), UnitOrderBytes)
	add(int64(hello), UnitHello)
	add(int64(size), UnitEnviron)
	add(int64(m.events), UnitEvents)
	add(int64(m.eventBytes), UnitEventBytes)
	return line.String(), nil
}

// marks are the moments of a session, by the machine's wall clock.
type marks struct {
	order, started, first, loaded  time.Time
	orderBytes, events, eventBytes int
}

func milestones(crossed []wire.Crossed) (marks, error) {
	var m marks
	for _, c := range crossed {
		switch {
		case c.Order != nil && m.order.IsZero():
			m.order, m.orderBytes = c.Time, c.Bytes
		case c.Event != nil:
			if m.first.IsZero() {
				m.first = c.Time
			}
			m.events++
			m.eventBytes += c.Bytes
			switch ev := c.Event.(type) {
			case *stream.Started:
				m.started = ev.Time
			case *stream.ElementShown, *stream.Heading:
				if m.loaded.IsZero() {
					m.loaded = c.Time
				}
			}
		}
	}
	if m.order.IsZero() || m.started.IsZero() || m.loaded.IsZero() {
		return m, fmt.Errorf("the trace of %d lines lacks the order, Started or an element", len(crossed))
	}
	return m, nil
}

// initLine is a line of GODEBUG=inittrace=1.
var initLine = regexp.MustCompile(`(?m)^init (\S+) @\S+ ms, (\S+) ms clock, (\d+) bytes, (\d+) allocs$`)

// most is how many packages are named.
const most = 8

// initialised says what Go initialises in every process of the program before
// its main begins: the frontend pays for the backend's packages too.
func initialised(ctx context.Context, o Options) (string, error) {
	where, err := terminal.Parse("none")
	if err != nil {
		return "", err
	}
	at, err := place.Make(filepath.Join(o.WorkDir, "caches", "none"), stacks.BuildStream2, 0)
	if err != nil {
		return "", err
	}
	result, err := measure.Run(ctx, measure.Command{
		Path: o.Program, Args: []string{"--version"}, Dir: o.WorkDir, Terminal: where, Timeout: o.Timeout,
		Env: at.Environ("GODEBUG=inittrace=1"),
	})
	if err != nil {
		return "", fmt.Errorf("spawn: %w", err)
	}
	type pkg struct {
		name  string
		ms    float64
		bytes int
	}
	var all []pkg
	var total pkg
	for _, m := range initLine.FindAllStringSubmatch(string(result.Output.Tail), -1) {
		ms, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			continue
		}
		size, err := strconv.Atoi(m[3])
		if err != nil {
			continue
		}
		all = append(all, pkg{m[1], ms, size})
		total.ms += ms
		total.bytes += size
	}
	if len(all) == 0 {
		return "", fmt.Errorf("spawn: GODEBUG=inittrace=1 says nothing of %s", o.Program)
	}
	slices.SortStableFunc(all, func(a, b pkg) int {
		if a.ms != b.ms {
			return int((b.ms - a.ms) * 1e6)
		}
		return strings.Compare(a.name, b.name)
	})
	text := fmt.Sprintf("init-packages: %d\ninit-time: %.2f ms\ninit-memory: %d bytes\n", len(all), total.ms, total.bytes)
	for i, p := range all[:min(most, len(all))] {
		text += fmt.Sprintf("init-%d: %s, %.3f ms, %d bytes\n", i+1, p.name, p.ms, p.bytes)
	}
	return text, nil
}
