// Package ostreecommit is the element kind "ostree": a system's files, committed
// to an OSTree repository by the ostree program of the element's environment.
package ostreecommit

import (
	"context"
	"path"
	"strings"

	"bst/impl/kind"
	"bst/impl/kind/buildelement"
	"bst/impl/node"
)

const defaults = "config:\n  initial-commands: []\n"

// Traits are what the kind is.
func Traits() kind.Traits {
	return kind.Traits{
		Kind:              "ostree",
		Defaults:          defaults,
		RunCommands:       true,
		StrictRebuild:     true,
		ForbidRuntimeDeps: true,
		ForbidSources:     true,
		DependencyConfig:  true,
		Plugins:           kind.Plugins{Packages: []string{kind.Community}},
		New:               func() kind.Element { return new(element) },
	}
}

type element struct {
	branch   string
	commands []string
	// environment is what the commands run in, system what is committed.
	environment, system []kind.Handle
}

func (e *element) Configure(config *node.Node, _ kind.Env) (err error) {
	if err := config.ValidateKeys("ostree-branch", "initial-commands"); err != nil {
		return err
	}
	if e.branch, err = config.NeedStr("ostree-branch"); err != nil {
		return err
	}
	if _, err := config.Need("initial-commands"); err != nil {
		return err
	}
	e.commands, err = config.GetStrs("initial-commands")
	return err
}

// ConfigureDependencies reads "sysroot".
func (e *element) ConfigureDependencies(deps []kind.Dependency) error {
	for _, dep := range deps {
		system := false
		if dep.Config != nil {
			if err := dep.Config.ValidateKeys("sysroot"); err != nil {
				return err
			}
			var err error
			if system, err = dep.Config.GetBool("sysroot", false); err != nil {
				return err
			}
		}
		if system {
			e.system = append(e.system, dep.Element)
		} else {
			e.environment = append(e.environment, dep.Element)
		}
	}
	return nil
}

func (e *element) UniqueKey() any {
	return map[string]any{"branch": e.branch, "initial-commands": e.commands}
}

// timestamp is that of every commit: equal files give equal repositories.
const timestamp = "2011-11-11 11:11:11+00:00"

// Assemble commits what is at the variable sysroot, and collects a repository
// in the form that is for serving.
func (e *element) Assemble(ctx context.Context, a kind.Assembly) (string, error) {
	build, _ := a.Variable("build-root")
	install, _ := a.Variable("install-root")
	sysroot, _ := a.Variable("sysroot")
	a.MarkDirectory(build)
	a.MarkDirectory(install)
	err := a.Activity("Staging environment", func() error {
		return a.StageDependencies(ctx, kind.StageDeps{Selection: e.environment})
	})
	if err != nil {
		return "", err
	}
	err = a.Activity("Integrating sandbox", func() error {
		return a.Integrate(ctx, a.Dependencies(e.environment))
	})
	if err != nil {
		return "", err
	}
	if len(e.system) > 0 {
		err = a.Activity("Staging sysroot", func() error {
			return a.StageDependencies(ctx, kind.StageDeps{Selection: e.system, Path: sysroot})
		})
		if err != nil {
			return "", err
		}
	}
	var commands []kind.Command
	for _, text := range e.commands {
		commands = append(commands, kind.Command{Argv: buildelement.Argv(text), Label: text})
	}
	bare := path.Join(build, "barerepo")
	for _, argv := range [][]string{
		{"ostree", "init", "--repo", bare},
		{"ostree", "commit", "--repo", bare, "--consume", path.Join(build, "sysroot"),
			"--branch", e.branch, "--timestamp", timestamp},
		{"ostree", "init", "--repo", install, "--mode", "archive"},
		{"ostree", "pull-local", "--repo", install, bare},
	} {
		commands = append(commands, kind.Command{Argv: argv, Label: strings.Join(argv, " ")})
	}
	return install, a.Run(ctx, commands)
}
