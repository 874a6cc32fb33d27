package engine

// Tracking sources. Behaviour: the reference's Stream.track, its TrackQueue and
// Source._set_ref.

import (
	"context"
	"slices"

	"bst/impl/element"
	"bst/impl/project"
	"bst/impl/sched"
	"bst/impl/source"
	"bst/impl/stream"
)

// track obeys bst source track.
func (s *session) track(ctx context.Context, o *stream.Track) (*stream.Summary, error) {
	s.tracking = true
	w, err := s.load(ctx, o.Targets, true, o.Except...)
	if err != nil {
		return nil, err
	}
	s.loaded()
	selected, err := s.trackable(w, o)
	if err != nil {
		return nil, err
	}
	p := w.planOf(selected, nil)
	if err := s.heading(ctx, w, o.PipelineFields, p); err != nil {
		return nil, err
	}
	r := &runner{s: s, w: w, plan: p}
	return r.run(ctx, o.PipelineFields, r.trackQueue(newRefWriter(s.set.Settings.CacheDir)))
}

// trackable are the elements to track, project by project as the targets have
// them. Those of subprojects can only be tracked where the toplevel keeps refs.
func (s *session) trackable(w *world, o *stream.Track) ([]*element.Element, error) {
	var projects []*project.Project
	targets := make(map[*project.Project][]*element.Element)
	for _, t := range w.graph.Targets {
		if targets[t.Project] == nil {
			projects = append(projects, t.Project)
		}
		targets[t.Project] = append(targets[t.Project], t)
	}
	var selected []*element.Element
	for _, p := range projects {
		list := w.graph.Select(o.Deps, targets[p]...)
		if o.Deps == "none" || o.Deps == "" {
			list = s.redirected(targets[p])
		}
		if !o.CrossJunctions {
			list = slices.DeleteFunc(list, func(e *element.Element) bool { return e.Project != p })
		}
		for _, e := range list {
			if e.Project != w.project && w.project.RefStorage != project.RefsProjectRefs {
				return nil, &stream.Error{Domain: stream.DomainStream, Reason: "untrackable-sources", Message: "Untrackable sources",
					Detail: "Requested to track sources across junction boundaries\n" +
						"in a project which does not use project.refs ref-storage."}
			}
		}
		selected = append(selected, list...)
	}
	return w.graph.Except(w.graph.Targets, selected, w.except), nil
}

// trackQueue finds the newest refs of elements' sources and writes them down.
func (r *runner) trackQueue(writer *refWriter) *sched.Queue {
	return &sched.Queue{
		Action: "Track", Complete: "Sources Tracked", Token: sched.Download, Imperative: true,
		Retries: r.s.set.Settings.NetworkRetries,
		Check: func(i sched.Item) sched.Verdict {
			if len(r.w.graph.Elements[i].Sources) == 0 {
				return sched.Skip
			}
			return sched.Ready
		},
		Run: r.task(func(ctx context.Context, e *element.Element, j *journal) error {
			tracked, err := r.w.sources.Track(ctx, e, taskReporter{r.w, j, e})
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(tracked, func(t source.Tracked) bool { return t.Ref != nil }) {
				return skip("Element sources are not trackable")
			}
			for _, t := range tracked {
				if !t.Changed {
					continue
				}
				if err := writer.save(ctx, t.Source, t.Ref); err != nil {
					return err
				}
			}
			return nil
		}),
		Done: func(*sched.Job, sched.Result) []sched.Item { return nil },
	}
}

// skip is the error of a task that found nothing to do, and says why.
type skip string

func (s skip) Error() string { return string(s) }
