package cli

import (
	"fmt"

	"bst/impl/cli/early"
	"bst/impl/config"
	"bst/impl/platform"
	"bst/impl/term"
)

// fallback is what the table of defaults says of a place.
type fallback struct{ strategy, why string }

// chosen is a strategy and how it came to be.
type chosen struct {
	name string
	// from is who chose it, why the reason, "" where a person chose.
	from, why string
	// platform and terminal are where bst runs, in words of package platform.
	platform, terminal string
}

// strategy finds the strategy: the command line's, else the environment's, else
// the user configuration's, else the table's.
func (a *app) strategy(conf *config.Config) chosen {
	c := chosen{platform: platform.Name()}
	c.terminal = platform.Terminal(c.platform, term.On(a.out, a.err), a.getenv)
	switch {
	case a.opts.strategy != "":
		c.name, c.from = a.opts.strategy, early.Option
	case a.getenv(strategyVariable) != "":
		c.name, c.from = a.getenv(strategyVariable), "the environment's "+strategyVariable
	case conf.Strategy != "":
		c.name, c.from = conf.Strategy, "the user configuration "+conf.File
	default:
		row := a.fallback(c.platform, c.terminal)
		c.name, c.from, c.why = row.strategy, "the table of defaults, which was made from measurements", row.why
	}
	return c
}

const strategyVariable = early.Variable

// terminalDocs say what a kind of terminal is.
var terminalDocs = map[string]string{
	platform.NoTerminal:   "none: a pipe or a file",
	platform.FastTerminal: "one that takes what is written at once",
	platform.SlowTerminal: "one that may be slow: a console of Windows, or across a network",
}

// showVersion prints the version and, with --verbose, which strategy would be
// used here and why.
func (a *app) showVersion() {
	fmt.Fprintln(a.out, Version)
	if a.opts.verbose == nil || !*a.opts.verbose {
		return
	}
	conf, err := a.configure()
	if err != nil {
		a.fail(err, "Error loading user configuration: ")
		return
	}
	c := a.strategy(conf)
	if _, err := a.lookup(c.name); err != nil {
		a.fail(err, "")
		return
	}
	fmt.Fprintf(a.out, "platform:  %s\nterminal:  %s\nstrategy:  %s\nchosen by: %s\n", c.platform, terminalDocs[c.terminal], c.name, c.from)
	if c.why != "" {
		fmt.Fprintf(a.out, "because:   %s\n", c.why)
	}
}
