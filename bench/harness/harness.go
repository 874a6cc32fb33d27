// Package harness runs a plan: stacks, tools with their strategies, commands and
// terminals, each case again and again and all of them mixed, and records every
// run in the Go benchmark format.
//
// It knows how to call BuildStream and its like and how to see that a run did
// what it should. It does not know statistics: it records single runs, and
// bench/report reads them.
package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"bst/bench/environ"
	"bst/bench/measure"
	"bst/bench/stacks"
	"bst/bench/terminal"
)

// Options say how a plan is run.
type Options struct {
	Plan Plan
	// WorkDir is an empty folder for projects and caches. Nothing in it is
	// removed while the plan runs, for ext4 makes whoever creates files pay for
	// those that were removed in the last minutes: it does not give their inodes
	// out again and looks at each of them on its way to one that is free.
	WorkDir string
	// Builders is the number of builders of every tool.
	Builders int
	// Timeout bounds a single run.
	Timeout time.Duration
	// WriteStack writes a stack into a folder. It should do so in another
	// process: on Linux a process's peak memory starts at its parent's, and a
	// harness that has held Debian's graph would show in every figure.
	WriteStack func(ctx context.Context, spec stacks.Spec, format stacks.Format, dir string) error
	// Facts describe the machine; they head the record.
	Facts []environ.Pair
	// Log gets a line a run, for a person who waits.
	Log io.Writer
}

// Run runs the plan and writes the record to out as it goes. A run that fails
// is recorded as failed and the plan goes on; how many failed is returned. An
// error means that the harness itself could not go on.
func Run(ctx context.Context, o Options, out io.Writer) (failed int, err error) {
	if err := o.Plan.check(); err != nil {
		return 0, err
	}
	r := &runner{Options: o, record: &record{out: out}, sizes: map[string]int{}}
	if err := r.prepare(ctx); err != nil {
		return 0, err
	}
	if err := r.record.head(r.heading()); err != nil {
		return 0, err
	}
	rounds := o.Plan.Rounds()
	for i, cases := range rounds {
		for _, c := range cases {
			if err := r.measure(ctx, c, i+1, len(rounds)); err != nil {
				return r.failed, err
			}
		}
	}
	return r.failed, nil
}

type runner struct {
	Options
	record *record
	sizes  map[string]int // a stack's name to its number of elements
	fresh  int            // counts the caches that were made
	failed int
}

func (r *runner) heading() []environ.Pair {
	p := &r.Plan
	facts := append([]environ.Pair{}, r.Facts...)
	add := func(key, format string, args ...any) {
		facts = append(facts, environ.Pair{Key: key, Value: fmt.Sprintf(format, args...)})
	}
	add("order-seed", "%d", p.Seed)
	add("builders", "%d", r.Builders)
	add("terminal-size", "%dx%d", terminal.Columns, terminal.Rows)
	add("warm-up", "every tool and strategy: one show of each stack; what is rebuilt was built once before")
	add("peak-rss", "largest process, as wait4 tells; with a backend, VmHWM of frontend and backend added, polled from /proc")
	for _, stack := range p.Stacks {
		add("elements-"+stack.Name(), "%d", r.sizes[stack.Name()])
	}
	for _, t := range p.Tools {
		role := "ours"
		if t.Peer {
			role = "peer"
		}
		add("tool-"+t.Name, "%s, version %s", role, t.Version)
	}
	return facts
}

