// Package harness runs a plan: stacks, tools with their strategies, commands and
// terminals, each case again and again and all of them mixed, and records every
// run in the Go benchmark format.
//
// It knows how to call BuildStream and its like and how to see that a run did
// what it should. It does not know statistics: it records single runs, and
// bench/report reads them.
package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bst/bench/environ"
	"bst/bench/measure"
	"bst/bench/place"
	"bst/bench/stacks"
	"bst/bench/terminal"
	"bst/bench/workdir"
)

// Options say how a plan is run.
type Options struct {
	Plan Plan
	// WorkDir is an empty folder for projects and caches. A cache that is measured
	// once is removed after its run; the rest stays.
	WorkDir string
	// Builders is the number of builders of every tool, where the plan does not say.
	Builders int
	// Timeout bounds a single run.
	Timeout time.Duration
	// WriteStack writes a stack into a folder. It should do so in another
	// process: on Linux a process's peak memory starts at its parent's, and a
	// harness that has held Debian's graph would show in every figure.
	WriteStack func(ctx context.Context, spec stacks.Spec, format stacks.Format, dir string) error
	// Facts describe the machine; they head the record.
	Facts []environ.Pair
	// OnlyWhether says that the record tells of each case whether it works, and no
	// time, processor or memory: those of a platform that stands in for another's
	// programs and not for its speed (Wine) are nobody's.
	OnlyWhether bool
	// Skipped says what was asked for and cannot be measured here, with the reason
	// of each: it is recorded.
	Skipped []string
	// Before is the record of the same plan that was interrupted, nil for none:
	// what it has is not measured again, and out goes on where it ends.
	Before *Interrupted
	// Now tells the date for remarks; nil is time.Now.
	Now func() time.Time
	// Log gets a line a run, for a person who waits.
	Log io.Writer
}

// Outcome says how a plan went, what was recorded before an interruption included.
type Outcome struct {
	// Failed counts the runs that failed, Skipped what was given up or could not
	// be measured, Noisy the rounds in which the machine did something else.
	Failed, Skipped, Noisy int
}

// giveUp is how often a case may fail, without ever going well, before it is left
// out of the rounds that remain. One that takes all of its time is left out at once.
const giveUp = 2

