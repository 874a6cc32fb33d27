// Command bst builds stacks of software described in BuildStream projects.
package main

import (
	"os"
	"runtime/debug"

	"bst/impl/cli"
)

func main() {
	// A session is short and most of what it loads lives until its end, so that
	// collecting often finds little: a third of the processor time of loading
	// 63,436 elements. The limit keeps a large graph from paying with memory.
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(768 << 20)
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}
