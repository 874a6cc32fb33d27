// Package scriptelement is what the kinds have in common that run commands on
// the artifacts of other elements, without sources of their own.
//
// It knows a list of commands, where dependencies are staged and what of that
// belongs to the key. It does not know where the commands come from.
package scriptelement

import (
	"context"

	"bst/impl/kind"
	"bst/impl/kind/buildelement"
	"bst/impl/node"
)

// Traits are those of a kind with the given defaults, whose elements New makes.
func Traits(name, defaults string, create func() kind.Element) kind.Traits {
	return kind.Traits{
		Kind:     name,
		Defaults: defaults,
		// What it makes follows from its dependencies' files.
		StrictRebuild:     true,
		RunCommands:       true,
		ForbidRuntimeDeps: true,
		ForbidSources:     true,
		DependencyConfig:  true,
		New:               create,
	}
}

// Group is a named list of commands.
type Group struct {
	Name     string
	Commands []string
}

// Script is what a kind fills in while it is configured.
type Script struct {
	// WorkDir is where the commands run, InstallRoot what is collected.
	WorkDir, InstallRoot string
	RootReadOnly         bool
	Groups               []Group

	layout map[string][]kind.Dependency
}

// SetRoots takes WorkDir and InstallRoot from the variables cwd and
// install-root.
func (s *Script) SetRoots(env kind.Env) {
	s.WorkDir, s.InstallRoot = "/", "/"
	if dir, _ := env.Variable("cwd"); dir != "" {
		s.WorkDir = dir
	}
	if dir, _ := env.Variable("install-root"); dir != "" {
		s.InstallRoot = dir
	}
}

// Stage adds a dependency to what is staged at a location.
func (s *Script) Stage(dep kind.Dependency, location string) {
	if s.layout == nil {
		s.layout = map[string][]kind.Dependency{}
	}
	s.layout[location] = append(s.layout[location], dep)
}

// ConfigureDependencies reads "location".
func (s *Script) ConfigureDependencies(deps []kind.Dependency) error {
	for _, dep := range deps {
		location := "/"
		if dep.Config != nil {
			if err := dep.Config.ValidateKeys("location"); err != nil {
				return err
			}
			var err error
			if location, err = dep.Config.GetStr("location", "/"); err != nil {
				return err
			}
		}
		s.Stage(dep, location)
	}
	return nil
}

// UniqueKey holds all of it.
func (s *Script) UniqueKey() any {
	commands := make(map[string][]string, len(s.Groups))
	for _, g := range s.Groups {
		commands[g.Name] = g.Commands
	}
	return map[string]any{
		"commands":       commands,
		"cwd":            s.WorkDir,
		"install-root":   s.InstallRoot,
		"layout":         kind.Paths(s.layout),
		"root-read-only": s.RootReadOnly,
	}
}

// Assemble stages, runs the commands and collects the install root.
func (s *Script) Assemble(ctx context.Context, a kind.Assembly) (string, error) {
	a.SetWorkDirectory(s.WorkDir)
	a.MarkDirectory(s.InstallRoot)
	if err := s.stage(ctx, a); err != nil {
		return "", err
	}
	root, err := a.Root(ctx)
	if err != nil {
		return "", err
	}
	if err := root.MkdirAll(s.InstallRoot); err != nil {
		return "", err
	}
	var commands []kind.Command
	for _, g := range s.Groups {
		for _, text := range g.Commands {
			commands = append(commands, kind.Command{
				Argv: buildelement.Argv(text), Label: text, RootReadOnly: s.RootReadOnly,
			})
		}
	}
	return s.InstallRoot, a.Run(ctx, commands)
}

func (s *Script) stage(ctx context.Context, a kind.Assembly) error {
	if len(s.layout) > 0 {
		return kind.StageLayout(ctx, a, s.layout)
	}
	err := a.Activity("Staging dependencies", func() error {
		return a.StageDependencies(ctx, kind.StageDeps{})
	})
	if err != nil {
		return err
	}
	return a.Integrate(ctx, a.Dependencies(nil))
}

// Configure reads "commands" and "root-read-only": a kind without more to
// configure is complete with it.
func (s *Script) Configure(config *node.Node, env kind.Env) error {
	if err := config.ValidateKeys("commands", "root-read-only"); err != nil {
		return err
	}
	if _, err := config.Need("commands"); err != nil {
		return err
	}
	commands, err := config.GetStrs("commands")
	if err != nil {
		return err
	}
	s.Groups = []Group{{Name: "commands", Commands: commands}}
	s.SetRoots(env)
	s.RootReadOnly, err = config.GetBool("root-read-only", false)
	return err
}
