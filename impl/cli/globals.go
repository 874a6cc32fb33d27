package cli

import (
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"bst/impl/config"
	"bst/impl/frontend"
	"bst/impl/stream"
)

// globals are the options that stand before the command. Pointers are nil
// where the option was not given.
type globals struct {
	version        bool
	config         string
	directory      string
	onError        string
	fetchers       *int
	builders       *int
	pushers        *int
	maxJobs        *int
	networkRetries *int
	noInteractive  bool
	verbose        *bool
	debug          *bool
	errorLines     *int
	messageLines   *int
	logFile        string
	events         string
	profile        string
	colors         *bool
	strict         *bool
	options        [][2]string
	defaultMirror  string
	pullBuildtrees bool
	cacheBuildtree string
	strategy       string
	style          string
	plain          bool
}

func (a *app) addGlobals(set *pflag.FlagSet) {
	o := &a.opts
	set.BoolVar(&o.version, "version", false, "Show the version and exit.")
	set.VarP(&filePath{&o.config}, "config", "c", "Configuration file to use")
	set.VarP(&folder{&o.directory}, "directory", "C", "Project directory (default: current directory)")
	set.Var(&choice{&o.onError, []string{"continue", "quit", "terminate"}}, "on-error", "What to do when an error is encountered")
	set.Var(&number{&o.fetchers}, "fetchers", "Maximum simultaneous download tasks")
	set.Var(&number{&o.builders}, "builders", "Maximum simultaneous build tasks")
	set.Var(&number{&o.pushers}, "pushers", "Maximum simultaneous upload tasks")
	set.Var(&number{&o.maxJobs}, "max-jobs", "Number of parallel jobs allowed for a given build task")
	set.Var(&number{&o.networkRetries}, "network-retries", "Maximum retries for network tasks")
	addSwitch(set, &o.noInteractive, "no-interactive", "", "Never ask; by default bst asks where it runs on a terminal")
	addToggle(set, &o.verbose, "verbose", "Say more, or less")
	addToggle(set, &o.debug, "debug", "Print debugging output")
	set.Var(&number{&o.errorLines}, "error-lines", "Maximum number of lines to show from a task log")
	set.Var(&number{&o.messageLines}, "message-lines", "Maximum number of lines to show in a detailed message")
	set.Var(&text{&o.logFile, "FILENAME"}, "log-file", "A file to copy the log to, without colors")
	set.Var(&text{&o.events, "FILENAME"}, "events", "A file to write every event to, as lines of JSON; '-' is the standard output")
	set.Var(&text{&o.profile, "FILENAME"}, "profile", "A file to write a trace to that Perfetto opens")
	addToggle(set, &o.colors, "colors", "Force colors on or off")
	set.Var(&choice{&o.style, frontend.Styles}, "style", "Which lines to show: every one, a digest, or a digest without anything drawn in place (default: digest on a terminal, else full)")
	addSwitch(set, &o.plain, "plain", "", "Draw nothing in place, for screen readers: the same as --style plain")
	addToggle(set, &o.strict, "strict", "Whether elements are rebuilt when their dependencies have changed")
	set.VarP(&pairs{target: &o.options, kind: optionValue}, "option", "o", "Specify a project option")
	set.Var(&text{&o.defaultMirror, "TEXT"}, "default-mirror", "The mirror to fetch from first, before attempting other mirrors")
	addSwitch(set, &o.pullBuildtrees, "pull-buildtrees", "", "Include build trees when pulling artifacts")
	set.Var(&choice{&o.cacheBuildtree, []string{"always", "auto", "never"}}, "cache-buildtrees", "When to keep a build's tree in its artifact")
	words := make([]string, 0, 4)
	for _, s := range a.strategies() {
		words = append(words, s.name)
	}
	set.Var(&choice{&o.strategy, words}, "strategy", "How the backend runs (default: $"+strategyVariable+", or what was measured to be best here: see --version --verbose)")
}

// text is a plain value that help names by its kind.
type text struct {
	target *string
	kind   string
}

