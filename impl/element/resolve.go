package element

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"bst/impl/cas"
	"bst/impl/element/variables"
	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/parallel"
	"bst/impl/project"
	"bst/impl/stream"
)

// Options say how to resolve.
type Options struct {
	// Defaults reads the defaults that come with a plugin which a project takes
	// from an origin. Nil stands for those that lie beside the plugin's file,
	// as far as that is here.
	Defaults Defaults
	// Digests reads what sources name, once for all Resolves that have it; nil
	// stands for this one's own.
	Digests *cas.Digests
	// NoKeys leaves the keys out: they cost what the closures of all elements
	// add up to, and some commands do not show them.
	NoKeys bool
	// KeepSources has sources keep what WithRef and Mapping need: most commands
	// have no use for it.
	KeepSources bool
	// Progress hears how many elements have been resolved, from several
	// goroutines at once. May be nil.
	Progress func(current, total int)
}

// Defaults reads the YAML beside a plugin: a project decides which version of
// it holds. Nil without an error stands for what is built in.
type Defaults func(p *project.Project, o *project.PluginOrigin, kind string) (*node.Node, error)

// Resolve works out everything about the loaded elements that follows from the
// project alone, cache keys included.
//
// Errors are those of the reference; where several elements have one, that which
// the reference meets first is returned.
func Resolve(ctx context.Context, loaded *project.Loaded, registry *Registry, o Options) (*Graph, error) {
	found := findPlugins(ctx, loaded, registry)
	r := newResolution(loaded, o, &layers{
		registry: registry, defaults: o.Defaults, plugins: found, entries: map[layerKey]*layerEntry{},
	})
	r.graph.Notes = found.notes
	err := r.layers.all(ctx, loaded.All)
	// Kinds may ask about the dependencies of their element, so all elements
	// get their traits before any is configured.
	if err == nil {
		err = r.each(ctx, r.identify)
	}
	if err == nil {
		err = r.each(ctx, r.resolve)
	}
	if err != nil {
		return nil, r.firstError(ctx, err)
	}
	r.warn()
	if o.NoKeys {
		return r.graph, nil
	}
	if err := r.graph.computeKeys(ctx); err != nil {
		return nil, err
	}
	return r.graph, nil
}

// newResolution makes an element, with nothing in it, of each that was loaded.
func newResolution(loaded *project.Loaded, o Options, l *layers) *resolution {
	r := &resolution{
		loaded: loaded, options: o, layers: l,
		graph: &Graph{Elements: make([]*Element, len(loaded.All))},
		index: make(map[*project.Element]*Element, len(loaded.All)), digests: o.Digests,
	}
	if r.digests == nil {
		r.digests = new(cas.Digests)
	}
	elements := make([]Element, len(loaded.All))
	for i, l := range loaded.All {
		e := &elements[i]
		e.Index = i
		r.graph.Elements[i] = e
		r.index[l] = e
	}
	for _, t := range loaded.Targets {
		r.graph.Targets = append(r.graph.Targets, r.index[t])
	}
	return r
}

// resolution is one Resolve.
type resolution struct {
	loaded  *project.Loaded
	options Options
	layers  *layers
	graph   *Graph
	index   map[*project.Element]*Element
	digests *cas.Digests

	done atomic.Int64

	// mu guards findings.
	mu       sync.Mutex
	findings []finding
}

// each calls f for every element, basemost first, on all processors. It
// returns the error of the first element that has one.
func (r *resolution) each(ctx context.Context, f func(int) error) error {
	return parallel.Do(ctx, len(r.loaded.All), f)
}

// identify fills in what an element is, before its configuration is read.
func (r *resolution) identify(i int) error {
	l, e := r.loaded.All[i], r.graph.Elements[i]
	if err := l.Node.ValidateKeys("kind", "depends", "sources", "sandbox", "variables", "environment",
		"environment-nocache", "config", "public", "description", "build-depends", "runtime-depends"); err != nil {
		return err
	}
	if l.Kind == "" {
		if _, err := l.Node.NeedStr("kind"); err != nil {
			return err
		}
	}
	layer, err := r.layers.get(l)
	if err != nil {
		var known *stream.Error
		found := r.layers.plugins.element(l.Project, l.Kind)
		if errors.As(err, &known) && known.Reason == "plugin-not-found" && found.err == nil {
			// The layer was asked for by another element, perhaps: name this one.
			_, _, err = r.layers.registry.element(l.Project, l.Kind, l.Node, found)
		}
		return err
	}
	e.Name, e.FullName, e.Kind, e.Project = l.Name, l.FullName, l.Kind, l.Project
	e.NormalName = NormalName(l.Name)
	e.Provenance = l.Provenance()
	e.Traits = layer.traits
	for _, d := range l.Deps {
		dep := r.index[d.Element]
		if d.Build {
			e.Build = append(e.Build, dep)
		}
		if d.Runtime {
			e.Runtime = append(e.Runtime, dep)
		}
		if d.Strict {
			e.strict = append(e.strict, dep)
		}
	}
	e.Description, err = l.Node.GetStr("description", "")
	return err
}

