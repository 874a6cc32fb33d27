// Package importer is the element kind "import": its artifact is its sources,
// or a part of them, as they are. (Go reserves the name of the kind.)
package importer

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"bst/impl/cas"
	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/stream"
)

//go:embed import.yaml
var defaults string

// Traits are what the kind is.
func Traits() kind.Traits {
	return kind.Traits{Kind: "import", Defaults: defaults, New: func() kind.Element { return new(element) }}
}

type element struct {
	// source is the directory that is taken, target the one that it becomes.
	source, target string
}

func (e *element) Configure(config *node.Node, _ kind.Env) (err error) {
	if err := config.ValidateKeys("source", "target"); err != nil {
		return err
	}
	if e.source, err = config.NeedStr("source"); err != nil {
		return err
	}
	e.target, err = config.NeedStr("target")
	return err
}

func (e *element) ConfigureDependencies([]kind.Dependency) error { return nil }

func (e *element) Preflight(given kind.Given) error {
	if given.Sources == 0 {
		return &stream.Error{
			Domain:  stream.DomainElement,
			Message: "An import element must have at least one source.",
		}
	}
	return nil
}

func (e *element) UniqueKey() any {
	return map[string]any{"source": e.source, "target": e.target}
}

func (e *element) Assemble(ctx context.Context, a kind.Assembly) (string, error) {
	if err := a.StageSources(ctx, "/input"); err != nil {
		return "", err
	}
	root, err := a.Root(ctx)
	if err != nil {
		return "", err
	}
	in, err := root.Sub("input/"+strings.Trim(e.source, "/"), false)
	if err != nil {
		return "", &stream.Error{
			Domain:  stream.DomainElement,
			Message: fmt.Sprintf("%s: No files were found inside directory '%s'", a.Name(), e.source),
			Detail:  err.Error(),
		}
	}
	out, err := root.Sub("output/"+strings.Trim(e.target, "/"), true)
	if err != nil {
		return "", err
	}
	_, err = out.Import(in, cas.ImportOptions{NoResult: true})
	return "/output", err
}
