package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"bst/impl/config"
	"bst/impl/frontend"
	"bst/impl/frontend/session"
	"bst/impl/stream"
	"bst/impl/term"
)

// work is what a command gives to perform: how it is shown and its order.
type work struct {
	// session is the name of a session, "" for commands that are none.
	session string
	// shell says that the exit status is that of a command in a sandbox.
	shell bool
	// order makes the order from the configuration; it also returns the format
	// of bst show.
	order func(common stream.Session, f formats) (stream.Work, *frontend.ElementFormat, error)
	// after runs when the session has ended.
	after func()
}

// formats are the parsed formats of the output.
type formats struct {
	element *frontend.ElementFormat
	message *frontend.MessageFormat
}

// perform runs one session.
func (a *app) perform(cmd *cobra.Command, w work) error {
	if w.after != nil {
		defer w.after()
	}
	logFile, err := a.opts.openLog(cmd.Root())
	if err != nil {
		return err
	}
	if logFile != nil {
		defer func() {
			if err := logFile.Close(); err != nil && a.status == statusOK {
				a.fail(fmt.Errorf("error writing the log file: %w", err), "")
			}
		}()
	}
	conf, err := a.configure()
	if err == nil {
		var f formats
		if f, err = parseFormats(conf); err == nil {
			return a.converse(conf, f, w, logFile)
		}
	}
	a.fail(err, "Error loading user configuration: ")
	return nil
}

// parseFormats reads the formats of the configuration.
func parseFormats(c *config.Config) (f formats, err error) {
	if f.element, err = frontend.ParseElementFormat(c.Logging.ElementFormat); err != nil {
		return f, formatError(c.Logging.ElementFormatAt, err)
	}
	if f.message, err = frontend.ParseMessageFormat(c.Logging.MessageFormat); err != nil {
		return f, formatError(c.Logging.MessageFormatAt, err)
	}
	return f, nil
}

func formatError(at stream.Provenance, err error) error {
	message := err.Error()
	if at.File != "" {
		message = at.String() + ": " + message
	}
	return &stream.Error{Domain: stream.DomainLoad, Reason: "INVALID_DATA", Message: message}
}

// converse opens the strategy and shows the session.
func (a *app) converse(conf *config.Config, f formats, w work, logFile io.Writer) error {
	directory, err := a.directory()
	if err != nil {
		return err
	}
	name := a.opts.strategy
	if name == "" {
		name = a.getenv("BST_STRATEGY")
	}
	if name == "" {
		name = a.fallback()
	}
	open, err := a.lookup(name)
	if err != nil {
		return err
	}

	console := term.Open(a.in, a.out, a.err)
	interactive := console.Terminal && !a.opts.noInteractive
	colors := console.Terminal
	if a.opts.colors != nil {
		colors = *a.opts.colors
	}
	conf.Settings.Interactive = interactive && a.opts.onError == ""
	order, showFormat, err := w.order(stream.Session{Directory: directory, Strategy: name, Settings: conf.Settings}, f)
	if err != nil {
		return err
	}

	status := interactive && drawable(a.getenv("TERM"))
	model := frontend.New(frontend.Options{
		Session:       w.session,
		Shell:         w.shell,
		Color:         colors,
		Verbose:       conf.Logging.Verbose,
		Debug:         conf.Logging.Debug,
		KeyLength:     conf.Logging.KeyLength,
		ErrorLines:    conf.Logging.ErrorLines,
		MessageLines:  conf.Logging.MessageLines,
		MessageFormat: f.message,
		ElementFormat: f.element,
		ShowFormat:    showFormat,
		ConfigFile:    conf.File,
		// The reference's tests rely on it.
		Subtasks: a.getenv("BST_TEST_SUITE") != "",
		// Who turns throttling or debugging on or off wants to see every line.
		Fold: status && conf.Logging.ThrottleUpdates && !conf.Logging.Debug,
		Copy: logFile != nil,
	})
	for _, notice := range conf.Unused {
		model.Warn(time.Now(), notice, "")
	}

	executable, err := os.Executable()
	if err != nil {
		return fmt.Errorf("bst cannot find its own executable: %w", err)
	}
	signals, stop := term.Signals()
	defer stop()
	backend := session.NewStderr()
	s, err := open(a.ctx, stream.Host{
		NewBackend: a.newBackend,
		Executable: executable,
		Args:       []string{backendWord},
		Environ:    a.env,
		Stderr:     backend,
	})
	if err != nil {
		return err
	}
	result := session.Run(a.ctx, s, session.Options{
		Order:       order,
		Model:       model,
		Console:     console,
		Status:      status,
		Interactive: interactive,
		LogFile:     logFile,
		KeyLength:   conf.Logging.KeyLength,
		Colors:      colors,
		Getenv:      a.getenv,
		Signals:     signals,
		Backend:     backend,
	})
	a.status, a.failed = result.Status, result.Error
	a.inner = w.shell && result.Error == nil
	return nil
}

