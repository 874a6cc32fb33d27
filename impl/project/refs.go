package project

import (
	"path/filepath"

	"bst/impl/node"
	"bst/impl/stream"
)

// RefStorage values.
const (
	RefsInline      = "inline"
	RefsProjectRefs = "project.refs"
)

// Files that refs are kept in, those of junctions apart: they are read before all
// else is.
const (
	projectRefs  = "project.refs"
	junctionRefs = "junction.refs"
)

// loadRefs reads project.refs or junction.refs. A file that is not there is an
// empty one.
func (p *Project) loadRefs(name string, options *optionPool) (*node.Node, error) {
	p.Seen().File(filepath.Join(p.Dir, name))
	n, err := node.Load(filepath.Join(p.Dir, name), name)
	if reasonOf(err) == "MISSING_FILE" {
		return node.NewMapping(stream.Provenance{}), nil
	}
	if err != nil {
		return nil, err
	}
	if err := options.process(n); err != nil {
		return nil, err
	}
	if err := n.AssertFullyComposited(); err != nil {
		return nil, err
	}
	return n, n.ValidateKeys("projects")
}

// Ref is the entry of project.refs (for junctions: junction.refs) for a source
// of an element, a mapping with "ref" and whatever else its kind keeps there;
// nil where there is none.
//
// The toplevel's file wins over that of p. exclusive says that refs in the
// element itself do not count, because p keeps them in project.refs.
func (p *Project) Ref(e *Element, source int) (ref *node.Node, exclusive bool, err error) {
	exclusive = p.RefStorage == RefsProjectRefs
	top := p.Toplevel()
	if top != p && top.RefStorage == RefsProjectRefs {
		if ref, err = lookupRef(top.refsFor(e), p.Name, e.Name, source); ref != nil || err != nil {
			return ref, exclusive, err
		}
	}
	if exclusive {
		ref, err = lookupRef(p.refsFor(e), p.Name, e.Name, source)
	}
	return ref, exclusive, err
}

func (p *Project) refsFor(e *Element) *node.Node {
	if e.FirstPass() {
		return p.junctionRefs
	}
	return p.refs
}

func lookupRef(refs *node.Node, project, element string, source int) (*node.Node, error) {
	projects, err := refs.GetMapping("projects")
	if err != nil {
		return nil, err
	}
	elements, err := projects.GetMapping(project)
	if err != nil {
		return nil, err
	}
	list, err := elements.GetSequence(element)
	if err != nil || source >= list.Len() {
		return nil, err
	}
	ref := list.Items()[source]
	if ref.Kind() != node.Mapping {
		return nil, ref.Errorf("INVALID_DATA", "Value of '%s' is not of the expected type 'MappingNode'", element)
	}
	return ref, nil
}

// RefPlace is where the ref of a source is kept outside of its element's file.
type RefPlace struct {
	// File is the path of project.refs or junction.refs, which may not exist.
	File string
	// Entry is the source's entry in it, nil where there is none yet.
	Entry *node.Node
	// Project, Element and Index are the keys of the entry.
	Project, Element string
	Index            int
}

// PlaceOfRef is where this project, the toplevel, keeps the ref of a source of an
// element, of this project or a subproject. It is false where refs are kept in
// elements' files.
func (p *Project) PlaceOfRef(e *Element, source int) (RefPlace, bool) {
	if p.RefStorage != RefsProjectRefs {
		return RefPlace{}, false
	}
	name := projectRefs
	if e.FirstPass() {
		name = junctionRefs
	}
	place := RefPlace{File: filepath.Join(p.Dir, name), Project: e.Project.Name, Element: e.Name, Index: source}
	// What is damaged was refused when the refs were read.
	place.Entry, _ = lookupRef(p.refsFor(e), e.Project.Name, e.Name, source)
	return place, true
}
