package engine

import (
	"context"
	"path/filepath"
	"strconv"

	"bst/impl/element"
	"bst/impl/project"
	"bst/impl/stream"
)

// heading tells what a session is about: settings, projects, and the pipeline
// with the state of each element as it is before anything runs.
func (s *session) heading(ctx context.Context, w *world, pipelineFields []string, p *plan) error {
	set := &s.set.Settings
	h := &stream.Heading{
		Project:         w.project.Name,
		ProjectDir:      w.project.Dir,
		LogDir:          set.LogDir,
		SessionElements: len(p.order),
		Cached:          p.atHand(),
		TotalElements:   len(w.graph.Elements),
		Config: []stream.Pair{
			{Name: "Cache Directory", Value: set.CacheDir},
			{Name: "Log Files", Value: set.LogDir},
			{Name: "Source Mirrors", Value: set.SourceDir},
			{Name: "Build Area", Value: filepath.Join(set.CacheDir, "build")},
			{Name: "Strict Build Plan", Value: yesNo(s.strict())},
			{Name: "Maximum Fetch Tasks", Value: strconv.Itoa(set.Fetchers)},
			{Name: "Maximum Build Tasks", Value: strconv.Itoa(set.Builders)},
			{Name: "Maximum Push Tasks", Value: strconv.Itoa(set.Pushers)},
			{Name: "Maximum Network Retries", Value: strconv.Itoa(set.NetworkRetries)},
		},
	}
	for _, t := range w.graph.Targets {
		h.Targets = append(h.Targets, t.FullName)
	}
	for _, p := range w.projects {
		h.Projects = append(h.Projects, w.projectHeading(p))
	}
	s.emit(h)
	if err := s.showElements(ctx, w, w.graph.Collect(element.ScopeAll, w.graph.Targets...), wanted(pipelineFields),
		stream.ShownPipeline); err != nil {
		return err
	}
	s.emit(&stream.PipelineShown{})
	return nil
}

func (w *world) projectHeading(p *project.Project) stream.ProjectHeading {
	h := stream.ProjectHeading{Name: p.Name, Junction: p.Junction, Options: p.OptionValues()}
	if p.LoadedBy.File != "" {
		h.LoadedBy = p.LoadedBy.String()
	}
	if s := w.remotes.artifacts[p]; s != nil {
		h.ArtifactCaches = s.headings
	}
	if s := w.remotes.sources[p]; s != nil {
		h.SourceCaches = s.headings
	}
	elements, sources := map[string]bool{}, map[string]bool{}
	for _, e := range w.graph.Elements {
		if e.Project != p {
			continue
		}
		if !elements[e.Kind] {
			elements[e.Kind] = true
			h.ElementPlugins = append(h.ElementPlugins, stream.Pair{Name: e.Kind, Value: "core plugin"})
		}
		for _, src := range e.Sources {
			if !sources[src.Kind] {
				sources[src.Kind] = true
				h.SourcePlugins = append(h.SourcePlugins, stream.Pair{Name: src.Kind, Value: "core plugin"})
			}
		}
	}
	return h
}

func yesNo(b bool) string {
	if b {
		return "Yes"
	}
	return "No"
}
