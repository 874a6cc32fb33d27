package node

import (
	"errors"
	"strings"
)

// Composition: one mapping is laid over another, and a list may say how it
// edits the list below it.
//
//	(>)  append     (<)  prepend     (=)  replace
//
// A mapping of directives that meets no list stays as it is and edits what is
// laid under it later; one that is left over at the end is an error.

const (
	directiveAppend  = "(>)"
	directivePrepend = "(<)"
	directiveReplace = "(=)"
	conditional      = "(?)"
)

// compositeError is a failed composition before its path is known to be
// complete.
type compositeError struct {
	path    []string
	message string
}

func (e *compositeError) Error() string { return e.message }

// Composite lays n over target: scalars replace, lists replace, mappings merge,
// (<) (>) (=) edit. target is changed, n is not, and they share no nodes that
// either may change. Errors: LOAD/ILLEGAL_COMPOSITE; LOAD/INVALID_DATA where
// directives stand among other keys or are no lists. A nil n changes nothing.
func (n *Node) Composite(target *Node) error {
	if n == nil {
		return nil
	}
	err := n.compositeOn(target, nil)
	var illegal *compositeError
	if errors.As(err, &illegal) {
		return n.Errorf("ILLEGAL_COMPOSITE", "Failure composing %s: %s", pythonList(illegal.path), illegal.message)
	}
	return err
}

// CompositeUnder lays n under target: values of target win. n is used up.
func (n *Node) CompositeUnder(target *Node) error {
	if err := target.Composite(n); err != nil {
		return err
	}
	for i, key := range n.content.keys {
		target.Set(key, n.content.items[i])
	}
	return nil
}

// AssertFullyComposited gives LOAD/TRAILING_LIST_DIRECTIVE where a list
// directive is left over.
func (n *Node) AssertFullyComposited() error {
	for i, item := range n.Items() {
		if n.kind == Mapping && isDirective(n.content.keys[i]) {
			return item.Errorf("TRAILING_LIST_DIRECTIVE", "Attempt to override non-existing list")
		}
		if err := item.AssertFullyComposited(); err != nil {
			return err
		}
	}
	return nil
}

// HasDirectives says whether there is a list directive in n or anywhere below.
func (n *Node) HasDirectives() bool {
	for i, item := range n.Items() {
		if n.kind == Mapping && isDirective(n.content.keys[i]) || item.HasDirectives() {
			return true
		}
	}
	return false
}

func isDirective(key string) bool {
	return key == directiveAppend || key == directivePrepend || key == directiveReplace
}

// compositeOn lays the mapping n over the mapping target.
func (n *Node) compositeOn(target *Node, path []string) error {
	for i, key := range n.content.keys {
		if err := n.content.items[i].composeAt(key, target, append(path, key)); err != nil {
			return err
		}
	}
	// What was laid over last is where a user looks for the mapping.
	if n.file != nil {
		target.file, target.line, target.column = n.file, n.line, n.column
	}
	return nil
}

// composeAt lays n over target[key].
func (n *Node) composeAt(key string, target *Node, path []string) error {
	under := target.Get(key)
	switch n.kind {
	case Scalar:
		if under != nil && under.kind != Scalar {
			return illegal(path, "%s: Cannot compose scalar on non-scalar at %s", n, under)
		}
		target.Set(key, n.Clone())
		return nil

	case Sequence:
		return n.composeSequenceAt(key, target, under, path)
	}

	edits, err := n.isEdits()
	switch {
	case err != nil:
		return err
	case !edits:
		return n.composeMappingAt(key, target, under, path)
	case under == nil:
		target.Set(key, n.Clone())
		return nil
	case under.kind == Sequence:
		return n.edit(under)
	}
	underEdits, err := under.isEdits()
	switch {
	case err != nil:
		return err
	case underEdits:
		return n.mergeEdits(under)
	}
	return illegal(path, "%s: Cannot compose lists onto %s", n, under)
}

func (n *Node) composeMappingAt(key string, target, under *Node, path []string) error {
	switch {
	case under == nil:
		under = &Node{file: n.file, line: n.line, column: n.column, kind: Mapping, content: &content{}}
		target.Set(key, under)
	case under.kind != Mapping:
		return illegal(path, "%s: Cannot compose dictionary on non-dictionary at %s", n, under)
	}
	return n.compositeOn(under, path)
}

