package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"bst/bench/compare"
	"bst/bench/environ"
	"bst/bench/harness"
	"bst/bench/report"
	"bst/bench/stacks"
	"bst/bench/terminal"
)

func compareCommand() *cobra.Command {
	var bound float64
	cmd := &cobra.Command{
		Use:   "compare OLD NEW",
		Short: "Say what differs between two raw files",
		Long: `Compare the cases that two raw files have in common: medians, and by a Mann-Whitney
U test whether they differ at all ("~" where that cannot be told). The status is 1
where something has become worse by more than the bound.

Files from two machines, or from two days of one, differ in more than the program:
the facts that differ are told first. bst-bench watch compares two programs in one run.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var files [2]*report.File
			for i, path := range args {
				var err error
				if files[i], err = report.ReadFile(path); err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
			}
			w := cmd.OutOrStdout()
			for _, key := range []string{"platform", "kernel", "cpu", "cores", "filesystem", "builders", "commit"} {
				if a, b := files[0].Fact(key), files[1].Fact(key); a != b {
					fmt.Fprintf(w, "%s: %s, then %s\n", key, cmp.Or(a, environ.Unknown), cmp.Or(b, environ.Unknown))
				}
			}
			r := compare.Files(files[0], files[1], bound/100)
			if len(r.Changes) == 0 {
				return fmt.Errorf("%s and %s have no case in common", args[0], args[1])
			}
			if err := r.Write(w); err != nil {
				return err
			}
			if n := r.Worse(); n > 0 {
				return fmt.Errorf("%d figures have become worse by more than %g %%", n, bound)
			}
			return nil
		},
	}
	cmd.Flags().Float64Var(&bound, "bound", 5, "how much worse a figure may become, in percent")
	return cmd
}

func watchCommand() *cobra.Command {
	var f watchFlags
	cmd := &cobra.Command{
		Use:   "watch --old PATH",
		Short: "Fail where bst needs clearly more than an older one",
		Long: `Measure two programs in the same rounds, in random order, and compare them round by
round: processor time, peak memory and bytes written. The status is 1 where the
whole 99 % interval of the ratios is above the bound, and is so again when measured
anew with another order. A busy machine makes intervals wide and fails nothing.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.before, "old", "", "the older program")
	flags.StringVar(&f.after, "bst", "bin/bst", "the program to watch")
	flags.StringSliceVar(&f.stacks, "stack", []string{"debian-git", "rapid-200"}, "the stacks to measure with")
	flags.StringSliceVar(&f.strategies, "strategy", []string{"inprocess", "pipe"}, "the strategies to watch")
	flags.IntVarP(&f.rounds, "repetitions", "n", 12, "how many rounds; the interval needs 8")
	flags.Uint64Var(&f.seed, "seed", 1, "draws the order")
	flags.StringVarP(&f.output, "output", "o", "", "keep the raw file of the last measurement here")
	cobra.CheckErr(cmd.MarkFlagRequired("old"))
	return cmd
}

type watchFlags struct {
	before, after, output string
	stacks, strategies    []string
	rounds                int
	seed                  uint64
}

// leastRounds are needed for the interval.
const leastRounds = 8

func (f *watchFlags) run(cmd *cobra.Command) (err error) {
	if f.rounds < leastRounds {
		return fmt.Errorf("%d rounds: the interval needs %d", f.rounds, leastRounds)
	}
	ctx := cmd.Context()
	suspects := map[string]bool{}
	for try := range uint64(2) {
		all, err := f.measure(cmd, f.seed+try)
		if err != nil {
			return err
		}
		if err := compare.WriteWatched(cmd.OutOrStdout(), all); err != nil {
			return err
		}
		again := map[string]bool{}
		for _, c := range all {
			if name := fmt.Sprint(c.Axes, c.Measure); c.Worse && (try == 0 || suspects[name]) {
				again[name] = true
			}
		}
		if suspects = again; len(suspects) == 0 {
			return ctx.Err()
		}
		if try == 0 {
			fmt.Fprintf(cmd.OutOrStdout(), "%d are worse by more than their bound; measuring again\n", len(suspects))
		}
	}
	return fmt.Errorf("%d are worse than %s by more than their bound, twice", len(suspects), f.before)
}

// old is the name of the older program in raw files.
const old = "bst-old"

func (f *watchFlags) measure(cmd *cobra.Command, seed uint64) (_ []compare.Watched, err error) {
	ctx := cmd.Context()
	plan := harness.Plan{
		Commands: []harness.Command{harness.Show, harness.Build}, Terminals: []terminal.Terminal{{}}, Repetitions: f.rounds, Seed: seed,
	}
	for _, name := range f.stacks {
		spec, err := stacks.ParseName(name)
		if err != nil {
			return nil, err
		}
		plan.Stacks = append(plan.Stacks, spec)
	}
	for _, program := range []struct{ name, path string }{{old, f.before}, {"bst", f.after}} {
		tool, err := harness.FindTool(ctx, program.name, program.path)
		if err != nil {
			return nil, err
		}
		tool.Strategies = f.strategies
		plan.Tools = append(plan.Tools, tool)
	}
	work, err := openWork("", onDisk)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, work.close(cmd.Context(), cmd.ErrOrStderr())) }()
	path := cmp.Or(f.output, filepath.Join(work.dir, "watch.txt"))
	out, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	outcome, err := harness.Run(ctx, harness.Options{
		Plan: plan, WorkDir: work.dir, Builders: 4, Timeout: time.Minute, WriteStack: writeStackElsewhere, Log: cmd.ErrOrStderr(),
		Facts: environ.Capture(ctx, work.dir, "."),
	}, out)
	if err := errors.Join(err, out.Close()); err != nil {
		return nil, err
	}
	file, err := report.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if outcome.Failed > 0 {
		return nil, fmt.Errorf("%d runs failed: %v", outcome.Failed, file.Failures)
	}
	return compare.Paired(file, old, "bst"), nil
}
