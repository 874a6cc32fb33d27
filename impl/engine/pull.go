package engine

// Pulling artifacts: in a build, for a command that builds nothing, and by
// `bst artifact pull`. Behaviour: the reference's ArtifactCache.

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"bst/impl/artifact"
	"bst/impl/element"
	"bst/impl/remote"
	"bst/impl/sched"
	"bst/impl/stream"
)

// pull brings the artifact that a server offers, and tells whether it did.
func (w *world) pull(ctx context.Context, e *element.Element, j *journal) (bool, error) {
	o := w.remotes.offers[e.Index]
	s := w.remotes.artifacts[e.Project]
	if o == nil || s == nil {
		return false, nil
	}
	key := brief(o.key)
	buildtrees := w.s.set.Settings.PullBuildtrees && e.Workspace == ""
	var failures []string
	for _, c := range s.storage {
		j.message(stream.TypeStatus, nil, "Pulling data for artifact "+key+" <- "+c.String(), "")
		got, err := c.PullArtifact(ctx, w.store, o.message, o.key, buildtrees)
		switch {
		case ctx.Err() != nil:
			return false, ctx.Err()
		case remote.IsMissing(err):
			j.message(stream.TypeInfo, nil, "Remote ("+c.String()+") does not have artifact "+key+" cached", asError(err).Message)
			continue
		case err != nil && !remote.IsServer(err):
			return false, err // this machine's
		case err != nil:
			failures = append(failures, asError(err).Message)
			j.record(stream.TypeWarning, nil, "Could not pull from remote "+c.String()+": "+asError(err).Message, asError(err).Detail)
			w.failedServer(c, err)
			continue
		}
		if err := w.room(ctx); err != nil {
			return false, err
		}
		a, err := w.artifacts.CommitMessage(e.Project.Name, e.NormalName, got.Message)
		if err != nil {
			return false, err
		}
		j.message(stream.TypeInfo, nil, "Pulled artifact "+key+" <- "+c.String(), "")
		w.setPulled(e, a)
		return true, nil
	}
	if len(failures) > 0 {
		return false, &stream.Error{Domain: stream.DomainArtifact, Message: "Failed to pull artifact " + key,
			Detail: strings.Join(failures, "\n")}
	}
	return false, nil
}

// setPulled notes that an element has an artifact now.
func (w *world) setPulled(e *element.Element, a *artifact.Artifact) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.found[e.Index] = a
	if !w.s.strict() {
		w.strong[e.Index] = a.StrongKey
	}
}

// pullQueue pulls what servers offer. lenient passes over what cannot be pulled:
// it is built instead.
func (r *runner) pullQueue(lenient bool) *sched.Queue {
	return &sched.Queue{
		Action: "Pull", Complete: "Artifacts Pulled", Token: sched.Download,
		Check: func(i sched.Item) sched.Verdict {
			if r.w.remotes.offers[int(i)] == nil {
				return sched.Skip
			}
			return sched.Ready
		},
		Run: r.task(func(ctx context.Context, e *element.Element, j *journal) error {
			got, err := r.w.pull(ctx, e, j)
			var known *stream.Error
			if err != nil && lenient && ctx.Err() == nil && errors.As(err, &known) && known.Domain == stream.DomainArtifact {
				return skip(known.Message)
			}
			if err == nil && !got {
				return skip("Pull")
			}
			return err
		}),
		Done: func(j *sched.Job, result sched.Result) []sched.Item { return r.plan.pulled(int(j.Item), r.w) },
	}
}

// bringBuildtree pulls the tree that an artifact was built in, where it is not here
// and a server has it. Outside of the pull queue: somebody waits for a shell.
func (w *world) bringBuildtree(ctx context.Context, e *element.Element, j *journal) error {
	a, s := w.artifact(e), w.remotes.artifacts[e.Project]
	if a == nil || !s.pulls() {
		return nil
	}
	if whole, err := w.buildtreesHere(a); whole || err != nil {
		return err
	}
	return j.activity("Pulling build tree", func() error {
		uri := remote.ArtifactURI(artifact.Name(e.Project.Name, e.NormalName, a.StrongKey))
		for _, index := range s.index {
			message, found, err := index.FetchBlob(ctx, uri)
			if err != nil || !found {
				continue // another may have it; without, the shell is refused
			}
			for _, c := range s.storage {
				_, err := c.PullArtifact(ctx, w.store, message, a.StrongKey, true)
				if err == nil || ctx.Err() != nil {
					return ctx.Err()
				}
				if !remote.IsServer(err) {
					return err
				}
			}
		}
		return nil
	})
}

