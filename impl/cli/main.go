// Package cli is the command line: it turns arguments, environment and user
// configuration into one order, opens the strategy that carries it to a
// backend, and shows the session. It is the one place that joins frontend,
// strategy and engine.
//
// It knows the reference's commands, options and exit statuses. It does not
// know how an order is obeyed, carried or drawn.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"bst/impl/cli/early"
	"bst/impl/frontend"
	"bst/impl/stream"
	"bst/impl/term"
	"bst/impl/wire"
)

// Version is what bst calls itself; the linker may set it.
var Version = "0.1.0"

// Exit statuses of the reference.
const (
	statusOK    = 0
	statusUsage = 2
	statusError = frontend.StatusError
)

// Words that start this executable as something other than the command line.
const (
	backendWord = early.Word
	sandboxWord = "__sandbox"
)

// parts are what the command line joins. Tests put others in their place.
type parts struct {
	// lookup gives the strategy of that name.
	lookup     func(name string) (way, error)
	strategies func() []strategy
	// stays gives the strategy of that name, or if its backend does not stay the
	// first whose does; ok is false where there is none.
	stays func(name string) (s staying, ok bool)
	// fallback gives the strategy of a platform and a kind of terminal where nobody
	// names one.
	fallback   func(platform, terminal string) fallback
	newBackend func() stream.Backend
	// serve is what a started backend of a strategy does.
	serve func(ctx context.Context, strategy string, args []string, in io.Reader, out io.Writer) error
	// sandbox is the sandbox's helper.
	sandbox func(args []string) int
}

type strategy struct{ name, doc string }

// way is a strategy that can be taken.
type way struct {
	name string
	open stream.Open
	// apart says that the backend is a process of its own.
	apart bool
}

// staying is a strategy whose backend stays.
type staying struct {
	way
	// find gives a way to each backend that runs.
	find func(context.Context, stream.Host) ([]stream.Open, error)
}

// Main is the program: arguments without its name, the standard streams, and
// the environment as os.Environ gives it. It returns the exit status.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer, env []string) int {
	return run(join(), args, stdin, stdout, stderr, env)
}

func run(p parts, args []string, stdin io.Reader, stdout, stderr io.Writer, env []string) int {
	if len(args) > 0 {
		switch args[0] {
		case sandboxWord:
			return p.sandbox(args[1:])
		case backendWord:
			ctx, stop := term.Terminated(context.Background())
			defer stop()
			if len(args) < 2 {
				fmt.Fprintln(stderr, "bst backend: which strategy?")
				return 1
			}
			if err := p.serve(ctx, args[1], args[2:], stdin, stdout); err != nil {
				fmt.Fprintln(stderr, "bst backend:", err)
				if crash := (*wire.PanicError)(nil); errors.As(err, &crash) {
					fmt.Fprintf(stderr, "%v\n\n%s\n", crash, crash.Stack)
				}
				return 1
			}
			return 0
		}
	}
	a := &app{
		parts:  p,
		in:     stdin,
		out:    stdout,
		err:    stderr,
		env:    env,
		ctx:    context.Background(),
		status: statusOK,
	}
	for _, s := range []struct {
		name string
		of   any
	}{{"<stdout>", stdout}, {"<stderr>", stderr}} {
		if term.NonBlocking(s.of) {
			a.failed = &stream.Error{Domain: stream.DomainApp, Message: s.name + " is currently set to O_NONBLOCK, try opening a new shell"}
			a.status = statusError
			fmt.Fprintln(stderr, a.failed.Message)
			a.report()
			return a.status
		}
	}
	if a.getenv(completionVariable) == "complete" {
		if err := a.referenceCompletion(); err != nil {
			a.fail(err, "")
		}
		return a.status
	}
	a.execute(args)
	a.report()
	return a.status
}

// app is one run of the command line.
type app struct {
	parts
	in       io.Reader
	out, err io.Writer
	env      []string
	ctx      context.Context

	opts   globals
	status int
	failed *stream.Error // what ended the command, for the report
	inner  bool          // status is that of a shell's command
}

// getenv reads the environment that Main was given; the last pair of a name
// counts, as in os/exec.
func (a *app) getenv(name string) string {
	for i := len(a.env) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(a.env[i], name+"="); ok {
			return value
		}
	}
	return ""
}

// fail prints an error and sets the exit status.
func (a *app) fail(err error, prefix string) {
	e := asError(err)
	debug := a.opts.debug != nil && *a.opts.debug
	io.WriteString(a.err, frontend.ErrorText(e, prefix, debug))
	a.failed, a.status = e, statusError
}

// refuse prints a line and sets the exit status, as the reference does for
// options that contradict each other.
func (a *app) refuse(line string) {
	fmt.Fprintln(a.err, line)
	a.failed = &stream.Error{Domain: stream.DomainApp, Message: strings.TrimPrefix(line, "ERROR: ")}
	a.status = statusError
}

func asError(err error) *stream.Error {
	if e, ok := err.(*stream.Error); ok {
		return e
	}
	return &stream.Error{Domain: stream.DomainApp, Message: err.Error()}
}

// directory is where the project is looked for.
func (a *app) directory() (string, error) {
	dir, err := absolute(a.opts.directory) // of nothing it is the current folder
	if err != nil {
		return "", &stream.Error{Domain: stream.DomainApp,
			Message: "The folder that this shell is in cannot be found any more (" + err.Error() + "): change to another, or give --directory an absolute path"}
	}
	return dir, nil
}
