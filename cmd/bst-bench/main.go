// Command bst-bench makes stacks of elements, measures what builds them, and
// reports the figures.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bst-bench:", err)
		os.Exit(1)
	}
}

// run is the program as a function of its arguments and writers.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	root := &cobra.Command{
		Use:           "bst-bench",
		Short:         "Make stacks, measure what builds them, report the figures",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(stacksCommand(), runCommand(), reportCommand())
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return root.ExecuteContext(ctx)
}
