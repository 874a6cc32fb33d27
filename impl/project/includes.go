package project

import (
	"context"
	"path/filepath"
	"strings"

	"bst/impl/node"
)

// includes resolves "(@)": files of the project, or of a subproject, are laid
// under the mapping that includes them, the last one first.
type includes struct {
	loader *loader
	loaded map[includeKey]*node.Node
	// fragments are files with their own includes and conditionals resolved: what
	// becomes of them depends on nothing around them, and hundreds of elements
	// include the same few.
	fragments map[fragmentKey]*node.Node
}

type includeKey struct {
	loader *loader
	path   string
}

// fragmentKey says in which of the ways that a file can be resolved it was.
type fragmentKey struct {
	includeKey
	local, options bool
}

func newIncludes(l *loader) *includes {
	return &includes{loader: l, loaded: map[includeKey]*node.Node{}, fragments: map[fragmentKey]*node.Node{}}
}

// including is one run over a tree.
type including struct {
	*includes
	ctx context.Context
	// local skips includes across junctions.
	local bool
	// stack are the files that are being included, against recursion.
	stack []string
}

// process resolves conditionals and includes of an element.
func (i *includes) process(ctx context.Context, n *node.Node) error {
	run := &including{includes: i, ctx: ctx}
	return run.file(n, i.loader, true)
}

// processConf resolves the includes of project.conf, whose conditionals come
// later. local skips those across junctions.
func (i *includes) processConf(ctx context.Context, n *node.Node, local bool) error {
	run := &including{includes: i, ctx: ctx, local: local}
	return run.file(n, i.loader, false)
}

// file works on a whole file; options says that its project's conditionals are
// resolved first.
func (i *including) file(n *node.Node, l *loader, options bool) error {
	if options {
		if err := l.project.config().options.process(n); err != nil {
			return err
		}
	}
	return i.mapping(n, l, options)
}

func (i *including) mapping(n *node.Node, l *loader, options bool) error {
	if at := n.Get("(@)"); at != nil {
		var list []*node.Node
		switch at.Kind() {
		case node.Scalar:
			list = []*node.Node{at}
		case node.Sequence:
			list = at.Items()
		default:
			return at.Errorf("INVALID_DATA", "Value of '(@)' is not one of the following: list, scalar.")
		}
		n.Delete("(@)")
		for k := len(list) - 1; k >= 0; k-- {
			if err := i.include(n, at, list[k], l, options); err != nil {
				return err
			}
		}
	}
	return i.items(n, l, options)
}

func (i *including) items(n *node.Node, l *loader, options bool) error {
	for _, item := range n.Items() {
		var err error
		switch item.Kind() {
		case node.Mapping:
			err = i.mapping(item, l, options)
		case node.Sequence:
			err = i.items(item, l, options)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// include lays one file under n. at is where the directive stands.
func (i *including) include(n, at, name *node.Node, l *loader, options bool) error {
	text, err := name.Str()
	if err != nil {
		return err
	}
	if i.local && strings.Contains(text, ":") {
		return nil
	}
	fragment, path, sub, err := i.read(name, text, l)
	if err != nil {
		return err
	}
	if has(i.stack, path) {
		return at.Errorf("RECURSIVE_INCLUDE", "trying to recursively include %s", path)
	}
	key := fragmentKey{includeKey{sub, path}, i.local, options || sub != l}
	resolved := i.fragments[key]
	if resolved == nil {
		resolved = fragment.Clone()
		i.stack = append(i.stack, path)
		if err := i.file(resolved, sub, key.options); err != nil {
			return err
		}
		i.stack = i.stack[:len(i.stack)-1]
		i.fragments[key] = resolved
	}
	return resolved.Clone().CompositeUnder(n)
}

// read loads a fragment, once. It gives the loader of the project that the
// file belongs to.
func (i *including) read(name *node.Node, text string, l *loader) (*node.Node, string, *loader, error) {
	sub, file := l, text
	if colon := strings.LastIndexByte(text, ':'); colon >= 0 {
		var err error
		if sub, err = l.subLoader(i.ctx, text[:colon], name, true); err != nil {
			return nil, "", nil, err
		}
		if err := sub.project.ensureFullyLoaded(i.ctx); err != nil {
			return nil, "", nil, err
		}
		file = text[colon+1:]
	}
	path := file
	if !filepath.IsAbs(path) {
		path = filepath.Join(sub.project.Dir, filepath.FromSlash(file))
	}
	key := includeKey{sub, path}
	if n, ok := i.loaded[key]; ok {
		return n, path, sub, nil
	}
	l.project.Seen().File(path)
	n, err := node.Load(path, sub.project.shown(text))
	if err != nil {
		return nil, "", nil, wrap(err, name.Provenance().String()+": ")
	}
	if sub != l {
		// What comes from another project speaks of that project's variables.
		if err := expand(n, sub.project.config().variables); err != nil {
			return nil, "", nil, err
		}
	}
	i.loaded[key] = n
	return n, path, sub, nil
}
