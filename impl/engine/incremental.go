package engine

// Builds of workspaces go on from the last one: what was edited since is brought
// into the tree that it left, with the times that its files had, so that make and
// its kin build only what is out of date. Behaviour: the reference's
// Element._stage_sources_at, __get_last_build_artifact and _load_artifact_done.

import (
	"context"
	"slices"

	"bst/impl/artifact"
	"bst/impl/cas"
	"bst/impl/element"
	"bst/impl/stream"
	"bst/impl/workspace"
)

// lastBuild is the artifact that the build of a workspace can go on from, failed
// or not; nil where there is none. One that was built from other dependencies is
// none: what it made of them may be out of date without showing it.
func (w *world) lastBuild(e *element.Element) (*artifact.Artifact, error) {
	if e.Workspace == "" {
		return nil, nil
	}
	key := w.lastKey(e)
	if key == "" {
		return nil, nil
	}
	last, err := w.artifacts.Lookup(artifact.Name(e.Project.Name, e.NormalName, key))
	if err != nil || last == nil {
		return nil, err
	}
	if last.BuildTree.IsZero() || last.Sources.IsZero() || !slices.EqualFunc(last.BuildDeps, w.buildDeps(e), sameDependency) {
		return nil, nil
	}
	for _, d := range []cas.Digest{last.BuildTree, last.Sources} {
		if whole, err := w.store.Whole(d); err != nil || !whole {
			return nil, err
		}
	}
	return last, nil
}

// lastKey is the key of the last build of a workspace, "" for none.
func (w *world) lastKey(e *element.Element) string {
	w.mu.RLock()
	key := w.workspaced[e.Index]
	w.mu.RUnlock()
	if key == "" {
		open, _, _ := e.Project.Workspace(e.FullName)
		key = open.LastBuild
	}
	return key
}

func sameDependency(a, b artifact.Dependency) bool {
	return a.Project == b.Project && a.Element == b.Element && a.Key == b.Key
}

// buildDeps are the artifacts that an element is built from, in staging order.
func (w *world) buildDeps(e *element.Element) []artifact.Dependency {
	var list []artifact.Dependency
	for d := range w.graph.Dependencies(element.ScopeBuild, e) {
		list = append(list, artifact.Dependency{Project: d.Project.Name, Element: d.Name,
			Key: w.key(d).Full, WasWorkspaced: d.Workspace != ""})
	}
	return list
}

// goOn is the tree that a build goes on from: what the last one left, with what
// the sources changed since.
func (w *world) goOn(last *artifact.Artifact, sources cas.Digest) (*cas.Dir, error) {
	tree, err := w.store.OpenDir(last.BuildTree)
	if err != nil {
		return nil, err
	}
	if err := tree.Apply(last.Sources, sources); err != nil {
		return nil, err
	}
	// Whoever lays trees over each other knows them by digest.
	d, err := tree.Digest()
	if err != nil {
		return nil, err
	}
	return w.store.OpenDir(d)
}

// noteBuild notes what was built of a workspace, for the next build to go on
// from. Where it cannot be, the next begins anew, and nothing else is lost.
func (w *world) noteBuild(ctx context.Context, e *element.Element, key string, j *journal) {
	if e.Workspace == "" {
		return
	}
	w.mu.Lock()
	w.workspaced[e.Index] = key
	w.mu.Unlock()
	if err := w.saveBuild(ctx, e, key); err != nil {
		told := asError(err)
		j.message(stream.TypeWarning, nil, "The next build of this workspace will begin anew: "+told.Message, told.Detail)
	}
}

func (w *world) saveBuild(ctx context.Context, e *element.Element, key string) (err error) {
	project := w.project.Dir
	unlock, err := workspace.Lock(ctx, project)
	if err != nil {
		return err
	}
	defer unlocked(unlock, &err)
	set, err := workspace.Read(project)
	if err != nil {
		return err
	}
	// Somebody may have closed it meanwhile, or opened it elsewhere.
	if open, ok := set.Find(e.FullName); !ok || set.Directory(open) != e.Workspace || open.LastBuild == key {
		return nil
	}
	set.Put(e.FullName, e.Workspace, key)
	return set.Save()
}
