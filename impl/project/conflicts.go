package project

import (
	"context"
	"strings"

	"bst/impl/node"
)

// One project may be loaded across several junctions only where every instance
// is said to be a duplicate, or to be internal to the project that uses it.

// checkConflicts gives LOAD/CONFLICTING_JUNCTION.
func (s *session) checkConflicts(ctx context.Context) error {
	byName := map[string][]*loader{}
	var names []string
	for _, l := range s.loaders {
		name := l.project.Name
		if byName[name] == nil {
			names = append(names, name)
		}
		byName[name] = append(byName[name], l)
	}
	for _, name := range names {
		if len(byName[name]) == 1 {
			continue
		}
		if err := checkInstances(ctx, name, byName[name]); err != nil {
			return err
		}
	}
	return nil
}

func checkInstances(ctx context.Context, name string, instances []*loader) error {
	primaries, duplicates := 0, 0
	var lines []string
	for _, l := range instances {
		duplicating, internal, err := l.relationships(ctx, name)
		if err != nil {
			return err
		}
		if len(duplicating) > 0 {
			duplicates++
		}
		if len(duplicating) == 0 && len(internal) == 0 {
			primaries++
		}
		line := l.String() + "\n"
		for _, by := range duplicating {
			line += "  Duplicated by: " + by.String() + "\n"
		}
		for _, to := range internal {
			line += "  Internal to: " + to.String() + "\n"
		}
		lines = append(lines, line)
	}
	if primaries < 2 && (primaries == 0 || duplicates == 0) {
		return nil
	}
	err := loadErrorf("CONFLICTING_JUNCTION", "Project '"+name+"' was loaded in multiple contexts")
	err.Detail = strings.Join(lines, "\n") +
		"\nInternal projects do not cause any conflicts. Conflicts can also be avoided\n" +
		"by marking every instance of the project as a duplicate."
	return err
}

// String says which project l loads, and through which junction.
func (l *loader) String() string {
	p := l.project
	switch {
	case p.junction == nil:
		return p.Name + " (toplevel)"
	case l.from == nil:
		return p.Name + " (" + p.Junction + ")"
	}
	return p.Name + " (" + p.Junction + "): " + l.from.Provenance().String()
}

// relationships are the ancestors that call l's project a duplicate, and those
// that call it internal.
func (l *loader) relationships(ctx context.Context, name string) (duplicating, internal []*loader, err error) {
	for _, ancestor := range l.ancestors() {
		p := ancestor.project
		duplicates, err := p.junctionDuplicates.GetSequence(name)
		if err != nil {
			return nil, nil, err
		}
		for _, list := range []struct {
			paths *node.Node
			found *[]*loader
		}{{duplicates, &duplicating}, {p.junctionInternal, &internal}} {
			leads, err := ancestor.leadsTo(ctx, list.paths, l)
			if err != nil {
				return nil, nil, err
			}
			if leads {
				*list.found = append(*list.found, ancestor)
			}
		}
	}
	return duplicating, internal, nil
}

func (l *loader) leadsTo(ctx context.Context, paths *node.Node, sub *loader) (bool, error) {
	for _, path := range paths.Items() {
		found, err := l.subLoader(ctx, path.Text(), path, false)
		if err != nil {
			return false, err
		}
		if found == sub {
			return true, nil
		}
	}
	return false, nil
}

// ancestors are all loaders from which l's project can be reached.
func (l *loader) ancestors() []*loader {
	var all []*loader
	seen := map[*loader]bool{}
	for _, first := range append([]*loader{l.parent}, l.alternativeParents...) {
		for at := first; at != nil && !seen[at]; at = at.parent {
			seen[at] = true
			all = append(all, at)
		}
	}
	return all
}
