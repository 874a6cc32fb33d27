package project

import (
	"context"
	"errors"

	"bst/impl/node"
	"bst/impl/stream"
)

type (
	session    struct{}
	loader     struct{}
	includes   struct{}
	optionPool struct{}
)

func (*optionPool) printable() []stream.Pair { return nil }

var errUnwritten = errors.New("being written")

// Open finds project.conf upwards from Options.Directory and loads it.
func Open(ctx context.Context, o Options) (*Project, error) { return nil, errUnwritten }

// Load loads the targets' elements and their closures.
func (p *Project) Load(ctx context.Context, targets []string, o LoadOptions) (*Loaded, error) {
	return nil, errUnwritten
}

// ExpandTargets turns what the user named into element names: globs are
// expanded, no targets stand for the project's defaults. The rest, which does
// not end in .bst, comes back in artifacts.
func (p *Project) ExpandTargets(targets []string) (elements, artifacts []string, err error) {
	return nil, nil, errUnwritten
}

// Ref is project.refs' entry for a source of an element of p, nil where there
// is none or refs are stored inline.
func (p *Project) Ref(element string, source int) *node.Node { return nil }

// TranslateURL replaces an alias by its URL.
func (p *Project) TranslateURL(url string, first bool) (string, error) { return url, nil }

// AliasURLs are the replacements to try for an alias, in order: mirrors, then
// the alias itself.
func (p *Project) AliasURLs(alias string, first bool) ([]string, error) { return nil, nil }
