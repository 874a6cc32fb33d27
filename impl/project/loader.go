package project

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"bst/impl/node"
	"bst/impl/stream"
)

// loader finds the elements of one project, and those of its subprojects
// through the loaders of its junctions.
type loader struct {
	project *Project
	session *session
	parent  *loader
	// from is where the project's junction was asked for.
	from *node.Node
	// alternativeParents are the loaders whose own junction to this project was
	// overridden.
	alternativeParents []*loader

	reader   *reader
	elements map[string]*Element
	links    links
	loaders  map[string]*loader
	// searches are the junctions that are being looked for, with where.
	searches map[string]*node.Node
}

func newLoader(p *Project, parent *loader, from *node.Node) *loader {
	return &loader{
		project: p, session: p.session, parent: parent, from: from,
		reader:   newReader(p),
		elements: map[string]*Element{},
		loaders:  map[string]*loader{},
		searches: map[string]*node.Node{},
	}
}

// Load loads the targets' elements and their closures.
//
// Errors are LOAD domain, or come from the JunctionFetcher. Load may be called
// again for other targets, but not by two goroutines at once.
func (p *Project) Load(ctx context.Context, targets []string, o LoadOptions) (*Loaded, error) {
	s := p.session
	if o.Junctions != nil {
		s.junctions = o.Junctions
	}
	s.progress = o.Progress
	s.loading = true
	p.loader.reader.prefetch(targets...)
	defer func() {
		s.loading = false
		for _, l := range s.loaders {
			l.reader.stop()
		}
	}()

	loaded := &Loaded{Targets: make([]*Element, 0, len(targets))}
	for _, target := range targets {
		if filepath.IsAbs(target) {
			return nil, loadErrorf("INVALID_DATA", "Target '"+target+"' was not specified as a relative "+
				"path to the base project directory: "+p.ElementPath)
		}
		l, name, err := p.loader.parseName(ctx, target, nil, true)
		if err != nil {
			return nil, err
		}
		e, err := l.loadFile(ctx, name, nil, true)
		if err != nil {
			return nil, err
		}
		loaded.Targets = append(loaded.Targets, e)
	}
	ordered, err := checkCircular(loaded.Targets)
	if err != nil {
		return nil, err
	}
	sortDependencies(ordered)
	loaded.All = stagingOrder(loaded.Targets, len(ordered))
	if err := s.checkConflicts(ctx); err != nil {
		return nil, err
	}
	// Also of projects that no element was taken from, and of those that this loads.
	for i := 0; i < len(s.projects); i++ {
		if err := s.projects[i].ensureFullyLoaded(ctx); err != nil {
			return nil, err
		}
	}
	loaded.Projects = append(loaded.Projects, s.projects...)
	return loaded, nil
}

// Projects are all projects that have been loaded, in that order.
func (p *Project) Projects() []*Project { return append([]*Project(nil), p.session.projects...) }

// parseName splits a name into the loader of its junctions and what is left.
// The loader is nil where a subproject would have to be loaded and load says
// not to.
func (l *loader) parseName(ctx context.Context, name string, from *node.Node, load bool) (*loader, string, error) {
	colon := strings.LastIndexByte(name, ':')
	if colon < 0 {
		return l, normalize(name), nil
	}
	sub, err := l.subLoader(ctx, name[:colon], from, load)
	return sub, normalize(name[colon+1:]), err
}

// normalize gives the several spellings of a file one name.
func normalize(name string) string { return filepath.ToSlash(filepath.Clean(name)) }

