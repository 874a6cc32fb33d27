package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"bst/bench/codecs"
	"bst/bench/environ"
	"bst/bench/place"
	"bst/bench/spawn"
	"bst/bench/stacks"
	"bst/bench/terminal"
	"bst/bench/timeline"
	"bst/impl/stream"
	"bst/impl/wire"
	"bst/strategies"
)

// partFlags are what the benchmarks of parts have in common.
type partFlags struct {
	output, bst string
	stacks      []string
	rounds      int
	seed        uint64
}

func (f *partFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&f.output, "output", "o", "", "the file to record in; a file that is there is replaced")
	flags.StringVar(&f.bst, "bst", "bin/bst", "this project's program")
	flags.IntVarP(&f.rounds, "repetitions", "n", 10, "how often each case is measured; a 95 % interval needs 6")
	flags.Uint64Var(&f.seed, "seed", 0, "draws the order; 0 draws a seed, which is recorded")
	cobra.CheckErr(cmd.MarkFlagRequired("output"))
}

// prepare writes the stacks into a folder of their own, on the disk or in memory, and
// describes the machine.
func (f *partFlags) prepare(ctx context.Context, memory bool) (work *work, projects []spawn.Project, facts []environ.Pair, err error) {
	const most = 1000
	if f.rounds < 1 || f.rounds > most {
		return nil, nil, nil, fmt.Errorf("%d repetitions: want between 1 and %d", f.rounds, most)
	}
	if f.bst, err = exec.LookPath(f.bst); err == nil {
		f.bst, err = filepath.Abs(f.bst)
	}
	if err != nil {
		return nil, nil, nil, err
	}
	if f.seed == 0 {
		f.seed = uint64(time.Now().UnixNano()) % 1_000_000
	}
	var specs []stacks.Spec
	for _, name := range f.stacks {
		spec, err := stacks.ParseName(name)
		if err != nil {
			return nil, nil, nil, err
		}
		specs = append(specs, spec)
	}
	if work, err = openWork("", memory); err != nil {
		return nil, nil, nil, err
	}
	for _, spec := range specs {
		p := spawn.Project{Name: spec.Name(), Dir: filepath.Join(work.dir, "projects", spec.Name()), Target: spec.Target()}
		stack, err := stacks.Generate(spec)
		if err == nil {
			p.Elements = len(stack.Elements)
			err = stack.Write(p.Dir, stacks.BuildStream2)
		}
		if err != nil {
			return nil, nil, nil, errors.Join(err, work.close(ctx, io.Discard))
		}
		projects = append(projects, p)
	}
	facts = append([]environ.Pair{{Key: "date", Value: time.Now().UTC().Format(time.RFC3339)}}, environ.Capture(ctx, work.dir, ".")...)
	return work, projects, facts, nil
}

// write calls f with the output file, which takes its place when all is well.
func (f *partFlags) write(measure func(*os.File) error) error {
	if err := os.MkdirAll(filepath.Dir(f.output), 0o755); err != nil {
		return err
	}
	side := f.output + ".partial"
	out, err := os.Create(side)
	if err != nil {
		return err
	}
	if err := errors.Join(measure(out), out.Close()); err != nil {
		return errors.Join(err, os.Remove(side))
	}
	return os.Rename(side, f.output)
}

