package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"bst/bench/uicost"
	"bst/impl/stream"
	"bst/strategies"
)

// backendWord is the first argument of this program started as the backend of
// uicost; a strategy's name follows.
const backendWord = "__ui-backend"

// serveUI is a strategy's other half.
func serveUI(name string, args []string) error {
	s, err := strategies.Lookup(name)
	if err != nil {
		return err
	}
	if s.Serve == nil {
		return fmt.Errorf("strategy %s starts no process", name)
	}
	return s.Serve(context.Background(), stream.Served{In: os.Stdin, Out: os.Stdout, Args: args, NewBackend: uicost.NewBackend})
}

func uiCommand() *cobra.Command {
	f := partFlags{}
	o := uicost.Options{}
	var names []string
	cmd := &cobra.Command{
		Use:   "ui -o FILE",
		Short: "Measure what the UI costs, and how soon it shows what happens",
		Long: `Measure, again and again in random order: the processor time of an event from
the scheduler to the screen, with each strategy; the delay from an event to the
frame that shows it; the time from ^C to the menu during a build of rapid tasks;
and the replay of a recording. bst-bench report makes ui.md of what lies in
raw/parts/.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.Tasks < 1 || o.Delays < 1 || o.Events < 10 {
				return fmt.Errorf("%d tasks, %d delays, %d events: want at least 1, 1 and 10", o.Tasks, o.Delays, o.Events)
			}
			if o.Executable, err = os.Executable(); err != nil {
				return err
			}
			for _, name := range names {
				s, err := strategies.Lookup(name)
				if err != nil {
					return err
				}
				if s.Stays() {
					return fmt.Errorf("strategy %s: the processor time of a backend that stays is not known here", name)
				}
				row := uicost.Strategy{Name: s.Name, Open: s.Open}
				if s.Serve != nil {
					row.Args = []string{backendWord, s.Name}
				}
				o.Strategies = append(o.Strategies, row)
			}
			work, projects, facts, err := f.prepare(cmd.Context(), onDisk)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, work.close(cmd.Context(), cmd.ErrOrStderr())) }()
			if len(projects) > 0 {
				o.Dir, o.Target = projects[0].Dir, projects[0].Target
			}
			o.Program, o.Rounds, o.Seed, o.WorkDir, o.Facts, o.Log = f.bst, f.rounds, f.seed, work.dir, facts, cmd.ErrOrStderr()
			return f.write(func(out *os.File) error { return uicost.Run(cmd.Context(), o, out) })
		},
	}
	f.add(cmd)
	var fleeting []string
	for _, s := range strategies.All() {
		if !s.Stays() {
			fleeting = append(fleeting, s.Name)
		}
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&names, "strategy", fleeting, "the strategies to compare")
	flags.StringSliceVar(&f.stacks, "stack", []string{"rapid-10000"}, "the stack to press ^C in; empty leaves ^C out")
	flags.IntVar(&o.Tasks, "tasks", 40_000, "the tasks whose events give one figure")
	flags.IntVar(&o.Events, "events", 1_000_000, "the events of the recording")
	flags.IntVar(&o.Delays, "delays", 20, "the events whose delays give one median")
	return cmd
}