// drawable says that a terminal of this kind can draw in place.
func drawable(name string) bool { return name != "" && name != "dumb" }

// deps adds --deps.
func deps(cmd *cobra.Command, target *string, help string, words ...string) {
	cmd.Flags().VarP(&choice{target, words}, "deps", "d", help)
}

// remotes are the options about caches of other machines. They are taken, so
// that scripts keep working, but only what can be honoured is.
type remotes struct {
	artifact, source             []string
	ignoreArtifact, ignoreSource bool
}

func (r *remotes) add(cmd *cobra.Command, artifact, source bool) {
	if artifact {
		cmd.Flags().Var(&list{&r.artifact, "REMOTE"}, "artifact-remote", "A remote artifact cache (not available in this version)")
	}
	if source {
		cmd.Flags().Var(&list{&r.source, "REMOTE"}, "source-remote", "A remote source cache (not available in this version)")
	}
	if artifact {
		addSwitch(cmd.Flags(), &r.ignoreArtifact, "ignore-project-artifact-remotes", "", "Ignore artifact caches that projects recommend")
	}
	if source {
		addSwitch(cmd.Flags(), &r.ignoreSource, "ignore-project-source-remotes", "", "Ignore source caches that projects recommend")
	}
}

func (r *remotes) check() error {
	switch {
	case len(r.artifact) > 0:
		return unavailable("'--artifact-remote'")
	case len(r.source) > 0:
		return unavailable("'--source-remote'")
	}
	return nil
}

func (a *app) buildCommand() *cobra.Command {
	var o struct {
		deps  string
		retry bool
	}
	var r remotes
	cmd := &cobra.Command{
		Use:   "build [ELEMENTS]...",
		Short: "Build elements in a pipeline",
		Long: "Build elements in a pipeline\n\n" +
			"Without elements, the project's default targets are built, or all its\nelements where it has none.\n\n" +
			"--deps says which dependencies must be built:\n\n" +
			"  none:  the element alone\n" +
			"  build: the build dependencies, without the element\n" +
			"  run:   the element and what it needs to run\n" +
			"  all:   everything\n\n" +
			"What is needed to build these is built on demand.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := r.check(); err != nil {
				return err
			}
			return a.perform(cmd, work{session: "Build",
				order: func(common stream.Session, f formats) (stream.Work, *frontend.ElementFormat, error) {
					common.Settings.RetryFailed = common.Settings.RetryFailed || o.retry
					return &stream.Build{Session: common, Targets: args, Deps: o.deps, PipelineFields: f.element.Fields()}, nil, nil
				}})
		},
	}
	deps(cmd, &o.deps, "The dependencies to build", "none", "build", "run", "all")
	r.add(cmd, true, true)
	addSwitch(cmd.Flags(), &o.retry, "retry-failed", "r", "Try to build elements whose cached artifact is a failure")
	return cmd
}

func (a *app) showCommand() *cobra.Command {
	var o struct {
		except              []string
		deps, order, format string
	}
	o.deps, o.order = "all", "stage"
	cmd := &cobra.Command{
		Use:   "show [ELEMENTS]...",
		Short: "Show elements in the pipeline",
		Long: "Show elements in the pipeline\n\n" +
			"Without elements, the project's default targets are shown, or all its\nelements where it has none.\n\n" +
			"--deps says which elements are shown:\n\n" +
			"  none:  the element alone\n" +
			"  run:   the element and what it needs to run\n" +
			"  build: the build dependencies, without the element\n" +
			"  all:   everything\n\n" +
			"--format says what is printed for each element. It may contain:\n\n" +
			"  %{name} %{kind} %{description} %{key} %{full-key} %{state} %{config} %{vars}\n" +
			"  %{env} %{public} %{workspaced} %{workspace-dirs} %{deps} %{build-deps}\n" +
			"  %{runtime-deps} %{source-info} %{artifact-cas-digest}\n\n" +
			"A name may be followed by a Python format specification:\n\n" +
			"  bst show target.bst --format 'Name: %{name: ^20} State: %{state}'",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.perform(cmd, work{
				order: func(common stream.Session, f formats) (stream.Work, *frontend.ElementFormat, error) {
					shown := f.element
					if o.format != "" {
						parsed, err := frontend.ParseElementFormat(o.format)
						if err != nil {
							return nil, nil, err
						}
						shown = parsed
					}
					return &stream.Show{Session: common, Targets: args, Except: o.except, Deps: o.deps,
						Sort: o.order, Fields: shown.Fields()}, shown, nil
				}})
		},
	}
	cmd.Flags().Var(&list{&o.except, "PATH"}, "except", "Except certain dependencies")
	deps(cmd, &o.deps, "The dependencies to show", "none", "run", "build", "all")
	cmd.Flags().Var(&choice{&o.order, []string{"stage", "alpha"}}, "order", "Staging or alphabetic ordering of dependencies")
	cmd.Flags().VarP(&text{&o.format, "FORMAT"}, "format", "f", "Format string for each element")
	return cmd
}

