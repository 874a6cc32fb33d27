// Package filter is the element kind "filter": a part of one other artifact,
// selected by the domains of its split rules.
package filter

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/stream"
)

//go:embed filter.yaml
var defaults string

// Traits are what the kind is.
func Traits() kind.Traits {
	return kind.Traits{
		Kind:            "filter",
		Defaults:        defaults,
		ArtifactVersion: 1,
		StrictRebuild:   true,
		ForbidSources:   true,
		New:             func() kind.Element { return new(element) },
	}
}

type element struct {
	include, exclude []string
	orphans          bool
	passIntegration  bool
	// includeAt and excludeAt say where the domains are listed.
	includeAt, excludeAt stream.Provenance
	// parent is the element that is filtered, once Preflight has approved.
	parent kind.Handle
}

func (e *element) Configure(config *node.Node, _ kind.Env) (err error) {
	if err := config.ValidateKeys("include", "exclude", "include-orphans", "pass-integration"); err != nil {
		return err
	}
	if e.include, err = config.GetStrs("include"); err != nil {
		return err
	}
	if e.exclude, err = config.GetStrs("exclude"); err != nil {
		return err
	}
	e.includeAt = config.Get("include").Provenance()
	e.excludeAt = config.Get("exclude").Provenance()
	if e.orphans, err = config.GetBool("include-orphans", false); err != nil {
		return err
	}
	e.passIntegration, err = config.GetBool("pass-integration", false)
	return err
}

func (e *element) ConfigureDependencies(deps []kind.Dependency) error {
	if len(deps) > 0 {
		e.parent = deps[0].Element
	}
	return nil
}

func (e *element) Preflight(given kind.Given) error {
	refuse := func(reason, detail, format string, args ...any) error {
		return &stream.Error{
			Domain: stream.DomainElement, Reason: reason,
			Message: fmt.Sprintf(format, args...), Detail: detail,
		}
	}
	if n := len(given.Build); n != 1 {
		return refuse("filter-bdepend-wrong-count", "Full list of build-depends:\n"+names(given.Build),
			"FilterElement element must have exactly 1 build-dependency, actually have %d", n)
	}
	parent := given.Build[0]
	if slices.Contains(given.Runtime, parent) {
		return refuse("filter-bdepend-also-rdepend", "Full list of runtime depends:\n"+names(given.Runtime),
			"FilterElement element's build dependency must not also be a runtime dependency")
	}
	if !parent.HasArtifact() {
		return refuse("filter-bdepend-no-artifact",
			parent.Name()+" does not produce an artifact, so there is nothing to filter",
			"FilterElement element's build dependency must produce an artifact")
	}
	return nil
}

func names(handles []kind.Handle) string {
	lines := make([]string, len(handles))
	for i, h := range handles {
		lines[i] = h.Name()
	}
	return strings.Join(lines, "\n")
}

func (e *element) UniqueKey() any {
	return map[string]any{
		"include": slices.Sorted(slices.Values(e.include)),
		"exclude": slices.Sorted(slices.Values(e.exclude)),
		"orphans": e.orphans,
	}
}

func (e *element) Assemble(ctx context.Context, a kind.Assembly) (string, error) {
	err := a.Activity("Staging artifact", func() error {
		if err := e.checkDomains(a); err != nil {
			return err
		}
		return a.StageDependencies(ctx, kind.StageDeps{
			Selection: []kind.Handle{e.parent}, Direct: true,
			Include: e.include, Exclude: e.exclude, NoOrphans: !e.orphans,
		})
	})
	if err != nil {
		return "", err
	}
	if e.passIntegration {
		if err := e.pass(a); err != nil {
			return "", err
		}
	}
	return "/", nil
}

// checkDomains refuses domains that the filtered artifact does not have.
func (e *element) checkDomains(a kind.Assembly) error {
	public, err := a.PublicOf(e.parent)
	if err != nil {
		return err
	}
	rules := public.Get("bst").Get("split-rules")
	var lines []string
	unknown := func(domains []string, at stream.Provenance) {
		listed := false
		for _, domain := range domains {
			if rules.Get(domain) != nil {
				continue
			}
			if !listed {
				lines = append(lines, "Unknown domains were used in "+at.String())
				listed = true
			}
			lines = append(lines, " - "+domain)
		}
	}
	unknown(e.include, e.includeAt)
	unknown(e.exclude, e.excludeAt)
	if lines == nil {
		return nil
	}
	return &stream.Error{
		Domain:  stream.DomainElement,
		Message: "Unknown domains declared.",
		Detail:  strings.Join(lines, "\n"),
	}
}

// pass puts the filtered element's integration commands before the filter's.
func (e *element) pass(a kind.Assembly) error {
	const key = "integration-commands"
	parent, err := a.PublicOf(e.parent)
	if err != nil {
		return err
	}
	own := a.Public()
	bst := own.Get("bst")
	if bst == nil {
		bst = node.NewMapping(stream.Provenance{})
		own.Set("bst", bst)
	}
	commands := parent.Get("bst").Get(key).Clone().Items()
	commands = slices.Concat(commands, bst.Get(key).Items())
	bst.Set(key, node.NewSequence(commands, stream.Provenance{}))
	a.SetPublic(own)
	return nil
}
