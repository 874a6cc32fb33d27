package sandbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"bst/impl/bug"
	"bst/impl/sandbox/inner"
)

// Run runs one command and gives its exit status, 128 and the signal's number
// for one that was killed. The error is that the command could not be run, or
// was ended because ctx was: *stream.Error, reason missing-command where the
// sandbox does not have it. No process is left when Run returns.
func (r *Root) Run(ctx context.Context, spec Spec) (status int, err error) {
	r.use.Lock()
	defer r.use.Unlock()
	return r.run(ctx, &spec, nil)
}

func (r *Root) run(ctx context.Context, spec *Spec, extra *os.File) (int, error) {
	if len(spec.Argv) == 0 {
		return 0, errors.New("sandbox: no command")
	}
	if err := r.awake(ctx); err != nil {
		return 0, err
	}
	ok, err := r.has(ctx, spec)
	if err != nil {
		return 0, err
	}
	if !ok {
		return 0, missingCommand(spec.Argv[0])
	}
	for {
		p, err := r.prepare(ctx, spec)
		if err != nil {
			return 0, err
		}
		result, state, err := r.execute(ctx, p, spec, extra)
		switch {
		case err != nil:
			if ctx.Err() == nil {
				err = failure("", "Failed to start the sandbox", "", err)
			}
			return 0, err
		case result.mount && r.runs == 0 && !r.plain:
			// What worked in the probe does not work for these layers: stage
			// without an overlay. That cannot happen twice.
			if err := r.withoutOverlay(); err != nil {
				return 0, stagingError("stage", r.dir, err)
			}
			continue
		case result.err != "":
			return 0, failure("", "Failed to set up the sandbox", result.err, nil)
		}
		r.runs++
		if !p.RootReadOnly {
			r.changed = true
		}
		if !result.exited {
			if r.isClosed() {
				return 0, errClosed
			}
			if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
				return 0, failure("", "The sandbox was killed: "+ws.Signal().String(),
					"Another process, or the kernel for want of memory, ended it; what was built is not kept.", nil)
			}
			return 0, failure("", "Failed to set up the sandbox",
				fmt.Sprintf("bubblewrap ended with status %d; the log has its message.", waitStatus(state)), nil)
		}
		return result.exitCode, nil
	}
}

// withoutOverlay goes back to a root of which nothing is staged.
func (r *Root) withoutOverlay() error {
	var errs []error
	for _, name := range []string{upperName, ovlWorkName, mountName, layersName} {
		errs = append(errs, removeTree(filepath.Join(r.dir, name)))
	}
	r.state, r.plain, r.lower = unstaged, true, nil
	return errors.Join(errs...)
}

// execute runs a plan.
func (r *Root) execute(ctx context.Context, p *plan, spec *Spec, extra *os.File) (outcome, *os.ProcessState, error) {
	p.Batch = extra != nil
	file := r.planFile()
	defer os.Remove(file)
	if err := p.recipe().Write(file); err != nil {
		return outcome{}, nil, err
	}
	var current *process
	e := &execution{
		verb:       inner.Verb,
		path:       file,
		namespaces: p.OwnNamespaces,
		stdout:     spec.Stdout,
		stderr:     spec.Stderr,
		extra:      extra,
		running: func(p *process) {
			current = p
			r.enter(p)
		},
	}
	result, state, err := e.execute(ctx)
	if current != nil {
		r.leave(current)
	}
	return result, state, err
}

// planFile is where the next run finds what it has to do.
func (r *Root) planFile() string {
	r.plans++
	return filepath.Join(r.dir, "plan-"+itoa(r.plans))
}

// Recipe gives the command that runs spec on the terminal of whoever starts it:
// this executable's helper, which sets up the sandbox by itself, so that it may
// be started by another process and outlive this one's interest, but not Close.
// Its exit status is the command's. Stdout and Stderr of spec are not used. The
// process that starts it should make itself its parent in the way that a death
// of the parent ends it, and take the terminal back when it has ended.
func (r *Root) Recipe(spec Spec) (argv, env []string, dir string, err error) {
	r.use.Lock()
	defer r.use.Unlock()
	ctx := context.Background()
	if r.isClosed() {
		return nil, nil, "", errClosed
	}
	if len(spec.Argv) == 0 {
		return nil, nil, "", errors.New("sandbox: no command")
	}
	ok, err := r.has(ctx, &spec)
	if err != nil {
		return nil, nil, "", err
	}
	if !ok {
		return nil, nil, "", missingCommand(spec.Argv[0])
	}
	p, err := r.prepare(ctx, &spec)
	if err != nil {
		return nil, nil, "", err
	}
	p.Terminal = true
	for _, sh := range []string{"/bin/sh", "/usr/bin/sh"} {
		if p.Shell == "" && r.exists(r.shown, &spec, sh) {
			p.Shell = sh
		}
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, nil, "", err
	}
	file := r.planFile()
	if err := p.writeShell(file); err != nil {
		return nil, nil, "", stagingError("stage", r.dir, err)
	}
	// What the shell does is seen by a capture after it.
	r.runs++
	if !p.RootReadOnly {
		r.changed = true
	}
	return []string{exe, HelperWord, "shell", file}, []string{"PATH=/usr/bin:/bin"}, r.dir, nil
}