// loadFile loads an element and all that it depends on. Depth does not
// recurse: only crossing a junction does. The result is nil where a subproject
// would have to be loaded and load says not to.
func (l *loader) loadFile(ctx context.Context, name string, from *node.Node, load bool) (*Element, error) {
	top, err := l.loadOne(ctx, name, from, load)
	if err != nil || top == nil || top.fullyLoaded {
		return top, err
	}
	frame, err := enter(top)
	if err != nil {
		return nil, err
	}
	for stack := []*frameOf{frame}; len(stack) > 0; {
		current := stack[len(stack)-1]
		if len(current.todo) == 0 {
			stack = stack[:len(stack)-1]
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		dep := current.todo[0]
		current.todo = current.todo[1:]
		e, err := l.loadDependency(ctx, dep, load)
		if err != nil || e == nil {
			return nil, err
		}
		if e.Kind == "junction" {
			return nil, dep.node.Errorf("INVALID_DATA", "Cannot depend on junction")
		}
		if !e.fullyLoaded {
			frame, err := enter(e)
			if err != nil {
				return nil, err
			}
			stack = append(stack, frame)
		}
		dep.Element = e
		current.add(dep)
	}
	return top, nil
}

func (l *loader) loadDependency(ctx context.Context, dep *Dep, load bool) (*Element, error) {
	junction, name := dep.split()
	if junction == "" {
		return l.loadOne(ctx, name, dep.node, load)
	}
	sub, err := l.subLoader(ctx, junction, dep.node, true)
	if err != nil {
		return nil, err
	}
	return sub.loadFile(ctx, normalize(name), dep.node, true)
}

// frameOf is an element whose dependencies are being loaded.
type frameOf struct {
	element *Element
	todo    []*Dep
	// seen is made for elements with many dependencies.
	seen map[*Element]*Dep
}

// manyDeps is from where on a map pays to find an element among dependencies.
const manyDeps = 16

func enter(e *Element) (*frameOf, error) {
	e.fullyLoaded = true
	todo, err := extractDependencies(e.Node)
	if err != nil {
		return nil, err
	}
	frame := &frameOf{element: e, todo: todo}
	if len(todo) > 0 {
		e.Deps = make([]*Dep, 0, len(todo))
	}
	if len(todo) > manyDeps {
		frame.seen = make(map[*Element]*Dep, len(todo))
	}
	return frame, nil
}

// add puts a dependency to its element. Links may lead several to one element:
// those are merged.
func (f *frameOf) add(dep *Dep) {
	if f.seen != nil {
		if same := f.seen[dep.Element]; same != nil {
			same.merge(dep)
			return
		}
		f.seen[dep.Element] = dep
	} else {
		for _, same := range f.element.Deps {
			if same.Element == dep.Element {
				same.merge(dep)
				return
			}
		}
	}
	f.element.Deps = append(f.element.Deps, dep)
}

// loadOne loads an element without its dependencies, following overrides and
// links: they may lead to another element, which is loaded with its
// dependencies then.
func (l *loader) loadOne(ctx context.Context, name string, from *node.Node, load bool) (*Element, error) {
	name = normalize(name)
	e := l.elements[name]
	if e == nil {
		var err error
		if e, err = l.loadShallow(ctx, name, from, false); err != nil {
			return nil, err
		}
	} else if e.fullyLoaded {
		return e, nil
	}
	override, err := l.overrideElement(ctx, name)
	if err != nil || override != nil {
		return override, err
	}
	if e.target == nil {
		return e, nil
	}
	sub, target, err := l.parseName(ctx, e.target.Text(), e.target, load)
	if err != nil || sub == nil {
		return nil, err
	}
	return sub.loadFile(ctx, target, e.target, load)
}

var elementKeys = []string{
	"kind", "depends", "sources", "sandbox", "variables", "environment", "environment-nocache",
	"config", "public", "description", "build-depends", "runtime-depends",
}

// loadShallow loads an element's file. onlyFirstPass gives nil for what is
// neither junction nor link.
func (l *loader) loadShallow(ctx context.Context, name string, from *node.Node, onlyFirstPass bool) (*Element, error) {
	if err := checkElementName(name, from); err != nil {
		return nil, err
	}
	n, err := l.reader.read(name)
	if err != nil {
		if reasonOf(err) == "MISSING_FILE" {
			return nil, l.missing(name, from)
		}
		return nil, err
	}
	kind, err := n.NeedStr("kind")
	if err != nil {
		return nil, err
	}
	e := &Element{Name: name, FullName: name, Project: l.project, Kind: kind, Node: n}
	if l.project.junction != nil {
		e.FullName = l.project.Junction + ":" + name
	}
	switch {
	case e.FirstPass():
		err = l.project.first.options.process(n)
	case onlyFirstPass:
		return nil, nil
	default:
		if err = l.project.ensureFullyLoaded(ctx); err == nil {
			err = l.project.includes.process(ctx, n)
		}
	}
	if err == nil {
		err = n.ValidateKeys(elementKeys...)
	}
	if err != nil {
		return nil, err
	}
	// Includes and conditionals may have set it.
	if e.Kind, err = n.NeedStr("kind"); err != nil {
		return nil, err
	}
	if e.Kind == "link" {
		if e.target, err = linkTarget(e); err != nil {
			return nil, err
		}
	}
	if !e.FirstPass() {
		l.session.elements++
		if l.session.progress != nil {
			l.session.progress(l.session.elements)
		}
	}
	l.elements[name] = e
	if e.target != nil {
		l.recordLink(name, e.target.Text())
	}
	return e, nil
}

// missing is the error for an element whose file is not there.
func (l *loader) missing(name string, from *node.Node) error {
	message := "Could not find element '" + name + "' in elements directory '" + l.project.ElementPath + "'"
	if j := l.project.junction; j != nil {
		message = "Could not find element '" + name + "' in project referred to by junction element '" +
			j.Element.Name + "'"
	}
	err := from.Errorf("MISSING_FILE", "%s", message)
	// A name that starts with the element path was probably completed by a shell.
	elements, relErr := filepath.Rel(l.project.Dir, l.project.ElementPath)
	if rest, ok := strings.CutPrefix(name, filepath.ToSlash(elements)+"/"); ok && relErr == nil {
		if _, statErr := os.Stat(filepath.Join(l.project.ElementPath, filepath.FromSlash(rest))); statErr == nil {
			err.Detail = "Did you mean '" + rest + "'?"
		}
	}
	return err
}

func checkElementName(name string, from *node.Node) error {
	if !strings.HasSuffix(name, ".bst") {
		return from.Errorf("BAD_ELEMENT_SUFFIX", "Element '%s' does not have expected file extension `.bst`", name)
	}
	if !validElementName(name) {
		return from.Errorf("BAD_CHARACTERS_IN_NAME", "Element '%s' has invalid characters.", name)
	}
	return nil
}

// checkCircular finds circular dependencies. Without one it gives all elements
// of the closures, dependencies before dependents.
func checkCircular(targets []*Element) ([]*Element, error) {
	const (
		unseen = iota
		open
		done
	)
	state := make(map[*Element]uint8)
	type visit struct {
		element *Element
		next    int
	}
	var ordered []*Element
	var path []visit
	for _, target := range targets {
		if state[target] == done {
			continue
		}
		path = append(path, visit{element: target})
		state[target] = open
		for len(path) > 0 {
			at := &path[len(path)-1]
			if at.next == len(at.element.Deps) {
				state[at.element] = done
				ordered = append(ordered, at.element)
				path = path[:len(path)-1]
				continue
			}
			next := at.element.Deps[at.next].Element
			at.next++
			switch state[next] {
			case unseen:
				state[next] = open
				path = append(path, visit{element: next})
			case open:
				first := 0
				for path[first].element != next {
					first++
				}
				chain := make([]string, 0, len(path)-first+1)
				for _, v := range path[first:] {
					chain = append(chain, v.element.FullName)
				}
				return nil, circular(append(chain, next.FullName))
			}
		}
	}
	return ordered, nil
}

func circular(chain []string) *stream.Error {
	return loadErrorf("CIRCULAR_DEPENDENCY", "Circular dependency detected at element: "+chain[0]+"\n"+
		"Dependency chain: "+strings.Join(chain, " -> "))
}

// stagingOrder gives each element of the closures once, dependencies before
// dependents, as the sorted dependencies lead to them.
func stagingOrder(targets []*Element, count int) []*Element {
	type visit struct {
		element *Element
		next    int
	}
	seen := make(map[*Element]bool, count)
	all := make([]*Element, 0, count)
	var path []visit
	enter := func(e *Element) {
		if !seen[e] {
			seen[e] = true
			path = append(path, visit{element: e})
		}
	}
	for _, target := range targets {
		enter(target)
		for len(path) > 0 {
			at := &path[len(path)-1]
			if at.next == len(at.element.Deps) {
				all = append(all, at.element)
				path = path[:len(path)-1]
				continue
			}
			at.next++
			enter(at.element.Deps[at.next-1].Element)
		}
	}
	return all
}