func (a *app) shellCommand() *cobra.Command {
	var o struct {
		build, isolate, buildtree bool
		mounts                    [][2]string
	}
	var r remotes
	cmd := &cobra.Command{
		Use:   "shell [TARGET] [COMMAND]...",
		Short: "Shell into an element's sandbox environment",
		Long: "Run a command in the target element's sandbox environment\n\n" +
			"A temporary root is staged for the element, which must have been built.\nWith --build it is the root in which the element would be built.\n\n" +
			"Put '--' before a command that has options of its own:\n\n" +
			"  bst shell example.bst -- df -h\n\n" +
			"Without a command, an interactive shell is run.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := r.check(); err != nil {
				return err
			}
			if len(args) == 0 {
				return missingArgument("TARGET")
			}
			return a.perform(cmd, work{shell: true,
				order: func(common stream.Session, f formats) (stream.Work, *frontend.ElementFormat, error) {
					order := &stream.Shell{Session: common, Target: args[0], Command: args[1:],
						Build: o.build || o.buildtree, UseBuildtree: o.buildtree, Isolate: o.isolate}
					for _, m := range o.mounts {
						order.Mounts = append(order.Mounts, stream.Mount{Host: m[0], Path: m[1]})
					}
					return order, nil, nil
				}})
		},
	}
	addSwitch(cmd.Flags(), &o.build, "build", "b", "Stage dependencies and sources to build")
	cmd.Flags().Var(&pairs{target: &o.mounts, kind: "HOSTPATH PATH", check: func(host, _ string) error {
		if _, err := os.Stat(host); err != nil {
			return wrong("Path '%s' does not exist.", host)
		}
		return nil
	}}, "mount", "Mount a file or directory into the sandbox")
	addSwitch(cmd.Flags(), &o.isolate, "isolate", "", "Create an isolated build sandbox")
	addSwitch(cmd.Flags(), &o.buildtree, "use-buildtree", "t", "Stage the tree that the build left; fails where there is none")
	r.add(cmd, true, true)
	return cmd
}

func missingArgument(name string) error {
	return &stream.Error{Domain: stream.DomainApp, Message: `Missing argument "` + name + `".`}
}

func (a *app) sourceCommand() *cobra.Command {
	group := &cobra.Command{Use: "source", Short: "Manipulate sources for an element", RunE: a.group}
	var o struct {
		except []string
		deps   string
	}
	o.deps = "none"
	var r remotes
	fetch := &cobra.Command{
		Use:   "fetch [ELEMENTS]...",
		Short: "Fetch sources in a pipeline",
		Long: "Fetch sources required to build the pipeline\n\n" +
			"Without elements, the sources of the project's default targets are fetched,\nor those of all its elements where it has none.\n\n" +
			"--deps says whose sources are fetched:\n\n" +
			"  none:  the element's alone\n" +
			"  run:   those of the element and what it needs to run\n" +
			"  build: those of the build dependencies, without the element\n" +
			"  all:   everything's",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := r.check(); err != nil {
				return err
			}
			return a.perform(cmd, work{session: "Fetch",
				order: func(common stream.Session, f formats) (stream.Work, *frontend.ElementFormat, error) {
					return &stream.Fetch{Session: common, Targets: args, Except: o.except, Deps: o.deps,
						PipelineFields: f.element.Fields()}, nil, nil
				}})
		},
	}
	fetch.Flags().Var(&list{&o.except, "PATH"}, "except", "Except certain dependencies from fetching")
	deps(fetch, &o.deps, "The dependencies to fetch", "none", "build", "run", "all")
	r.add(fetch, false, true)
	group.AddCommand(fetch)
	return group
}

