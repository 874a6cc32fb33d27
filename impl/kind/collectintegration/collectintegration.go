// Package collectintegration is the element kind "collect_integration": the
// integration commands of all that it is built from, as one shell script.
package collectintegration

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/stream"
)

// Traits are what the kind is.
func Traits() kind.Traits {
	return kind.Traits{
		Kind:              "collect_integration",
		RunCommands:       true,
		ForbidRuntimeDeps: true,
		ForbidSources:     true,
		Plugins:           kind.Plugins{Packages: []string{kind.Community}},
		Variant:           variant,
		New:               func() kind.Element { return new(element) },
	}
}

// variant is for stand-ins of the plugin that are empty files: the keys that bst
// is compared with were made with one that runs no commands.
func variant(file string) kind.Traits {
	traits := Traits()
	traits.RunCommands = file != ""
	return traits
}

type element struct {
	// path is where the script is put.
	path string
	// ignore are the names of elements whose commands are left out.
	ignore []string
}

func (e *element) Configure(config *node.Node, _ kind.Env) (err error) {
	if err := config.ValidateKeys("script-path", "ignore"); err != nil {
		return err
	}
	if e.path, err = config.NeedStr("script-path"); err != nil {
		return err
	}
	e.ignore, err = config.GetStrs("ignore")
	return err
}

func (e *element) ConfigureDependencies([]kind.Dependency) error { return nil }

func (e *element) UniqueKey() any {
	return map[string]any{
		"script-path": e.path,
		"ignore":      slices.Compact(slices.Sorted(slices.Values(e.ignore))),
	}
}

func (e *element) Assemble(ctx context.Context, a kind.Assembly) (string, error) {
	deps := a.Dependencies(nil)
	for _, name := range e.ignore {
		if !slices.ContainsFunc(deps, func(h kind.Handle) bool { return h.Name() == name }) {
			return "", &stream.Error{
				Domain:  stream.DomainElement,
				Message: fmt.Sprintf("%s: element %s is not in dependencies", a.Name(), name),
			}
		}
	}
	var script strings.Builder
	script.WriteString("#!/bin/sh\nset -e\n\n")
	for _, dep := range deps {
		if slices.Contains(e.ignore, dep.Name()) {
			continue
		}
		public, err := a.PublicOf(dep)
		if err != nil {
			return "", err
		}
		bst := public.Get("bst")
		if bst.Get("integration-commands") == nil {
			continue
		}
		commands, err := bst.GetStrs("integration-commands")
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&script, "# integration commands from %s\n", dep.Name())
		for _, command := range commands {
			script.WriteString(command + "\n\n")
		}
	}
	return "/", kind.PutFile(ctx, a, e.path, []byte(script.String()), true)
}