// Run runs the plan and writes the record to out as it goes, each result as soon
// as it is there, in one write. A run that fails is recorded as failed and the plan
// goes on. An error means that the harness itself could not go on; what it had
// recorded can be gone on with.
func Run(ctx context.Context, o Options, out io.Writer) (_ Outcome, err error) {
	if err := o.Plan.Check(); err != nil {
		return Outcome{}, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	rounds := o.Plan.Rounds()
	r := &runner{
		Options: o, record: &record{out: out, onlyWhether: o.OnlyWhether}, sizes: map[string]int{}, tries: map[string]*tries{}, stayed: map[string]place.Place{},
		progress: newProgress(rounds),
	}
	defer func() { err = errors.Join(err, r.endBackends()) }()
	if err := r.prepare(ctx); err != nil {
		return Outcome{}, err
	}
	if err := r.begin(); err != nil {
		return r.outcome, err
	}
	for i, cases := range rounds {
		if err := r.round(ctx, i+1, cases); err != nil {
			return r.outcome, err
		}
	}
	return r.outcome, r.record.remark(RemarkEnd, r.date())
}

type runner struct {
	Options
	record   *record
	sizes    map[string]int // a stack's name to its number of elements
	tries    map[string]*tries
	fresh    int                    // counts the caches that were made
	stayed   map[string]place.Place // by cache, those in which a backend may have stayed
	outcome  Outcome
	progress *progress
	mhz      float64 // the processors' frequency in the first round
	noise    noise   // of the round
}

// endBackends ends those that stay for caches that are kept.
func (r *runner) endBackends() error {
	var err error
	for _, at := range r.stayed {
		err = errors.Join(err, at.EndBackends())
	}
	return err
}

// tries are a case's runs so far.
type tries struct {
	good, failed int
	timedOut     bool
	skipped      bool // and that is recorded
}

func (r *runner) date() string { return r.Now().UTC().Format(time.RFC3339) }

// begin writes the heading, or says that an interrupted record is gone on with.
func (r *runner) begin() error {
	if r.Before == nil {
		if err := r.record.head(r.heading()); err != nil {
			return err
		}
		for _, what := range r.Skipped {
			if err := r.skip(what); err != nil {
				return err
			}
		}
		return nil
	}
	if err := r.Before.matches(r.heading()); err != nil {
		return err
	}
	r.record.round = r.Before.round
	r.outcome = r.Before.outcome
	r.tries = r.Before.tries
	return r.record.remark(RemarkResumed, r.date())
}

func (r *runner) skip(what string) error {
	r.outcome.Skipped++
	fmt.Fprintf(r.Log, "skipped   %s\n", what)
	return r.record.remark(RemarkSkipped, what)
}

// round runs a round's cases that were not run yet.
func (r *runner) round(ctx context.Context, number int, cases []Case) error {
	r.noise = noise{}
	for _, c := range cases {
		name := c.Name()
		if r.Before != nil && r.Before.done[key(number, name)] {
			r.progress.passed(c)
			continue
		}
		t := r.tries[name]
		if t == nil {
			t = new(tries)
			r.tries[name] = t
		}
		if t.timedOut || t.good == 0 && t.failed >= giveUp {
			if !t.skipped {
				t.skipped = true
				if err := r.skip(name + ": " + t.reason()); err != nil {
					return err
				}
			}
			r.progress.passed(c)
			continue
		}
		if err := r.measure(ctx, c, number, t); err != nil {
			return err
		}
	}
	return r.tellNoise(number)
}

// reason says why no more is tried.
func (t *tries) reason() string {
	if t.timedOut {
		return "it took all of its time once; it is not tried again"
	}
	return fmt.Sprintf("it failed %d times and never went well; it is not tried again", t.failed)
}

func (r *runner) heading() []environ.Pair {
	p := &r.Plan
	facts := append([]environ.Pair{}, r.Facts...)
	add := func(key, format string, args ...any) {
		facts = append(facts, environ.Pair{Key: key, Value: fmt.Sprintf(format, args...)})
	}
	add("plan-digest", "%s", p.digest())
	add("order-seed", "%d", p.Seed)
	add("builders", "%d", r.Builders)
	add("terminal-size", "%dx%d", terminal.Columns, terminal.Rows)
	add("warm-up", "every tool and strategy: one show of each stack; what is rebuilt was built once before")
	add("time-limit", "%v a run", r.Timeout)
	add("fresh-caches", "each in a part of the disk of its own, where the file system can do that (ext4), and removed after its run")
	switch {
	case r.OnlyWhether:
		add("figures", "none of time, processor or memory: here is only told what works")
	case peakTold():
		add("peak-rss", "largest process, as wait4 tells; with a backend, VmHWM of frontend and backend added, polled from /proc")
	default:
		add("peak-rss", "not told here: a process's begins at that of the harness that starts it")
	}
	if slices.Contains(p.Commands, ShowCold) && !evicts() {
		add("show-cold", "with empty caches, and the page cache as it is: this platform takes no file out of it")
	}
	for _, where := range p.Terminals {
		if about := where.About(); about != "" {
			add("terminal-"+where.String(), "%s", about)
		}
	}
	for _, stack := range p.Stacks {
		add("elements-"+stack.Name(), "%d", r.sizes[stack.Name()])
	}
	for _, t := range p.Tools {
		role := "ours"
		if t.Peer {
			role = "peer"
		}
		add("tool-"+t.Name, "%s, version %s, sha256 %s", role, t.Version, cmp.Or(t.Digest, environ.Unknown))
	}
	return facts
}

// settled waits for a backend that stays to have nothing to do.
func settled(ctx context.Context, strategy string) error {
	if err := place.Settled(ctx, strategy); err != nil {
		return fmt.Errorf("harness: interrupted: %w", err)
	}
	return nil
}

// prepare writes the projects and runs what warms them up.
func (r *runner) prepare(ctx context.Context) error {
	caches := filepath.Join(r.WorkDir, caches)
	if err := errors.Join(os.MkdirAll(caches, 0o755), workdir.Spread(caches)); err != nil {
		return fmt.Errorf("harness: %w", err)
	}
	for _, spec := range r.Plan.Stacks {
		for i := range r.Plan.Tools {
			t := &r.Plan.Tools[i]
			for _, strategy := range t.Strategies {
				c := Case{Stack: spec, Tool: t, Strategy: strategy}
				if !slices.ContainsFunc(r.Plan.Commands, func(command Command) bool { c.Command = command; return t.can(c) }) {
					continue
				}
				if spec.Kind != stacks.Real {
					if err := r.WriteStack(ctx, spec, t.Format, r.projectDir(c)); err != nil {
						return fmt.Errorf("harness: %w", err)
					}
				}
				// The stack itself is never held here: see Options.WriteStack.
				size, err := elements(r.projectDir(c))
				if err != nil {
					return fmt.Errorf("harness: %w", err)
				}
				r.sizes[spec.Name()] = size
				if err := settled(ctx, strategy); err != nil {
					return err
				}
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
		if !c.Tool.can(c) {
			return nil
		}
		fmt.Fprintf(r.Log, "warm-up   %s\n", c.Name())
		begin := time.Now()
		_, err := r.run(ctx, c, r.keptDir(c))
		r.progress.hint(c, time.Since(begin))
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

// elements counts the elements of a project, without its subprojects'.
func elements(project string) (int, error) {
	count := 0
	if content, err := os.ReadFile(filepath.Join(project, stacks.NinjaFile)); err == nil {
		return strings.Count(string(content), "\nbuild "), nil
	}
	junction := ""
	if _, err := os.Stat(filepath.Join(project, stacks.Subproject)); err == nil {
		junction = filepath.Join(project, "elements", stacks.Subproject+".bst")
	}
	err := filepath.WalkDir(filepath.Join(project, "elements"), func(path string, entry os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".bst") && !entry.IsDir() && path != junction {
			count++
		}
		return err
	})
	return count, err
}

// projectDir is a project of the case's own: some tools write into it. A real
// project is shared.
func (r *runner) projectDir(c Case) string {
	if c.Stack.Kind == stacks.Real {
		return c.Stack.Dir
	}
	return filepath.Join(r.WorkDir, "projects", c.Stack.Name(), c.Tool.Name+"+"+c.Strategy)
}

// caches is the folder of WorkDir that has them.
const caches = "caches"

// keptDir is a cache that lives as long as the plan: an empty one for show, a
// filled one for rebuild.
func (r *runner) keptDir(c Case) string {
	return filepath.Join(r.WorkDir, caches, c.Stack.Name(), c.Tool.Name+"+"+c.Strategy, string(c.Command))
}

// leastSpace is what must be free where the caches are, in bytes, for a run to
// say something of its tool and not of the disk.
const leastSpace = 64 << 20

// measure runs a case once and records it.
func (r *runner) measure(ctx context.Context, c Case, round int, t *tries) error {
	begin := time.Now()
	result, err := r.try(ctx, c)
	for again := 0; again < lostAgain && c.Terminal.PTY && errors.Is(err, errLost) && ctx.Err() == nil; again++ {
		fmt.Fprintf(r.Log, "          the pseudo-terminal lost the end of what was written: once more\n")
		result, err = r.try(ctx, c)
	}
	var failure *measure.FailedError
	if ctx.Err() != nil {
		return fmt.Errorf("harness: interrupted: %w", context.Cause(ctx))
	}
	if err != nil && !errors.As(err, &failure) {
		return err
	}
	if err := settled(ctx, c.Strategy); err != nil {
		return err
	}
	r.progress.took(c, time.Since(begin))
	line := fmt.Sprintf("%3d of %-3d %s", round, r.progress.rounds, c.Name())
	if failure != nil {
		t.failed++
		t.timedOut = t.timedOut || failure.TimedOut
		r.outcome.Failed++
		fmt.Fprintf(r.Log, "%s: failed: %v%s\n", line, err, r.progress)
		return r.record.failure(c, round, failure)
	}
	t.good++
	r.noise.add(&result)
	took := fmt.Sprintf("%.2f s", result.Wall.Seconds())
	if r.OnlyWhether {
		took = "works"
	}
	fmt.Fprintf(r.Log, "%s: %s%s\n", line, took, r.progress)
	return r.record.result(c, round, &result)
}

// errLost says that less arrived at a terminal than was written to it. Linux throws
// away what a pseudo-terminal has not passed on yet when the leader of its session
// exits (disassociate_ctty, pty_flush_buffer), which is what a measured program is:
// on a machine that is busy enough its last write may be lost. That is no fault of
// the program, and such a run is tried again.
var errLost = errors.New("less arrived than was written")

// lostAgain is how often.
const lostAgain = 2

// try runs a case once, in the cache that it wants.
func (r *runner) try(ctx context.Context, c Case) (result, error) {
	dir := r.keptDir(c)
	if c.Command.fresh() {
		r.fresh++
		dir = filepath.Join(r.WorkDir, caches, fmt.Sprintf("fresh-%d", r.fresh))
		defer r.drop(ctx, dir)
	}
	// What earlier runs left to be written is not this one's to wait for.
	syncDisks()
	before := r.look()
	out, err := r.run(ctx, c, dir)
	out.around = r.look().since(before, &out, c)
	return out, err
}

// drop removes a cache that is not used again, while nothing is measured. A backend
// that stays ends with it, for its socket is there. One that cannot be removed costs
// room and no figure.
func (r *runner) drop(ctx context.Context, dir string) {
	delete(r.stayed, dir)
	if err := workdir.Remove(ctx, dir, nil); err != nil && ctx.Err() == nil {
		fmt.Fprintf(r.Log, "          what this run wrote is left: %v\n", err)
	}
}

// run runs a case in a cache and checks that it did what it should.
func (r *runner) run(ctx context.Context, c Case, cache string) (result, error) {
	if free, ok := freeSpace(r.WorkDir); ok && free < leastSpace {
		return result{}, &measure.FailedError{Command: c.Name(), Err: fmt.Errorf("it was not run: %s has %d MB left, want at least %d", r.WorkDir, free>>20, leastSpace>>20)}
	}
	at, err := place.Make(cache, c.Tool.Format, cmp.Or(c.Builders, r.Builders))
	if err != nil {
		return result{}, fmt.Errorf("harness: %w", err)
	}
	if place.Stays(c.Strategy) {
		r.stayed[cache] = at
	}
	where := c.Terminal
	where.Inside = !c.Tool.Peer // ours has the models of terminals inside
	command := measure.Command{
		Path:     c.Tool.Path,
		Args:     c.Tool.arguments(at.Config, r.projectDir(c), c.Strategy, c, cmp.Or(c.Builders, r.Builders)),
		Dir:      r.projectDir(c),
		Env:      at.Environ(slices.Concat(c.Tool.Env, where.Environ(), c.environ())...),
		Terminal: where,
		Timeout:  r.Timeout,
		Status:   c.status(),
	}
	tally := filepath.Join(cache, "tally.json")
	if !c.Tool.Peer {
		command.Env = append(command.Env, "BST_TALLY="+tally)
		if err := os.Remove(tally); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return result{}, fmt.Errorf("harness: %w", err)
		}
	}
	if c.Command == ShowCold && evicts() {
		if err := evict(r.projectDir(c), c.Tool.Path); err != nil {
			return result{}, &measure.FailedError{Command: c.Name(), Err: fmt.Errorf("what is to be cold cannot be made so: %w", err)}
		}
	}
	measured, err := measure.Run(ctx, command)
	if err != nil {
		return result{}, err
	}
	wrong := r.verify(c, cache, &measured)
	out := result{Result: measured}
	if wrong == nil && !c.Tool.Peer {
		out.tally, wrong = readTally(tally)
	}
	if wrong == nil {
		wrong = out.doubt(r.OnlyWhether)
	}
	if wrong != nil {
		return result{}, &measure.FailedError{
			Command: c.Tool.Path + " " + strings.Join(command.Args, " "),
			Err:     wrong,
			Tail:    string(measured.Output.Tail),
		}
	}
	return out, nil
}

// verify finds the runs that ended well without having done their work.
func (r *runner) verify(c Case, cache string, result *measure.Result) error {
	want := r.sizes[c.Stack.Name()]
	switch c.Command {
	case Show, ShowCold:
		if !result.Output.Uncounted && result.Output.Lines < int64(want) {
			return fmt.Errorf("it showed %d lines for %d elements: %w", result.Output.Lines, want, errLost)
		}
		return nil
	case Fetch:
		if c.Stack.Kind != stacks.Sources || c.Tool.Peer {
			return nil // its status says it
		}
		if got, err := c.Tool.fetched(cache); err != nil || got < want-1 {
			return fmt.Errorf("it left %d sources, not %d: %w", got, want-1, cmp.Or(err, errors.New("some are missing")))
		}
		return nil
	}
	fail, skipped := c.Stack.Failing()
	want -= fail + skipped
	got, err := c.Tool.built(cache, c.Stack.Project())
	if err != nil {
		return fmt.Errorf("its artifacts cannot be counted: %w", err)
	}
	if got < want {
		return fmt.Errorf("it left artifacts of %d elements, not of %d", got, want)
	}
	return nil
}