// resolve does all that an element needs.
func (r *resolution) resolve(i int) error {
	l, e := r.loaded.All[i], r.graph.Elements[i]
	if err := r.configure(e, l); err != nil {
		return err
	}
	if err := r.complete(e, l); err != nil {
		return err
	}
	if r.options.Progress != nil {
		r.options.Progress(int(r.done.Add(1)), len(r.loaded.All))
	}
	return nil
}

// configure composes, expands and configures an element and its sources.
func (r *resolution) configure(e *Element, l *project.Element) error {
	layer, err := r.layers.get(l)
	if err != nil {
		return err
	}
	own, err := l.Node.GetMapping("variables")
	if err != nil {
		return err
	}
	if e.Variables, err = layer.variables.Resolve(own, e.Name, !l.FirstPass()); err != nil {
		return err
	}
	if err := e.setEnvironment(layer, l.Node); err != nil {
		return err
	}
	if err := e.setPublic(layer, l.Node); err != nil {
		return err
	}
	config, err := compose(e, l.Node, "config", layer.sharedConfig)
	if err != nil {
		return err
	}
	e.Config = config
	e.Impl = e.Traits.New()
	e.RunCommands = e.Traits.RunCommands
	if err := e.Impl.Configure(config, elementEnv{e}); err != nil {
		return err
	}
	if c, ok := e.Impl.(kind.CommandRunner); ok {
		e.RunCommands = c.RunCommands()
	}
	box, err := compose(e, l.Node, "sandbox", layer.sharedSandbox)
	if err != nil {
		return err
	}
	e.Sandbox, e.sandboxJSON = box.Sandbox, box.json
	return r.resolveSources(e, l)
}

// complete does what the reference does when an element's dependencies are there.
func (r *resolution) complete(e *Element, l *project.Element) error {
	if err := r.configureDependencies(e, l); err != nil {
		return err
	}
	if err := e.preflight(); err != nil {
		return err
	}
	if r.options.NoKeys {
		return nil
	}
	return e.keySources()
}

// compose gives the mapping that an element has at key, laid over its layer's
// and expanded. Elements without one share the result.
func compose[T any](e *Element, n *node.Node, key string, shared *variables.Template[T]) (T, error) {
	var none T
	own, err := n.GetMapping(key)
	if err != nil {
		return none, err
	}
	if own.Len() == 0 {
		return shared.Expand(e.Variables)
	}
	composed := shared.Node().Clone()
	if err := own.Composite(composed); err != nil {
		return none, err
	}
	return shared.ExpandNode(composed, e.Variables)
}

// setEnvironment reads the element's environment.
func (e *Element) setEnvironment(l *layer, n *node.Node) error {
	own, err := n.GetStrs("environment-nocache")
	if err != nil {
		return err
	}
	e.NoCache = l.noCache
	shared := l.sharedEnvironment
	if len(own) > 0 {
		e.NoCache = slices.Concat(l.noCache, own)
		shared = variables.NewTemplate(shared.Node(), environmentWithout(e.NoCache))
	}
	env, err := compose(e, n, "environment", shared)
	e.Environment, e.environmentJSON = env.bindings, env.json
	return err
}

// setPublic reads the element's public data. Of its layer's it inherits the
// split rules, and lays its own over them.
func (e *Element) setPublic(l *layer, n *node.Node) error {
	own, err := n.GetMapping("public")
	if err != nil {
		return err
	}
	if own.Len() == 0 {
		shared, err := l.sharedPublic.Expand(e.Variables)
		e.Public, e.publicJSON = shared.node, shared.json
		return err
	}
	own = own.Clone()
	bst, err := need(own, "bst")
	if err != nil {
		return err
	}
	ownSplits, err := bst.GetMapping("split-rules")
	if err != nil {
		return err
	}
	var splits *node.Node
	if ownSplits.Len() > 0 {
		splits = l.sharedSplits.Node().Clone()
		if err := ownSplits.Composite(splits); err != nil {
			return err
		}
		if err := e.Variables.Expand(splits); err != nil {
			return err
		}
	} else if splits, err = l.sharedSplits.Expand(e.Variables); err != nil {
		return err
	}
	// They keep their place among the keys, without being expanded twice.
	bst.Set("split-rules", node.NewMapping(stream.Provenance{}))
	if err := own.AssertFullyComposited(); err != nil {
		return err
	}
	if err := splits.AssertFullyComposited(); err != nil {
		return err
	}
	if err := e.Variables.Expand(own); err != nil {
		return err
	}
	bst.Set("split-rules", splits)
	e.Public = own
	return nil
}

