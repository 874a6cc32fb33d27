package project

import (
	"context"
	"path/filepath"
	"strings"

	"bst/impl/kind/projectpath"
	"bst/impl/node"
	"bst/impl/stream"
)

// subLoader is the loader of a subproject. name may lead through several
// junctions. It is nil where a subproject would have to be loaded and load
// says not to.
func (l *loader) subLoader(ctx context.Context, name string, from *node.Node, load bool) (*loader, error) {
	if at := l.searches[name]; at != nil && load {
		err := from.Errorf("CIRCULAR_REFERENCE", "Circular reference while searching for '%s'", name)
		if at != from {
			err.Detail = "Already searching for '" + name + "' at: " + at.Provenance().String()
		}
		return nil, err
	}
	if load && from != nil {
		l.searches[name] = from
		defer delete(l.searches, name)
	}
	sub := l
	for _, junction := range strings.Split(name, ":") {
		var err error
		if sub, err = sub.junctionLoader(ctx, normalize(junction), from, load); err != nil || sub == nil {
			return nil, err
		}
	}
	return sub, nil
}

// junctionLoader is the loader behind one junction of this project.
func (l *loader) junctionLoader(ctx context.Context, name string, from *node.Node, load bool) (*loader, error) {
	if sub := l.loaders[name]; sub != nil {
		return sub, nil
	}
	override, err := l.overrideLoader(ctx, name)
	if err != nil {
		return nil, err
	}
	if override != nil {
		l.loaders[name] = override
		return override, nil
	}
	if _, err := l.loadFile(ctx, name, from, load); err != nil {
		return nil, err
	}
	e := l.elements[name]
	if e == nil {
		return nil, from.Errorf("INVALID_DATA", "Could not find junction '%s'", name)
	}
	if e.target != nil {
		sub, target, err := l.parseName(ctx, e.target.Text(), e.target, load)
		if err != nil || sub == nil {
			return nil, err
		}
		return sub.subLoader(ctx, target, e.target, load)
	}
	switch {
	case !load:
		return nil, nil
	case e.Kind != "junction":
		return nil, from.Errorf("INVALID_DATA", "%s: Expected junction but element kind is %s", name, e.Kind)
	case len(e.Deps) > 0:
		return nil, e.Deps[0].node.Errorf("INVALID_JUNCTION", "Dependencies are forbidden for 'junction' elements")
	}
	sub, err := l.cross(ctx, e, from)
	if err != nil {
		return nil, err
	}
	l.loaders[name] = sub
	// Overrides may name links of the project that is there now: they must be
	// known before overrides are looked for.
	for at := sub; at.parent != nil; at = at.parent {
		if err := at.shallowLoadOverrides(ctx); err != nil {
			return nil, err
		}
	}
	return sub, nil
}

// cross loads the project behind a junction.
func (l *loader) cross(ctx context.Context, e *Element, from *node.Node) (*loader, error) {
	if l.session.junctions != nil {
		if err := l.session.junctions.CheckJunction(ctx, e); err != nil {
			return nil, err
		}
	}
	j, err := resolveJunction(e)
	if err != nil {
		return nil, err
	}
	dir, err := l.junctionDir(ctx, j, from)
	if err != nil {
		return nil, err
	}
	p, err := l.session.open(ctx, filepath.Join(dir, filepath.FromSlash(j.Path)), j, l, from)
	if reasonOf(err) == "MISSING_PROJECT_CONF" {
		message := "Could not find the project.conf file in the project referred to by junction element '" + e.Name + "'."
		if j.Path != "" {
			message += " Was expecting it at path '" + j.Path + "' in the junction's source."
		}
		return nil, from.Errorf("INVALID_JUNCTION", "%s", message)
	}
	if err != nil {
		return nil, err
	}
	return p.loader, nil
}

// junctionDir is where a junction's files are: a single local source is used
// where it lies, and so is a workspace.
func (l *loader) junctionDir(ctx context.Context, j *Junction, from *node.Node) (string, error) {
	if _, dir, ok := l.project.Workspace(j.Element.FullName); ok {
		return dir, nil
	}
	if len(j.Sources) == 1 && j.Sources[0].Get("kind").Text() == "local" {
		path, err := j.Sources[0].Need("path")
		if err != nil {
			return "", err
		}
		relative, _, err := l.project.resolve(path, projectpath.Any)
		return filepath.Join(l.project.Dir, filepath.FromSlash(relative)), err
	}
	if l.session.junctions != nil {
		dir, err := l.session.junctions.FetchJunction(ctx, j)
		if reasonOf(err) == noRef && from != nil {
			err = wrap(err, from.Provenance().String()+": ")
		}
		return dir, err
	}
	err := from.Errorf("SUBPROJECT_FETCH_NEEDED", "Subproject fetch needed for junction: %s", j.Element.Name)
	err.Detail = "Try fetching the project with `bst source fetch " + j.Element.Name + "`"
	return "", err
}

// noRef is the reason for a junction whose sources cannot be fetched before
// they are tracked.
const noRef = "SUBPROJECT_INCONSISTENT"

