package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"bst/bench/replay"
)

func replayCommand() *cobra.Command {
	o := replay.Options{Columns: 160, Rows: 50, Color: true}
	size, pipe := "160x50", false
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Show a session that bst --events recorded",
		Long: `Show a session that bst --events recorded, on the standard output: through the
frontend's model and screen, on the session's own clock. The same file gives the
same bytes each time. What it took is told on the standard error.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if n, e := fmt.Sscanf(size, "%dx%d", &o.Columns, &o.Rows); n != 2 || e != nil || o.Columns < 1 || o.Rows < 1 {
				return fmt.Errorf("--size %s: want COLUMNSxROWS, as in 160x50", size)
			}
			if pipe {
				o.Columns, o.Rows, o.Color = 0, 0, false
			}
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, f.Close()) }()
			begin := time.Now()
			stats, err := replay.Run(f, o, cmd.OutOrStdout())
			took := time.Since(begin)
			fmt.Fprintf(cmd.ErrOrStderr(), "%d events in %d frames, %d bytes, %.3f s (%d dropped when it was recorded, %d unknown)\n",
				stats.Events, stats.Frames, stats.Bytes, took.Seconds(), stats.Dropped, stats.Unknown)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&size, "size", size, "the terminal's size")
	cmd.Flags().BoolVar(&pipe, "pipe", false, "as in a pipe: every line and no status area")
	cmd.Flags().BoolVar(&o.Color, "colors", o.Color, "in colours")
	cmd.Flags().Float64Var(&o.Speed, "speed", 0, "how many seconds of the session pass in one; 0 is as fast as it can")
	cmd.Flags().DurationVar(&o.Interval, "interval", 100*time.Millisecond, "the time between two frames")
	return cmd
}
