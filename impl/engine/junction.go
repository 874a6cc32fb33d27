package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"bst/impl/cas"
	"bst/impl/element"
	"bst/impl/patient"
	"bst/impl/project"
	"bst/impl/stream"
)

// junctions brings the subprojects that do not lie in their project. It
// implements project.JunctionFetcher.
type junctions struct {
	w        *world
	registry *element.Registry
	// digests has read what junctions and elements name as sources: an in-place
	// project may be the source of many.
	digests *cas.Digests
}

// CheckJunction resolves the junction for its errors and warnings.
func (f junctions) CheckJunction(ctx context.Context, e *project.Element) error {
	alone := &project.Loaded{Targets: []*project.Element{e}, All: []*project.Element{e}}
	graph, err := element.Resolve(ctx, alone, f.registry, element.Options{NoKeys: true, Digests: f.digests})
	if err != nil {
		return err
	}
	f.w.tell(graph)
	return nil
}

// FetchJunction stages the junction's sources in the toplevel project's
// .bst/staged-junctions, in a folder named by the junction and its key: one that
// is there is whole, since it was filled beside its place.
func (f junctions) FetchJunction(ctx context.Context, j *project.Junction) (string, error) {
	alone := &project.Loaded{Targets: []*project.Element{j.Element}, All: []*project.Element{j.Element}}
	graph, err := element.Resolve(ctx, alone, f.registry, element.Options{Digests: f.digests})
	if err != nil {
		return "", err
	}
	e := graph.Targets[0]
	if !e.SourcesResolved {
		return "", project.NoRef(j)
	}
	folder := filepath.Join(e.Project.Toplevel().Dir, ".bst", "staged-junctions",
		filepath.FromSlash(e.FullName))
	dir := filepath.Join(folder, e.WeakKey)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	log := &journal{s: f.w.s, subject: subject{element: e.FullName, key: stream.Key{Full: e.StrictKey, Strict: true}}}
	err = log.activity("Fetching subproject", func() error {
		if err := f.w.fetchSources(ctx, e, log); err != nil {
			return err
		}
		tree, err := f.w.sourceTree(ctx, e, log)
		if err != nil {
			return err
		}
		return place(f.w.store, tree, dir)
	})
	return dir, err
}

// place checks a tree out beside dir and renames it. Where another bst was
// faster, its tree is as good.
func place(store *cas.Store, tree cas.Digest, dir string) (err error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return placeError(dir, err)
	}
	beside, err := os.MkdirTemp(filepath.Dir(dir), ".tmp-*")
	if err != nil {
		return placeError(dir, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, patient.RemoveAll(beside))
		}
	}()
	if err := store.CheckoutTree(tree, beside, cas.CheckoutOptions{}); err != nil {
		return err
	}
	if err := patient.Rename(beside, dir); err != nil {
		if _, statErr := os.Stat(dir); statErr == nil {
			return patient.RemoveAll(beside)
		}
		return placeError(dir, err)
	}
	return nil
}

func placeError(dir string, err error) error {
	return &stream.Error{Domain: stream.DomainStream, Message: "A subproject cannot be staged at '" + dir + "': " + err.Error(),
		Detail: "Subprojects are staged below .bst in the toplevel project: make that folder writable."}
}
