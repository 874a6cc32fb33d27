package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"bst/impl/stream"
)

// absent are the reference's commands that this version does not have. They
// are told apart from mistakes.
var absent = []string{
	"init",
	"source push", "source track", "source checkout",
	"workspace open", "workspace close", "workspace reset", "workspace list",
	"artifact show", "artifact pull", "artifact push", "artifact log",
	"artifact list-contents", "artifact delete",
}

func (a *app) addAbsent(root *cobra.Command) {
	for _, path := range absent {
		at := root
		words := strings.Fields(path)
		for i, word := range words {
			next := child(at, word)
			if next == nil {
				next = &cobra.Command{Use: word, Hidden: true}
				if i == len(words)-1 {
					next.DisableFlagParsing = true
					next.RunE = func(*cobra.Command, []string) error {
						return unavailable("'bst " + path + "'")
					}
				} else {
					next.RunE = a.group
				}
				at.AddCommand(next)
			}
			at = next
		}
	}
}

func unavailable(what string) error {
	return &stream.Error{Domain: stream.DomainApp, Reason: "not-available",
		Message: what + " is not available in this version of bst"}
}