const (
	// maxScript keeps a batch's script below what Linux takes as one argument
	// (128 KiB); a longer batch becomes several starts.
	maxScript = 96 << 10
	// maxProgress bounds what is read of a batch's progress.
	maxProgress = 1 << 20
)

// RunBatch runs the commands in order, normally in one start of the sandbox: one
// shell script, with `sh` of the sandbox. The first that fails ends it: failed is
// its index and status its exit status; failed is -1 when all succeeded. Each
// command is echoed to the log as the shell understands it, and a failure names
// the command's label there. Spec.Argv is not used. started, which may be nil, is
// called when the command of that index starts.
//
// What a batch leaves in /tmp, and in its environment nothing, later commands of
// it see.
func (r *Root) RunBatch(ctx context.Context, spec Spec, commands []BatchCommand, started func(int)) (failed, status int, err error) {
	r.use.Lock()
	defer r.use.Unlock()
	for first := 0; first < len(commands); {
		script, n := batchScript(commands[first:])
		spec.Argv = []string{"sh", "-e", "-c", script}
		p, status, err := r.runScript(ctx, &spec, first, started)
		switch {
		case err != nil:
			return -1, 0, err
		case p.failed >= 0 && p.failed < first+n:
			return p.failed, p.status, nil
		case status != 0:
			// The shell itself was killed, or could not go on.
			return min(max(p.last, first), first+n-1), status, nil
		}
		first += n
	}
	return -1, 0, nil
}

// progress is how far a batch's script is.
type progress struct {
	last   int // the command that started last, -1
	failed int // the one that failed, -1
	status int // with this status
}

func (r *Root) runScript(ctx context.Context, spec *Spec, first int, started func(int)) (progress, int, error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return progress{}, 0, err
	}
	done := bug.Go(func() progress {
		defer reader.Close()
		p := progress{last: -1, failed: -1}
		lines := bufio.NewScanner(io.LimitReader(reader, maxProgress))
		for lines.Scan() {
			p.note(lines.Text(), first, started)
		}
		return p
	})
	status, err := r.run(ctx, spec, writer)
	writer.Close()
	return done(), status, err
}

// note takes one line of the script: "INDEX" or "INDEX STATUS", the index
// counted from the script's first command.
func (p *progress) note(line string, first int, started func(int)) {
	index, status, ended := strings.Cut(line, " ")
	i, err := strconv.Atoi(index)
	if err != nil || i < 0 {
		return
	}
	if !ended {
		p.last = first + i
		if started != nil {
			started(first + i)
		}
		return
	}
	if s, err := strconv.Atoi(status); err == nil && p.failed < 0 {
		p.failed, p.status = first+i, s
	}
}

// batchScript makes the script of as many commands as fit, at least one. It
// tells on inner.BatchFD when a command starts and which one fails; the commands
// themselves do not have that descriptor.
func batchScript(commands []BatchCommand) (script string, n int) {
	var b strings.Builder
	for n < len(commands) {
		one := batchCommand(n, commands[n])
		if n > 0 && b.Len()+len(one) > maxScript {
			break
		}
		b.WriteString(one)
		n++
	}
	return b.String(), n
}

func batchCommand(i int, c BatchCommand) string {
	words := make([]string, len(c.Argv))
	for j, w := range c.Argv {
		words[j] = quote(w)
	}
	line := strings.Join(words, " ")
	label := c.Label
	if label == "" {
		label = line
	}
	fd := itoa(inner.BatchFD)
	return fmt.Sprintf("echo %d >&%s\n"+
		"(exec %s>&-; set -x; %s) || { bst_status=$?; echo %d $bst_status >&%s; "+
		"printf '%%s\\n' %s\" failed with exitcode $bst_status\" >&2; exit $bst_status; }\n",
		i, fd, fd, line, i, fd, quote("Command '"+label+"'"))
}

// quote makes one word of the shell's.
func quote(word string) string {
	if word != "" && !slices.ContainsFunc([]byte(word), func(c byte) bool { return !plain(c) }) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'"'"'`) + "'"
}

func plain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("@%+:,./-_", c) >= 0
}
