// Package yamledit changes single values in the text of YAML files. All else in
// the text stays as a person wrote it: comments, order, quotes and blank lines.
//
// It knows where values stand and how one is written in another's place. It does
// not know what values mean, nor files. What it returns has been read again:
// where the text would not say what was asked for, it is an error instead.
package yamledit

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"bst/impl/node"

	"go.yaml.in/yaml/v4"
)

// Path leads from the root to a value: a string is a key, an int an index.
type Path []any

// ErrNowhere says that no value stands where one was looked for.
var ErrNowhere = errors.New("no value stands there")

// At is the path of the value that stands at a place of the text: lines count
// from 1, columns from 0, in characters.
func At(text []byte, line, column int) (Path, error) {
	f, err := parse(text)
	if err != nil {
		return nil, err
	}
	if f.root != nil {
		if path, ok := find(f.root, line, column+1, nil); ok {
			return path, nil
		}
	}
	return nil, fmt.Errorf("line %d column %d: %w", line, column, ErrNowhere)
}

// Text is the text of the scalar at a path.
func Text(text []byte, path Path) (string, error) {
	f, err := parse(text)
	if err != nil {
		return "", err
	}
	there, rest := f.walk(path)
	at := there[len(there)-1].node
	if len(rest) > 0 || at == nil || at.Kind != yaml.ScalarNode {
		return "", ErrNowhere
	}
	return at.Value, nil
}

// find prefers the outermost value: a block mapping begins where its first key
// does, and a key is no value.
func find(n *yaml.Node, line, column int, path Path) (Path, bool) {
	if n.Line == line && n.Column == column {
		return path, true
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 1; i < len(n.Content); i += 2 {
			if found, ok := find(n.Content[i], line, column, append(slices.Clip(path), n.Content[i-1].Value)); ok {
				return found, true
			}
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			if found, ok := find(item, line, column, append(slices.Clip(path), i)); ok {
				return found, true
			}
		}
	}
	return nil, false
}

// Update makes the value at path what is asked for, and changes what differs
// alone: of a mapping in place of a mapping, the keys one by one. What does not
// exist on the way is made; a list is filled up with empty mappings.
func Update(text []byte, path Path, value *node.Node) ([]byte, error) {
	if len(path) == 0 {
		return nil, errors.New("a file is not replaced as a whole")
	}
	f, err := parse(text)
	if err != nil {
		return nil, err
	}
	there, rest := f.walk(path)
	old := there[len(there)-1].node
	if len(rest) > 0 || old.Kind != yaml.MappingNode || len(old.Content) == 0 || value.Kind() != node.Mapping || value.Len() == 0 {
		if len(rest) == 0 && reflect.DeepEqual(plain(old), plainNode(value)) {
			return text, nil
		}
		return set(text, path, value)
	}
	var gone []string
	for i := 0; i < len(old.Content); i += 2 {
		if value.Get(old.Content[i].Value) == nil {
			gone = append(gone, old.Content[i].Value)
		}
	}
	// First what is new, so that a mapping is never left empty on the way.
	for i, key := range value.Keys() {
		if text, err = Update(text, append(slices.Clip(path), key), value.Items()[i]); err != nil {
			return nil, err
		}
	}
	for _, key := range gone {
		if text, err = Remove(text, append(slices.Clip(path), key)); err != nil {
			return nil, err
		}
	}
	return text, nil
}

// Remove takes a key out of its mapping. One that is not there is no error.
func Remove(text []byte, path Path) ([]byte, error) {
	f, err := parse(text)
	if err != nil {
		return nil, err
	}
	there, rest := f.walk(path)
	if len(rest) > 0 {
		return text, nil
	}
	if _, ok := path[len(path)-1].(string); !ok {
		return nil, errors.New("only keys are removed")
	}
	want, _ := change(plain(f.root), path, nil)
	return f.checked(f.remove(there[len(there)-2], there[len(there)-1]), want)
}