func (t *text) String() string { return *t.target }
func (t *text) Type() string   { return t.kind }
func (t *text) Set(s string) error {
	*t.target = s
	return nil
}

// filePath is a file that must be there.
type filePath struct{ target *string }

func (p *filePath) String() string { return *p.target }
func (p *filePath) Type() string   { return "FILE" }
func (p *filePath) Set(s string) error {
	info, err := os.Stat(s)
	switch {
	case err != nil && os.IsNotExist(err):
		return wrong("File '%s' does not exist.", s)
	case err != nil:
		return wrong("File '%s' is not readable.", s)
	case info.IsDir():
		return wrong("File '%s' is a directory.", s)
	}
	*p.target = s
	return nil
}

// folder must not be a file.
type folder struct{ target *string }

func (p *folder) String() string { return *p.target }
func (p *folder) Type() string   { return "DIRECTORY" }
func (p *folder) Set(s string) error {
	if info, err := os.Stat(s); err == nil && !info.IsDir() {
		return wrong("Directory '%s' is a file.", s)
	}
	*p.target = s
	return nil
}

func absolute(path string) (string, error) { return filepath.Abs(path) }

// configure loads the user configuration and lays the options over it.
func (a *app) configure() (*config.Config, error) {
	c, err := config.Load(a.opts.config, a.getenv)
	if err != nil {
		return nil, err
	}
	o, s := &a.opts, &c.Settings
	set := func(to *int, from *int) {
		if from != nil {
			*to = *from
		}
	}
	set(&s.Fetchers, o.fetchers)
	set(&s.Builders, o.builders)
	set(&s.Pushers, o.pushers)
	set(&s.MaxJobs, o.maxJobs)
	set(&s.NetworkRetries, o.networkRetries)
	set(&c.Logging.ErrorLines, o.errorLines)
	set(&c.Logging.MessageLines, o.messageLines)
	if o.verbose != nil {
		c.Logging.Verbose = *o.verbose
	}
	if o.debug != nil {
		c.Logging.Debug = *o.debug
	}
	if o.strict != nil {
		s.Strict = o.strict
	}
	if o.onError != "" {
		s.OnError = stream.OnError(o.onError)
	}
	if o.cacheBuildtree != "" {
		s.CacheBuildtrees = o.cacheBuildtree
	}
	if o.pullBuildtrees {
		s.PullBuildtrees = true
	}
	if o.defaultMirror != "" {
		s.DefaultMirror = o.defaultMirror
	}
	if len(o.options) > 0 {
		s.Options = make(map[string]string, len(o.options))
		for _, pair := range o.options {
			s.Options[pair[0]] = pair[1]
		}
	}
	s.ErrorLines = c.Logging.ErrorLines
	s.Debug = c.Logging.Debug
	s.Verbose = c.Logging.Verbose
	return c, nil
}

// check refuses numbers with which no work would ever be done.
func (o *globals) check(cmd *cobra.Command) error {
	for _, n := range []struct {
		name  string
		value *int
		least int
	}{
		{"fetchers", o.fetchers, 1}, {"builders", o.builders, 1}, {"pushers", o.pushers, 1},
		{"max-jobs", o.maxJobs, 0}, {"network-retries", o.networkRetries, 0},
		{"error-lines", o.errorLines, 0}, {"message-lines", o.messageLines, 0},
	} {
		if n.value != nil && *n.value < n.least {
			return misuse(cmd, "Invalid value for '--%s': %d is less than %d.", n.name, *n.value, n.least)
		}
	}
	return nil
}

// openLog opens the file of --log-file.
func (o *globals) openLog(cmd *cobra.Command) (io.WriteCloser, error) {
	if o.logFile == "" {
		return nil, nil
	}
	f, err := os.Create(o.logFile)
	if err != nil {
		return nil, misuse(cmd, "Invalid value for '--log-file': '%s': %s", o.logFile, plainReason(err))
	}
	return f, nil
}