func (a *app) artifactCommand() *cobra.Command {
	group := &cobra.Command{Use: "artifact", Short: "Manipulate cached artifacts",
		Long: "Manipulate cached artifacts\n\nAn artifact is named by its element, or as <project>/<element>/<cache key>.",
		RunE: a.group}
	var o struct {
		force, hardlinks                 bool
		integrate                        *bool
		deps, tar, compression, location string
	}
	o.deps = "run"
	var r remotes
	checkout := &cobra.Command{
		Use:   "checkout [TARGET]",
		Short: "Checkout contents of an artifact",
		Args:  atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := r.check(); err != nil {
				return err
			}
			compression := o.compression
			switch {
			case o.hardlinks && o.tar != "":
				a.refuse("ERROR: options --hardlinks and --tar conflict")
				return nil
			case o.tar != "" && o.location != "":
				a.refuse("ERROR: options --directory and --tar conflict")
				return nil
			case o.tar == "" && compression != "":
				a.refuse("ERROR: --compression can only be provided if --tar is provided")
				return nil
			case o.tar != "":
				inferred, err := inferCompression(o.tar)
				if err != nil {
					a.refuse("ERROR: Invalid file extension given with '--tar': Expected compression with " + err.Error())
					return nil
				}
				if compression == "" {
					compression = inferred
				} else if inferred != "" && inferred != compression {
					fmt.Fprintln(a.err, "WARNING: File extension and compression differ.File extension has been overridden by --compression")
				}
			}
			if len(args) == 0 {
				return missingArgument("ELEMENT")
			}
			order := &stream.Checkout{Target: args[0], Deps: o.deps, Integrate: o.integrate == nil || *o.integrate,
				Hardlinks: o.hardlinks, Force: o.force, Compression: compression}
			after, err := a.destination(order, o.tar, o.location)
			if err != nil {
				return err
			}
			return a.perform(cmd, work{after: after,
				order: func(common stream.Session, _ formats) (stream.Work, *frontend.ElementFormat, error) {
					order.Session = common
					return order, nil, nil
				}})
		},
	}
	f := checkout.Flags()
	addSwitch(f, &o.force, "force", "f", "Allow files to be overwritten")
	deps(checkout, &o.deps, "The dependencies to checkout", "run", "build", "none", "all")
	addToggle(f, &o.integrate, "integrate", "Whether to run integration commands")
	addSwitch(f, &o.hardlinks, "hardlinks", "", "Checkout hardlinks instead of copying if possible")
	f.Var(&text{&o.tar, "LOCATION"}, "tar", "Create a tarball instead of a tree; '-' is the standard output")
	f.Var(&choice{&o.compression, []string{"gz", "xz", "bz2"}}, "compression", "The compression of the tarball")
	f.Var(&folder{&o.location}, "directory", "The directory to checkout the artifact to")
	r.add(checkout, true, false)
	group.AddCommand(checkout)
	return group
}

// destination fills in where a checkout goes. A tarball for the standard output
// is made in a temporary folder, which after removes.
func (a *app) destination(order *stream.Checkout, tar, location string) (after func(), err error) {
	switch {
	case tar == "-":
		dir, err := os.MkdirTemp("", "bst-checkout-")
		if err != nil {
			return nil, err
		}
		order.TarToStdout = true
		order.Tar = filepath.Join(dir, "artifact.tar")
		return func() { os.RemoveAll(dir) }, nil
	case tar != "":
		order.Tar, err = absolute(tar)
	case location != "":
		order.Directory, err = absolute(location)
	default:
		order.Directory, err = absolute(strings.TrimSuffix(order.Target, ".bst"))
	}
	return nil, err
}

// inferCompression reads a compression off a tarball's name; "" is none.
func inferCompression(name string) (string, error) {
	ext := filepath.Ext(name)
	switch ext {
	case ".gz", ".xz", ".bz2":
		return ext[1:], nil
	}
	if filepath.Ext(strings.TrimSuffix(name, ext)) == ".tar" {
		return "", fmt.Errorf("unknown file extension ('%s'), supported extensions are ('.tar'), ('.gz'), ('.xz'), ('.bz2')", ext)
	}
	return "", nil
}
