package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"
	"github.com/spf13/cobra"

	"bst/bench/report"
)

const (
	reportsDir   = "reports"
	defaultsFile = "strategies/defaults.go"
)

func reportCommand() *cobra.Command {
	var dir, defaults string
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Write the report on everything that was measured",
		Long: `Read every file in DIR/raw and write what DIR holds besides: README.md, which says
which strategy to use where and why and answers the questions of the project;
figures.md with all figures; spawn.md and codecs.md, made of DIR/raw/parts; plots;
and index.html, all of it in one page. The table of default strategies is written
too. The same raw files give the same bytes.

A raw file that cannot be used is named in the report and here; the rest is kept,
and the command fails.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if dir == reportsDir && defaults == "" {
				defaults = defaultsFile
			}
			return makeReports(dir, defaults)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", reportsDir, "the folder of the reports")
	cmd.Flags().StringVar(&defaults, "defaults", "", "the file of the table of defaults (default: "+defaultsFile+", where DIR is "+reportsDir+")")
	return cmd
}

func makeReports(dir, defaults string) error {
	set, err := report.ReadSet(filepath.Join(dir, "raw"))
	if err != nil {
		return err
	}
	all, err := set.Generate()
	if err != nil {
		return err
	}
	// What was made of raw files that are gone.
	old, err := filepath.Glob(filepath.Join(dir, "*.svg"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if all[filepath.Base(path)] == nil {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if err := replace(filepath.Join(dir, name), all[name]); err != nil {
			return err
		}
	}
	if defaults != "" {
		var text bytes.Buffer
		if err := set.WriteDefaults(&text); err != nil {
			return err
		}
		if err := replace(defaults, text.Bytes()); err != nil {
			return err
		}
	}
	var unused []error
	for _, f := range set.Skipped {
		unused = append(unused, fmt.Errorf("%s was not used: %s", filepath.Join(dir, "raw", f.Name), f.Reason))
	}
	return errors.Join(unused...)
}

func selectCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "select",
		Short: "Say which strategies the measurements choose, and why",
		Long: `Read every file in DIR/raw, as report does, and print which strategy is the default
of each platform and kind of terminal by the rule in docs/strategies.md, with the
figures that it rests on. Nothing is written.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			set, err := report.ReadSet(filepath.Join(dir, "raw"))
			if err != nil {
				return err
			}
			return printChoices(cmd.OutOrStdout(), set.Choices())
		},
	}
	cmd.Flags().StringVar(&dir, "dir", reportsDir, "the folder of the reports")
	return cmd
}

func printChoices(w io.Writer, choices []report.Choice) error {
	t := tablewriter.NewTable(w, tablewriter.WithEastAsian(tw.Off), tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithRowAlignment(tw.AlignLeft), tablewriter.WithRowMaxWidth(100))
	t.Header("platform", "terminal", "strategy", "because")
	for _, c := range choices {
		if err := t.Append(c.Platform, c.Terminal, c.Strategy, c.Why); err != nil {
			return err
		}
		for _, e := range c.Evidence {
			if err := t.Append("", "", "", e.String()); err != nil {
				return err
			}
		}
	}
	return t.Render()
}

// replace gives a file its new content, which takes its place when it is whole.
func replace(path string, content []byte) error {
	side := path + ".new"
	if err := os.WriteFile(side, content, 0o644); err != nil {
		return errors.Join(err, os.Remove(side))
	}
	return os.Rename(side, path)
}
