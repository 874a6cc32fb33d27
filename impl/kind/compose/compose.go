// Package compose is the element kind "compose": one artifact of many, by the
// domains of their split rules, after their integration commands have run.
package compose

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"bst/impl/cas"
	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/stream"
)

//go:embed compose.yaml
var defaults string

// Traits are what the kind is.
func Traits() kind.Traits {
	return kind.Traits{
		Kind:              "compose",
		Defaults:          defaults,
		RunCommands:       true,
		StrictRebuild:     true,
		ForbidRuntimeDeps: true,
		ForbidSources:     true,
		New:               func() kind.Element { return new(element) },
	}
}

type element struct {
	integrate        bool
	include, exclude []string
	orphans          bool
}

func (e *element) Configure(config *node.Node, _ kind.Env) (err error) {
	if err := config.ValidateKeys("integrate", "include", "exclude", "include-orphans"); err != nil {
		return err
	}
	if e.integrate, err = config.GetBool("integrate", true); err != nil {
		return err
	}
	if e.include, err = config.GetStrs("include"); err != nil {
		return err
	}
	if e.exclude, err = config.GetStrs("exclude"); err != nil {
		return err
	}
	e.orphans, err = config.GetBool("include-orphans", true)
	return err
}

func (e *element) ConfigureDependencies([]kind.Dependency) error { return nil }

// RunCommands: only integration commands are run.
func (e *element) RunCommands() bool { return e.integrate }

func (e *element) UniqueKey() any {
	key := map[string]any{
		"integrate": e.integrate,
		"include":   slices.Sorted(slices.Values(e.include)),
		"orphans":   e.orphans,
	}
	if len(e.exclude) > 0 {
		key["exclude"] = slices.Sorted(slices.Values(e.exclude))
	}
	return key
}

// selective says that not everything is taken.
func (e *element) selective() bool {
	return len(e.include) > 0 || len(e.exclude) > 0 || !e.orphans
}

func (e *element) Assemble(ctx context.Context, a kind.Assembly) (string, error) {
	deps := a.Dependencies(nil)
	err := a.Activity("Staging dependencies", func() error {
		return a.StageDependencies(ctx, kind.StageDeps{})
	})
	if err != nil {
		return "", err
	}
	// taken are the paths that the artifact will have.
	taken := map[string]bool{}
	if e.selective() {
		err := a.Activity("Computing split", func() error { return e.split(a, deps, taken) })
		if err != nil {
			return "", err
		}
	}
	if e.integrate {
		err := a.Activity("Integrating sandbox", func() error { return e.runIntegration(ctx, a, deps, taken) })
		if err != nil {
			return "", err
		}
	}
	if !e.selective() {
		return "/", nil
	}
	// What is collected lies apart from what was staged.
	const dest = "/buildstream/install"
	err = a.Activity("Creating composition", func() error {
		a.Message(stream.TypeInfo, fmt.Sprintf("Composing %d files", len(taken)), e.describe())
		root, err := a.Root(ctx)
		if err != nil {
			return err
		}
		from := root.Clone()
		to, err := root.Sub(dest, true)
		if err != nil {
			return err
		}
		_, err = to.Import(from, cas.ImportOptions{
			NoResult: true,
			Filter:   func(path string, _ cas.EntryType) bool { return taken[path] },
		})
		return err
	})
	return dest, err
}

// split takes what the domains select of each dependency.
func (e *element) split(a kind.Assembly, deps []kind.Handle, taken map[string]bool) error {
	for _, dep := range deps {
		paths, err := a.SplitFiles(dep, e.include, e.exclude, e.orphans)
		if err != nil {
			return err
		}
		for _, path := range paths {
			taken[path] = true
		}
	}
	return nil
}

// runIntegration runs the integration commands. What they add is taken as
// well, and what they remove is not.
func (e *element) runIntegration(ctx context.Context, a kind.Assembly, deps []kind.Handle, taken map[string]bool) error {
	if !e.selective() {
		return a.Integrate(ctx, deps)
	}
	before, err := list(ctx, a)
	if err != nil {
		return err
	}
	if err := a.Integrate(ctx, deps); err != nil {
		return err
	}
	after, err := list(ctx, a)
	if err != nil {
		return err
	}
	added, removed := 0, 0
	for path := range taken {
		if before[path] && !after[path] {
			delete(taken, path)
			removed++
		}
	}
	for path := range after {
		if !before[path] {
			taken[path] = true
			added++
		}
	}
	a.Message(stream.TypeInfo, fmt.Sprintf("Integration added %d and removed %d files", added, removed), "")
	return nil
}

// list is every path in the sandbox.
func list(ctx context.Context, a kind.Assembly) (map[string]bool, error) {
	root, err := a.Root(ctx)
	if err != nil {
		return nil, err
	}
	paths := map[string]bool{}
	err = root.Walk(func(path string, _ cas.Entry) error {
		paths[path] = true
		return nil
	})
	return paths, err
}

// describe says what is taken, for the log.
func (e *element) describe() string {
	lines := []string{"Including files from all domains"}
	if len(e.include) > 0 {
		lines[0] = "Including files from domains: " + strings.Join(e.include, ", ")
	}
	if len(e.exclude) > 0 {
		lines = append(lines, "Excluding files from domains: "+strings.Join(e.exclude, ", "))
	}
	if e.orphans {
		lines = append(lines, "Including orphaned files")
	} else {
		lines = append(lines, "Excluding orphaned files")
	}
	return strings.Join(lines, "\n")
}
