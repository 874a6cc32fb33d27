package git

import (
	"context"
	"errors"
	"strings"

	"bst/impl/kind"
	"bst/impl/stream"
)

// Repository is a repository at one commit: for source kinds that are made of
// such. It is without submodules if not said otherwise.
type Repository struct {
	kind string
	s    source
	// deep says that submodules belong to it.
	deep bool
}

// NewRepository takes the URL as the project writes it, with its alias, and a
// commit: in hexadecimal or as `git describe --long` names it.
func NewRepository(kindName string, env kind.SourceEnv, url, ref string) *Repository {
	return &Repository{kind: kindName, s: source{env: env, url: url, ref: ref, resolved: ref != ""}}
}

// WithSubmodules adds submodules, those that a source does not leave out.
func (r *Repository) WithSubmodules(m Submodules) *Repository {
	r.s.Submodules, r.deep = m, true
	return r
}

// Cached says that the commit is in the mirror, and those of submodules.
func (r *Repository) Cached(ctx context.Context, w kind.SourceWork) bool {
	if r.deep {
		return r.s.Cached(ctx, w)
	}
	g, root, err := r.s.mirror(w)
	return err == nil && g.has(ctx, root)
}

// Fetch brings the commit into the mirror, and those of submodules into theirs.
func (r *Repository) Fetch(ctx context.Context, w kind.SourceWork) error {
	if r.deep {
		return r.named(r.s.Fetch(ctx, w))
	}
	g, root, err := r.s.open(w)
	if err == nil {
		err = g.fetch(ctx, root)
	}
	return r.named(err)
}

// Stage writes the files of the commit to a folder below dir, which may be
// there already; "" is dir itself.
func (r *Repository) Stage(ctx context.Context, w kind.SourceWork, dir, path string) error {
	g, root, err := r.s.open(w)
	if err != nil {
		return r.named(err)
	}
	root.path = path
	return w.Activity("Staging "+r.s.url, func() error {
		err := g.stage(ctx, root, dir)
		if err == nil && r.deep {
			err = r.s.walk(ctx, g, root, true, func(sub *repo) error { return g.stage(ctx, sub, dir) })
		}
		return r.named(err)
	})
}

// named gives errors the name of the kind that they are of.
func (r *Repository) named(err error) error {
	var e *stream.Error
	const prefix = "git source at "
	if !errors.As(err, &e) || !strings.HasPrefix(e.Message, prefix) {
		return err
	}
	named := *e
	named.Message = r.kind + strings.TrimPrefix(e.Message, "git")
	return &named
}