func (n *Node) composeSequenceAt(key string, target, under *Node, path []string) error {
	if under != nil && under.kind != Sequence {
		edits, err := under.isEdits()
		if err != nil {
			return err
		}
		if !edits {
			return &compositeError{path: append([]string(nil), path...),
				message: n.where() + ": List cannot overwrite " + key + " at: " + under.where()}
		}
	}
	if under != nil && under.kind == Sequence && key == conditional {
		// Conditionals are evaluated later; both sides' are.
		under.content.items = append(under.content.items, n.content.items...)
		return nil
	}
	target.Set(key, n.Clone())
	return nil
}

// isEdits says that n is a mapping of list directives alone.
func (n *Node) isEdits() (bool, error) {
	if n.kind != Mapping {
		return false, nil
	}
	directives := 0
	for _, key := range n.content.keys {
		if isDirective(key) {
			directives++
		}
	}
	if directives > 0 && directives < len(n.content.keys) {
		return false, n.Errorf(invalidData,
			"Dictionary contains list composition directives and arbitrary keys")
	}
	return directives > 0, nil
}

// lists are n's directives, nil where absent.
func (n *Node) lists() (replace, prepend, add *Node, err error) {
	for _, directive := range [...]struct {
		key  string
		list **Node
	}{{directiveReplace, &replace}, {directivePrepend, &prepend}, {directiveAppend, &add}} {
		if *directive.list, err = n.GetSequence(directive.key); err != nil {
			return nil, nil, nil, err
		}
	}
	return replace, prepend, add, nil
}

// edit applies n's directives to a list.
func (n *Node) edit(list *Node) error {
	replace, prepend, add, err := n.lists()
	if err != nil {
		return err
	}
	old := list.content.items
	if replace != nil {
		old = replace.content.items
	}
	items := make([]*Node, 0, len(old)+prepend.Len()+add.Len())
	items = append(items, prepend.Items()...)
	items = append(items, old...)
	list.content.items = append(items, add.Items()...)
	return nil
}

// mergeEdits lays n's directives over target's, so that applying the result
// is applying target's and then n's.
func (n *Node) mergeEdits(target *Node) error {
	replace, prepend, add, err := n.lists()
	if err != nil {
		return err
	}
	_, targetPrepend, targetAdd, err := target.lists()
	if err != nil {
		return err
	}
	if replace != nil {
		// A new list: what target prepended or appended is gone with the old.
		target.Set(directiveReplace, replace.shallow())
		replaceEdit(target, directivePrepend, prepend, targetPrepend)
		replaceEdit(target, directiveAppend, add, targetAdd)
		return nil
	}
	if prepend != nil {
		joined := prepend.shallow()
		if targetPrepend != nil {
			joined = targetPrepend.shallow()
			joined.content.items = join(prepend.content.items, targetPrepend.content.items)
		}
		target.Set(directivePrepend, joined)
	}
	if add != nil {
		joined := add.shallow()
		if targetAdd != nil {
			joined = targetAdd.shallow()
			joined.content.items = join(targetAdd.content.items, add.content.items)
		}
		target.Set(directiveAppend, joined)
	}
	return nil
}

func replaceEdit(target *Node, directive string, list, old *Node) {
	switch {
	case list != nil:
		target.Set(directive, list.shallow())
	case old != nil:
		empty := old.shallow()
		empty.content.items = nil
		target.Set(directive, empty)
	}
}

// shallow is a sequence with its own list of the same items.
func (n *Node) shallow() *Node {
	clone := *n
	clone.content = &content{items: append([]*Node(nil), n.content.items...)}
	return &clone
}

func join(a, b []*Node) []*Node {
	return append(append(make([]*Node, 0, len(a)+len(b)), a...), b...)
}

func illegal(path []string, format string, n, under *Node) error {
	message := strings.Replace(format, "%s", n.where(), 1)
	message = strings.Replace(message, "%s", under.where(), 1)
	return &compositeError{path: append([]string(nil), path...), message: message}
}

// pythonList writes a path as the reference does.
func pythonList(path []string) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, s := range path {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("'" + strings.ReplaceAll(s, "'", `\'`) + "'")
	}
	b.WriteByte(']')
	return b.String()
}

// Plain turns n into map[string]any, []any and string for cache keys; a scalar
// without a value is nil.
func (n *Node) Plain() any {
	switch {
	case n == nil || n.none:
		return nil
	case n.kind == Scalar:
		return n.value
	case n.kind == Sequence:
		list := make([]any, len(n.content.items))
		for i, item := range n.content.items {
			list[i] = item.Plain()
		}
		return list
	}
	m := make(map[string]any, len(n.content.keys))
	for i, key := range n.content.keys {
		m[key] = n.content.items[i].Plain()
	}
	return m
}
