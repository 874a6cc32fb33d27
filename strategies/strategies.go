// Package strategies is the table of the ways to put a process boundary, or
// none, between frontend and backend. A new strategy is one package and one
// row here. It knows their names and nothing of how they work.
package strategies

import (
	"context"
	"runtime"
	"slices"
	"strings"

	"bst/impl/stream"
	"bst/strategies/batched"
	"bst/strategies/inprocess"
	"bst/strategies/pipe"
	"bst/strategies/socket"
	"bst/strategies/warm"
)

// Strategy is one row.
type Strategy struct {
	// Name is what --strategy and BST_STRATEGY take.
	Name string
	// Doc is one line for a person who chooses.
	Doc  string
	Open stream.Open
	// Decorates names the row that this one is a variant of, "" for others.
	Decorates string
	// Serve is what this executable does where Open starts it anew as a backend;
	// nil where no process is started.
	Serve stream.Serve
	// Find is set where the backend stays when its session has ended: it gives a
	// way to each one that runs for Host.Project, or any where that is empty.
	Find func(context.Context, stream.Host) ([]stream.Open, error)
	// Platforms are those (GOOS) that it works on, nil for all.
	Platforms []string
}

// Stays says that the backend stays when its session has ended.
func (s Strategy) Stays() bool { return s.Find != nil }

// All lists every strategy that works here, in the order in which help shows them.
func All() []Strategy {
	return slices.DeleteFunc(Every(), func(s Strategy) bool {
		return s.Platforms != nil && !slices.Contains(s.Platforms, runtime.GOOS)
	})
}

// Every lists the strategies of all platforms, the simplest first: the order by
// which a default is chosen where measurements cannot tell two apart.
func Every() []Strategy {
	return []Strategy{
		inProcess,
		gathering("batched", inProcess),
		pipes,
		gathering("pipe+batched", pipes),
		sockets,
		gathering("socket+batched", sockets),
		{Name: warm.Name, Open: warm.Open, Serve: warm.Serve, Find: warm.Find, Platforms: []string{"linux"},
			Doc: "the backend stays for the next commands, and sessions can be left and come back to"},
	}
}

var (
	inProcess = Strategy{Name: inprocess.Name, Open: inprocess.Open,
		Doc: "the backend is a goroutine of this process"}
	pipes = Strategy{Name: pipe.Name, Open: pipe.Open, Serve: pipe.Serve,
		Doc: "the backend is a process of its own, spoken to over its standard input and output"}
	sockets = Strategy{Name: socket.Name, Open: socket.Open, Serve: socket.Serve,
		Doc: "the backend is a process of its own, spoken to over a socket"}
)

// gathering is a row decorated with batching.
func gathering(name string, s Strategy) Strategy {
	s.Name, s.Decorates, s.Doc = name, s.Name, "as "+s.Name+"; events are gathered for a moment"
	s.Open = batched.Open(s.Open)
	if s.Serve != nil {
		s.Serve = batched.Serve(s.Serve)
	}
	return s
}

// Names lists the names of All.
func Names() []string {
	var names []string
	for _, s := range All() {
		names = append(names, s.Name)
	}
	return names
}

// Lookup finds a strategy by name. An unknown name is a *stream.Error that lists
// the known ones.
func Lookup(name string) (Strategy, error) {
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
