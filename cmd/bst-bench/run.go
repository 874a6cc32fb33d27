package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/spf13/cobra"

	"bst/bench/environ"
	"bst/bench/harness"
	"bst/bench/plan"
	"bst/bench/stacks"
	"bst/bench/terminal"
	"bst/impl/platform"
	"bst/strategies"
)

type runFlags struct {
	output, work, bst           string
	stacks, commands, terminals []string
	projects                    []string
	strategies, peers           []string
	frames, windows             []time.Duration
	buildersAxis                []int
	repetitions, peerRounds     int
	seed                        uint64
	builders                    int
	perEvent, inMemory          bool
	timeout                     time.Duration
	plan                        string
	only                        []string
	fresh                       bool
}

func runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run {-o FILE | --plan FILE [-o DIR]}",
		Short: "Measure stacks × strategies × terminals × commands",
		Long: `Measure every stack with every tool and strategy, command and terminal, each
case once a round and in random order within the round. Every run is recorded
in FILE in the Go benchmark format. A plan (bench/plans, bst-bench plans) says all
of this for several files, which are written to DIR.

While it runs the record is FILE.partial. If this ends early, the same command
goes on where it stopped.

A stack is named as in chain-1000, diamond-500-seed7, rapid-2000, debian-git or
debian-all. A terminal is none (a pipe), pty (a pseudo-terminal of 160×50 that
is drained at once), pty@N (one that is drained at N bytes a second), pty-stopped
(on which ^S is pressed for a while), a model of a slow terminal (model-conhost,
model-wsl1, model-windows-terminal, model-ssh-50ms) or a real one (xterm, tmux). A
command is show-cold (nothing in any cache), show, fetch and build (into an empty
cache) or rebuild (nothing to do).

What fails, hangs or is not there (a peer, a terminal) is recorded with the reason,
the rest is measured, and the status is not 0.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.plan != "" {
				return f.runPlan(cmd)
			}
			return f.runOne(cmd)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.plan, "plan", "", "a plan's file, or the name of one that is built in; the axes are its own")
	flags.StringSliceVar(&f.only, "only", nil, "of the plan's files these alone")
	flags.BoolVar(&f.fresh, "fresh", false, "begin anew where an earlier run was interrupted")
	flags.StringVarP(&f.output, "output", "o", "", "the file to record in; a file that is there is replaced; with --plan a folder (default reports/raw)")
	flags.StringVar(&f.bst, "bst", "bin/bst", "this project's program; empty to measure peers alone")
	flags.StringSliceVar(&f.strategies, "strategy", nil, "the strategies to compare; all by default")
	flags.StringArrayVar(&f.peers, "peer", nil, "another BuildStream, or ninja, to measure beside it, as NAME=PATH")
	flags.StringSliceVar(&f.stacks, "stack", []string{"debian-git"}, "the stacks to measure with")
	flags.StringArrayVar(&f.projects, "project", nil, "a real project to measure show with, as NAME=DIR; it may be written to")
	flags.StringSliceVar(&f.commands, "command", []string{"show", "build", "rebuild"}, "the commands to measure")
	flags.StringSliceVar(&f.terminals, "terminal", []string{"none", "pty"}, "the terminals to measure on")
	flags.BoolVar(&f.perEvent, "per-event", false, "measure bst drawing on every event too, as the tool bst-per-event")
	flags.DurationSliceVar(&f.frames, "frame", nil, "shortest times between two frames to compare, as in 45ms,90ms")
	flags.DurationSliceVar(&f.windows, "window", nil, "batching windows to compare, as in 5ms,20ms")
	flags.IntSliceVar(&f.buildersAxis, "compare-builders", nil, "numbers of builders to compare")
	flags.IntVarP(&f.repetitions, "repetitions", "n", 10, "how often each case is measured; a 95 % interval needs 6")
	flags.IntVar(&f.peerRounds, "peer-repetitions", 0, "the same for peers; 0 is as often as the others")
	flags.Uint64Var(&f.seed, "seed", 0, "draws the order; 0 draws a seed, which is recorded")
	flags.IntVar(&f.builders, "builders", 4, "the number of builders of every tool")
	flags.DurationVar(&f.timeout, "timeout", 15*time.Minute, "bounds a single run")
	flags.StringVar(&f.work, "work", "", "an empty folder for projects and caches; by default one is made and removed")
	flags.BoolVar(&f.inMemory, "in-memory", false, "make that folder in memory where this machine can: what a disk does now and then is then in no figure")
	cmd.MarkFlagsMutuallyExclusive("work", "in-memory")
	cmd.MarkFlagsMutuallyExclusive("plan", "in-memory")
	cmd.MarkFlagsMutuallyExclusive("plan", "stack")
	cmd.MarkFlagsMutuallyExclusive("plan", "strategy")
	cmd.MarkFlagsMutuallyExclusive("plan", "command")
	cmd.MarkFlagsMutuallyExclusive("plan", "terminal")
	cmd.MarkFlagsMutuallyExclusive("plan", "work")
	cmd.MarkFlagsOneRequired("plan", "output")
	return cmd
}

// runOne measures what the flags say.
func (f *runFlags) runOne(cmd *cobra.Command) (err error) {
	record, err := f.record()
	if err != nil {
		return err
	}
	work, err := openWork(f.work, f.inMemory)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, work.close(cmd.Context(), cmd.ErrOrStderr())) }()
	outcome, err := f.measure(cmd, record, f.output, work.dir)
	if err != nil {
		return err
	}
	if err := os.Rename(f.output+partial, f.output); err != nil {
		return err
	}
	return complain(outcome, f.output)
}

// record says what the flags say as a plan would.
func (f *runFlags) record() (plan.Record, error) {
	r := plan.Record{
		Kind: plan.Runs, Strategies: f.strategies, Builders: f.buildersAxis, Frames: f.frames, Windows: f.windows,
		PerEvent: f.perEvent, Peers: f.peers, Repetitions: f.repetitions, PeerRepetitions: f.peerRounds,
	}
	for _, name := range f.stacks {
		spec, err := stacks.ParseName(name)
		if err != nil {
			return r, err
		}
		r.Stacks = append(r.Stacks, spec)
	}
	for _, text := range f.projects {
		name, _, _ := strings.Cut(text, "=")
		r.Projects = append(r.Projects, name)
	}
	for _, name := range f.commands {
		command, err := harness.ParseCommand(name)
		if err != nil {
			return r, err
		}
		r.Commands = append(r.Commands, command)
	}
	for _, name := range f.terminals {
		where, err := terminal.Parse(name)
		if err != nil {
			return r, err
		}
		r.Terminals = append(r.Terminals, where)
	}
	for _, peer := range f.peers {
		if name, path, ok := strings.Cut(peer, "="); !ok || name == "" || path == "" {
			return r, fmt.Errorf("--peer %s: want NAME=PATH", peer)
		}
	}
	return r, nil
}

// complain makes an error of an outcome that is not all it should be.
func complain(outcome harness.Outcome, where string) error {
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{{outcome.Failed, "runs failed"}, {outcome.Skipped, "things were skipped"}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return fmt.Errorf("%s; the reasons and all the rest are recorded in %s", strings.Join(parts, " and "), where)
}

// partial ends the name of a record while it is written.
const partial = ".partial"

// lockPatience is how long the lock of a record is waited for: a process that was
// about to start when bst-bench was killed has it for a moment longer.
const lockPatience = 2 * time.Second

// measure measures a record into output's partial file, or goes on with one.
func (f *runFlags) measure(cmd *cobra.Command, record plan.Record, output, work string) (_ harness.Outcome, err error) {
	ctx := cmd.Context()
	if err := os.MkdirAll(filepath.Dir(output), 0o755); err != nil {
		return harness.Outcome{}, err
	}
	// One at a time: two would write into each other's lines.
	lock := flock.New(output + ".lock")
	patient, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	if _, err := lock.TryLockContext(patient, lockPatience/40); errors.Is(err, context.DeadlineExceeded) {
		return harness.Outcome{}, fmt.Errorf("another bst-bench measures into %s: it holds the lock", output)
	} else if err != nil {
		return harness.Outcome{}, err
	}
	defer func() { err = errors.Join(err, release(lock)) }()
	options, err := f.options(ctx, record)
	if err != nil {
		return harness.Outcome{}, err
	}
	options.WorkDir, options.Log = work, cmd.ErrOrStderr()
	// Before there is a file to go on with.
	if err := options.Plan.Check(); err != nil {
		return harness.Outcome{}, err
	}
	out, before, err := f.open(output + partial)
	if err != nil {
		return harness.Outcome{}, err
	}
	if before != nil {
		fmt.Fprintf(options.Log, "going on with %s%s\n", output, partial)
		options.Before, options.Plan.Seed = before, before.Seed
	}
	options.Facts = append([]environ.Pair{{Key: "date", Value: time.Now().UTC().Format(time.RFC3339)}},
		environ.Capture(ctx, work, ".")...)
	outcome, err := harness.Run(ctx, options, out)
	var other *harness.OtherError
	switch err := errors.Join(err, out.Close()); {
	case errors.As(err, &other):
		return outcome, fmt.Errorf("%s%s is there, of a run that was interrupted, and cannot be gone on with: %w; --fresh begins anew", output, partial, err)
	case err != nil:
		return outcome, fmt.Errorf("%w (what was measured is in %s%s; the same command goes on with it)", err, output, partial)
	}
	if outcome.Noisy > 0 {
		fmt.Fprintf(options.Log, "%d of the rounds were not quiet; the record says which and why\n", outcome.Noisy)
	}
	return outcome, nil
}

// open opens a partial record to append to, and reads what it has.
func (f *runFlags) open(path string) (*os.File, *harness.Interrupted, error) {
	if f.fresh {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, err
		}
	}
	out, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, nil, err
	}
	before, err := harness.ReadInterrupted(out)
	if before != nil && err == nil {
		err = out.Truncate(before.Size)
	}
	if errors.Is(err, harness.ErrNothing) { // it was killed before it had begun
		return out, nil, out.Truncate(0)
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%s is there and cannot be gone on with: %w; --fresh begins anew", path, err), out.Close())
	}
	return out, before, nil
}

// options are those of a record: what of it can be measured here, and why the rest
// cannot.
func (f *runFlags) options(ctx context.Context, record plan.Record) (harness.Options, error) {
	o := harness.Options{
		Builders: f.builders, Timeout: cmp.Or(record.Timeout, f.timeout), WriteStack: writeStackElsewhere,
		OnlyWhether: platform.Name() == platform.Wine,
		Plan: harness.Plan{
			Stacks: record.Stacks, Commands: record.Commands, Builders: record.Builders, Frames: record.Frames, Windows: record.Windows,
			Repetitions: record.Repetitions, PeerRepetitions: record.PeerRepetitions, Seed: f.seed,
		},
	}
	skip := func(what string, err error) { o.Skipped = append(o.Skipped, what+": "+err.Error()) }
	for _, where := range record.Terminals {
		if err := where.Available(); err != nil {
			skip("terminal "+where.String(), err)
			continue
		}
		o.Plan.Terminals = append(o.Plan.Terminals, where)
	}
	if err := f.realProjects(record, &o.Plan, skip); err != nil {
		return o, err
	}
	if f.bst != "" {
		tool, err := harness.FindTool(ctx, "bst", f.bst)
		if err != nil {
			return o, err
		}
		tool.Strategies = nil
		for _, name := range record.Strategies {
			// A name that no platform knows is for the tool to refuse.
			if known(name) && !slices.Contains(strategies.Names(), name) {
				skip("strategy "+name, fmt.Errorf("it does not work on %s", runtime.GOOS))
				continue
			}
			tool.Strategies = append(tool.Strategies, name)
		}
		if len(record.Strategies) == 0 {
			tool.Strategies = strategies.Names()
		}
		o.Plan.Tools = append(o.Plan.Tools, tool)
		if record.PerEvent {
			o.Plan.Tools = append(o.Plan.Tools, tool.PerEvent())
		}
	}
	given := map[string]string{}
	for _, peer := range f.peers {
		name, path, ok := strings.Cut(peer, "=")
		if !ok || name == "" || path == "" {
			return o, fmt.Errorf("--peer %s: want NAME=PATH", peer)
		}
		given[name] = path
	}
	for _, peer := range record.Peers {
		name, path, _ := strings.Cut(peer, "=")
		path = cmp.Or(given[name], path)
		if path == "" {
			skip("peer "+name, fmt.Errorf("say where it is: --peer %s=PATH", name))
			continue
		}
		tool, err := harness.FindTool(ctx, name, path)
		if err != nil {
			skip("peer "+name, err)
			continue
		}
		tool.Peer = true
		o.Plan.Tools = append(o.Plan.Tools, tool)
	}
	if o.Plan.Seed == 0 {
		o.Plan.Seed = uint64(time.Now().UnixNano()) % 1_000_000
	}
	return o, nil
}

// known says whether a strategy works on some platform.
func known(name string) bool {
	return slices.ContainsFunc(strategies.Every(), func(s strategies.Strategy) bool { return s.Name == name })
}

// realProjects adds the projects of the record whose folders are known.
func (f *runFlags) realProjects(record plan.Record, to *harness.Plan, skip func(string, error)) error {
	dirs := map[string]stacks.Spec{}
	for _, text := range f.projects {
		spec, err := stacks.ParseReal(text)
		if err == nil {
			spec.Dir, err = filepath.Abs(spec.Dir)
		}
		if err != nil {
			return err
		}
		dirs[spec.Root] = spec
	}
	for _, name := range record.Projects {
		spec, ok := dirs[name]
		if !ok {
			skip("project "+name, fmt.Errorf("say where it is: --project %s=DIR", name))
			continue
		}
		to.Stacks = append(to.Stacks, spec)
	}
	return nil
}

// writeStackElsewhere writes a stack with this program started anew.
func writeStackElsewhere(ctx context.Context, spec stacks.Spec, format stacks.Format, dir string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, "stacks", "-o", dir, "--for", string(format),
		"-n", strconv.Itoa(spec.N), "--seed", strconv.FormatUint(spec.Seed, 10), "--root", spec.Root, string(spec.Kind))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
