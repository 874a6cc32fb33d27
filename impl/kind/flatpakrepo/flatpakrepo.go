// Package flatpakrepo is the element kind "flatpak_repo": flatpak images,
// exported to an OSTree repository with the programs of the sandbox.
package flatpakrepo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"bst/impl/kind"
	"bst/impl/kind/scriptelement"
	"bst/impl/node"
	"bst/impl/stream"
)

//go:embed flatpak_repo.yaml
var defaults string

// Traits are what the kind is.
func Traits() kind.Traits {
	traits := scriptelement.Traits("flatpak_repo", defaults, func() kind.Element { return new(element) })
	traits.ArtifactVersion = 2
	// As the reference has it, sources are ignored.
	traits.ForbidSources = true
	traits.Plugins.Packages = []string{kind.Community}
	return traits
}

const repository = "/buildstream/repo"

type element struct {
	script       scriptelement.Script
	at           stream.Provenance
	arch, branch string
	copies       []refCopy
	images       int
}

// refCopy is a ref that the repository has under two names.
type refCopy struct{ src, dest string }

func (e *element) Configure(config *node.Node, env kind.Env) error {
	if err := config.ValidateKeys("copy-refs", "repo-mode", "arch", "branch"); err != nil {
		return err
	}
	e.at = env.Provenance()
	list, err := config.GetSequence("copy-refs")
	if err != nil {
		return err
	}
	for _, item := range list.Items() {
		if item.Kind() != node.Mapping {
			return item.Errorf("INVALID_DATA", "Each of the 'copy-refs' is a dictionary with src and dest")
		}
		if err := item.ValidateKeys("src", "dest"); err != nil {
			return err
		}
		var c refCopy
		if c.src, err = item.NeedStr("src"); err != nil {
			return err
		}
		if c.dest, err = item.NeedStr("dest"); err != nil {
			return err
		}
		e.copies = append(e.copies, c)
	}
	if e.arch, err = config.NeedStr("arch"); err != nil {
		return err
	}
	if e.branch, err = config.NeedStr("branch"); err != nil {
		return err
	}
	mode, err := config.NeedStr("repo-mode")
	if err != nil {
		return err
	}
	e.script.WorkDir, e.script.InstallRoot, e.script.RootReadOnly = "/", repository, true
	e.add("init repository", "ostree init --repo="+repository+" --mode="+mode)
	return nil
}

func (e *element) add(name, command string) {
	for i := range e.script.Groups {
		if e.script.Groups[i].Name == name {
			e.script.Groups[i].Commands = []string{command}
			return
		}
	}
	e.script.Groups = append(e.script.Groups, scriptelement.Group{Name: name, Commands: []string{command}})
}

// ConfigureDependencies finds the images: dependencies that are said to be one,
// or to be a stack of such. All others are what the commands run in.
func (e *element) ConfigureDependencies(deps []kind.Dependency) error {
	for _, dep := range deps {
		image, stack, branch, err := e.dependencyConfig(dep)
		if err != nil {
			return err
		}
		switch {
		case image:
			if err := e.export(dep, branch); err != nil {
				return err
			}
		case stack:
			described, ok := dep.Element.(kind.Described)
			if !ok {
				return errors.New("flatpak_repo: the engine does not tell what a stack is made of")
			}
			for _, member := range described.Runtime() {
				one := dep
				one.Element = member
				one.Path = fmt.Sprintf("%s (%s)", dep.Path, member.Name())
				if err := e.export(one, branch); err != nil {
					return err
				}
			}
		default:
			e.script.Stage(dep, "/")
		}
	}
	if e.images == 0 {
		return &stream.Error{
			Domain:  stream.DomainElement,
			Message: "flatpak_repo element at " + e.at.String() + ": No flatpak images specified for this repo",
		}
	}
	for _, c := range e.copies {
		e.add(fmt.Sprintf("copy ref %s -> %s", c.src, c.dest),
			fmt.Sprintf("flatpak build-commit-from --src-ref=%s %s %s", c.src, repository, c.dest))
	}
	return nil
}

// dependencyConfig reads what is said of a dependency. Its images may go to a
// branch of their own.
func (e *element) dependencyConfig(dep kind.Dependency) (image, stack bool, branch string, err error) {
	branch = e.branch
	if dep.Config == nil {
		return
	}
	if err = dep.Config.ValidateKeys("flatpak-image", "flatpak-stack", "branch"); err != nil {
		return
	}
	if image, err = dep.Config.GetBool("flatpak-image", false); err != nil {
		return
	}
	if stack, err = dep.Config.GetBool("flatpak-stack", false); err != nil {
		return
	}
	if branch, err = dep.Config.GetStr("branch", branch); err != nil {
		return
	}
	if image == stack {
		how := "neither a flatpak image and a stack"
		if image {
			how = "both a flatpak image and a stack"
		}
		err = &stream.Error{
			Domain:  stream.DomainElement,
			Message: dep.Config.Provenance().String() + ": Dependency specified as " + how,
		}
	}
	return
}

func (e *element) export(image kind.Dependency, branch string) error {
	described, ok := image.Element.(kind.Described)
	if !ok {
		return errors.New("flatpak_repo: the engine does not tell elements' normal names")
	}
	at := "/buildstream/input/" + described.NormalName()
	e.images++
	e.script.Stage(image, at)
	e.add("export "+image.Path,
		fmt.Sprintf("flatpak build-export --files=files --arch=%s %s %s %s", e.arch, repository, at, branch))
	return nil
}

func (e *element) UniqueKey() any { return e.script.UniqueKey() }

func (e *element) Assemble(ctx context.Context, a kind.Assembly) (string, error) {
	return e.script.Assemble(ctx, a)
}
