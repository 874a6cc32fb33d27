package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/olekukonko/tablewriter"
	"github.com/spf13/cobra"

	"bst/bench/harness"
	"bst/bench/plan"
)

func plansCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "plans",
		Short: "List the plans: which question each answers, and how long it takes",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			plans, err := plan.ReadDir(dir)
			if err != nil {
				return err
			}
			if len(plans) == 0 {
				return fmt.Errorf("there are no plans in %s", dir)
			}
			return listPlans(cmd.OutOrStdout(), plans)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", filepath.Join("bench", "plans"), "the folder of the plans")
	return cmd
}

func listPlans(w io.Writer, plans []*plan.Plan) error {
	t := tablewriter.NewWriter(w)
	t.Header("plan", "takes about", "question", "raw files")
	for _, p := range plans {
		var files []string
		for _, r := range p.Records {
			files = append(files, r.File)
		}
		estimate := strings.TrimSuffix(p.Estimate.String(), "m0s") + "m"
		if p.Estimate%time.Minute != 0 {
			estimate = p.Estimate.String()
		} else if p.Estimate%time.Hour == 0 {
			estimate = strings.TrimSuffix(p.Estimate.String(), "0m0s")
		}
		err := t.Append(p.Name, estimate, p.Question, strings.Join(files, " "))
		if err != nil {
			return err
		}
	}
	return t.Render()
}

// runPlan measures a plan's records one after the other. They take their places
// together when all of them are whole; until then an interrupted plan is gone on
// with, and what was there before stays.
func (f *runFlags) runPlan(cmd *cobra.Command) (err error) {
	p, err := plan.Read(f.plan)
	if err != nil {
		return err
	}
	if f.output == "" {
		f.output = filepath.Join("reports", "raw")
	}
	records, err := f.chosen(cmd, p)
	if err != nil {
		return err
	}
	log := cmd.ErrOrStderr()
	fmt.Fprintf(log, "%s: %s About %v where it was made.\n", p.Name, p.Question, p.Estimate)
	begin := time.Now()
	var sum harness.Outcome
	var whole []string
	for i, record := range records {
		output := filepath.Join(f.output, filepath.FromSlash(record.File)+".txt")
		fmt.Fprintf(log, "\n%s, file %d of %d, after %v: %s\n", p.Name, i+1, len(records), time.Since(begin).Round(time.Second), output)
		if record.Kind != plan.Runs {
			if err := f.part(cmd, record, output); err != nil {
				return fmt.Errorf("%s: %w", record.File, err)
			}
			continue
		}
		outcome, err := f.measureIn(cmd, record, output)
		if errors.Is(err, harness.ErrNoCases) {
			fmt.Fprintf(log, "skipped   %s: %v\n", record.File, err)
			sum.Skipped++
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", record.File, err)
		}
		sum.Failed += outcome.Failed
		sum.Skipped += outcome.Skipped
		sum.Noisy += outcome.Noisy
		whole = append(whole, output)
	}
	for _, output := range whole {
		if err := os.Rename(output+partial, output); err != nil {
			return err
		}
	}
	fmt.Fprintf(log, "\n%s: %d files in %v\n", p.Name, len(records), time.Since(begin).Round(time.Second))
	return complain(sum, f.output)
}

// measureIn measures a record in a folder of its own, which goes with it.
func (f *runFlags) measureIn(cmd *cobra.Command, record plan.Record, output string) (_ harness.Outcome, err error) {
	w, err := openWork("", record.InMemory)
	if err != nil {
		return harness.Outcome{}, err
	}
	defer func() { err = errors.Join(err, w.close(cmd.Context(), cmd.ErrOrStderr())) }()
	return f.measure(cmd, record, output, w.dir)
}

// chosen are the records to measure, with what the command line says otherwise.
func (f *runFlags) chosen(cmd *cobra.Command, p *plan.Plan) ([]plan.Record, error) {
	var records []plan.Record
	var names []string
	for _, r := range p.Records {
		names = append(names, r.File)
		if len(f.only) > 0 && !slices.Contains(f.only, r.File) {
			continue
		}
		if cmd.Flags().Changed("repetitions") {
			r.Repetitions = f.repetitions
		}
		if cmd.Flags().Changed("peer-repetitions") {
			r.PeerRepetitions = f.peerRounds
		}
		records = append(records, r)
	}
	for _, name := range f.only {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("--only %s: %s has no such file; it has %s", name, p.Path, strings.Join(names, ", "))
		}
	}
	return records, nil
}

// part measures a record that is not of whole runs, from its beginning, by the
// command of that name.
func (f *runFlags) part(cmd *cobra.Command, record plan.Record, output string) error {
	args := []string{record.Kind, "-o", output, "--bst", f.bst, "-n", strconv.Itoa(record.Repetitions), "--seed", strconv.FormatUint(f.seed, 10)}
	for _, spec := range record.Stacks {
		args = append(args, "--stack", spec.Name())
	}
	for _, name := range record.Strategies {
		args = append(args, "--strategy", name)
	}
	for _, where := range record.Terminals {
		args = append(args, "--terminal", where.String())
	}
	return run(cmd.Context(), args, cmd.OutOrStdout(), cmd.ErrOrStderr())
}
