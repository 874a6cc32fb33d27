package engine

import (
	"context"
	"strings"

	"bst/impl/element"
	"bst/impl/stream"
)

// build obeys bst build.
func (s *session) build(ctx context.Context, o *stream.Build) (*stream.Summary, error) {
	w, err := s.load(ctx, o.Targets, true)
	if err != nil {
		return nil, err
	}
	w.graph.Targets = withoutJunctions(w.graph.Targets)
	if err := consistent(w.graph.Collect(element.ScopeAll, w.graph.Targets...)); err != nil {
		return nil, err
	}
	if err := w.queryCache(ctx, w.graph.Elements, true); err != nil {
		return nil, err
	}

	deps := o.Deps
	if deps == "" {
		deps = s.set.Settings.BuildDependencies
	}
	p := newPlan(w.graph, w.successes())
	switch deps {
	case "none":
		p.require(false, w.graph.Targets...)
	case "build":
		for _, t := range w.graph.Targets {
			p.require(true, t.Build...)
		}
	case "all":
		p.require(true, w.graph.Collect(element.ScopeAll, w.graph.Targets...)...)
	default:
		p.require(true, w.graph.Targets...)
	}
	if err := s.heading(ctx, w, o.PipelineFields, len(p.order)); err != nil {
		return nil, err
	}
	r := &runner{s: s, w: w, plan: p}
	return r.run(ctx, o.PipelineFields, r.fetchQueue(true), r.buildQueue())
}

// fetch obeys bst source fetch.
func (s *session) fetch(ctx context.Context, o *stream.Fetch) (*stream.Summary, error) {
	w, err := s.load(ctx, o.Targets, true)
	if err != nil {
		return nil, err
	}
	selected, err := w.selection(o.Deps, o.Except)
	if err != nil {
		return nil, err
	}
	if err := consistent(selected); err != nil {
		return nil, err
	}
	p := newPlan(w.graph, make([]bool, len(w.graph.Elements)))
	for _, e := range selected {
		p.add(e)
	}
	if err := s.heading(ctx, w, o.PipelineFields, len(p.order)); err != nil {
		return nil, err
	}
	r := &runner{s: s, w: w, plan: p}
	return r.run(ctx, o.PipelineFields, r.fetchQueue(false))
}

func withoutJunctions(list []*element.Element) []*element.Element {
	var rest []*element.Element
	for _, e := range list {
		if e.Kind != "junction" {
			rest = append(rest, e)
		}
	}
	return rest
}

// consistent refuses elements of which a source has no ref.
func consistent(list []*element.Element) error {
	var detail strings.Builder
	for _, e := range list {
		if e.SourcesResolved {
			continue
		}
		detail.WriteString("  Element: " + e.FullName + " is inconsistent\n")
		for _, src := range e.Sources {
			if !src.Resolved {
				detail.WriteString("    " + src.String() + " is missing ref\n")
			}
		}
		detail.WriteString("\n")
	}
	if detail.Len() == 0 {
		return nil
	}
	return &stream.Error{Domain: stream.DomainPipeline, Reason: "inconsistent-pipeline", Message: "Inconsistent pipeline",
		Detail: "Exact versions are missing for the following elements:\n\n" + detail.String() +
			"Try tracking these elements first with `bst source track`\n"}
}
