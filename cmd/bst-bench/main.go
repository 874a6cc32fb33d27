// Command bst-bench makes stacks of elements, measures what builds them, and
// reports the figures.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"bst/bench/terminal"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == terminal.HoldWord {
		signal.Ignore(syscall.SIGHUP)
		fmt.Fprintln(os.Stderr, "bst-bench:", terminal.Hold(os.Args[2]))
		os.Exit(1)
	}
	if len(os.Args) > 2 && os.Args[1] == backendWord {
		if err := serveUI(os.Args[2], os.Args[3:]); err != nil {
			fmt.Fprintln(os.Stderr, "bst-bench:", err)
			os.Exit(1)
		}
		return
	}
	if err := run(untilInterrupted(), os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bst-bench:", err)
		os.Exit(1)
	}
}

// untilInterrupted ends at the first ^C or SIGTERM; a second ends the program as it
// would any other.
func untilInterrupted() context.Context {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx
}

// run is the program as a function of its arguments and writers.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	root := &cobra.Command{
		Use:           "bst-bench",
		Short:         "Make stacks, measure what builds them, report the figures",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(stackCommand(), compareCommand(), watchCommand(), stacksCommand(), runCommand(), plansCommand(), codecsCommand(), spawnCommand(), uiCommand(), timelineCommand(), reportCommand(), selectCommand(), replayCommand())
	for i, arg := range args {
		if arg == "-plan" { // as Go's own programs would have it
			args = slices.Clone(args)
			args[i] = "--plan"
		}
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return root.ExecuteContext(ctx)
}
