package main

import (
	"bytes"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"bst/bench/report"
)

func reportCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Write the report on everything that was measured",
		Long: `Read every file in DIR/raw and write DIR/README.md: tables of medians and
intervals, comparisons of strategies and with peers, and what was not measured.
The same raw files give the same report.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := report.ReadDir(filepath.Join(dir, "raw"))
			if err != nil {
				return err
			}
			var text bytes.Buffer
			if err := report.Write(&text, files); err != nil {
				return err
			}
			path := filepath.Join(dir, "README.md")
			side := path + ".new"
			if err := os.WriteFile(side, text.Bytes(), 0o644); err != nil {
				return err
			}
			return os.Rename(side, path)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "reports", "the folder of the reports")
	return cmd
}
