package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageLine is "Usage: bst build [OPTIONS] [ELEMENTS]...".
func usageLine(cmd *cobra.Command) string {
	path := cmd.CommandPath()
	if cmd.HasAvailableSubCommands() {
		return "Usage: " + path + " [OPTIONS] COMMAND [ARGS]..."
	}
	_, arguments, _ := strings.Cut(cmd.Use, " ")
	return strings.TrimRight("Usage: "+path+" [OPTIONS] "+arguments, " ")
}

// writeHelp prints a command's help in the reference's arrangement.
func writeHelp(w io.Writer, cmd *cobra.Command) {
	fmt.Fprintf(w, "%s\n\n", usageLine(cmd))
	for line := range strings.Lines(strings.TrimRight(longText(cmd), "\n") + "\n") {
		if strings.TrimSpace(line) == "" {
			fmt.Fprintln(w)
			continue
		}
		fmt.Fprint(w, "  "+line)
	}
	writeRows(w, "Options", optionRows(cmd))
	writeRows(w, "Commands", commandRows(cmd))
}

// longText is what help says of a command.
func longText(cmd *cobra.Command) string {
	if cmd.Long == "" {
		return cmd.Short
	}
	return cmd.Long
}

// optionRows are a command's options and what help says of each. The two halves
// of a switch are one.
func optionRows(cmd *cobra.Command) (rows [][2]string) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || strings.HasPrefix(f.Name, "no-") && f.Usage == "" {
			return
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if cmd.Flags().Lookup("no-"+f.Name) != nil {
			name += " / --no-" + f.Name
		}
		if f.NoOptDefVal == "" {
			name += " " + f.Value.Type()
		}
		help := f.Usage
		if f.NoOptDefVal == "" && f.DefValue != "" {
			help += "  [default: " + f.DefValue + "]"
		}
		rows = append(rows, [2]string{name, help})
	})
	return rows
}

func commandRows(cmd *cobra.Command) (rows [][2]string) {
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			rows = append(rows, [2]string{sub.Name(), sub.Short})
		}
	}
	return rows
}

// writeRows prints two columns; what is too wide for the first stands on a
// line of its own.
func writeRows(w io.Writer, title string, rows [][2]string) {
	if len(rows) == 0 {
		return
	}
	const widest = 32
	column := 0
	for _, row := range rows {
		if len(row[0]) <= widest {
			column = max(column, len(row[0]))
		}
	}
	fmt.Fprintf(w, "\n%s:\n", title)
	for _, row := range rows {
		indent := column + 4
		first := fmt.Sprintf("  %-*s  ", column, row[0])
		if len(row[0]) > column {
			first = "  " + row[0] + "\n" + strings.Repeat(" ", indent)
		}
		lines := wrap(row[1], 79-indent)
		fmt.Fprintf(w, "%s\n", strings.TrimRight(first+strings.Join(lines, "\n"+strings.Repeat(" ", indent)), " \n"))
	}
}

func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// helpCommand is bst help COMMAND...: help on the standard error stream.
func (a *app) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]...",
		Short: "Print usage information",
		Long:  "Print usage information about a given command\n\nThere are topics too: " + topicHint(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				if t := findTopic(args[0]); t != nil {
					t.write(a.err)
					return nil
				}
			}
			found := cmd.Root()
			for _, name := range args {
				next := child(found, name)
				if next == nil {
					a.refuse("Not a valid command: 'bst " + strings.Join(args, " ") + "'")
					return nil
				}
				found = next
			}
			writeHelp(a.err, found)
			if found.HasAvailableSubCommands() {
				detail := strings.Join(append([]string{"help"}, args...), " ")
				fmt.Fprintf(a.err, "\nFor usage on a specific command: bst %s COMMAND\n", detail)
			}
			if len(args) == 0 {
				fmt.Fprintf(a.err, "On a topic: %s\n", topicHint())
			}
			return nil
		},
	}
}

func child(cmd *cobra.Command, name string) *cobra.Command {
	for _, sub := range cmd.Commands() {
		if sub.Name() == name {
			return sub
		}
	}
	return nil
}
