package element

import (
	"context"
	"slices"
	"sync"

	"bst/impl/element/cachekey"
	"bst/impl/element/variables"
	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/parallel"
	"bst/impl/project"
	"bst/impl/stream"
)

// layer is what the elements of one kind in one project share: the project's
// configuration, the kind's defaults over it, and the project's overrides for
// the kind over these. Each part has a template, for elements that lay nothing
// of their own over it.
type layer struct {
	traits *kind.Traits

	variables *variables.Layer

	noCache []string

	sharedEnvironment *variables.Template[environment]
	sharedConfig      *variables.Template[*node.Node]
	sharedSandbox     *variables.Template[sandbox]
	// sharedSplits are the split rules, and sharedPublic public data that has
	// only these: they are all that elements inherit of public data.
	sharedSplits *variables.Template[*node.Node]
	sharedPublic *variables.Template[public]
}

// environment, sandbox and public are the forms in which elements have these,
// with the JSON that goes into their keys.
type (
	environment struct {
		bindings []Binding
		json     []byte
	}
	sandbox struct {
		Sandbox
		json []byte
	}
	public struct {
		node *node.Node
		json []byte
	}
)

// layers makes each layer once, when its first element asks for it.
type layers struct {
	registry *Registry
	defaults Defaults
	plugins  *plugins

	// mu guards entries.
	mu      sync.Mutex
	entries map[layerKey]*layerEntry
}

type layerKey struct {
	project *project.Project
	kind    string
}

type layerEntry struct {
	once  sync.Once
	layer *layer
	err   error
}

func (ls *layers) get(e *project.Element) (*layer, error) {
	key := layerKey{e.Project, e.Kind}
	ls.mu.Lock()
	entry := ls.entries[key]
	if entry == nil {
		entry = new(layerEntry)
		ls.entries[key] = entry
	}
	ls.mu.Unlock()
	entry.once.Do(func() { entry.layer, entry.err = ls.load(e) })
	return entry.layer, entry.err
}

// all makes the layers of all elements ahead, side by side: elements that follow
// each other mostly have the same kind, and would wait for each other. Errors are
// left to who asks for the layer.
func (ls *layers) all(ctx context.Context, elements []*project.Element) error {
	seen := map[layerKey]bool{}
	var first []*project.Element
	for _, e := range elements {
		if key := (layerKey{e.Project, e.Kind}); !seen[key] {
			seen[key] = true
			first = append(first, e)
		}
	}
	return parallel.Do(ctx, len(first), func(i int) error {
		_, _ = ls.get(first[i])
		return nil
	})
}

// load makes the layer of e's kind.
func (ls *layers) load(e *project.Element) (*layer, error) {
	p, first := e.Project, e.FirstPass()
	found := ls.plugins.element(p, e.Kind)
	if found.err != nil {
		return nil, found.err
	}
	traits, origin, err := ls.registry.element(p, e.Kind, e.Node, found)
	if err != nil {
		return nil, err
	}
	defaults, err := ls.pluginDefaults(p, origin, found.plugin, traits)
	if err != nil {
		return nil, err
	}
	if err := mergeSplits(p, defaults, first); err != nil {
		return nil, err
	}
	overrides, err := p.ElementOverrides(e.Kind, first)
	if err != nil {
		return nil, err
	}
	if overrides != nil {
		if err := overrides.Composite(defaults); err != nil {
			return nil, err
		}
	}

	l := &layer{traits: traits}
	base := func(n *node.Node) *node.Node {
		if first || n == nil {
			return node.NewMapping(stream.Provenance{})
		}
		return n.Clone()
	}
	vars := p.Variables()
	if first {
		vars = p.FirstPassVariables()
	}
	vars = vars.Clone()
	if err := lay(defaults, "variables", vars); err != nil {
		return nil, err
	}
	if l.variables, err = variables.NewLayer(vars); err != nil {
		return nil, err
	}

	noCache, err := defaults.GetStrs("environment-nocache")
	if err != nil {
		return nil, err
	}
	if !first {
		l.noCache = append(l.noCache, p.EnvironmentNoCache()...)
	}
	l.noCache = append(l.noCache, noCache...)
	env := base(p.Environment())
	if err := lay(defaults, "environment", env); err != nil {
		return nil, err
	}
	l.sharedEnvironment = variables.NewTemplate(env, environmentWithout(l.noCache))

	config := base(nil)
	if err := lay(defaults, "config", config); err != nil {
		return nil, err
	}
	l.sharedConfig = variables.NewTemplate(config, asNode)

	box := base(p.Sandbox())
	if err := lay(defaults, "sandbox", box); err != nil {
		return nil, err
	}
	l.sharedSandbox = variables.NewTemplate(box, newSandbox)

	splits := defaults.Get("public").Get("bst").Get("split-rules")
	l.sharedSplits = variables.NewTemplate(splits, asNode)
	bst, all := base(nil), base(nil)
	bst.Set("split-rules", splits)
	all.Set("bst", bst)
	l.sharedPublic = variables.NewTemplate(all, func(n *node.Node) (public, error) {
		return public{node: n, json: cachekey.AppendNode(nil, n)}, nil
	})
	return l, nil
}

