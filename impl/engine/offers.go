package engine

// What servers have of the artifacts that are not here. Behaviour: the reference's
// ArtifactCache and Element._load_artifact.

import (
	"context"

	"bst/impl/artifact"
	"bst/impl/cas"
	"bst/impl/element"
	"bst/impl/remote"
)

// offer is an artifact that servers have.
type offer struct {
	// key is the one that it was found by, message what it stands for.
	key     string
	message cas.Digest
	// buildtree says that the artifact is here, but not what it was built in.
	buildtree bool
}

// incomplete says that an artifact is here without the tree it was built in, though
// that was asked for.
func (w *world) incomplete(e *element.Element, a *artifact.Artifact) (bool, error) {
	if !w.s.set.Settings.PullBuildtrees || e.Workspace != "" {
		return false, nil
	}
	whole, err := w.buildtreesHere(a)
	return !whole, err
}

// buildtreesHere says that all that an artifact says it was built in is here.
func (w *world) buildtreesHere(a *artifact.Artifact) (bool, error) {
	for _, d := range []cas.Digest{a.BuildTree, a.BuildRoot} {
		if d.IsZero() {
			continue
		}
		if whole, err := w.store.HasTree(d); err != nil || !whole {
			return false, err
		}
	}
	return true, nil
}

// queryRemotes asks servers about the artifacts of elements that are not here, all
// at once: each name costs a call, and a project's names together few round trips.
func (w *world) queryRemotes(ctx context.Context, list []*element.Element) error {
	w.remotes.offers = make(map[int]*offer)
	type wanted struct {
		e         *element.Element
		buildtree bool
	}
	groups := make(map[*servers][]wanted)
	var order []*servers
	for _, e := range list {
		s := w.remotes.artifacts[e.Project]
		if !s.pulls() || e.StrictKey == "" || e.Workspace != "" {
			continue
		}
		want := wanted{e: e}
		if a := w.artifact(e); a != nil {
			missing, err := w.incomplete(e, a)
			if err != nil {
				return err
			}
			if !missing {
				continue
			}
			want.buildtree = true
		}
		if groups[s] == nil {
			order = append(order, s)
		}
		groups[s] = append(groups[s], want)
	}
	if len(order) == 0 {
		return nil
	}
	strict := w.s.strict()
	return w.s.stage("Querying remotes for cached status", func(progress func(current, total int)) error {
		for _, s := range order {
			ask := func(left []wanted, key func(wanted) string) (rest []wanted) {
				for _, c := range s.index {
					if len(left) == 0 || ctx.Err() != nil {
						break
					}
					uris := make([]string, len(left))
					for i, want := range left {
						uris[i] = remote.ArtifactURI(artifact.Name(want.e.Project.Name, want.e.NormalName, key(want)))
					}
					rest = nil
					for i, f := range c.FetchBlobs(ctx, uris) {
						switch {
						case f.OK:
							w.remotes.offers[left[i].e.Index] = &offer{key: key(left[i]), message: f.Digest, buildtree: left[i].buildtree}
							continue
						case f.Err != nil && ctx.Err() == nil:
							w.failedServer(c, f.Err)
						}
						rest = append(rest, left[i])
					}
					left = rest
				}
				return left
			}
			left := ask(groups[s], func(want wanted) string {
				if want.buildtree {
					return w.artifact(want.e).StrongKey
				}
				return want.e.StrictKey
			})
			if !strict {
				ask(left, func(want wanted) string { return want.e.WeakKey })
			}
		}
		return ctx.Err()
	})
}

// prepareFrom is from how many artifacts on it pays to begin pulling them together.
const prepareFrom = 8

// preparePulls brings the beginnings of the artifacts that will be pulled, together. Who
// pulls one later finds out what is missing, and why.
func (w *world) preparePulls(ctx context.Context, list []*element.Element) error {
	messages := make(map[*remote.Client][]cas.Digest)
	n := 0
	for _, e := range list {
		if o := w.remotes.offers[e.Index]; o != nil {
			c := w.remotes.artifacts[e.Project].storage[0]
			messages[c] = append(messages[c], o.message)
			n++
		}
	}
	if n < prepareFrom {
		return nil
	}
	return w.s.stage("Preparing to pull artifacts", func(func(current, total int)) error {
		for c, list := range messages {
			_ = c.Prepare(ctx, w.store, list, w.s.set.Settings.PullBuildtrees)
		}
		return ctx.Err()
	})
}

// someMissing says that a server may have something of elements that is not here.
func (w *world) someMissing(list []*element.Element) (bool, error) {
	for _, e := range list {
		a := w.artifact(e)
		if a == nil {
			return true, nil
		}
		if missing, err := w.incomplete(e, a); missing || err != nil {
			return missing, err
		}
	}
	return false, nil
}
