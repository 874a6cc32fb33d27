// Package early starts a backend's process before this program is ready to ask for
// one.
//
// A program in Go initialises all of its packages before main, which takes bst 5 to
// 10 ms; a backend is this program started anew and takes as long again. Where the
// command line or the environment name a strategy that starts one, it is started
// from this package's own initialisation, and both get ready at the same time.
// Go initialises packages in the order of their paths, each as soon as what it
// imports is (package inner tells more): so this one imports hardly anything.
//
// It guesses what the command line will do, and knows of it only what it needs for
// that. A wrong guess costs a process: if nobody takes it, its input ends with this
// process, and it leaves without a word, as the backend of any frontend that is
// gone does.
package early

import "os"

// Begun is a backend's process that runs and was told nothing yet.
type Begun struct {
	// Executable, Args and Environ are what it was started with.
	Executable    string
	Args, Environ []string
	// Process is nil where none was started.
	Process *os.Process
	// Orders and Events are the ends of its standard input and output; the same
	// file twice where they are one socket.
	Orders, Events *os.File
	// Stderr is the end of its standard error.
	Stderr *os.File
}

// What this package knows of the command line. impl/cli has the test that it is so.
const (
	// Option and Variable name a strategy.
	Option   = "--strategy"
	Variable = "BST_STRATEGY"
	// Word is the first argument of a backend; the strategy's name follows.
	Word = "__backend"
)

// ends says by what a strategy's backend is spoken to.
type ends uint8

const (
	none ends = iota
	pipes
	socket
)

// endsOf knows the strategies that start a process for one command.
func endsOf(strategy string) ends {
	switch strategy {
	case "pipe", "pipe+batched":
		return pipes
	case "socket", "socket+batched":
		return socket
	}
	return none
}

// Starts says whether a strategy's backend is started early.
func Starts(strategy string) bool { return endsOf(strategy) != none }

// Sessions says whether a command begins a session.
func Sessions(word string) bool {
	switch word {
	case "build", "show", "shell", "source", "artifact", "workspace", "init":
		return true
	}
	return false
}

// wanted guesses for which strategy a command line will start a backend, "" for none.
// args are os.Args.
func wanted(args []string, variable string) string {
	strategy, command := variable, false
	for i := 1; i < len(args); i++ {
		arg := args[i]
		switch {
		case i == 1 && len(arg) > 1 && arg[:2] == "__":
			return "" // the program as something else
		case arg == "-h" || arg == "--help" || arg == "--version":
			return ""
		case arg == "--":
			i = len(args)
		case arg == Option:
			if i++; i < len(args) {
				strategy = args[i]
			}
		case len(arg) > len(Option) && arg[:len(Option)+1] == Option+"=":
			strategy = arg[len(Option)+1:]
		case Sessions(arg):
			command = true
		case !command && (arg == "help" || arg == "completion" || arg == "attach"):
			return ""
		}
	}
	if !command || !Starts(strategy) {
		return ""
	}
	return strategy
}
