package engine

// Servers of sources. Behaviour: the reference's SourceCache, ElementSourcesCache,
// ElementSources and SourcePushQueue.

import (
	"context"
	"path"

	"bst/impl/cas"
	"bst/impl/element"
	"bst/impl/remote"
	"bst/impl/sched"
	"bst/impl/source"
	"bst/impl/stream"
)

// sharedSources pulls sources for package source.
type sharedSources struct{ w *world }

// PullElement implements source.Shared.
func (p sharedSources) PullElement(ctx context.Context, e *element.Element, r source.Reporter) (cas.Digest, bool, error) {
	s := p.w.remotes.sources[e.Project]
	if !s.pulls() {
		return cas.Digest{}, false, nil
	}
	key := brief(e.SourcesKey)
	message, found, err := p.find(ctx, s, key, r, func(c *remote.Client) (cas.Digest, bool, error) {
		return c.FetchBlob(ctx, remote.SourceURI(e.SourcesKey))
	})
	if err != nil || !found || message.Size > source.MaxMessage {
		return cas.Digest{}, false, err
	}
	var tree cas.Digest
	found, err = p.bring(ctx, s, key, r, func(c *remote.Client) error {
		if err := c.Fetch(ctx, p.w.store, []cas.Digest{message}); err != nil {
			return err
		}
		text, err := p.w.store.Get(message)
		if err != nil {
			return err
		}
		if tree, err = source.Tree(text); err != nil {
			return err
		}
		return c.FetchTree(ctx, p.w.store, []cas.Digest{tree})
	})
	return tree, found, err
}

// PullSource implements source.Shared.
func (p sharedSources) PullSource(ctx context.Context, src *element.Source, name string, r source.Reporter) (cas.Digest, bool, error) {
	s := p.w.remotes.sources[src.Element.Project]
	if !s.pulls() {
		return cas.Digest{}, false, nil
	}
	key := brief(src.Key)
	tree, found, err := p.find(ctx, s, key, r, func(c *remote.Client) (cas.Digest, bool, error) {
		return c.FetchDirectory(ctx, remote.SourceURI(name))
	})
	if err != nil || !found {
		return cas.Digest{}, false, err
	}
	found, err = p.bring(ctx, s, key, r, func(c *remote.Client) error {
		return c.FetchTree(ctx, p.w.store, []cas.Digest{tree})
	})
	return tree, found, err
}

// find asks the servers in order for what a name stands for. One that fails is told of
// once, and the next is asked.
func (p sharedSources) find(ctx context.Context, s *servers, key string, r source.Reporter,
	ask func(*remote.Client) (cas.Digest, bool, error)) (cas.Digest, bool, error) {
	for _, c := range s.index {
		r.Message(stream.TypeStatus, "Pulling source "+key+" <- "+c.String(), "")
		d, found, err := ask(c)
		switch {
		case ctx.Err() != nil:
			return cas.Digest{}, false, ctx.Err()
		case err != nil && !remote.IsServer(err):
			return cas.Digest{}, false, err // this machine's
		case err != nil:
			p.w.failedServer(c, err)
		case found:
			return d, true, nil
		default:
			r.Message(stream.TypeInfo, "Remote ("+c.String()+") does not have source "+key+" cached", "")
		}
	}
	return cas.Digest{}, false, nil
}

// bring gets files from the first server that has them.
func (p sharedSources) bring(ctx context.Context, s *servers, key string, r source.Reporter, get func(*remote.Client) error) (bool, error) {
	for _, c := range s.storage {
		r.Message(stream.TypeStatus, "Pulling data for source "+key+" <- "+c.String(), "")
		err := get(c)
		switch {
		case ctx.Err() != nil:
			return false, ctx.Err()
		case err == nil:
			r.Message(stream.TypeInfo, "Pulled source "+key+" <- "+c.String(), "")
			return true, nil
		case remote.IsMissing(err):
			r.Message(stream.TypeInfo, "Remote ("+c.String()+") does not have source "+key+" cached", asError(err).Message)
		case !remote.IsServer(err):
			return false, err
		default:
			p.w.failedServer(c, err)
		}
	}
	return false, nil
}

