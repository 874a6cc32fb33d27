package sandbox

import (
	"context"
	"path"
	"path/filepath"

	"bst/impl/cas"
)

// What commands left: reading a root back into the store.

// view is what the root looks like now, without what is in the marked
// directories. The Root keeps it; callers that change it do the same on disk.
func (r *Root) view(ctx context.Context) (*cas.Dir, error) {
	if !r.changed {
		return r.shown, nil
	}
	switch r.state {
	case overlaid:
		// From what was staged, not from what was shown last: what a command has
		// made and another has removed leaves no trace.
		out, err := r.store.OpenDir(r.wanted)
		if err != nil {
			return nil, err
		}
		if err := applyUpper(ctx, r.store, filepath.Join(r.dir, upperName), out); err != nil {
			return nil, stagingError("read back", r.dir, err)
		}
		r.shown = out
	case copied:
		d, err := captureTree(r.store, filepath.Join(r.dir, copyName), cas.CaptureOptions{})
		if err != nil {
			return nil, err
		}
		if r.shown, err = r.store.OpenDir(d); err != nil {
			return nil, err
		}
	}
	r.changed = false
	return r.shown, nil
}

// CaptureRoot is the root as commands left it, the marked directories' content
// included. The Dir is the caller's.
func (r *Root) CaptureRoot(ctx context.Context) (*cas.Dir, error) {
	r.use.Lock()
	defer r.use.Unlock()
	return r.captureRoot(ctx)
}

func (r *Root) captureRoot(ctx context.Context) (*cas.Dir, error) {
	if r.isClosed() {
		return nil, errClosed
	}
	shown, err := r.view(ctx)
	if err != nil {
		return nil, err
	}
	out := shown.Clone()
	for _, m := range r.marks {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		d, err := r.captureMark(m)
		if err != nil {
			return nil, err
		}
		if err := out.Remove(m.path, true); err != nil && !cas.IsNotFound(err) {
			return nil, err
		}
		if err := out.AddDir(m.path, d); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *Root) captureMark(m *mark) (cas.Digest, error) {
	if !m.digest.IsZero() && m.runs == r.runs {
		return m.digest, nil
	}
	d, err := captureTree(r.store, m.host, cas.CaptureOptions{MTimes: r.times})
	if err == nil {
		m.digest, m.runs = d, r.runs
	}
	return d, err
}

// CaptureDir stores the directory at the path as commands left it. An error for
// which cas.IsNotFound holds says that there is none.
func (r *Root) CaptureDir(ctx context.Context, p string) (cas.Digest, error) {
	r.use.Lock()
	defer r.use.Unlock()
	if r.isClosed() {
		return cas.Digest{}, errClosed
	}
	if err := ctx.Err(); err != nil {
		return cas.Digest{}, err
	}
	p = path.Clean("/" + p)
	if m, rel := r.markOf(p); m != nil {
		d, err := r.captureMark(m)
		if err != nil || rel == "" {
			return d, err
		}
	}
	root, err := r.view(ctx)
	if err != nil {
		return cas.Digest{}, err
	}
	if len(r.marks) > 0 {
		// The path may lead to a marked directory, or hold one.
		if root, err = r.captureRoot(ctx); err != nil {
			return cas.Digest{}, err
		}
	}
	sub, err := root.Sub(p, false)
	if err != nil {
		return cas.Digest{}, err
	}
	return sub.Digest()
}
