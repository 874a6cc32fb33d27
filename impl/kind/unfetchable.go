package kind

import (
	"context"

	"bst/impl/node"
)

// Unfetchable is embedded by source kinds that are known as far as cache keys
// go: what they stage can come out of a cache, and not be made here.
type Unfetchable struct {
	kind string
	env  SourceEnv
}

// NewUnfetchable names the kind and its source.
func NewUnfetchable(kindName string, env SourceEnv) Unfetchable { return Unfetchable{kindName, env} }

// Cached is false.
func (u Unfetchable) Cached(context.Context, SourceWork) bool { return false }

// Fetch fails, and says what can be done.
func (u Unfetchable) Fetch(context.Context, SourceWork) error {
	e := SourceErrorf(u.kind, u.env, "fetch-not-implemented",
		"Sources of kind '%s' cannot be fetched in this version", u.kind)
	e.Detail = "Elements that use it have the cache keys that BuildStream gives them, so their artifacts can be\n" +
		"pulled from a cache. docs/kinds.md lists what each kind can do."
	return e
}

// Ref is of no meaning: Track fails.
func (u Unfetchable) Ref() *node.Node { return nil }

// Track fails, and says what can be done.
func (u Unfetchable) Track(context.Context, SourceWork, string) (*node.Node, error) {
	e := SourceErrorf(u.kind, u.env, "track-not-implemented",
		"Sources of kind '%s' cannot be tracked in this version", u.kind)
	e.Detail = "Write the ref into the element's file, or leave the element out with `--except`.\n" +
		"docs/kinds.md lists what each kind can do."
	return nil, e
}

// Stage fails as Fetch does.
func (u Unfetchable) Stage(ctx context.Context, w SourceWork, _ string) error { return u.Fetch(ctx, w) }