// prepare writes the projects and runs what warms them up.
func (r *runner) prepare(ctx context.Context) error {
	for _, spec := range r.Plan.Stacks {
		for i := range r.Plan.Tools {
			t := &r.Plan.Tools[i]
			for _, strategy := range t.Strategies {
				c := Case{Stack: spec, Tool: t, Strategy: strategy}
				if err := r.WriteStack(ctx, spec, t.Format, r.projectDir(c)); err != nil {
					return fmt.Errorf("harness: %w", err)
				}
				// The stack itself is never held here: see Options.WriteStack.
				elements, err := os.ReadDir(filepath.Join(r.projectDir(c), "elements"))
				if err != nil {
					return fmt.Errorf("harness: %w", err)
				}
				r.sizes[spec.Name()] = len(elements)
				if err := r.warmUp(ctx, c); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// warmUp brings program and project into the page cache, and fills the cache
// that nothing is left to do in. A tool that fails here fails again when it is
// measured, and is recorded then.
func (r *runner) warmUp(ctx context.Context, c Case) error {
	warm := func(command Command) error {
		c.Command = command
		fmt.Fprintf(r.Log, "warm-up   %s\n", c.Name())
		_, err := r.run(ctx, c, r.keptDir(c))
		var failure *measure.FailedError
		if errors.As(err, &failure) {
			fmt.Fprintf(r.Log, "          failed: %v\n", err)
			return ctx.Err()
		}
		return err
	}
	if err := warm(Show); err != nil {
		return err
	}
	for _, command := range r.Plan.Commands {
		if command == Rebuild {
			return warm(Rebuild)
		}
	}
	return nil
}

// projectDir is a project of the case's own: some tools write into it.
func (r *runner) projectDir(c Case) string {
	return filepath.Join(r.WorkDir, "projects", c.Stack.Name(), c.Tool.Name+"+"+c.Strategy)
}

// keptDir is a cache that lives as long as the plan: an empty one for show, a
// filled one for rebuild.
func (r *runner) keptDir(c Case) string {
	return filepath.Join(r.WorkDir, "caches", c.Stack.Name(), c.Tool.Name+"+"+c.Strategy, string(c.Command))
}

// measure runs a case once and records it.
func (r *runner) measure(ctx context.Context, c Case, round, rounds int) error {
	dir := r.keptDir(c)
	if c.Command == Build {
		r.fresh++
		dir = filepath.Join(r.WorkDir, "caches", fmt.Sprintf("fresh-%d", r.fresh))
	}
	// What earlier runs left to be written is not this one's to wait for.
	syscall.Sync()
	result, err := r.run(ctx, c, dir)
	var failure *measure.FailedError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &failure):
		r.failed++
		fmt.Fprintf(r.Log, "%3d of %-3d %s: failed: %v\n", round, rounds, c.Name(), err)
		return r.record.failure(c, round, failure)
	case err != nil:
		return err
	}
	fmt.Fprintf(r.Log, "%3d of %-3d %s: %.2f s\n", round, rounds, c.Name(), result.Wall.Seconds())
	return r.record.result(c, round, &result)
}

// run runs a case in a cache and checks that it did what it should.
func (r *runner) run(ctx context.Context, c Case, cache string) (measure.Result, error) {
	config, err := c.Tool.writeConfig(cache, r.Builders)
	if err != nil {
		return measure.Result{}, fmt.Errorf("harness: %w", err)
	}
	home := filepath.Join(cache, "home")
	if err := os.MkdirAll(home, 0o755); err != nil {
		return measure.Result{}, fmt.Errorf("harness: %w", err)
	}
	command := measure.Command{
		Path: c.Tool.Path,
		Args: c.Tool.arguments(config, r.projectDir(c), c.Strategy, c.Command, c.Stack.Target()),
		Dir:  r.projectDir(c),
		Env: []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_CACHE_HOME=" + home, "XDG_CONFIG_HOME=" + home,
			"TERM=xterm-256color", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "TMPDIR=" + home,
		},
		Terminal: c.Terminal,
		Timeout:  r.Timeout,
	}
	result, err := measure.Run(ctx, command)
	if err != nil {
		return measure.Result{}, err
	}
	if wrong := r.verify(c, cache, &result); wrong != nil {
		return measure.Result{}, &measure.FailedError{
			Command: c.Tool.Path + " " + strings.Join(command.Args, " "),
			Err:     wrong,
			Tail:    string(result.Output.Tail),
		}
	}
	return result, nil
}

// verify finds the runs that ended well without having done their work.
func (r *runner) verify(c Case, cache string, result *measure.Result) error {
	want := r.sizes[c.Stack.Name()]
	if c.Command == Show {
		if result.Output.Lines < int64(want) {
			return fmt.Errorf("it showed %d lines for %d elements", result.Output.Lines, want)
		}
		return nil
	}
	got, err := c.Tool.built(cache, c.Stack.Project())
	if err != nil {
		return fmt.Errorf("its artifacts cannot be counted: %w", err)
	}
	if got < want {
		return fmt.Errorf("it left artifacts of %d elements, not of %d", got, want)
	}
	return nil
}
