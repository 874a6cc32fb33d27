// Package strategies is the table of the ways to put a process boundary, or
// none, between frontend and backend. A new strategy is one package and one
// row here. It knows their names and nothing of how they work.
package strategies

import (
	"strings"

	"bst/impl/stream"
	"bst/strategies/inprocess"
	"bst/strategies/pipe"
)

// Strategy is one row.
type Strategy struct {
	// Name is what --strategy and BST_STRATEGY take.
	Name string
	// Doc is one line for a person who chooses.
	Doc  string
	Open stream.Open
}

// All lists every strategy, in the order in which help shows them.
func All() []Strategy {
	return []Strategy{
		{inprocess.Name, "the backend is a goroutine of this process", inprocess.Open},
		{pipe.Name, "the backend is a process of its own, spoken to over its standard input and output", pipe.Open},
	}
}

// Names lists the names of All.
func Names() []string {
	var names []string
	for _, s := range All() {
		names = append(names, s.Name)
	}
	return names
}

// Lookup finds a strategy by name; the empty name is the default's. An unknown
// name is a *stream.Error that lists the known ones.
func Lookup(name string) (Strategy, error) {
	if name == "" {
		name = Default()
	}
	for _, s := range All() {
		if s.Name == name {
			return s, nil
		}
	}
	return Strategy{}, &stream.Error{
		Domain:  stream.DomainApp,
		Reason:  "unknown-strategy",
		Message: "Unknown strategy '" + name + "', choose one of: " + strings.Join(Names(), ", "),
	}
}
