package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"bst/impl/cli/early"
	"bst/impl/config"
	"bst/impl/frontend"
	"bst/impl/frontend/session"
	"bst/impl/record"
	"bst/impl/remotespec"
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
	// detach leaves the session when it runs.
	detach bool
	// contents says that the order asks for the contents of artifacts.
	contents bool
	// attach is where a session is that is joined, nil for a new one.
	attach *staying
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
			return a.converse(cmd, conf, f, w, logFile)
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
func (a *app) converse(cmd *cobra.Command, conf *config.Config, f formats, w work, logFile io.Writer) error {
	directory, err := a.directory()
	if err != nil {
		return err
	}
	to, err := a.lookup(a.strategy(conf).name)
	switch {
	case w.attach != nil:
		to = w.attach.way
	case err != nil:
		return err
	case w.detach:
		keeper, err := a.keeper(conf)
		if err != nil {
			return err
		}
		to = keeper.way
	}
	if to.apart {
		defer alone()()
	}

	console := term.Open(a.in, a.out, a.err)
	defer console.Close()
	perEvent, frame, err := a.measured(console)
	if err != nil {
		return err
	}
	interactive := console.Terminal && !a.opts.noInteractive
	colors := term.Colors(console.Terminal, a.getenv)
	if a.opts.colors != nil {
		colors = *a.opts.colors
	}
	conf.Settings.Interactive = interactive && a.opts.onError == "" && !w.detach
	if console.Terminal {
		conf.Settings.Term = a.getenv("TERM")
	}
	order, showFormat, err := w.order(stream.Session{Directory: directory, Strategy: to.name, Settings: conf.Settings}, f)
	if err != nil {
		return err
	}

	var features term.Features
	style := a.style(conf, console)
	if interactive && style != frontend.Plain {
		features = console.FeaturesOf(a.getenv)
	}
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
		Contents:      w.contents,
		ConfigFile:    conf.File,
		// The reference's tests rely on it.
		Subtasks: a.getenv("BST_TEST_SUITE") != "",
		Style:    style,
		Copy:     logFile != nil,
		Groups:   groups(console, style, a.getenv),
		Quiet:    quietFor(console),
		Links:    features.Links,
		Host:     term.Hostname(),
	})
	for _, notice := range conf.Unused {
		model.Warn(time.Now(), notice, "")
	}

	host, err := a.host(to.name, directory)
	if err != nil {
		return err
	}
	files, err := a.openRecordings(cmd, w, to.name)
	if err != nil {
		return err
	}
	signals, caught, stop := term.Signals()
	defer stop()
	defer func() { a.endRecordings(files) }()
	backend := session.NewStderr()
	host.Stderr = backend
	if features.Status && w.session != "" {
		console.Guard(features.Reset()) // before there is work that it would hold up
	}
	s, err := to.open(a.ctx, host)
	if err != nil {
		return err
	}
	var tally *session.Tally
	if a.getenv(tallyVariable) != "" {
		tally = new(session.Tally)
	}
	result := session.Run(a.ctx, record.Stream(s, files...), session.Options{
		Order:       order,
		Model:       model,
		Console:     console,
		Features:    features,
		Spill:       spill(conf.Settings.LogDir),
		Interactive: interactive,
		LogFile:     logFile,
		KeyLength:   conf.Logging.KeyLength,
		Colors:      colors,
		Getenv:      a.getenv,
		PerEvent:    perEvent,
		Interval:    frame,
		Tally:       tally,
		Signals:     signals,
		Caught:      caught,
		Leave:       w.detach,
		Attached:    w.attach != nil,
		Backend:     backend,
	})
	a.status, a.failed = result.Status, result.Error
	a.inner = w.shell && result.Error == nil
	return a.writeTally(tally)
}

// groups divide the log of a CI system, where nobody sees it as it comes.
func groups(console *term.Console, style frontend.Style, getenv func(string) string) frontend.Groups {
	if console.Terminal || style != frontend.Full {
		return frontend.NoGroups
	}
	return frontend.GroupsOf(getenv)
}

