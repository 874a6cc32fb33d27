// Package host runs programs of the host for source kinds (git, patch, lzip).
//
// It knows how to start a program without a terminal, to log what it says and
// to end it with all that it started. It does not know what programs do.
package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"bst/impl/kind"
	"bst/impl/stream"
)

// Find gives the path of a program. The error names what to install.
func Find(kindName string, env kind.SourceEnv, program string) (string, error) {
	path, err := exec.LookPath(program)
	if err == nil {
		return path, nil
	}
	e := kind.SourceErrorf(kindName, env, "", "Did not find '%s' in PATH: %s", program, os.Getenv("PATH"))
	e.Detail = fmt.Sprintf("Sources of kind '%s' need the program '%s' on this host.\n"+
		"Install the package '%s' of your distribution, or add the program's folder to PATH.", kindName, program, program)
	e.Cause = err.Error()
	return "", e
}

// Command is a program to run.
type Command struct {
	// Argv starts with the program's path.
	Argv []string
	// Dir is where it runs, "" for the root of the file system.
	Dir string
	// Env is added to this process's environment. A name without "=" is taken
	// out of it.
	Env []string
	// Stdin is nil for nothing.
	Stdin io.Reader
	// Stdout is nil for the log.
	Stdout io.Writer
	// Stderr gets the standard error as well as the log; it may be nil.
	Stderr io.Writer
	// Quiet keeps the command and its standard error out of the log.
	Quiet bool
	// Silence is how long the program may say nothing before it is ended; 0 is
	// for ever, and for programs that use no network.
	Silence time.Duration
}

// Result is how a program ended.
type Result struct {
	// Status is the exit status.
	Status int
	// Tail is the end of its standard error.
	Tail string
	// Silent says that it was ended since it said nothing for too long.
	Silent bool
}

// Failed makes the error of a program that ended with a failure: what it said
// is the detail.
func Failed(kindName string, env kind.SourceEnv, text string, result Result) *stream.Error {
	return &stream.Error{
		Domain:  stream.DomainPlugin,
		Message: kind.SourceName(kindName, env) + ": " + text,
		Detail:  strings.TrimSpace(result.Tail),
	}
}

// Run runs a program to its end. A non-zero status is no error. When ctx ends,
// the program and all that it started are killed.
func Run(ctx context.Context, w kind.SourceWork, c Command) (Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	dir := c.Dir
	if dir == "" {
		dir = "/"
	}
	log := w.Log()
	if c.Quiet {
		log = io.Discard
	}
	fmt.Fprintf(log, "Running host command %s: %s\n", dir, strings.Join(c.Argv, " "))

	cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	cmd.Dir = dir
	cmd.Env = environ(c.Env)
	cmd.Stdin = c.Stdin
	end := &tail{}
	output := &locked{w: log}
	lines := &settled{w: output}
	errs := []io.Writer{lines, end}
	if c.Stderr != nil {
		errs = append(errs, c.Stderr)
	}
	cmd.Stdout = c.Stdout
	if c.Stdout == nil {
		cmd.Stdout = output
	}
	suspension := suspensionOf(ctx)
	if c.Silence > 0 {
		var dog *time.Timer
		var armed sync.WaitGroup
		armed.Add(1)
		dog = time.AfterFunc(c.Silence, func() {
			armed.Wait()
			if more := suspension.excuse(c.Silence); more > 0 {
				dog.Reset(more)
				return
			}
			cancel(errSilent)
		})
		armed.Done()
		defer dog.Stop()
		heard := heard{dog, c.Silence}
		errs = append(errs, heard)
		cmd.Stdout = io.MultiWriter(cmd.Stdout, heard)
	}
	cmd.Stderr = io.MultiWriter(errs...)
	detach(cmd)
	kept := bind(cmd, c.Silence > 0)
	// What the program left running may hold its pipes.
	cmd.WaitDelay = 5 * time.Second

	err := run(cmd, func(pid int) {
		if kept {
			suspension.enter(pid)
		}
	}, suspension.leave)
	lines.flush()
	result := Result{Tail: end.String()}
	var exit *exec.ExitError
	switch {
	case errors.Is(context.Cause(ctx), errSilent):
		result.Silent, result.Status = true, -1
		return result, nil
	case ctx.Err() != nil:
		return result, context.Cause(ctx)
	case errors.As(err, &exit):
		result.Status = exit.ExitCode()
		if result.Status < 0 {
			result.Tail += exit.Error() + "\n"
		}
		return result, nil
	case errors.Is(err, exec.ErrWaitDelay):
		return result, nil
	case err != nil:
		return result, &stream.Error{
			Domain:  stream.DomainPlugin,
			Message: fmt.Sprintf("Cannot run '%s': %s", c.Argv[0], err),
			Cause:   err.Error(),
		}
	}
	return result, nil
}

var errSilent = errors.New("the program said nothing for too long")

// locked lets standard output and error share one log.
type locked struct {
	mu sync.Mutex // guards w
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// settled passes on whole lines, without what a carriage return took back: the
// steps of a progress display are nothing to keep.
type settled struct {
	w   io.Writer
	buf []byte
}

func (s *settled) Write(p []byte) (int, error) {
	for _, b := range p {
		if n := len(s.buf); n > 0 && s.buf[n-1] == '\r' && b != '\n' {
			s.buf = s.buf[:0]
		}
		if s.buf = append(s.buf, b); b == '\n' || len(s.buf) == 64<<10 {
			s.flush()
		}
	}
	return len(p), nil
}

func (s *settled) flush() {
	// An error of the log is the log's to report.
	s.w.Write(s.buf)
	s.buf = s.buf[:0]
}

// environ is this process's environment with changes.
func environ(changes []string) []string {
	env := os.Environ()
	for _, change := range changes {
		if !strings.Contains(change, "=") {
			env = slices.DeleteFunc(env, func(s string) bool { return strings.HasPrefix(s, change+"=") })
		}
	}
	for _, change := range changes {
		if strings.Contains(change, "=") {
			env = append(env, change)
		}
	}
	return env
}

// heard puts off the end of a program whenever it says something.
type heard struct {
	dog      *time.Timer
	patience time.Duration
}

func (h heard) Write(p []byte) (int, error) {
	h.dog.Reset(h.patience)
	return len(p), nil
}

// tail keeps the last lines, and drops those that a carriage return took back.
type tail struct {
	buf []byte
}

// tailSize bounds what is kept, in bytes.
const tailSize = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.buf = append(t.buf, p...)
	if len(t.buf) > 2*tailSize {
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-tailSize:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	var text strings.Builder
	for line := range bytes.Lines(t.buf) {
		if i := bytes.LastIndexByte(bytes.TrimRight(line, "\r\n"), '\r'); i >= 0 {
			line = line[i+1:]
		}
		text.Write(line)
	}
	return text.String()
}
