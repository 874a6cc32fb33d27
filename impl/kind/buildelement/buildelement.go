// Package buildelement is what the kinds have in common that build sources with
// commands: manual and the kinds of build systems. They differ in their
// defaults alone.
//
// It knows the four lists of commands, where dependencies are staged and what
// of that belongs to the key. It does not know any build system.
package buildelement

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"bst/impl/kind"
	"bst/impl/node"
)

// steps are the lists of commands, in the order in which they run.
var steps = [...]string{"configure-commands", "build-commands", "install-commands", "strip-commands"}

// prepared marks a workspace in which the configure commands have run.
const prepared = ".bst-prepared"

// Traits are those of a kind with the given defaults.
func Traits(name, defaults string) kind.Traits {
	return kind.Traits{
		Kind:             name,
		Defaults:         defaults,
		RunCommands:      true,
		DependencyConfig: true,
		BuildElement:     true,
		New:              func() kind.Element { return new(Element) },
	}
}

// Element is a configured element.
type Element struct {
	commands  [len(steps)][]string
	buildRoot string
	// installRoot is what is collected.
	installRoot string
	// subdir, in the build root, is where commands run.
	subdir   string
	parallel bool
	// layout is what is staged at each location, environments what the digest
	// in each environment variable is worked out from.
	layout, environments map[string][]kind.Dependency
}

// Configure reads the commands.
func (e *Element) Configure(config *node.Node, env kind.Env) error {
	if err := config.ValidateKeys(steps[:]...); err != nil {
		return err
	}
	for i, step := range steps {
		commands, err := config.GetStrs(step)
		if err != nil {
			return err
		}
		e.commands[i] = commands
	}
	e.buildRoot, _ = env.Variable("build-root")
	e.installRoot, _ = env.Variable("install-root")
	e.subdir, _ = env.Variable("command-subdir")
	// Any text sets it, even "False": so the reference has it in its keys.
	serial, _ := env.Variable("notparallel")
	e.parallel = serial == ""
	return nil
}

// ConfigureDependencies reads "location" and "digest-environment".
func (e *Element) ConfigureDependencies(deps []kind.Dependency) error {
	e.layout = map[string][]kind.Dependency{}
	e.environments = map[string][]kind.Dependency{}
	for _, dep := range deps {
		location := "/"
		if dep.Config != nil {
			if err := dep.Config.ValidateKeys("digest-environment", "location"); err != nil {
				return err
			}
			var err error
			if location, err = dep.Config.GetStr("location", "/"); err != nil {
				return err
			}
			if dep.Config.Get("digest-environment") != nil {
				variable, err := dep.Config.GetStr("digest-environment", "")
				if err != nil {
					return err
				}
				e.environments[variable] = append(e.environments[variable], dep)
			}
		}
		e.layout[location] = append(e.layout[location], dep)
	}
	return nil
}

// UniqueKey holds the commands, and what else is not as it is by default.
func (e *Element) UniqueKey() any {
	key := make(map[string]any, len(steps)+4)
	for i, step := range steps {
		key[step] = e.commands[i]
	}
	if e.subdir != "" {
		key["command-subdir"] = e.subdir
	}
	if !e.parallel {
		key["notparallel"] = true
	}
	for location := range e.layout {
		if location != "/" && location != "" {
			key["layout"] = kind.Paths(e.layout)
		}
	}
	if len(e.environments) > 0 {
		key["digest-enviornment"] = kind.Paths(e.environments) // as the reference spells it
	}
	return key
}

// Assemble stages, runs the commands and collects the install root.
func (e *Element) Assemble(ctx context.Context, a kind.Assembly) (string, error) {
	a.MarkDirectory(e.buildRoot)
	a.MarkDirectory(e.installRoot)
	a.SetWorkDirectory(path.Join(e.buildRoot, e.subdir))
	for _, variable := range slices.Sorted(maps.Keys(e.environments)) {
		err := a.Activity(fmt.Sprintf("Staging dependencies for '%s' in subsandbox", variable), func() error {
			digest, err := a.SubsandboxDigest(ctx, kind.Elements(e.environments[variable]))
			a.SetEnvironment(variable, digest.String())
			return err
		})
		if err != nil {
			return "", err
		}
	}
	if err := kind.StageLayout(ctx, a, e.layout); err != nil {
		return "", err
	}
	if err := a.StageSources(ctx, e.buildRoot); err != nil {
		return "", err
	}
	configure := shell(e.commands[0])
	if a.Workspaced() && len(configure) > 0 {
		// What they made persists: in a workspace they run until they did well once.
		mark := path.Join("/", e.buildRoot, prepared)
		done, err := a.Exists(ctx, mark)
		if err != nil {
			return "", err
		}
		if done {
			configure = nil
		} else {
			configure = append(configure, kind.Command{Argv: []string{"sh", "-c", `: > "$0"`, mark}, Label: ": > " + prepared, RootReadOnly: true})
		}
	}
	if err := a.Run(ctx, append(configure, shell(slices.Concat(e.commands[1:]...))...)); err != nil {
		return "", err
	}
	return e.installRoot, nil
}

// shell gives the commands as they run: the first that fails ends its list.
func shell(texts []string) []kind.Command {
	commands := make([]kind.Command, len(texts))
	for i, text := range texts {
		commands[i] = kind.Command{Argv: Argv(text), Label: text, RootReadOnly: true}
	}
	return commands
}

// Argv runs a command's text by the sandbox's shell.
func Argv(text string) []string {
	return []string{"sh", "-c", "-e", text + "\n"}
}

// Script runs the commands in a shell, where they are to run: each of them ends the
// script where it fails.
func (e *Element) Script() string {
	var b strings.Builder
	if e.subdir != "" {
		fmt.Fprintf(&b, "cd '%s'\n", strings.ReplaceAll(e.subdir, "'", `'\''`))
	}
	for _, commands := range e.commands {
		for _, text := range commands {
			fmt.Fprintf(&b, "(set -ex; %s\n) || exit 1\n", text)
		}
	}
	return b.String()
}