// configureDependencies tells the kind what it is built from.
func (r *resolution) configureDependencies(e *Element, l *project.Element) error {
	var deps []kind.Dependency
	for _, d := range l.Deps {
		var err error
		if deps, err = r.appendDependency(deps, e, d); err != nil {
			return err
		}
	}
	return e.Impl.ConfigureDependencies(deps)
}

// appendDependency adds what the kind is told of one dependency.
func (r *resolution) appendDependency(deps []kind.Dependency, e *Element, d *project.Dep) ([]kind.Dependency, error) {
	if !d.Build {
		return deps, nil
	}
	dep := kind.Dependency{Element: Handle{r.index[d.Element]}, Path: d.Path, Provenance: d.Provenance()}
	if len(d.Configs) == 0 {
		return append(deps, dep), nil
	}
	if !e.Traits.DependencyConfig {
		return nil, d.Configs[0].Errorf("INVALID_DEPENDENCY_CONFIG",
			"Custom dependency configuration is not supported by element plugin '%s'", e.Kind)
	}
	for _, config := range d.Configs {
		dep.Config = config.Clone()
		if err := e.Variables.Expand(dep.Config); err != nil {
			return nil, err
		}
		deps = append(deps, dep)
	}
	return deps, nil
}

// preflight checks what the kind forbids or demands.
func (e *Element) preflight() error {
	t := e.Traits
	forbidden := func(what, reason string) error {
		return &stream.Error{
			Domain: stream.DomainElement, Reason: reason,
			Message: e.String() + ": " + what + " are forbidden for '" + e.Kind + "' elements",
		}
	}
	switch {
	case t.ForbidBuildDeps && t.ForbidRuntimeDeps && len(e.Build)+len(e.Runtime) > 0:
		return forbidden("Dependencies", "element-forbidden-depends")
	case t.ForbidRuntimeDeps && len(e.Runtime) > 0:
		return forbidden("Runtime dependencies", "element-forbidden-rdepends")
	case t.ForbidBuildDeps && len(e.Build) > 0:
		return forbidden("Build dependencies", "element-forbidden-bdepends")
	case t.ForbidSources && len(e.Sources) > 0:
		return forbidden("Sources", "element-forbidden-sources")
	}
	if p, ok := e.Impl.(kind.Preflighter); ok {
		err := p.Preflight(kind.Given{Build: handles(e.Build), Runtime: handles(e.Runtime), Sources: len(e.Sources)})
		var told *stream.Error
		if errors.As(err, &told) {
			prefixed := *told
			prefixed.Message = e.String() + ": " + told.Message
			return &prefixed
		}
		if err != nil {
			return err
		}
	}
	if len(e.Sources) > 0 && e.Sources[0].Traits.TracksPrevious {
		return &stream.Error{
			Domain: stream.DomainElement,
			Message: e.String() + ": " + e.Sources[0].String() + " cannot be the first source of an element " +
				"as it requires access to previous sources",
		}
	}
	return nil
}

func handles(elements []*Element) []kind.Handle {
	list := make([]kind.Handle, len(elements))
	for i, e := range elements {
		list[i] = Handle{e}
	}
	return list
}

// elementEnv is the kind.Env of an element.
type elementEnv struct{ e *Element }

func (v elementEnv) Name() string                        { return v.e.Name }
func (v elementEnv) Variable(name string) (string, bool) { return v.e.Variables.Get(name) }
func (v elementEnv) ProjectDir() string                  { return v.e.Project.Dir }
func (v elementEnv) Provenance() stream.Provenance       { return v.e.Provenance }

// NormalName is an element's name as artifacts and logs use it: slashes become
// dashes, the extension is dropped.
func NormalName(name string) string {
	name = strings.ReplaceAll(name, "/", "-")
	// As Python's splitext: leading dots begin no extension.
	base := strings.TrimLeft(name, ".")
	return strings.TrimSuffix(name, path.Ext(base))
}