// NoRef is what a JunctionFetcher gives for a junction with a source that has
// no ref: LOAD/SUBPROJECT_INCONSISTENT.
func NoRef(j *Junction) error {
	err := loadErrorf(noRef, "Subproject has no ref for junction: "+j.Element.Name)
	err.Detail = "Try tracking the junction element with `bst source track " + j.Element.Name + "`"
	return err
}

// firstPassConfig is an element's mapping at key, its kind's overrides laid
// under it and first-pass variables expanded.
func firstPassConfig(e *Element, sections ...string) ([]*node.Node, error) {
	p := e.Project
	overrides, err := p.ElementOverrides(e.Kind, true)
	if err != nil {
		return nil, err
	}
	layered := func(base *node.Node, section string) (*node.Node, error) {
		for _, layer := range []*node.Node{overrides, e.Node} {
			n, err := layer.GetMapping(section)
			if err != nil {
				return nil, err
			}
			if n == nil {
				continue
			}
			if err := n.Composite(base); err != nil {
				return nil, err
			}
		}
		return base, base.AssertFullyComposited()
	}
	vars, err := layered(p.first.variables.Clone(), "variables")
	if err != nil {
		return nil, err
	}
	set, err := resolve(vars, e.Name)
	if err != nil {
		return nil, err
	}
	configs := make([]*node.Node, len(sections))
	for i, section := range sections {
		n := node.NewMapping(e.Provenance())
		if section == "sources" {
			if n, err = e.Node.GetSequence(section); err != nil {
				return nil, err
			}
			n = n.Clone()
		} else if n, err = layered(n, section); err != nil {
			return nil, err
		}
		if err := set.Expand(n); err != nil {
			return nil, err
		}
		configs[i] = n
	}
	return configs, nil
}

// resolveJunction reads a junction element.
func resolveJunction(e *Element) (*Junction, error) {
	configs, err := firstPassConfig(e, "config", "sources")
	if err != nil {
		return nil, err
	}
	config, sources := configs[0], configs[1]
	j := &Junction{Element: e}
	if err := config.ValidateKeys("path", "options", "overrides", "aliases", "map-aliases"); err != nil {
		return nil, err
	}
	if j.Path, err = config.GetStr("path", ""); err != nil {
		return nil, err
	}
	if j.options, err = config.GetMapping("options"); err != nil {
		return nil, err
	}
	if j.aliases, err = config.GetMapping("aliases"); err != nil {
		return nil, err
	}
	strategy, err := config.GetStr("map-aliases", "none")
	if err != nil {
		return nil, err
	}
	if strategy != "none" && strategy != "identity" {
		return nil, config.Get("map-aliases").Errorf("INVALID_DATA",
			"Value of 'map-aliases' should be one of 'none, identity'")
	}
	j.mapAliases = strategy == "identity"
	if err := j.loadOverrides(config); err != nil {
		return nil, err
	}
	return j, j.loadSources(sources)
}

func (j *Junction) loadOverrides(config *node.Node) error {
	var err error
	if j.overrides, err = config.GetMapping("overrides"); err != nil {
		return err
	}
	for i, key := range j.overrides.Keys() {
		name, err := j.overrides.GetStr(key, "")
		if err != nil {
			return err
		}
		if name == j.Element.Name {
			err := j.overrides.Items()[i].Errorf("override-junction-with-self",
				"Attempt to override subproject junction '%s' with the overriding junction '%s' itself", key, name)
			err.Domain = stream.DomainElement
			return err
		}
	}
	return nil
}

// loadSources lays the project's source configuration under each source and
// fills in refs that are kept apart.
func (j *Junction) loadSources(list *node.Node) error {
	p := j.Element.Project
	for i, n := range list.Items() {
		if n.Kind() != node.Mapping {
			return n.Errorf("INVALID_DATA", "Value of 'sources' is not of the expected type 'MappingNode'")
		}
		kind, err := n.NeedStr("kind")
		if err != nil {
			return err
		}
		overrides, err := p.SourceOverrides(kind, true)
		if err != nil {
			return err
		}
		config, err := overrides.GetMapping("config")
		if err != nil {
			return err
		}
		if config != nil {
			if err := config.Clone().CompositeUnder(n); err != nil {
				return err
			}
		}
		ref, exclusive, err := p.Ref(j.Element, i)
		if err != nil {
			return err
		}
		if exclusive {
			n.Delete("ref")
		}
		if ref != nil {
			if err := ref.Composite(n); err != nil {
				return err
			}
		}
		j.Sources = append(j.Sources, n)
	}
	return nil
}

// linkTarget reads a link element.
func linkTarget(e *Element) (*node.Node, error) {
	deps, err := extractDependencies(e.Node)
	if err != nil {
		return nil, err
	}
	if len(deps) > 0 {
		return nil, e.Node.Errorf("LINK_FORBIDDEN_DEPENDENCIES", "Dependencies are forbidden for 'link' elements")
	}
	if e.Node.Get("sources") != nil {
		err := e.Node.Errorf("element-forbidden-sources", "Sources are forbidden for 'link' elements")
		err.Domain = stream.DomainElement
		return nil, err
	}
	configs, err := firstPassConfig(e, "config")
	if err != nil {
		return nil, err
	}
	config := configs[0]
	if err := config.ValidateKeys("target"); err != nil {
		return nil, err
	}
	if _, err := config.NeedStr("target"); err != nil {
		return nil, err
	}
	return config.Get("target"), nil
}

