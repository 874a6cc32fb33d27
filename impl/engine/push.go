package engine

// Pushing artifacts: in a build, and by `bst artifact push`. Behaviour: the
// reference's ArtifactCache.

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"bst/impl/artifact"
	"bst/impl/element"
	"bst/impl/remote"
	"bst/impl/sched"
	"bst/impl/stream"
)

// pushQueue sends artifacts. In a build what cannot be sent is left, and a server
// that fails is told once and counted; strictly, each failure is a job's.
func (r *runner) pushQueue(inBuild bool) *sched.Queue {
	return &sched.Queue{
		Action: "Push", Complete: "Artifacts Pushed", Token: sched.Upload, Imperative: !inBuild,
		Check: func(i sched.Item) sched.Verdict {
			e := r.w.graph.Elements[i]
			if !r.w.remotes.artifacts[e.Project].pushes() || inBuild && r.w.artifact(e) == nil {
				return sched.Skip
			}
			return sched.Ready
		},
		Run: r.task(func(ctx context.Context, e *element.Element, j *journal) error {
			pushed, err := r.w.push(ctx, e, j, inBuild)
			if err == nil && !pushed {
				return skip("Push")
			}
			return err
		}),
		Done: func(*sched.Job, sched.Result) []sched.Item { return nil },
	}
}

// push sends an artifact to all servers that take some, objects before names, and
// tells whether one of them did not have it.
func (w *world) push(ctx context.Context, e *element.Element, j *journal, inBuild bool) (bool, error) {
	fail := func(what string) (bool, error) {
		if inBuild {
			return false, nil
		}
		return false, &stream.Error{Domain: stream.DomainElement, Message: "Push failed: " + what}
	}
	a := w.artifact(e)
	if a == nil {
		return fail(e.Name + " is not cached")
	}
	whole, err := w.buildtreesHere(a)
	if err != nil {
		return false, err
	}
	if !whole {
		return fail("buildtree of " + e.Name + " is not cached")
	}
	if tainted(a) {
		j.message(stream.TypeWarning, nil, "Not pushing tainted artifact.", "")
		return false, nil
	}
	name := artifact.Name(e.Project.Name, e.NormalName, a.StrongKey)
	message, err := w.artifacts.Message(name)
	if err != nil {
		return false, err
	}
	s := w.remotes.artifacts[e.Project]
	key := brief(a.StrongKey)
	failed := func(c *remote.Client, err error) error { return w.unsent(c, err, inBuild, &w.remotes.unpushed) }
	for _, c := range s.pushStorage {
		j.message(stream.TypeStatus, nil, "Pushing data from artifact "+key+" -> "+c.String(), "")
		sent, err := c.PushObjects(ctx, w.store, a, message)
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if err != nil {
			return false, failed(c, err)
		}
		if sent > 0 {
			j.message(stream.TypeInfo, nil, "Pushed data from artifact "+key+" -> "+c.String(), "")
		} else {
			j.message(stream.TypeInfo, nil, "Remote ("+c.String()+") already has all data of artifact "+key+" cached", "")
		}
	}
	pushed := false
	element := strings.TrimSuffix(name, "/"+a.StrongKey)
	for _, c := range s.pushIndex {
		j.message(stream.TypeStatus, nil, "Pushing artifact "+key+" -> "+c.String(), "")
		told, err := c.PushName(ctx, element, a, message)
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if err != nil {
			return false, failed(c, err)
		}
		if told {
			pushed = true
			j.message(stream.TypeInfo, nil, "Pushed artifact "+key+" -> "+c.String(), "")
		} else {
			j.message(stream.TypeInfo, nil, "Remote ("+c.String()+") already has artifact "+key+" cached", "")
		}
	}
	return pushed, nil
}

// unsent is the error of a task whose server failed. In a build it is told once and
// counted, and the task has done nothing.
func (w *world) unsent(c *remote.Client, err error, inBuild bool, count *int) error {
	if !inBuild || !remote.IsServer(err) {
		return err
	}
	w.failedServer(c, err)
	w.remotes.mu.Lock()
	*count++
	w.remotes.mu.Unlock()
	return skip("Could not push to " + c.String())
}

// tainted says that an artifact was made from a workspace, its own or that of
// something it was built from: what is in one is nobody else's business.
func tainted(a *artifact.Artifact) bool {
	return a.WasWorkspaced || slices.ContainsFunc(a.BuildDeps, func(d artifact.Dependency) bool { return d.WasWorkspaced })
}

// unpushedError ends a build of which not all reached the servers.
func (w *world) unpushedError() error {
	w.remotes.mu.Lock()
	artifacts, sources := w.remotes.unpushed, w.remotes.unpushedSources
	w.remotes.mu.Unlock()
	var what, how []string
	if artifacts > 0 {
		what, how = append(what, fmt.Sprintf("%d of the artifacts", artifacts)), append(how, "`bst artifact push`")
	}
	if sources > 0 {
		what, how = append(what, fmt.Sprintf("the sources of %d elements", sources)), append(how, "`bst source push`")
	}
	if len(what) == 0 {
		return nil
	}
	verb := "sends"
	if len(how) > 1 {
		verb = "send"
	}
	return &stream.Error{Domain: stream.DomainStream, Reason: "push-failed",
		Message: strings.Join(what, " and ") + " could not be pushed",
		Detail:  "They are cached here: " + strings.Join(how, " and ") + " " + verb + " them, when the server takes them again."}
}

// pushCommand obeys bst artifact push.
func (s *session) pushCommand(ctx context.Context, o *stream.Push) (*stream.Summary, error) {
	w, selected, err := s.loadRemote(ctx, o.Targets, o.Deps)
	if err != nil {
		return nil, err
	}
	if !w.pushes() {
		return nil, &stream.Error{Domain: stream.DomainStream, Message: "No artifact caches available for pushing artifacts"}
	}
	if err := w.queryRemotes(ctx, selected); err != nil {
		return nil, err
	}
	r := &runner{s: s, w: w, plan: w.planOf(selected, w.successes())}
	if err := s.heading(ctx, w, o.PipelineFields, r.plan); err != nil {
		return nil, err
	}
	return r.run(ctx, o.PipelineFields, r.pullQueue(true), r.pushQueue(false))
}
