package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"bst/impl/patient"

	"github.com/spf13/cobra"
)

// manCommand writes the manual pages. They are generated from the commands and
// their help, so that there is nothing to keep true; packagers run it.
//
// cobra's own generator was not taken: it knows neither options of two arguments
// nor pairs of switches, and needs a Markdown compiler.
func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "manual-pages DIRECTORY",
		Short:  "Write the manual pages into a directory",
		Hidden: true,
		Args:   atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return missingArgument("DIRECTORY")
			}
			if err := os.MkdirAll(args[0], 0o777); err != nil {
				return err
			}
			var errs []error
			for _, c := range everyCommand(cmd.Root()) {
				if c == cmd.Root() || c.IsAvailableCommand() || c.Name() == "help" {
					errs = append(errs, patient.WriteFile(filepath.Join(args[0], pageName(c)+".1"), []byte(manualPage(c)), 0o644, patient.Unsynced))
				}
			}
			return errors.Join(errs...)
		},
	}
}

// pageName is bst-source-fetch.
func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// manualPage is a command's page in man(7)'s language.
func manualPage(cmd *cobra.Command) string {
	var b strings.Builder
	line := func(formatted string, args ...any) { fmt.Fprintf(&b, formatted+"\n", args...) }
	name := pageName(cmd)
	line(`.TH "%s" "1" "" "bst %s" "User Commands"`, roff(strings.ToUpper(name)), roff(Version))
	line(".SH NAME\n%s \\- %s", roff(name), roff(lowerFirst(cmd.Short)))
	line(".SH SYNOPSIS\n.B %s", roff(strings.TrimPrefix(usageLine(cmd), "Usage: ")))
	line(".SH DESCRIPTION")
	writeText(&b, longText(cmd))
	writeEntries(&b, "OPTIONS", optionRows(cmd))
	writeEntries(&b, "COMMANDS", commandRows(cmd))
	for i := range topics {
		t := &topics[i]
		if t.name == "exit-status" || !cmd.HasParent() {
			writeEntries(&b, strings.ToUpper(t.title), t.rows)
		}
	}
	var also []string
	if cmd.HasParent() {
		also = append(also, pageName(cmd.Parent()))
	}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			also = append(also, pageName(sub))
		}
	}
	if len(also) > 0 {
		line(".SH SEE ALSO")
		for i, page := range also {
			end := ","
			if i == len(also)-1 {
				end = ""
			}
			line(".BR %s (1)%s", roff(page), end)
		}
	}
	return b.String()
}

// writeText writes help's text: what is indented there stands as it is.
func writeText(b *strings.Builder, text string) {
	asIs := false
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		line = strings.TrimRight(line, "\n")
		indented := strings.HasPrefix(line, "  ")
		switch {
		case indented && !asIs:
			b.WriteString(".PP\n.nf\n")
		case !indented && asIs && line != "":
			b.WriteString(".fi\n.PP\n")
		}
		switch {
		case indented:
			asIs = true
			b.WriteString(roff(line) + "\n")
		case line == "":
			if !asIs {
				b.WriteString(".PP\n")
			}
		default:
			asIs = false
			b.WriteString(roff(line) + "\n")
		}
	}
	if asIs {
		b.WriteString(".fi\n")
	}
}

func writeEntries(b *strings.Builder, title string, rows [][2]string) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, ".SH \"%s\"\n", title)
	for _, row := range rows {
		fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(row[0]), roff(row[1]))
	}
}

// roff escapes what the language would take for its own.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}

func lowerFirst(text string) string {
	if len(text) > 1 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a' {
		return strings.ToLower(text[:1]) + text[1:]
	}
	return text
}
