package sandbox

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"bst/impl/cas"
)

// How a root comes to lie on disk: an overlay of checkouts, one checkout that is
// bound, or a private copy.

// stage makes the root on disk as a command needs it: writable or not.
func (r *Root) stage(ctx context.Context, writable bool) error {
	if r.lease == nil {
		l, err := r.factory.trees.register(ctx)
		if err != nil {
			return err
		}
		r.lease = l
	}
	switch {
	case r.state == overlaid || r.state == copied:
		return nil
	case r.overlay:
		return r.stageOverlay(ctx)
	case writable:
		return r.stageCopy()
	}
	return r.stageBound(ctx)
}

// stageOverlay chooses the layers and links them into the work directory.
func (r *Root) stageOverlay(ctx context.Context) error {
	stack, err := r.choose()
	if err != nil {
		return err
	}
	if err := r.lease.ensure(ctx, stack); err != nil {
		return err
	}
	for _, name := range []string{upperName, ovlWorkName, mountName, layersName} {
		if err := os.Mkdir(filepath.Join(r.dir, name), 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	upper := filepath.Join(r.dir, upperName)
	if err := errors.Join(os.Chmod(upper, 0o755), os.Chtimes(upper, cas.MTime, cas.MTime)); err != nil {
		return err
	}
	r.lower = nil
	for i, d := range stack {
		name := filepath.Join(layersName, itoa(i))
		if err := os.Symlink(r.factory.trees.path(d), filepath.Join(r.dir, name)); err != nil {
			return err
		}
		r.lower = append(r.lower, name)
	}
	r.state = overlaid
	// What is shown may have directories that were marked before: on disk there
	// is only what was asked for.
	return r.makeMissing()
}

// choose gives the checkouts to stack, topmost first, so that they show what was
// asked for.
func (r *Root) choose() ([]cas.Digest, error) {
	stack, err := group(normalize(r.layers), maxLayers, func(part []cas.Digest) (cas.Digest, error) {
		return merge(r.store, part)
	})
	if err != nil {
		return nil, err
	}
	patch := r.store.EmptyDir()
	ok := len(stack) <= maxLayers
	if ok {
		hidden := map[string]bool{}
		for _, m := range r.marks {
			hidden[m.path] = true
		}
		if ok, err = correct(r.store, stack, r.wanted, hidden, "", patch); err != nil {
			return nil, err
		}
	}
	bare := func() ([]cas.Digest, error) {
		whole, err := r.store.OpenDir(r.wanted)
		if err != nil {
			return nil, err
		}
		d, err := r.bare(whole)
		return []cas.Digest{d}, err
	}
	switch {
	case !ok:
		return bare()
	case patch.Len() > 0:
		d, err := patch.Digest()
		if err != nil {
			return nil, err
		}
		// The patch may be one of the layers, which overlayfs refuses to take
		// twice. Further down it would add nothing.
		stack = append([]cas.Digest{d}, slices.DeleteFunc(stack, func(l cas.Digest) bool { return l == d })...)
	case len(stack) == 0:
		// An overlay has at least one lower layer.
		return bare()
	}
	return stack, nil
}

// makeMissing makes on disk the directories that are shown and were not staged:
// mount points.
func (r *Root) makeMissing() error {
	for _, m := range r.marks {
		if err := makeUpperDir(filepath.Join(r.dir, upperName), m.path, r.userXattr()); err != nil {
			return err
		}
	}
	return nil
}

func (r *Root) userXattr() bool { return os.Geteuid() != 0 }

// bare stores dir with nothing in the marked directories: what is in those lies
// elsewhere, and would only be checked out to be hidden.
func (r *Root) bare(dir *cas.Dir) (cas.Digest, error) {
	dir = dir.Clone()
	for _, m := range r.marks {
		if err := dir.Remove(m.path, true); err != nil && !cas.IsNotFound(err) {
			return cas.Digest{}, err
		}
		if err := dir.MkdirAll(m.path); err != nil {
			return cas.Digest{}, err
		}
	}
	return dir.Digest()
}

// stageBound makes a checkout of all that is shown, to be bound read-only.
func (r *Root) stageBound(ctx context.Context) error {
	d, err := r.bare(r.shown)
	if err != nil {
		return err
	}
	if err := r.lease.ensure(ctx, []cas.Digest{d}); err != nil {
		return err
	}
	r.tree, r.state = d, bound
	return nil
}

// stageCopy makes a private copy of all that is shown.
func (r *Root) stageCopy() error {
	d, err := r.bare(r.shown)
	if err != nil {
		return err
	}
	dest := filepath.Join(r.dir, copyName)
	if err := os.Mkdir(dest, 0o755); err != nil {
		return err
	}
	if err := r.store.CheckoutTree(d, dest, cas.CheckoutOptions{}); err != nil {
		return err
	}
	if err := errors.Join(os.Chmod(dest, 0o755), os.Chtimes(dest, cas.MTime, cas.MTime)); err != nil {
		return err
	}
	r.state = copied
	return nil
}
