// Package stack is the element kind "stack": a name for a set of elements.
package stack

import (
	"context"

	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/stream"
)

// Traits are what the kind is.
func Traits() kind.Traits {
	return kind.Traits{
		Kind:          "stack",
		NoArtifact:    true,
		ForbidSources: true,
		New:           func() kind.Element { return element{} },
	}
}

type element struct{}

func (element) Configure(*node.Node, kind.Env) error { return nil }

func (element) ConfigureDependencies([]kind.Dependency) error { return nil }

// Preflight: whoever depends on a stack in one way gets all of it.
func (element) Preflight(given kind.Given) error {
	// The stack over a whole distribution has tens of thousands.
	runtime := make(map[kind.Handle]bool, len(given.Runtime))
	for _, dep := range given.Runtime {
		runtime[dep] = true
	}
	both := len(given.Build) == len(given.Runtime)
	for _, dep := range given.Build {
		both = both && runtime[dep]
	}
	if both {
		return nil
	}
	return &stream.Error{
		Domain:  stream.DomainElement,
		Reason:  "stack-requires-build-and-run",
		Message: "All dependencies of 'stack' elements must be both build and runtime dependencies",
		Detail:  "Declare all dependencies in the `depends` list, without a `type`.",
	}
}

// UniqueKey: only the dependencies matter.
func (element) UniqueKey() any { return 1 }

// Assemble makes an empty artifact: that it exists says that its dependencies
// are built.
func (element) Assemble(ctx context.Context, a kind.Assembly) (string, error) {
	root, err := a.Root(ctx)
	if err != nil {
		return "", err
	}
	return "/output", root.MkdirAll("output")
}
