package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"bst/impl/stream"
)

// execute runs the command that the arguments name.
func (a *app) execute(args []string) {
	root := a.root()
	if isCompletion(args) {
		args = append(args[:1:1], begun(root, args[1:])...)
	} else {
		args = spliced(root, args)
	}
	root.SetArgs(append([]string{}, args...)) // of none at all, cobra takes the process's own
	err := root.Execute()
	if isFlagError(err) {
		// Of an option before the command, cobra gives pflag's own error.
		err = flagError(root, err)
	}
	var usage *usageError
	switch {
	case err == nil:
	case errors.As(err, &usage):
		fmt.Fprintf(a.err, "%s\nTry '%s -h' for help.\n\nError: %s\n", usageLine(usage.cmd), usage.cmd.CommandPath(), usage.text)
		a.status = statusUsage
		a.failed = &stream.Error{Message: usage.text} // for the error report
	default:
		a.fail(err, "")
	}
}

// spliced joins the arguments of options that take two, before the command and
// behind it.
func spliced(root *cobra.Command, args []string) []string {
	args, at := splice(root.Flags(), args, true)
	if cmd, rest, err := root.Traverse(args[at:]); err == nil && cmd != root && len(rest) <= len(args)-at {
		own, _ := splice(cmd.Flags(), rest, false)
		args = append(args[:len(args)-len(rest):len(args)-len(rest)], own...)
	}
	return args
}

// begun is spliced for words of which the last is being typed. Where that is the
// second argument of an option, it is joined to the first as it is.
func begun(root *cobra.Command, words []string) []string {
	last := len(words) - 1
	typed := words[last]
	for _, n := range []int{1, 2} { // --option=NAME VALUE, -o NAME VALUE
		if last < n {
			break
		}
		f, value, attached := option(root.Flags(), words[last-n])
		if _, two := valueOf(f).(*pairs); !two || attached != (n == 1) {
			continue
		}
		if n == 2 {
			value = words[last-1]
		}
		return append(spliced(root, words[:last-n]), "--"+f.Name+"="+value+joint+typed)
	}
	return append(spliced(root, words[:last]), typed)
}

// root builds the tree of commands.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:              "bst",
		Short:            "Build and manipulate BuildStream projects",
		Long:             "Build and manipulate BuildStream projects\n\nThe options below stand before the command. Most of them override the user\nconfiguration.",
		SilenceErrors:    true,
		SilenceUsage:     true,
		TraverseChildren: true,
		Args:             cobra.ArbitraryArgs,
		CompletionOptions: cobra.CompletionOptions{
			DisableDefaultCmd: true,
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return a.opts.check(cmd.Root())
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.opts.version {
				a.showVersion()
				return nil
			}
			return a.group(cmd, args)
		},
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(flagError)
	a.addGlobals(root.Flags())
	root.SetHelpCommand(a.helpCommand())
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { writeHelp(a.out, cmd) })

	root.AddCommand(a.initCommand(), a.buildCommand(), a.showCommand(), a.shellCommand(), a.sourceCommand(), a.workspaceCommand(), a.artifactCommand(), a.attachCommand(), a.completionCommand(), a.manCommand())
	root.InitDefaultHelpCmd() // cobra adds it later, when its options are too late
	for _, cmd := range everyCommand(root) {
		cmd.Flags().BoolP("help", "h", false, "Show this message and exit.")
		cmd.Flags().SortFlags = false
		cmd.DisableFlagsInUseLine = true
		cmd.DisableSuggestions = true
	}
	a.addCompletions(root)
	return root
}

func everyCommand(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		all = append(all, everyCommand(sub)...)
	}
	return all
}

// commandName is a command's name without the program's: "source fetch".
func commandName(cmd *cobra.Command) string {
	_, name, _ := strings.Cut(cmd.CommandPath(), " ")
	return name
}

// group is a command that only holds others.
func (a *app) group(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return misuse(cmd, "No such command '%s'.", args[0])
	}
	writeHelp(a.err, cmd)
	a.status = statusUsage
	return nil
}

// atMost refuses more arguments than a command takes.
func atMost(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			plural := ""
			if len(args)-n > 1 {
				plural = "s"
			}
			return misuse(cmd, "Got unexpected extra argument%s (%s)", plural, strings.Join(args[n:], " "))
		}
		return nil
	}
}
