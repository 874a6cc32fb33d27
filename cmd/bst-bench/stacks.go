package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"bst/bench/stacks"
)

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
  rapid    many elements with nothing to do
  debian   the closure of a package of Debian 12, or "all" of it

The same kind, size, seed and root give the same bytes on every machine.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			spec.Kind = stacks.Kind(args[0])
			stack, err := stacks.Generate(spec)
			if err != nil {
				return err
			}
			if err := stack.Write(dir, stacks.Format(format)); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d elements, %d dependencies; target %s\n", dir, len(stack.Elements), stack.Edges(), spec.Target())
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&dir, "output", "o", "", "the project's folder, which must be empty or not exist")
	flags.IntVarP(&spec.N, "size", "n", 1000, "the number of elements (not for debian)")
	flags.Uint64Var(&spec.Seed, "seed", 0, "another seed gives other keys, and other dependencies of a diamond")
	flags.StringVar(&spec.Root, "root", "git", "the package whose closure is meant, or all (for debian)")
	flags.StringVar(&format, "for", string(stacks.BuildStream2), "the BuildStream that loads it: 2 or 1.6")
	cobra.CheckErr(cmd.MarkFlagRequired("output"))
	return cmd
}
