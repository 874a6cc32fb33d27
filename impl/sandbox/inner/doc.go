// Package inner is the process that becomes a sandbox's bubblewrap: it is born in
// namespaces of its own, mounts the overlay there and executes bubblewrap, all as a
// Recipe says.
//
// It knows mounts and descriptors. What is in the sandbox, and why, it does not know.
//
// Each start of a sandbox is one of these, and it is this executable started anew,
// which initialises all of its packages before main: 5 ms, for 0.5 ms of work. So it
// works in this package's own initialisation. Go initialises packages in the order of
// their paths, each as soon as what it imports is (the language's specification,
// "Program initialization"), and hardly anything comes before "bst/": with few imports,
// and none outside the standard library, this package is among the first thirty of
// three hundred (neither fmt nor strings: what these need comes after much else). impl/cli has the test that it is.
package inner

// The first arguments of the process; the third is the recipe's file.
const (
	Word = "__sandbox"
	Verb = "inner"
)

const (
	// StatusFD is the descriptor on which the process, and after it bubblewrap,
	// reports: lines of JSON.
	StatusFD = 3
	// BatchFD is the descriptor that Recipe.Batch keeps open.
	BatchFD = 4
)

// ExitSetup is the status of a process that could not become bubblewrap. Its
// report, {"bst-error": TEXT, "bst-mount": BOOL}, says why, and whether the overlay
// could not be mounted.
const ExitSetup = 126