func asNode(n *node.Node) (*node.Node, error) { return n, nil }

// pluginDefaults are a kind's own defaults, to be changed by the caller.
func (ls *layers) pluginDefaults(p *project.Project, origin *project.PluginOrigin, plugin *project.Plugin, t *kind.Traits) (*node.Node, error) {
	var n *node.Node
	var err error
	switch {
	case origin == nil:
	case ls.defaults != nil:
		n, err = ls.defaults(p, origin, t.Kind)
	case plugin != nil:
		n, err = pluginDefaults(plugin, t.Kind)
	}
	if err != nil {
		return nil, err
	}
	if n != nil {
		return n.Clone(), nil
	}
	if t.Defaults == "" {
		return node.NewMapping(stream.Provenance{}), nil
	}
	return node.Parse([]byte(t.Defaults), t.Kind+".yaml")
}

// mergeSplits lays the split rules in a kind's defaults over the project's.
func mergeSplits(p *project.Project, defaults *node.Node, first bool) error {
	public, err := need(defaults, "public")
	if err != nil {
		return err
	}
	bst, err := need(public, "bst")
	if err != nil {
		return err
	}
	own, err := bst.GetMapping("split-rules")
	if err != nil {
		return err
	}
	splits := node.NewMapping(stream.Provenance{})
	if base := p.SplitRules(); !first && base != nil {
		splits = base.Clone()
	}
	if own != nil {
		if err := own.Composite(splits); err != nil {
			return err
		}
	}
	bst.Set("split-rules", splits)
	return nil
}

// need is the mapping at key, made where it is missing.
func need(n *node.Node, key string) (*node.Node, error) {
	m, err := n.GetMapping(key)
	if m == nil && err == nil {
		m = node.NewMapping(stream.Provenance{})
		n.Set(key, m)
	}
	return m, err
}

// lay composites the mapping at key of n, where there is one, over target.
func lay(n *node.Node, key string, target *node.Node) error {
	m, err := n.GetMapping(key)
	if m == nil || err != nil {
		return err
	}
	return m.Composite(target)
}

// environmentWithout reads an expanded environment; the key leaves noCache out.
func environmentWithout(noCache []string) func(*node.Node) (environment, error) {
	return func(n *node.Node) (environment, error) {
		env := environment{bindings: make([]Binding, 0, n.Len())}
		keyed := make(map[string]string, n.Len())
		for _, name := range n.Keys() {
			value, err := n.GetStr(name, "")
			if err != nil {
				return env, err
			}
			env.bindings = append(env.bindings, Binding{name, value})
			if !slices.Contains(noCache, name) {
				keyed[name] = value
			}
		}
		var err error
		env.json, err = cachekey.Append(nil, keyed)
		return env, err
	}
}

// newSandbox reads an expanded sandbox configuration.
func newSandbox(n *node.Node) (sandbox, error) {
	s, err := readSandbox(n)
	if err != nil {
		return sandbox{}, err
	}
	json, err := cachekey.Append(nil, s.Plain())
	return sandbox{Sandbox: s, json: json}, err
}
