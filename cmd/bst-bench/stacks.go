package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"bst/bench/stacks"
)

// stackCommand is stacksCommand by a stack's name.
func stackCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "stack NAME DIR",
		Short: "Write the stack of a name, as in rapid-2000 or deep-junctions-500-seed7",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			spec, err := stacks.ParseName(args[0])
			if err != nil {
				return err
			}
			return writeStack(cmd, spec, args[1], format)
		},
	}
	cmd.Flags().StringVar(&format, "for", string(stacks.BuildStream2), "what loads it: BuildStream 2 or 1.6, or ninja")
	return cmd
}

func writeStack(cmd *cobra.Command, spec stacks.Spec, dir, format string) error {
	stack, err := stacks.Generate(spec)
	if err != nil {
		return err
	}
	if err := stack.Write(dir, stacks.Format(format)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d elements, %d dependencies; target %s\n", dir, stack.Size(), stack.Edges(), spec.Target())
	return err
}

func stacksCommand() *cobra.Command {
	var (
		spec   stacks.Spec
		dir    string
		format string
	)
	cmd := &cobra.Command{
		Use:   "stacks -o DIR KIND",
		Short: "Write a project whose elements form a stack",
		Long: `Write a project whose elements form a stack of the given kind:

  chain    each element needs the one before
  fan      many elements that need nothing under one that needs them all
  diamond  layers; each element needs two of the layer below
  layers   layers; each element needs five of the layer below
  rapid    many elements with nothing to do
  long-logs       elements that print 10,000 lines each while they are built
  failures        elements of which each third fails, so that the build ends with 255
  deep-junctions  projects in projects, up to 32 deep
  wide-files      elements of 200 small files each
  sources         elements whose source is fetched from beside the project
  debian   the closure of a package of Debian 12, or "all" of it, or that many of its packages

The same kind, size, seed and root give the same bytes on every machine.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			spec.Kind = stacks.Kind(args[0])
			if spec.Kind == stacks.Debian && !cmd.Flags().Changed("size") {
				spec.N = 0
			}
			return writeStack(cmd, spec, dir, format)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&dir, "output", "o", "", "the project's folder, which must be empty or not exist")
	flags.IntVarP(&spec.N, "size", "n", 1000, "the number of elements; of debian, with all as root, of packages")
	flags.Uint64Var(&spec.Seed, "seed", 0, "another seed gives other keys, and other dependencies of diamond and layers")
	flags.StringVar(&spec.Root, "root", "git", "the package whose closure is meant, or all (for debian)")
	flags.StringVar(&format, "for", string(stacks.BuildStream2), "what loads it: BuildStream 2 or 1.6, or ninja")
	cobra.CheckErr(cmd.MarkFlagRequired("output"))
	return cmd
}