func spawnCommand() *cobra.Command {
	var f partFlags
	var where string
	var names []string
	cmd := &cobra.Command{
		Use:   "spawn -o FILE",
		Short: "Measure what it takes to begin a session",
		Long: `Start bst with each strategy, again and again in random order, and record when
the order is given, the backend begins, the first event comes and the first byte
is drawn, and how many bytes are handed over. bst-bench report makes spawn.md of
what lies in raw/parts/.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			drawn, err := terminal.Parse(where)
			if err != nil {
				return err
			}
			work, projects, facts, err := f.prepare(cmd.Context(), onDisk)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, work.close(cmd.Context(), cmd.ErrOrStderr())) }()
			return f.write(func(out *os.File) error {
				return spawn.Run(cmd.Context(), spawn.Options{
					Program: f.bst, Strategies: names, Projects: projects, Terminal: drawn, Rounds: f.rounds, Seed: f.seed,
					WorkDir: work.dir, Timeout: 5 * time.Minute, Facts: facts, Log: cmd.ErrOrStderr(),
				}, out)
			})
		},
	}
	f.add(cmd)
	cmd.Flags().StringSliceVar(&f.stacks, "stack", []string{"chain-10", "debian-gnome"}, "the stacks to measure with")
	cmd.Flags().StringSliceVar(&names, "strategy", strategies.Names(), "the strategies to compare")
	cmd.Flags().StringVar(&where, "terminal", "pty", "where it draws: none or pty")
	return cmd
}

func timelineCommand() *cobra.Command {
	var f partFlags
	var terminals, names []string
	cmd := &cobra.Command{
		Use:   "timeline -o FILE",
		Short: "Record what the user interface costs while a build runs",
		Long: `Build each stack with each strategy on each terminal, drawn in frames and drawn on
every event, and record how much processor time frontend and backend have used and
how much has been written, at each moment of the build. bst-bench report draws what
lies in raw/parts/timeline-*.txt.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			o := timeline.Options{Strategies: names, Timeout: 15 * time.Minute, Log: cmd.ErrOrStderr()}
			for _, name := range terminals {
				where, err := terminal.Parse(name)
				if err != nil {
					return err
				}
				o.Terminals = append(o.Terminals, where)
			}
			// One run is shown of each case, and on a disk some take four times as long.
			var work *work
			if work, o.Projects, o.Facts, err = f.prepare(cmd.Context(), inMemory); err != nil {
				return err
			}
			defer func() { err = errors.Join(err, work.close(cmd.Context(), cmd.ErrOrStderr())) }()
			o.WorkDir = work.dir
			o.Program, o.Rounds, o.Seed = f.bst, f.rounds, f.seed
			return f.write(func(out *os.File) error { return timeline.Run(cmd.Context(), o, out) })
		},
	}
	f.add(cmd)
	cmd.Flags().Lookup("repetitions").Usage = "how often each case is run; the one that takes the middle of the times is recorded"
	cobra.CheckErr(cmd.Flags().Set("repetitions", "5"))
	cmd.Flags().StringSliceVar(&f.stacks, "stack", []string{"debian-gnome"}, "the stacks to build")
	cmd.Flags().StringSliceVar(&names, "strategy", []string{"inprocess", "pipe"}, "the strategies to compare")
	cmd.Flags().StringSliceVar(&terminals, "terminal", []string{"pty", "model-wsl1"}, "where it draws")
	return cmd
}

func codecsCommand() *cobra.Command {
	var f partFlags
	var least int
	cmd := &cobra.Command{
		Use:   "codecs -o FILE",
		Short: "Compare what could carry events, on the events of real builds",
		Long: `Build each stack once with bst, record its events (BST_WIRE_TRACE), and measure
each codec on them, again and again in random order. bst-bench report makes
codecs.md of what lies in raw/parts/.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			work, projects, facts, err := f.prepare(cmd.Context(), onDisk)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, work.close(cmd.Context(), cmd.ErrOrStderr())) }()
			o := codecs.Options{Rounds: f.rounds, Least: least, Seed: f.seed, Facts: facts}
			for _, p := range projects {
				fmt.Fprintf(cmd.ErrOrStderr(), "building %s\n", p.Name)
				events, err := record(cmd.Context(), f.bst, work.dir, p)
				if err != nil {
					return err
				}
				o.Sessions = append(o.Sessions, codecs.Recorded{Name: p.Name, Events: events})
			}
			return f.write(func(out *os.File) error { return codecs.Run(cmd.Context(), o, out) })
		},
	}
	f.add(cmd)
	cmd.Flags().StringSliceVar(&f.stacks, "stack", []string{"debian-gnome", "rapid-2000"}, "the stacks to build")
	cmd.Flags().IntVar(&least, "events", 200_000, "how many events one figure is of, at least")
	return cmd
}

// record builds a project into an empty cache and returns its events.
func record(ctx context.Context, bst, work string, p spawn.Project) ([]stream.Event, error) {
	at, err := place.Make(filepath.Join(work, "caches", p.Name), stacks.BuildStream2, 0)
	if err != nil {
		return nil, err
	}
	trace := filepath.Join(at.Dir, "trace")
	cmd := exec.CommandContext(ctx, bst, "--config", at.Config, "-C", p.Dir, "--on-error", "quit", "--strategy", "inprocess", "build", p.Target)
	cmd.Env = at.Environ(wire.TraceVariable + "=" + trace)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%v: %w\n%s", cmd.Args, err, out[max(0, len(out)-2000):])
	}
	from, err := os.Open(trace)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	crossed, err := wire.ReadTrace(from)
	if err != nil {
		return nil, err
	}
	var events []stream.Event
	for _, c := range crossed {
		if c.Event != nil {
			events = append(events, c.Event)
		}
	}
	return events, nil
}
