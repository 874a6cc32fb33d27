package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"bst/bench/environ"
	"bst/bench/harness"
	"bst/bench/stacks"
	"bst/bench/terminal"
	"bst/strategies"
)

type runFlags struct {
	output, work, bst           string
	stacks, commands, terminals []string
	strategies, peers           []string
	plan                        harness.Plan
	builders                    int
	timeout                     time.Duration
}

func runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run -o FILE",
		Short: "Measure stacks × strategies × terminals × commands",
		Long: `Measure every stack with every tool and strategy, command and terminal, each
case once a round and in random order within the round. Every run is recorded
in FILE in the Go benchmark format.

A stack is named as in chain-1000, diamond-500-seed7, rapid-2000, debian-git or
debian-all. A terminal is none (a pipe), pty (a pseudo-terminal of 160×50 that
is drained at once) or pty@N (one that is drained at N bytes a second). A
command is show, build (into an empty cache) or rebuild (nothing to do).`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.output, "output", "o", "", "the file to record in; a file that is there is replaced")
	flags.StringVar(&f.bst, "bst", "bin/bst", "this project's program; empty to measure peers alone")
	flags.StringSliceVar(&f.strategies, "strategy", strategies.Names(), "the strategies to compare")
	flags.StringArrayVar(&f.peers, "peer", nil, "another BuildStream to measure beside it, as NAME=PATH")
	flags.StringSliceVar(&f.stacks, "stack", []string{"debian-git"}, "the stacks to measure with")
	flags.StringSliceVar(&f.commands, "command", []string{"show", "build", "rebuild"}, "the commands to measure")
	flags.StringSliceVar(&f.terminals, "terminal", []string{"none", "pty"}, "the terminals to measure on")
	flags.IntVarP(&f.plan.Repetitions, "repetitions", "n", 10, "how often each case is measured; a 95 % interval needs 6")
	flags.IntVar(&f.plan.PeerRepetitions, "peer-repetitions", 0, "the same for peers; 0 is as often as the others")
	flags.Uint64Var(&f.plan.Seed, "seed", 0, "draws the order; 0 draws a seed, which is recorded")
	flags.IntVar(&f.builders, "builders", 4, "the number of builders of every tool")
	flags.DurationVar(&f.timeout, "timeout", 15*time.Minute, "bounds a single run")
	flags.StringVar(&f.work, "work", "", "an empty folder for projects and caches; by default one is made and removed")
	cobra.CheckErr(cmd.MarkFlagRequired("output"))
	return cmd
}

func (f *runFlags) run(cmd *cobra.Command) (err error) {
	ctx := cmd.Context()
	if err := f.parse(ctx); err != nil {
		return err
	}
	work := f.work
	if work == "" {
		if work, err = os.MkdirTemp("", "bst-bench-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	} else if work, err = filepath.Abs(work); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(f.output), 0o755); err != nil {
		return err
	}
	// What was measured stays, in a file of another name, if this ends early.
	partial := f.output + ".partial"
	out, err := os.Create(partial)
	if err != nil {
		return err
	}
	failed, err := harness.Run(ctx, harness.Options{
		Plan:       f.plan,
		WorkDir:    work,
		Builders:   f.builders,
		Timeout:    f.timeout,
		WriteStack: writeStackElsewhere,
		Facts: append([]environ.Pair{{Key: "date", Value: time.Now().UTC().Format(time.RFC3339)}},
			environ.Capture(ctx, work, ".")...),
		Log: cmd.ErrOrStderr(),
	}, out)
	if err := errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("%w (what was measured is in %s)", err, partial)
	}
	if err := os.Rename(partial, f.output); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d runs failed; they are recorded in %s", failed, f.output)
	}
	return nil
}

// parse fills the plan.
func (f *runFlags) parse(ctx context.Context) error {
	for _, name := range f.stacks {
		spec, err := stacks.ParseName(name)
		if err != nil {
			return err
		}
		f.plan.Stacks = append(f.plan.Stacks, spec)
	}
	for _, name := range f.commands {
		command, err := harness.ParseCommand(name)
		if err != nil {
			return err
		}
		f.plan.Commands = append(f.plan.Commands, command)
	}
	for _, name := range f.terminals {
		where, err := terminal.Parse(name)
		if err != nil {
			return err
		}
		f.plan.Terminals = append(f.plan.Terminals, where)
	}
	if f.bst != "" {
		tool, err := harness.FindTool(ctx, "bst", f.bst)
		if err != nil {
			return err
		}
		tool.Strategies = f.strategies
		f.plan.Tools = append(f.plan.Tools, tool)
	}
	for _, peer := range f.peers {
		name, path, ok := strings.Cut(peer, "=")
		if !ok {
			return fmt.Errorf("--peer %s: want NAME=PATH", peer)
		}
		tool, err := harness.FindTool(ctx, name, path)
		if err != nil {
			return err
		}
		tool.Peer = true
		f.plan.Tools = append(f.plan.Tools, tool)
	}
	if f.plan.Seed == 0 {
		f.plan.Seed = uint64(time.Now().UnixNano()) % 1_000_000
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