// quiet is how long a log may say nothing. CI systems end what is silent for
// some minutes, and people who look at a log want to know that it goes on.
const quiet = time.Minute

func quietFor(console *term.Console) time.Duration {
	if console.Terminal {
		return 0
	}
	return quiet
}

// style is which lines the log has: what the command line says, or else the
// user configuration. Where neither does, a terminal gets the digest, and what
// is not one, or was asked for more by --verbose, --debug or
// throttle-ui-updates: False, every line.
func (a *app) style(conf *config.Config, console *term.Console) frontend.Style {
	name := a.opts.style
	switch {
	case name != "":
	case a.opts.plain:
		name = "plain"
	default:
		name = conf.Logging.Style
	}
	if style, ok := frontend.ParseStyle(name); ok {
		return style
	}
	asked := a.opts.verbose != nil && *a.opts.verbose
	switch {
	case !console.Terminal || asked || conf.Logging.Debug || !conf.Logging.ThrottleUpdates:
		return frontend.Full
	case a.getenv("TERM") == "" || a.getenv("TERM") == "dumb":
		return frontend.Plain
	}
	return frontend.Digest
}

// spill makes a file, in the folder of logs, for lines that wait for a terminal
// that takes none.
func spill(dir string) func() (*os.File, error) {
	return func() (*os.File, error) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		return os.CreateTemp(dir, "not-shown-*.log")
	}
}

// host is what a strategy is opened with.
func (a *app) host(strategy, directory string) (stream.Host, error) {
	executable, err := os.Executable()
	if err != nil {
		return stream.Host{}, fmt.Errorf("bst cannot find its own executable: %w", err)
	}
	host := stream.Host{
		Strategy:   strategy,
		Project:    projectDir(directory),
		NewBackend: a.newBackend,
		Executable: executable,
		Args:       []string{backendWord, strategy},
		Environ:    a.env,
	}
	host.Begun = adopted(early.Take(), &host)
	return host, nil
}

// adopted gives a process that was started before this program was ready, if it is
// what a host asks for. One that is not leaves when this process does.
func adopted(b early.Begun, host *stream.Host) *stream.Begun {
	if b.Process == nil || b.Executable != host.Executable || !slices.Equal(b.Args, host.Args) || !slices.Equal(b.Environ, host.Environ) {
		return nil
	}
	return &stream.Begun{Process: b.Process, Orders: b.Orders, Events: b.Events, Stderr: b.Stderr}
}

// projectDir is the folder of the project that a folder belongs to, or the folder
// itself where there is none. It only tells projects apart: what a project is, and
// whether it can be loaded, is for the backend to say.
func projectDir(folder string) string {
	for at := folder; ; at = filepath.Dir(at) {
		if isProject(at) {
			return at
		}
		if at == filepath.Dir(at) {
			return folder
		}
	}
}

func isProject(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, "project.conf"))
	return err == nil
}

// deps adds --deps.
func deps(cmd *cobra.Command, target *string, help string, words ...string) {
	cmd.Flags().VarP(&choice{target, words}, "deps", "d", help)
}

// remotes are the options about caches of other machines.
type remotes struct {
	artifact, source             []stream.Remote
	ignoreArtifact, ignoreSource bool
	// purpose is what the command uses the servers for.
	purpose remotespec.Purpose
}

// remoteOption is --artifact-remote or --source-remote; it may be given more than
// once.
type remoteOption struct {
	target  *[]stream.Remote
	purpose *remotespec.Purpose
}

func (o *remoteOption) String() string { return "" }
func (o *remoteOption) Type() string   { return "REMOTE" }
func (o *remoteOption) Set(text string) error {
	r, err := remotespec.FromString(text, *o.purpose, func(path string) (string, error) {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		if path, err = remotespec.Paths(".", home)(path); err != nil {
			return "", err
		}
		return absolute(path)
	})
	if err != nil {
		return wrong("Failed to interpret remote: %v", err)
	}
	*o.target = append(*o.target, r)
	return nil
}