// pullMissing pulls what of the elements is not here and servers offer: what a
// command needs that builds nothing. use are the servers that the command needs.
func (w *world) pullMissing(ctx context.Context, list []*element.Element, use uses) error {
	some, err := w.someMissing(list)
	if err != nil {
		return err
	}
	if !some {
		use &^= useArtifacts // what is here waits for no server
	}
	if use == 0 {
		return nil
	}
	if err := w.connect(ctx, use); err != nil || !w.pulls() {
		return err
	}
	if err := w.queryRemotes(ctx, list); err != nil {
		return err
	}
	if len(w.remotes.offers) == 0 {
		return nil
	}
	if err := w.preparePulls(ctx, list); err != nil {
		return err
	}
	w.s.say(subject{}, stream.TypeInfo, nil, "Attempting to fetch missing or incomplete artifact(s)", "")
	offered := slices.DeleteFunc(slices.Clone(list), func(e *element.Element) bool { return w.remotes.offers[e.Index] == nil })
	r := &runner{s: w.s, w: w, plan: w.planOf(offered, nil)}
	_, err = r.run(ctx, nil, r.pullQueue(true))
	return err
}

// pullCommand obeys bst artifact pull.
func (s *session) pullCommand(ctx context.Context, o *stream.Pull) (*stream.Summary, error) {
	w, selected, err := s.loadRemote(ctx, o.Targets, o.Deps)
	if err != nil {
		return nil, err
	}
	if !w.pulls() {
		return nil, &stream.Error{Domain: stream.DomainStream, Message: "No artifact caches available for pulling artifacts"}
	}
	if err := w.queryRemotes(ctx, selected); err != nil {
		return nil, err
	}
	if err := w.preparePulls(ctx, selected); err != nil {
		return nil, err
	}
	r := &runner{s: s, w: w, plan: w.planOf(selected, w.successes())}
	if err := s.heading(ctx, w, o.PipelineFields, r.plan); err != nil {
		return nil, err
	}
	summary, err := r.run(ctx, o.PipelineFields, r.pullQueue(false))
	if err == nil {
		err = w.failedQuery(selected)
	}
	return summary, err
}

// failedQuery is the error of a pull for which a server could not be asked, and
// nothing was found elsewhere.
func (w *world) failedQuery(selected []*element.Element) error {
	w.remotes.mu.Lock()
	failing := len(w.remotes.told) > 0
	w.remotes.mu.Unlock()
	if !failing {
		return nil
	}
	var missing []string
	for _, e := range selected {
		if w.artifact(e) == nil {
			missing = append(missing, e.FullName)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return &stream.Error{Domain: stream.DomainArtifact, Reason: "pull-failed",
		Message: fmt.Sprintf("%d of the artifacts could not be pulled, since a server failed", len(missing)),
		Detail:  strings.Join(missing[:min(len(missing), 20)], "\n")}
}

// loadRemote loads the targets of a command about servers' artifacts and connects.
func (s *session) loadRemote(ctx context.Context, targets []string, deps string) (*world, []*element.Element, error) {
	w, err := s.loadAny(ctx, targets, true)
	if err != nil {
		return nil, nil, err
	}
	s.loaded()
	if err := w.noDeps(deps); err != nil {
		return nil, nil, err
	}
	if len(targets) == 0 {
		w.graph.Targets = withoutJunctions(w.graph.Targets)
	}
	selected := w.selection(deps)
	if err := w.connect(ctx, useArtifacts); err != nil {
		return nil, nil, err
	}
	if err := consistent(selected); err != nil {
		return nil, nil, err
	}
	return w, selected, w.queryCache(ctx, selected, false)
}
