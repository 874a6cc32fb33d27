// Package config reads the user configuration (buildstream2.conf or
// buildstream.conf) and resolves it, with its defaults, into the settings that
// a session carries and those that its output needs.
//
// It knows the file's keys, their types and defaults. It does not know the
// command line, whose options are laid over the result, nor what the settings
// do.
package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"bst/impl/node"
	"bst/impl/remotespec"
	"bst/impl/stream"
)

// Config is a resolved user configuration.
type Config struct {
	// File is the absolute path of the file that was read, "" for the defaults.
	File     string
	Settings stream.Settings
	Logging  Logging
	// Strategy is how the backend runs, "" where the file does not say. Which
	// names there are is the command line's to know.
	Strategy string
	// Unused names keys that were read and are valid, but that this version does
	// nothing with: the user should hear of it. Each starts with its provenance.
	Unused []string
}

// Logging are the settings of the output.
type Logging struct {
	// KeyLength is how many digits of a cache key a log line shows.
	KeyLength int
	Verbose   bool
	Debug     bool
	// ErrorLines is how many lines of a failed task's log are shown,
	// MessageLines how many of a message's detail.
	ErrorLines, MessageLines int
	ElementFormat            string
	MessageFormat            string
	// ThrottleUpdates lets the terminal leave out lines that later ones have
	// overtaken by the time they are drawn. Frames are bounded in any case.
	ThrottleUpdates bool
	// Style is which lines are shown: full, digest or plain; "" where the
	// configuration does not say. It is this program's own key.
	Style string
	// Where are the provenances of the two formats, for errors in them; zero
	// where they are the defaults.
	ElementFormatAt, MessageFormatAt stream.Provenance
}

// Environment looks a variable up, as os.Getenv does.
type Environment func(name string) string

// Load reads the configuration file at path, or where path is empty the first
// that exists of the default ones, or else resolves the defaults alone.
// Errors are *stream.Error: LOAD with the provenance of what is wrong.
func Load(path string, env Environment) (*Config, error) {
	if env == nil {
		env = os.Getenv
	}
	e := expander{env: env}
	c := &Config{}
	var root *node.Node
	if path == "" {
		path = find(e)
	}
	if path != "" {
		abs, err := filepath.Abs(path)
		if err != nil {
			return nil, &stream.Error{Domain: stream.DomainLoad, Reason: "MISSING_FILE", Message: err.Error()}
		}
		c.File = abs
		root, err = node.Load(path, path)
		if err != nil {
			return nil, err
		}
	} else {
		root = node.NewMapping(stream.Provenance{})
	}
	r := reader{expander: e, c: c}
	r.root(root)
	if r.err != nil {
		return nil, r.err
	}
	return c, nil
}

