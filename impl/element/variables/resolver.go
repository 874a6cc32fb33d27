package variables

import (
	"slices"
	"strings"

	"bst/impl/node"
	"bst/impl/stream"
)

// resolver works out values. It keeps a stack of its own, because chains of
// references are as long as the person makes them.
type resolver struct {
	layer *Layer
	// own are the element's variables, nil while a layer is made.
	own map[string]*node.Node
	// affected are those whose values in the layer do not hold.
	affected map[string]bool
	values   map[string]result
	// total is the length of all values that hold references.
	total int
}

// result is a value that was worked out, or the fact that there is none.
type result struct {
	value string
	ok    bool
	// open marks a variable whose references are being resolved: to meet it
	// again is a cycle.
	open bool
}

// known gives a value that needs no work.
func (r *resolver) known(name string) (result, bool) {
	if res, ok := r.values[name]; ok {
		return res, true
	}
	if r.own == nil || r.affected[name] {
		return result{}, false
	}
	if i, ok := r.layer.index[name]; ok && r.layer.vars[i].resolved {
		return result{value: r.layer.vars[i].value, ok: true}, true
	}
	return result{}, false
}

// expression is the definition of a variable.
func (r *resolver) expression(name string) (expression, bool) {
	if v, ok := r.own[name]; ok {
		return parse(v.Text()), true
	}
	if i, ok := r.layer.index[name]; ok {
		return r.layer.vars[i].expr, true
	}
	return expression{}, false
}

// resolve gives a variable's value. It is false where the variable, or one
// that it refers to, is not defined or refers to itself.
func (r *resolver) resolve(name string) (string, bool) {
	if res, ok := r.known(name); ok {
		return res.value, res.ok
	}
	type step struct {
		name string
		expr expression
		next int
	}
	var stack []step
	enter := func(name string) {
		expr, ok := r.expression(name)
		if !ok {
			r.values[name] = result{}
			return
		}
		r.values[name] = result{open: true}
		stack = append(stack, step{name: name, expr: expr})
	}
	enter(name)
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if top.next < len(top.expr.refs) {
			ref := top.expr.refs[top.next].name
			top.next++
			if _, ok := r.known(ref); !ok {
				enter(ref)
			}
			continue
		}
		get := func(name string) (string, bool) {
			res, _ := r.known(name)
			return res.value, res.ok
		}
		value, ok := "", true
		if len(top.expr.refs) > 0 {
			r.total += top.expr.size(get)
			ok = r.total <= maxText
		}
		if ok {
			value, ok = top.expr.expand(get)
		}
		if !ok {
			value = ""
		}
		r.values[top.name] = result{value: value, ok: ok}
		stack = stack[:len(stack)-1]
	}
	res := r.values[name]
	return res.value, res.ok
}

// serial says that the element sets notparallel.
func (r *resolver) serial() (bool, error) {
	n := r.own[notParallel]
	if n == nil {
		n = r.layer.node.Get(notParallel)
	}
	if n == nil {
		return false, nil
	}
	m := node.NewMapping(stream.Provenance{})
	m.Set(notParallel, n)
	return m.GetBool(notParallel, false)
}

// definition is the node that defines a variable, nil for none.
func (r *resolver) definition(name string) *node.Node {
	if n := r.own[name]; n != nil {
		return n
	}
	return r.layer.node.Get(name)
}

// diagnose gives the error for a variable that does not resolve, nil for one
// that does.
func (r *resolver) diagnose(name string) error {
	if res, ok := r.known(name); ok && res.ok {
		return nil
	}
	expr, ok := r.expression(name)
	if !ok {
		return undefined(name, nil)
	}
	return r.blame(name, expr, nil)
}

// blame finds what is wrong with an expression: that of the variable name, or
// of the node at where name is empty. It takes the way of the reference, which
// looks at the references of a variable from left to right, then into them from
// right to left.
func (r *resolver) blame(name string, expr expression, at *node.Node) error {
	type step struct {
		name   string
		parent *step
	}
	onPath := map[string]*step{}
	here := &step{name: name}
	for {
		onPath[here.name] = here
		var next string
		for _, ref := range expr.refs {
			if res, ok := r.known(ref.name); ok && res.ok {
				continue
			}
			if _, ok := r.expression(ref.name); !ok {
				referee := r.definition(here.name)
				if referee == nil {
					referee = at
				}
				return undefined(ref.name, referee)
			}
			next = ref.name
		}
		if next == "" {
			// All that it refers to has a value: it has none for its size.
			if referee := r.definition(here.name); referee != nil {
				at = referee
			}
			return tooLong(at)
		}
		here = &step{name: next, parent: here}
		if first := onPath[next]; first != nil {
			var lines []string
			for s := here; s != first; s = s.parent {
				lines = append(lines, r.definition(s.parent.name).Provenance().String()+
					": Variable '"+s.parent.name+"' refers to variable '"+s.name+"'")
			}
			slices.Reverse(lines)
			return &stream.Error{
				Domain:  stream.DomainLoad,
				Reason:  "CIRCULAR_REFERENCE_VARIABLE",
				Message: "Circular dependency detected on variable '" + next + "'",
				Detail:  strings.Join(lines, "\n"),
			}
		}
		expr, _ = r.expression(next)
	}
}

func tooLong(at *node.Node) error {
	if at == nil {
		at = node.NewScalar("", stream.Provenance{})
	}
	return at.Errorf("INVALID_DATA", "With this, variables expand to more than %d MiB", maxText>>20)
}

func undefined(name string, at *node.Node) error {
	if at == nil {
		at = node.NewScalar("", stream.Provenance{})
	}
	return at.Errorf("UNRESOLVED_VARIABLE", "Reference to undefined variable '%s'", name)
}