func (r *remotes) add(cmd *cobra.Command, artifact, source bool) {
	if artifact {
		cmd.Flags().Var(&remoteOption{&r.artifact, &r.purpose}, "artifact-remote", "A remote artifact cache, instead of the configured ones")
	}
	if source {
		cmd.Flags().Var(&remoteOption{&r.source, &r.purpose}, "source-remote", "A remote source cache, instead of the configured ones")
	}
	if artifact {
		addSwitch(cmd.Flags(), &r.ignoreArtifact, "ignore-project-artifact-remotes", "", "Ignore artifact caches that projects recommend")
	}
	if source {
		addSwitch(cmd.Flags(), &r.ignoreSource, "ignore-project-source-remotes", "", "Ignore source caches that projects recommend")
	}
}

// apply lays the options over the configuration.
func (r *remotes) apply(s *stream.Session) {
	s.Settings.Artifacts.CommandLine, s.Settings.Artifacts.IgnoreProject = r.artifact, r.ignoreArtifact
	s.Settings.SourceCaches.CommandLine, s.Settings.SourceCaches.IgnoreProject = r.source, r.ignoreSource
}

func (a *app) buildCommand() *cobra.Command {
	var o struct {
		deps          string
		retry, detach bool
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
			return a.perform(cmd, work{session: "Build", detach: o.detach,
				order: func(common stream.Session, f formats) (stream.Work, *frontend.ElementFormat, error) {
					common.Settings.RetryFailed = common.Settings.RetryFailed || o.retry
					r.apply(&common)
					return &stream.Build{Session: common, Targets: args, Deps: o.deps, PipelineFields: f.element.Fields()}, nil, nil
				}})
		},
	}
	deps(cmd, &o.deps, "The dependencies to build", "none", "build", "run", "all")
	r.add(cmd, true, true)
	addSwitch(cmd.Flags(), &o.detach, "detach", "", "Return as soon as the build runs; bst attach comes back to it")
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
	r := remotes{purpose: remotespec.Pull}
	cmd := &cobra.Command{
		Use:   "shell [TARGET] [COMMAND]...",
		Short: "Shell into an element's sandbox environment",
		Long: "Run a command in the target element's sandbox environment\n\n" +
			"A temporary root is staged for the element, which must have been built.\nWith --build it is the root in which the element would be built.\n\n" +
			"Put '--' before a command that has options of its own:\n\n" +
			"  bst shell example.bst -- df -h\n\n" +
			"Without a command, an interactive shell is run.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return missingArgument("TARGET")
			}
			return a.perform(cmd, work{shell: true,
				order: func(common stream.Session, f formats) (stream.Work, *frontend.ElementFormat, error) {
					r.apply(&common)
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
	r := remotes{purpose: remotespec.Pull}
	fetch := &cobra.Command{
		Use:   "fetch [ELEMENTS]...",
		Short: "Fetch sources in a pipeline",
		Long: "Fetch sources required to build the pipeline\n\n" +
			"Without elements, the sources of the project's default targets are fetched,\nor those of all its elements where it has none.\n\n" +
			whoseSources("fetched"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.perform(cmd, work{session: "Fetch",
				order: func(common stream.Session, f formats) (stream.Work, *frontend.ElementFormat, error) {
					r.apply(&common)
					return &stream.Fetch{Session: common, Targets: args, Except: o.except, Deps: o.deps,
						PipelineFields: f.element.Fields()}, nil, nil
				}})
		},
	}
	fetch.Flags().Var(&list{&o.except, "PATH"}, "except", "Except certain dependencies from fetching")
	deps(fetch, &o.deps, "The dependencies to fetch", "none", "build", "run", "all")
	r.add(fetch, false, true)
	group.AddCommand(fetch, a.trackCommand(), a.sourcePushCommand(), a.sourceCheckoutCommand())
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
	r := remotes{purpose: remotespec.Pull}
	checkout := &cobra.Command{
		Use:   "checkout [TARGET]",
		Short: "Checkout contents of an artifact",
		Args:  atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
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
					r.apply(&common)
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
	group.AddCommand(checkout, a.artifactShow(), a.artifactPull(), a.artifactPush(), a.artifactLog(), a.artifactContents(), a.artifactDelete())
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