// find gives the first default configuration file that exists.
func find(e expander) string {
	for _, name := range []string{"buildstream2.conf", "buildstream.conf"} {
		path := filepath.Join(e.get("XDG_CONFIG_HOME"), name)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

// reader reads values until the first error.
type reader struct {
	expander
	c   *Config
	err error
}

func (r *reader) fail(err error) {
	if r.err == nil && err != nil {
		r.err = err
	}
}

func (r *reader) keys(n *node.Node, valid ...string) {
	if n != nil {
		r.fail(n.ValidateKeys(valid...))
	}
}

func (r *reader) mapping(n *node.Node, key string) *node.Node {
	if n == nil {
		return nil
	}
	m, err := n.GetMapping(key)
	r.fail(err)
	return m
}

func (r *reader) str(n *node.Node, key, def string) string {
	if n == nil {
		return def
	}
	v, err := n.GetStr(key, def)
	r.fail(err)
	return v
}

func (r *reader) boolean(n *node.Node, key string, def bool) bool {
	if n == nil {
		return def
	}
	v, err := n.GetBool(key, def)
	r.fail(err)
	return v
}

// integer reads a number that may not be below least.
func (r *reader) integer(n *node.Node, key string, def, least int) int {
	if n == nil {
		return def
	}
	v, err := n.GetInt(key, def)
	r.fail(err)
	if err == nil && v < least {
		r.fail(n.Get(key).Errorf("INVALID_DATA", "Value of '%s' may not be less than %d", key, least))
	}
	return v
}

func (r *reader) enum(n *node.Node, key, def string, valid ...string) string {
	v := r.str(n, key, def)
	for _, allowed := range valid {
		if v == allowed {
			return v
		}
	}
	if r.err == nil {
		list := ""
		for i, allowed := range valid {
			if i > 0 {
				list += ", "
			}
			list += allowed
		}
		r.fail(n.Get(key).Errorf("INVALID_DATA", "Value of '%s' should be one of '%s'", key, list))
	}
	return v
}

// unused notes a key that is valid but does nothing in this version.
func (r *reader) unused(n *node.Node, key, what string) {
	if n == nil {
		return
	}
	if v := n.Get(key); v != nil && (v.Kind() == node.Scalar || v.Len() > 0) {
		r.c.Unused = append(r.c.Unused, fmt.Sprintf("%s: %s", v.Provenance(), what))
	}
}

func (r *reader) root(n *node.Node) {
	for _, obsolete := range []struct{ key, text string }{
		{"builddir", "builddir is obsolete, use cachedir"},
		{"artifactdir", "artifactdir is obsolete"},
	} {
		if v := n.Get(obsolete.key); v != nil {
			r.fail(v.Errorf("INVALID_DATA", "%s", obsolete.text))
		}
	}
	r.keys(n, "cachedir", "sourcedir", "logdir", "workspacedir", "scheduler", "build", "fetch",
		"track", "artifacts", "source-caches", "logging", "projects", "cache", "remote-execution", "strategy")
	r.c.Strategy = r.str(n, "strategy", "")

	s := &r.c.Settings
	s.CacheDir = r.directory(n, "cachedir", "${XDG_CACHE_HOME}/buildstream")
	s.SourceDir = r.directory(n, "sourcedir", "${XDG_CACHE_HOME}/buildstream/sources")
	s.LogDir = r.directory(n, "logdir", "${XDG_CACHE_HOME}/buildstream/logs")
	s.WorkspaceDir = r.directory(n, "workspacedir", ".")

	r.cache(r.mapping(n, "cache"))
	r.logging(r.mapping(n, "logging"))
	r.scheduler(r.mapping(n, "scheduler"))

	build := r.mapping(n, "build")
	r.keys(build, "max-jobs", "retry-failed", "dependencies")
	s.MaxJobs = r.integer(build, "max-jobs", 0, 0)
	s.RetryFailed = r.boolean(build, "retry-failed", false)
	s.BuildDependencies = r.str(build, "dependencies", "run")
	switch s.BuildDependencies {
	case "none", "run", "all":
	default:
		if r.err == nil {
			r.fail(build.Get("dependencies").Errorf("INVALID_DATA",
				"Invalid value for 'dependencies'. Choose 'none', 'run', or 'all'."))
		}
	}

	fetch := r.mapping(n, "fetch")
	r.keys(fetch, "source")
	s.FetchSource = r.enum(fetch, "source", "all", "all", "aliases", "mirrors", "user")
	track := r.mapping(n, "track")
	r.keys(track, "source")
	s.TrackSource = r.enum(track, "source", "aliases", "all", "aliases", "mirrors", "user")
	r.remotes(n)
	r.projects(r.mapping(n, "projects"))
}

// directory reads a path: ~ and variables are expanded, and it must be
// absolute, but for the workspaces' ".".
func (r *reader) directory(n *node.Node, key, def string) string {
	text := r.str(n, key, def)
	if r.err != nil {
		return ""
	}
	path := r.path(text)
	if !filepath.IsAbs(path) && !(key == "workspacedir" && path == ".") {
		if v := n.Get(key); v != nil {
			r.fail(v.Errorf("INVALID_DATA", "%s must be an absolute path", key))
		} else {
			r.fail(&stream.Error{Domain: stream.DomainLoad, Reason: "INVALID_DATA",
				Message: fmt.Sprintf("%s must be an absolute path, but the environment makes it '%s'", key, path)})
		}
	}
	return path
}

func (r *reader) cache(n *node.Node) {
	r.keys(n, "quota", "reserved-disk-space", "low-watermark", "storage-service", "pull-buildtrees", "cache-buildtrees")
	s := &r.c.Settings
	const sizes = "Please specify the value in bytes or as a % of full disk space.\n\nValid values are, for example: "
	quota, err := parseSize(r.str(n, "quota", "infinity"), s.CacheDir)
	if err != nil && r.err == nil {
		r.fail(sizeError(n.Get("quota"), err, sizes+"800M 10G 1T 50%"))
	}
	s.Quota = quota
	reserved := r.str(n, "reserved-disk-space", "5%")
	space, err := parseSize(reserved, s.CacheDir)
	if r.err == nil && (err != nil || reserved == "infinity") {
		if err == nil {
			err = errors.New("infinity is not a valid size of reserved disk space")
		}
		r.fail(sizeError(n.Get("reserved-disk-space"), err, sizes+"2G 5%"))
	}
	s.ReservedSpace = space
	if s.LowWatermark, err = parsePercentage(r.str(n, "low-watermark", "80%")); err != nil && r.err == nil {
		r.fail(sizeError(n.Get("low-watermark"), err, "Please specify the value as a % of the cache quota."))
	}
	s.PullBuildtrees = r.boolean(n, "pull-buildtrees", false)
	s.CacheBuildtrees = r.enum(n, "cache-buildtrees", "auto", "always", "auto", "never")
	r.unused(n, "storage-service", "remote storage services are not available in this version of bst; the service is ignored")
}

func sizeError(at *node.Node, err error, help string) error {
	if at == nil {
		return &stream.Error{Domain: stream.DomainLoad, Reason: "INVALID_DATA", Message: err.Error(), Detail: help}
	}
	e := at.Errorf("INVALID_DATA", "%s", err)
	e.Detail = help
	return e
}

// Defaults of logging.
const (
	defaultElementFormat = "%{state: >12} %{full-key} %{name} %{workspace-dirs}"
	defaultMessageFormat = "[%{elapsed}][%{key}][%{element}] %{action} %{message}"
)

func (r *reader) logging(n *node.Node) {
	r.keys(n, "key-length", "verbose", "error-lines", "message-lines", "debug",
		"element-format", "message-format", "throttle-ui-updates", "style")
	l := &r.c.Logging
	l.KeyLength = r.integer(n, "key-length", 8, 0)
	l.Verbose = r.boolean(n, "verbose", true)
	l.ErrorLines = r.integer(n, "error-lines", 20, 0)
	l.MessageLines = r.integer(n, "message-lines", 20, 0)
	l.Debug = r.boolean(n, "debug", false)
	l.ElementFormat = r.str(n, "element-format", defaultElementFormat)
	l.MessageFormat = r.str(n, "message-format", defaultMessageFormat)
	l.ThrottleUpdates = r.boolean(n, "throttle-ui-updates", true)
	if n != nil {
		if n.Get("style") != nil {
			l.Style = r.enum(n, "style", "", "full", "digest", "plain")
		}
		if v := n.Get("element-format"); v != nil {
			l.ElementFormatAt = v.Provenance()
		}
		if v := n.Get("message-format"); v != nil {
			l.MessageFormatAt = v.Provenance()
		}
	}
}

func (r *reader) scheduler(n *node.Node) {
	r.keys(n, "on-error", "fetchers", "builders", "pushers", "network-retries")
	s := &r.c.Settings
	s.OnError = stream.OnError(r.enum(n, "on-error", "quit", "continue", "quit", "terminate"))
	s.Fetchers = r.integer(n, "fetchers", 10, 1)
	s.Builders = r.integer(n, "builders", 4, 1)
	s.Pushers = r.integer(n, "pushers", 4, 1)
	s.NetworkRetries = r.integer(n, "network-retries", 2, 0)
}

// servers reads the servers of artifacts or sources.
func (r *reader) servers(n *node.Node, key string) (c stream.CacheServers) {
	m := r.mapping(n, key)
	if m == nil || r.err != nil {
		return c
	}
	r.keys(m, "override-project-caches", "servers")
	c.Override = r.boolean(m, "override-project-caches", false)
	list, err := m.GetSequence("servers")
	r.fail(err)
	if list == nil || r.err != nil {
		return c
	}
	for _, item := range list.Items() {
		if item.Kind() != node.Mapping {
			r.fail(item.Errorf("INVALID_DATA", "Value of 'servers' is not of the expected type 'MappingNode'"))
			return c
		}
		spec, err := remotespec.FromNode(item, func(text string) (string, error) { return filepath.Abs(r.path(text)) })
		if err != nil {
			r.fail(err)
			return c
		}
		c.Servers = append(c.Servers, spec)
	}
	return c
}

// remotes reads the parts about other machines.
func (r *reader) remotes(n *node.Node) {
	r.c.Settings.Artifacts.User = r.servers(n, "artifacts")
	r.c.Settings.SourceCaches.User = r.servers(n, "source-caches")
	re := r.mapping(n, "remote-execution")
	r.keys(re, "execution-service", "storage-service", "action-cache-service")
	r.unused(n, "remote-execution", "remote execution is not available in this version of bst and is ignored")
}

func (r *reader) projects(n *node.Node) {
	if n == nil {
		return
	}
	r.c.Settings.Projects = make(map[string]stream.ProjectSettings, n.Len())
	for _, name := range n.Keys() {
		p := r.mapping(n, name)
		if r.err != nil {
			return
		}
		r.keys(p, "artifacts", "source-caches", "options", "strict", "default-mirror", "remote-execution", "mirrors")
		var set stream.ProjectSettings
		set.DefaultMirror = r.str(p, "default-mirror", "")
		if p.Get("strict") != nil {
			strict := r.boolean(p, "strict", true)
			set.Strict = &strict
		}
		if options := r.mapping(p, "options"); options != nil {
			set.Options = make(map[string]string, options.Len())
			for _, option := range options.Keys() {
				if list := options.Get(option); list.Kind() == node.Sequence {
					texts, err := options.GetStrs(option)
					if err != nil {
						r.fail(err)
						return
					}
					if set.OptionLists == nil {
						set.OptionLists = make(map[string][]string)
					}
					set.OptionLists[option] = texts
					continue
				}
				set.Options[option] = r.str(options, option, "")
			}
		}
		if mirrors, err := p.GetSequence("mirrors"); err != nil {
			r.fail(err)
			return
		} else if mirrors != nil {
			list := node.NewMapping(mirrors.Provenance())
			list.Set("mirrors", mirrors)
			set.Mirrors = list.Dump()
		}
		set.Artifacts, set.SourceCaches = r.servers(p, "artifacts"), r.servers(p, "source-caches")
		r.unused(p, "remote-execution", "'remote-execution' is not available in this version of bst and is ignored")
		r.c.Settings.Projects[name] = set
	}
}