// pushSourcesCommand obeys bst source push.
func (s *session) pushSourcesCommand(ctx context.Context, o *stream.PushSources) (*stream.Summary, error) {
	w, err := s.load(ctx, o.Targets, true, o.Except...)
	if err != nil {
		return nil, err
	}
	s.loaded()
	selected := w.selection(o.Deps)
	if err := w.connect(ctx, useSources); err != nil {
		return nil, err
	}
	if !w.pushesSources() {
		return nil, &stream.Error{Domain: stream.DomainStream, Message: "No source caches available for pushing sources"}
	}
	if err := consistent(selected); err != nil {
		return nil, err
	}
	p := w.planOf(selected, nil)
	if err := s.heading(ctx, w, o.PipelineFields, p); err != nil {
		return nil, err
	}
	r := &runner{s: s, w: w, plan: p}
	return r.run(ctx, o.PipelineFields,
		r.fetchQueue(func(i sched.Item) bool { return w.sourcesCached(w.graph.Elements[i]) }), r.sourcePushQueue(false))
}

// sourcePushQueue sends the sources of elements to the servers that take some. In a
// build those that are not here are left, and a server that fails is told once and
// counted.
func (r *runner) sourcePushQueue(inBuild bool) *sched.Queue {
	const action = "Src-push"
	return &sched.Queue{
		Action: action, Complete: "Sources Pushed", Token: sched.Upload, Imperative: !inBuild,
		Retries: r.s.set.Settings.NetworkRetries,
		Check: func(i sched.Item) sched.Verdict {
			e := r.w.graph.Elements[i]
			if len(e.Sources) == 0 || e.Workspace != "" || !r.w.remotes.sources[e.Project].pushes() {
				return sched.Skip
			}
			if inBuild && !r.w.sourcesCached(e) {
				return sched.Skip
			}
			return sched.Ready
		},
		Run: r.task(func(ctx context.Context, e *element.Element, j *journal) error {
			pushed, err := r.w.pushSources(ctx, e, j, inBuild)
			if err == nil && !pushed {
				return skip(action)
			}
			return err
		}),
		Done: func(*sched.Job, sched.Result) []sched.Item { return nil },
	}
}

// pushSources sends an element's sources, together and one by one, objects before
// names; and tells whether a server did not know one of the names.
func (w *world) pushSources(ctx context.Context, e *element.Element, j *journal, inBuild bool) (pushed bool, err error) {
	message, tree, ok := w.sources.Message(e)
	if !ok {
		return false, &stream.Error{Domain: stream.DomainElement, Message: "Push failed: the sources of " + e.Name + " are not cached"}
	}
	singles := w.sources.Singles(e)
	digest, err := w.store.PutBytes(message)
	if err != nil {
		return false, err
	}
	all := []cas.Digest{digest}
	roots := []cas.Digest{tree}
	for _, single := range singles {
		roots = append(roots, single.Tree)
	}
	for _, root := range roots {
		objects, err := remote.Tree(w.store, root)
		if err != nil {
			return false, err
		}
		all = append(all, objects...)
	}
	s := w.remotes.sources[e.Project]
	key := brief(e.SourcesKey)
	failed := func(c *remote.Client, err error) error {
		if ctx.Err() != nil {
			return err
		}
		return w.unsent(c, err, inBuild, &w.remotes.unpushedSources)
	}
	for _, c := range s.pushStorage {
		j.message(stream.TypeStatus, nil, "Pushing data from source "+key+" -> "+c.String(), "")
		sent, err := c.Push(ctx, w.store, all)
		if err != nil {
			return false, failed(c, err)
		}
		text := "Remote (" + c.String() + ") already has all data of source " + key + " cached"
		if sent > 0 {
			text = "Pushed data from source " + key + " -> " + c.String()
		}
		j.message(stream.TypeInfo, nil, text, "")
	}
	for _, c := range s.pushIndex {
		told := func(key string, known bool) {
			text := "Remote (" + c.String() + ") already has source " + key + " cached"
			if !known {
				pushed = true
				text = "Pushed source " + key + " -> " + c.String()
			}
			j.message(stream.TypeInfo, nil, text, "")
		}
		for _, single := range singles {
			uri := remote.SourceURI(single.Name)
			d, found, err := c.FetchDirectory(ctx, uri)
			if err == nil && !(found && d == single.Tree) {
				found = false
				err = c.PushDirectory(ctx, []string{uri}, single.Tree, nil, nil)
			}
			if err != nil {
				return pushed, failed(c, err)
			}
			told(brief(path.Base(single.Name)), found)
		}
		uri := remote.SourceURI(e.SourcesKey)
		d, found, err := c.FetchBlob(ctx, uri)
		if err == nil && !(found && d == digest) {
			found = false
			err = c.PushBlob(ctx, []string{uri}, digest, nil, []cas.Digest{tree})
		}
		if err != nil {
			return pushed, failed(c, err)
		}
		told(key, found)
	}
	return pushed, nil
}
