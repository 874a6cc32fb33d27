// Package variables resolves the variables of elements and expands them in
// their configuration.
//
// Most elements of a project share nearly all their variables. A Layer holds
// what is shared, resolved once; a Set holds what one element adds, and only
// those values that differ because of that.
//
// It knows names, values and references between them. It does not know where
// the layers come from.
package variables

import (
	"bst/impl/node"
	"bst/impl/stream"
	"strings"
)

// ElementName is the variable that every element sets by itself.
const ElementName = "element-name"

const (
	maxJobs     = "max-jobs"
	notParallel = "notparallel"
)

// protected are the variables that only bst itself may define.
var protected = []string{"project-name", ElementName, maxJobs}

// Layer is the variables that the elements of one kind in one project share.
// It does not change.
type Layer struct {
	node  *node.Node
	index map[string]int
	vars  []variable
	// users[name] are those that refer to name directly.
	users map[string][]int
}

// variable is one variable of a layer.
type variable struct {
	name string
	expr expression
	// value is set where resolved: all that it refers to is in the layer.
	value    string
	resolved bool
}

// NewLayer makes a layer of a composited mapping, which must not change after
// that. Errors: LOAD/INVALID_DATA where a value is no scalar,
// LOAD/PROTECTED_VARIABLE_REDEFINED, LOAD/TRAILING_LIST_DIRECTIVE.
func NewLayer(n *node.Node) (*Layer, error) {
	if err := check(n); err != nil {
		return nil, err
	}
	l := &Layer{node: n, index: make(map[string]int, n.Len()), users: map[string][]int{}}
	for i, name := range n.Keys() {
		v := variable{name: name, expr: parse(n.Get(name).Text())}
		l.index[name] = i
		l.vars = append(l.vars, v)
		for _, r := range v.expr.refs {
			l.users[r.name] = append(l.users[r.name], i)
		}
	}
	r := resolver{layer: l}
	r.values = make(map[string]result, len(l.vars))
	for i := range l.vars {
		v := &l.vars[i]
		v.value, v.resolved = r.resolve(v.name)
	}
	return l, nil
}

// check gives the error for a mapping that cannot be one of variables.
func check(n *node.Node) error {
	if err := n.AssertFullyComposited(); err != nil {
		return err
	}
	for _, name := range protected {
		if v := n.Get(name); v != nil && !synthetic(v) {
			return v.Errorf("PROTECTED_VARIABLE_REDEFINED", "invalid redefinition of protected variable '%s'", name)
		}
	}
	for _, name := range n.Keys() {
		if _, err := n.GetStr(name, ""); err != nil {
			return err
		}
	}
	return nil
}

// synthetic says that no file of the project defines n.
func synthetic(n *node.Node) bool {
	p := n.Provenance()
	return p.File == "" || p.Column < 0
}

// Resolve makes the variables of one element: own, a mapping or nil, laid over
// the layer. With eager, every variable must resolve; without, as for
// junctions, only those that are used.
//
// Errors: those of NewLayer; LOAD/UNRESOLVED_VARIABLE and
// LOAD/CIRCULAR_REFERENCE_VARIABLE.
func (l *Layer) Resolve(own *node.Node, elementName string, eager bool) (*Set, error) {
	if !l.simple(own) {
		// Something is wrong with it: compose as the reference does to say what.
		all := l.node.Clone()
		if err := own.Composite(all); err != nil {
			return nil, err
		}
		if err := check(all); err != nil {
			return nil, err
		}
	}
	r := resolver{layer: l, own: make(map[string]*node.Node, own.Len()+2)}
	for _, name := range own.Keys() {
		r.own[name] = own.Get(name)
	}
	s := &Set{layer: l}
	for _, name := range own.Keys() {
		if _, ok := l.index[name]; !ok {
			s.extra = append(s.extra, name)
		}
	}
	r.own[ElementName] = node.NewScalar(elementName, stream.Provenance{})
	if _, ok := l.index[ElementName]; !ok {
		s.extra = append(s.extra, ElementName)
	}
	serial, err := r.serial()
	if err != nil {
		return nil, err
	}
	if serial {
		r.own[maxJobs] = node.NewScalar("1", stream.Provenance{})
		if _, ok := l.index[maxJobs]; !ok {
			s.extra = append(s.extra, maxJobs)
		}
	}
	r.affected = l.affected(r.own)
	r.values = make(map[string]result, len(r.affected))
	failed := false
	for _, name := range s.extra {
		_, ok := r.resolve(name)
		failed = failed || !ok
	}
	for i := range l.vars {
		v := &l.vars[i]
		if v.resolved && !r.affected[v.name] {
			continue
		}
		_, ok := r.resolve(v.name)
		failed = failed || !ok
	}
	if failed {
		if eager {
			for _, name := range s.names() {
				if err := r.diagnose(name); err != nil {
					return nil, err
				}
			}
		}
		s.broken = &r
	}
	s.keep(r.values)
	return s, nil
}

// simple says that own can be laid over the layer key by key: all are scalars
// and none is protected. Variables of the layer are known to be scalars.
func (l *Layer) simple(own *node.Node) bool {
	for _, name := range own.Keys() {
		v := own.Get(name)
		if v.Kind() != node.Scalar || v.IsNone() || strings.HasPrefix(name, "(") { // a directive, maybe
			return false
		}
		if !synthetic(v) && (name == protected[0] || name == protected[1] || name == protected[2]) {
			return false
		}
	}
	return true
}

// affected are the names in own and those of the layer that refer to them,
// directly or not.
func (l *Layer) affected(own map[string]*node.Node) map[string]bool {
	set := make(map[string]bool, 2*len(own))
	queue := make([]string, 0, 2*len(own))
	for name := range own {
		set[name] = true
		queue = append(queue, name)
	}
	for len(queue) > 0 {
		name := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, i := range l.users[name] {
			if user := l.vars[i].name; !set[user] {
				set[user] = true
				queue = append(queue, user)
			}
		}
	}
	return set
}
