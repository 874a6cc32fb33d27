package git

import (
	"context"
	"errors"
	"strings"

	"bst/impl/kind"
	"bst/impl/stream"
)

// Repository is a repository at one commit, without submodules: for source
// kinds that are made of such.
type Repository struct {
	kind string
	s    source
}

// NewRepository takes the URL as the project writes it, with its alias, and a
// commit: in hexadecimal or as `git describe --long` names it.
func NewRepository(kindName string, env kind.SourceEnv, url, ref string) *Repository {
	return &Repository{kind: kindName, s: source{env: env, url: url, ref: ref, resolved: ref != ""}}
}

// Cached says that the commit is in the mirror.
func (r *Repository) Cached(ctx context.Context, w kind.SourceWork) bool {
	g, root, err := r.s.open(w)
	return err == nil && g.has(ctx, root)
}

// Fetch brings the commit into the mirror.
func (r *Repository) Fetch(ctx context.Context, w kind.SourceWork) error {
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
	return w.Activity("Staging "+r.s.url, func() error { return r.named(g.stage(ctx, root, dir)) })
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
