package engine

import (
	"context"
	"strings"

	"bst/impl/element"
	"bst/impl/sched"
	"bst/impl/stream"
)

// build obeys bst build.
func (s *session) build(ctx context.Context, o *stream.Build) (*stream.Summary, error) {
	w, err := s.load(ctx, o.Targets, true)
	if err != nil {
		return nil, err
	}
	s.loaded()
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
	if err := w.connect(ctx, useArtifacts|useSources); err != nil {
		return nil, err
	}
	if w.pulls() {
		if err := w.queryRemotes(ctx, w.graph.Collect(element.ScopeAll, w.graph.Targets...)); err != nil {
			return nil, err
		}
	}
	p := newPlan(w.graph, w.successes())
	for i, o := range w.remotes.offers {
		p.pending[i] = !o.buildtree
	}
	p.prefer(w.graph.Plan(w.graph.Targets, deps == "build"))
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
	if len(w.remotes.offers) > 0 {
		var required []*element.Element
		for _, i := range p.order {
			required = append(required, w.graph.Elements[i])
		}
		if err := w.preparePulls(ctx, required); err != nil {
			return nil, err
		}
	}
	if err := s.heading(ctx, w, o.PipelineFields, p); err != nil {
		return nil, err
	}
	r := &runner{s: s, w: w, plan: p}
	var queues []*sched.Queue
	if len(w.remotes.offers) > 0 {
		queues = append(queues, r.pullQueue(true))
	}
	queues = append(queues, r.fetchQueue(func(i sched.Item) bool {
		return p.cached[i] || w.sourcesCached(w.graph.Elements[i])
	}), r.buildQueue())
	if w.pushes() {
		queues = append(queues, r.pushQueue(true))
	}
	if w.pushesSources() {
		queues = append(queues, r.sourcePushQueue(true))
	}
	summary, err := r.run(ctx, o.PipelineFields, queues...)
	if err == nil {
		err = w.unpushedError()
	}
	return summary, err
}

// fetch obeys bst source fetch.
func (s *session) fetch(ctx context.Context, o *stream.Fetch) (*stream.Summary, error) {
	w, err := s.load(ctx, o.Targets, true, o.Except...)
	if err != nil {
		return nil, err
	}
	s.loaded()
	selected := w.selection(o.Deps)
	if err := consistent(selected); err != nil {
		return nil, err
	}
	if err := w.connect(ctx, useSources); err != nil {
		return nil, err
	}
	fetched := make([]bool, len(w.graph.Elements))
	err = s.stage("Query cache", func(progress func(current, total int)) error {
		for i, e := range selected {
			if err := ctx.Err(); err != nil {
				return err
			}
			fetched[e.Index] = w.sourcesCached(e)
			progress(i+1, len(selected))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	p := w.planOf(selected, nil)
	if err := s.heading(ctx, w, o.PipelineFields, p); err != nil {
		return nil, err
	}
	r := &runner{s: s, w: w, plan: p}
	return r.run(ctx, o.PipelineFields, r.fetchQueue(func(i sched.Item) bool { return fetched[i] }))
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

// consistent refuses elements of which a source has no ref, or whose workspace
// is gone.
func consistent(list []*element.Element) error {
	var detail, gone strings.Builder
	for _, e := range list {
		if e.SourcesResolved {
			continue
		}
		if e.Workspace != "" {
			gone.WriteString("  Element: " + e.FullName + ", workspace: " + e.Workspace + "\n")
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
	if detail.Len() == 0 && gone.Len() > 0 {
		return &stream.Error{Domain: stream.DomainPipeline, Reason: "inconsistent-pipeline-workspaced", Message: "Inconsistent pipeline",
			Detail: "The folders of some open workspaces are gone:\n\n" + gone.String() +
				"\nTry closing them with `bst workspace close`, or opening them again with `bst workspace open --force`\n"}
	}
	if detail.Len() == 0 {
		return nil
	}
	return &stream.Error{Domain: stream.DomainPipeline, Reason: "inconsistent-pipeline", Message: "Inconsistent pipeline",
		Detail: "Exact versions are missing for the following elements:\n\n" + detail.String() +
			"Try tracking these elements first with `bst source track`\n"}
}
