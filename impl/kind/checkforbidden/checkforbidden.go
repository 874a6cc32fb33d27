// Package checkforbidden is the element kind "check_forbidden": it fails where
// elements that must not be there are among what it is built from.
package checkforbidden

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/stream"
)

// Traits are what the kind is.
func Traits() kind.Traits {
	return kind.Traits{
		Kind:        "check_forbidden",
		RunCommands: true,
		Plugins: kind.Plugins{
			Packages: []string{kind.Community},
			// Freedesktop SDK's own, before it was released in a package.
			Files: []string{
				"a4fc8af51026b0830307df89f95c6c6fc9f8d4e5e4f5f5ff5d1d9d7a6cae19a2",
			},
		},
		New: func() kind.Element { return new(element) },
	}
}

type element struct {
	// forbidden are names of elements, sorted.
	forbidden []string
	direct    []kind.Handle
}

func (e *element) Configure(config *node.Node, _ kind.Env) error {
	if err := config.ValidateKeys("forbidden"); err != nil {
		return err
	}
	if _, err := config.Need("forbidden"); err != nil {
		return err
	}
	names, err := config.GetStrs("forbidden")
	e.forbidden = slices.Compact(slices.Sorted(slices.Values(names)))
	return err
}

func (e *element) ConfigureDependencies(deps []kind.Dependency) error {
	for _, dep := range deps {
		if !slices.Contains(e.direct, dep.Element) {
			e.direct = append(e.direct, dep.Element)
		}
	}
	return nil
}

func (e *element) UniqueKey() any { return map[string]any{"forbidden": e.forbidden} }

// Assemble looks at the graph, and makes nothing.
func (e *element) Assemble(_ context.Context, a kind.Assembly) (string, error) {
	found := map[kind.Handle]bool{}
	bad := false
	for _, dep := range e.direct {
		is, err := e.leadsTo(a, dep, found)
		if err != nil {
			return "", err
		}
		bad = bad || is
	}
	if bad {
		return "", &stream.Error{
			Domain:  stream.DomainElement,
			Message: "Some elements were forbidden",
			Detail:  "The log says which, and by what way they are depended on.",
		}
	}
	return "/", nil
}

func (e *element) isForbidden(h kind.Handle) bool {
	_, is := slices.BinarySearch(e.forbidden, h.Name())
	return is
}

// leadsTo says whether an element is forbidden, or needs one that is, and warns
// of each step of the way. Depth does not recurse: graphs may be deep.
func (e *element) leadsTo(a kind.Assembly, top kind.Handle, found map[kind.Handle]bool) (bool, error) {
	if e.isForbidden(top) {
		a.Message(stream.TypeWarning, fmt.Sprintf("%s depends on %s", a.Name(), top.Name()), "")
		return true, nil
	}
	type visit struct {
		at   kind.Handle
		todo []kind.Handle
	}
	var stack []visit
	enter := func(h kind.Handle) error {
		described, ok := h.(kind.Described)
		if !ok {
			return errors.New("check_forbidden: the engine does not tell what elements depend on")
		}
		found[h] = false
		stack = append(stack, visit{h, described.Runtime()})
		return nil
	}
	if bad, seen := found[top]; seen {
		return bad, nil
	}
	if err := enter(top); err != nil {
		return false, err
	}
	for len(stack) > 0 {
		v := &stack[len(stack)-1]
		if len(v.todo) == 0 {
			stack = stack[:len(stack)-1]
			if len(stack) > 0 && found[v.at] {
				e.report(a, stack[len(stack)-1].at, v.at, found)
			}
			continue
		}
		next := v.todo[0]
		v.todo = v.todo[1:]
		bad, seen := found[next]
		switch {
		case e.isForbidden(next) || seen && bad:
			e.report(a, v.at, next, found)
		case !seen:
			if err := enter(next); err != nil {
				return false, err
			}
		}
	}
	return found[top], nil
}

func (e *element) report(a kind.Assembly, from, to kind.Handle, found map[kind.Handle]bool) {
	found[from] = true
	a.Message(stream.TypeWarning, fmt.Sprintf("%s depends on %s", from.Name(), to.Name()), "")
}
