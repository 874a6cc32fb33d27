// Package link is the element kind "link": another name for an element or a
// junction. The loader follows links, so none is ever built.
package link

import (
	"context"

	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/stream"
)

// Traits are what the kind is.
func Traits() kind.Traits {
	return kind.Traits{
		Kind:            "link",
		ForbidSources:   true,
		ForbidBuildDeps: true, ForbidRuntimeDeps: true,
		RunCommands: true,
		New:         func() kind.Element { return element{} },
	}
}

type element struct{}

func (element) Configure(config *node.Node, _ kind.Env) error {
	if err := config.ValidateKeys("target"); err != nil {
		return err
	}
	_, err := config.NeedStr("target")
	return err
}

func (element) ConfigureDependencies([]kind.Dependency) error { return nil }

func (element) UniqueKey() any { return 1 }

func (element) Assemble(context.Context, kind.Assembly) (string, error) {
	return "", &stream.Error{Domain: stream.DomainPipeline, Message: "Cannot build link elements"}
}