func set(text []byte, path Path, value *node.Node) ([]byte, error) {
	f, err := parse(text)
	if err != nil {
		return nil, err
	}
	var before any
	if f.root != nil {
		before = plain(f.root)
	}
	want, err := change(before, path, plainNode(value))
	if err != nil {
		return nil, err
	}
	there, rest := f.walk(path)
	at := there[len(there)-1]
	if len(rest) == 0 {
		return f.checked(f.replace(at, value), want)
	}
	value = nested(rest[1:], value)
	switch step := rest[0].(type) {
	case string:
		if at.node == nil || at.node.Kind != yaml.MappingNode {
			value = mappingOf(step, value)
			return f.checked(f.replace(at, value), want)
		}
		return f.checked(f.addKey(at, step, value), want)
	case int:
		var items []*node.Node
		have := 0
		if at.node.Kind == yaml.SequenceNode {
			have = len(at.node.Content)
		}
		for range step - have {
			items = append(items, node.NewMapping(noPlace))
		}
		items = append(items, value)
		if have == 0 {
			return f.checked(f.replace(at, node.NewSequence(items, noPlace)), want)
		}
		return f.checked(f.addItems(at, items), want)
	}
	return nil, fmt.Errorf("%v is no step of a path", rest[0])
}

// checked reads the changed text and compares it with what it is to say.
func (f *file) checked(text []byte, want any) ([]byte, error) {
	again, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("the changed text would be no YAML: %w", err)
	}
	if !reflect.DeepEqual(plain(again.root), want) {
		return nil, errors.New("the changed text would say something else than was asked for")
	}
	return text, nil
}

// plain is a tree without places and styles.
func plain(n *yaml.Node) any {
	if n == nil {
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		for i := 1; i < len(n.Content); i += 2 {
			m[n.Content[i-1].Value] = plain(n.Content[i])
		}
		return m
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			list[i] = plain(item)
		}
		return list
	}
	return n.Value
}

func plainNode(n *node.Node) any {
	switch n.Kind() {
	case node.Mapping:
		m := make(map[string]any, n.Len())
		for i, key := range n.Keys() {
			m[key] = plainNode(n.Items()[i])
		}
		return m
	case node.Sequence:
		list := make([]any, n.Len())
		for i, item := range n.Items() {
			list[i] = plainNode(item)
		}
		return list
	}
	return n.Text()
}

// change does to a tree what is done to the text; a nil value removes.
func change(tree any, path Path, value any) (any, error) {
	if len(path) == 0 {
		return value, nil
	}
	switch step := path[0].(type) {
	case string:
		m, ok := tree.(map[string]any)
		if !ok {
			if _, list := tree.([]any); list {
				return nil, fmt.Errorf("'%s' is to be a key where a list stands", step)
			}
			m = map[string]any{}
		}
		if len(path) == 1 && value == nil {
			delete(m, step)
			return m, nil
		}
		inner, err := change(m[step], path[1:], value)
		m[step] = inner
		return m, err
	case int:
		list, ok := tree.([]any)
		if !ok {
			if m, mapping := tree.(map[string]any); mapping && len(m) > 0 {
				return nil, fmt.Errorf("%d is to be an index where a mapping stands", step)
			}
		}
		if step < 0 || step > maxIndex {
			return nil, fmt.Errorf("%d is no index", step)
		}
		for len(list) <= step {
			list = append(list, map[string]any{})
		}
		inner, err := change(list[step], path[1:], value)
		list[step] = inner
		return list, err
	}
	return nil, fmt.Errorf("%v is no step of a path", path[0])
}

// maxIndex bounds up to where a list is filled.
const maxIndex = 100_000

// nested puts a value where the rest of a path leads to.
func nested(rest Path, value *node.Node) *node.Node {
	for _, step := range slices.Backward(rest) {
		switch step := step.(type) {
		case string:
			value = mappingOf(step, value)
		case int:
			items := make([]*node.Node, 0, step+1)
			for range step {
				items = append(items, node.NewMapping(noPlace))
			}
			value = node.NewSequence(append(items, value), noPlace)
		}
	}
	return value
}

func mappingOf(key string, value *node.Node) *node.Node {
	m := node.NewMapping(noPlace)
	m.Set(key, value)
	return m
}
