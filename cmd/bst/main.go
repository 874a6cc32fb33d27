// Command bst builds stacks of software described in BuildStream projects.
package main

import (
	"os"

	"bst/impl/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}