// links are the links that a project knows, those of its subprojects among
// them, in the order in which they were found.
type links struct {
	paths   []string
	targets map[string]string
}

func (k *links) set(path, target string) {
	if k.targets == nil {
		k.targets = map[string]string{}
	}
	if _, ok := k.targets[path]; !ok {
		k.paths = append(k.paths, path)
	}
	k.targets[path] = target
}

// resolve records a link and leads those that led to it to its target.
func (k *links) resolve(path, target string) {
	k.set(path, target)
	for _, known := range k.paths {
		if k.expand(k.targets[known]) == path {
			k.targets[known] = target
		}
	}
}

// expand replaces a link that a path starts with by its target.
func (k *links) expand(path string) string {
	for _, link := range k.paths {
		if rest, ok := strings.CutPrefix(path, link); ok {
			return k.targets[link] + rest
		}
	}
	return path
}

// recordLink makes a link known here and, by its path from there, in the
// parents.
func (l *loader) recordLink(path, target string) {
	l.links.resolve(path, target)
	for at := l; at.parent != nil; at = at.parent {
		junction := at.project.junction.Element.Name
		path, target = junction+":"+path, junction+":"+target
		at.parent.links.resolve(path, target)
	}
}

// override is a loader whose project overrides something, and by what.
type override struct {
	loader *loader
	by     *node.Node
}

// overrides are those of an element of this project, the toplevel's last.
func (l *loader) overrides(name string) []override {
	var found []override
	for at, path := l, name; at.parent != nil; at = at.parent {
		if by := at.localOverride(path); by != nil {
			found = append(found, override{at.parent, by})
		}
		path = at.project.junction.Element.Name + ":" + path
	}
	return found
}

// localOverride is what the junction to this project says of a path.
func (l *loader) localOverride(path string) *node.Node {
	overrides := l.project.junction.overrides
	if by := overrides.Get(path); by != nil {
		return by
	}
	for i, key := range overrides.Keys() {
		if l.links.expand(key) == path {
			return overrides.Items()[i]
		}
	}
	return nil
}

// overrideLoader is the loader to use in the place of a junction's own, nil
// where it is not overridden.
func (l *loader) overrideLoader(ctx context.Context, name string) (*loader, error) {
	found := l.overrides(name)
	if len(found) == 0 {
		return nil, nil
	}
	last := found[len(found)-1]
	sub, err := last.loader.subLoader(ctx, last.by.Text(), last.by, true)
	if err != nil {
		return nil, err
	}
	// The project is still reached by the paths that were overridden: whether
	// it is a duplicate or internal is asked along them, too.
	if sub != l {
		sub.alternativeParents = append(sub.alternativeParents, l)
	}
	for _, o := range found[:len(found)-1] {
		sub.alternativeParents = append(sub.alternativeParents, o.loader)
	}
	return sub, nil
}

// overrideElement is the element to use in the place of one of this project's,
// nil where it is not overridden.
func (l *loader) overrideElement(ctx context.Context, name string) (*Element, error) {
	found := l.overrides(name)
	if len(found) == 0 {
		return nil, nil
	}
	last := found[len(found)-1]
	sub, target, err := last.loader.parseName(ctx, last.by.Text(), last.by, true)
	if err != nil {
		return nil, err
	}
	return sub.loadFile(ctx, target, last.by, true)
}

// shallowLoadOverrides loads what the junction to this project overrides, so
// that links among it are known.
func (l *loader) shallowLoadOverrides(ctx context.Context) error {
	overrides := l.project.junction.overrides
	for i, path := range overrides.Keys() {
		from := overrides.Items()[i]
		for hops := 0; path != ""; hops++ {
			if hops > maxLinks {
				return from.Errorf("CIRCULAR_REFERENCE", "Circular reference while searching for '%s'", path)
			}
			var err error
			if path, from, err = l.shallowLoadPath(ctx, path, from); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxLinks bounds how many links may lead to each other.
const maxLinks = 1000

// shallowLoadPath loads the element at a path, if that needs no further
// subproject. Where it is a link, the result is where that leads.
func (l *loader) shallowLoadPath(ctx context.Context, path string, from *node.Node) (string, *node.Node, error) {
	target, name, junction := l, path, ""
	if colon := strings.LastIndexByte(path, ':'); colon >= 0 {
		junction, name = path[:colon], path[colon+1:]
		var err error
		if target, err = l.subLoader(ctx, junction, from, false); err != nil || target == nil {
			return "", nil, err
		}
	}
	e := target.elements[normalize(name)]
	if e == nil {
		var err error
		if e, err = target.loadShallow(ctx, normalize(name), from, true); err != nil || e == nil {
			return "", nil, err
		}
	}
	switch {
	case e.target == nil:
		return "", nil, nil
	case junction != "":
		return junction + ":" + e.target.Text(), e.target, nil
	}
	return e.target.Text(), e.target, nil
}
