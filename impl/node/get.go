package node

import (
	"strconv"
	"strings"
	"unicode"
)

// Typed access. The errors' words are the reference's: users and tests know
// them.

const invalidData = "INVALID_DATA"

// IsNone says that n is absent or a scalar without a value.
func (n *Node) IsNone() bool { return n == nil || n.none }

// Str is a scalar's text. LOAD/INVALID_DATA for other kinds.
func (n *Node) Str() (string, error) {
	if n.kind != Scalar {
		return "", n.wrongType(n.name(), "scalar")
	}
	return n.value, nil
}

// Bool takes True true 1 False false 0.
func (n *Node) Bool() (bool, error) { return n.boolAt(n.name()) }

// Int takes what Python's int() takes.
func (n *Node) Int() (int, error) { return n.intAt(n.name()) }

// Text is a scalar's text without a check, "" for other kinds.
func (n *Node) Text() string {
	if n == nil {
		return ""
	}
	return n.value
}

// Len is the number of items of a sequence or of keys of a mapping.
func (n *Node) Len() int {
	if n == nil || n.content == nil {
		return 0
	}
	return len(n.content.items)
}

// Items are a sequence's items or a mapping's values in order; the caller must
// not change the slice.
func (n *Node) Items() []*Node {
	if n == nil || n.content == nil {
		return nil
	}
	return n.content.items
}

// Strs is a sequence's scalars. LOAD/INVALID_DATA where an item is no scalar.
func (n *Node) Strs() ([]string, error) {
	if n.Len() == 0 {
		return nil, nil
	}
	strs := make([]string, 0, n.Len())
	for _, item := range n.content.items {
		if item.kind != Scalar {
			return nil, item.Errorf(invalidData, "List item is not of the expected type 'scalar'")
		}
		strs = append(strs, item.value)
	}
	return strs, nil
}

// Append adds an item to a sequence.
func (n *Node) Append(item *Node) { n.content.items = append(n.content.items, item) }

// Keys in order; the caller must not change the slice.
func (n *Node) Keys() []string {
	if n == nil || n.content == nil {
		return nil
	}
	return n.content.keys
}

// Get is the value at key, nil where there is none or n is no mapping.
func (n *Node) Get(key string) *Node {
	if n == nil || n.kind != Mapping {
		return nil
	}
	if i := n.content.find(key); i >= 0 {
		return n.content.items[i]
	}
	return nil
}

// Set replaces or appends.
func (n *Node) Set(key string, v *Node) {
	c := n.content
	if i := c.find(key); i >= 0 {
		c.items[i] = v
		return
	}
	c.add(key, v)
}

// Delete removes key where it is.
func (n *Node) Delete(key string) {
	c := n.content
	i := c.find(key)
	if i < 0 {
		return
	}
	c.keys = append(c.keys[:i], c.keys[i+1:]...)
	copy(c.items[i:], c.items[i+1:])
	c.items[len(c.items)-1] = nil
	c.items = c.items[:len(c.items)-1]
	if c.index != nil {
		c.reindex()
	}
}

// searched is the largest mapping that is searched from end to end: up to
// there that is as fast as a map, and it takes no memory.
const searched = 16

func (c *content) find(key string) int {
	if c.index != nil {
		if i, ok := c.index[key]; ok {
			return i
		}
		return -1
	}
	for i, k := range c.keys {
		if k == key {
			return i
		}
	}
	return -1
}

func (c *content) add(key string, v *Node) {
	c.keys = append(c.keys, key)
	c.items = append(c.items, v)
	switch {
	case c.index != nil:
		c.index[key] = len(c.keys) - 1
	case len(c.keys) > searched:
		c.reindex()
	}
}

func (c *content) reindex() {
	c.index = make(map[string]int, len(c.keys)+1)
	for i, k := range c.keys {
		c.index[k] = i
	}
}

// Need is Get, with LOAD/INVALID_DATA where the key is absent.
func (n *Node) Need(key string) (*Node, error) {
	if v := n.Get(key); v != nil {
		return v, nil
	}
	return nil, n.Errorf(invalidData, "Dictionary did not contain expected key '%s'", key)
}

// GetStr, GetBool, GetInt, GetStrs, GetMapping and GetSequence give a typed
// value at key, or the default where the key is absent (nil for the last
// three). LOAD/INVALID_DATA with provenance where the value has another type.
func (n *Node) GetStr(key, def string) (string, error) {
	v := n.Get(key)
	if v == nil {
		return def, nil
	}
	if v.kind != Scalar {
		return "", v.wrongType(key, "scalar")
	}
	return v.value, nil
}

// GetBool is described at GetStr.
func (n *Node) GetBool(key string, def bool) (bool, error) {
	if v := n.Get(key); v != nil {
		return v.boolAt(key)
	}
	return def, nil
}

// GetInt is described at GetStr.
func (n *Node) GetInt(key string, def int) (int, error) {
	if v := n.Get(key); v != nil {
		return v.intAt(key)
	}
	return def, nil
}

// GetStrs is described at GetStr.
func (n *Node) GetStrs(key string) ([]string, error) {
	v, err := n.GetSequence(key)
	if err != nil {
		return nil, err
	}
	return v.Strs()
}

// GetMapping is described at GetStr.
func (n *Node) GetMapping(key string) (*Node, error) {
	v := n.Get(key)
	if v != nil && v.kind != Mapping {
		return nil, v.wrongType(key, "dict")
	}
	return v, nil
}

// GetSequence is described at GetStr.
func (n *Node) GetSequence(key string) (*Node, error) {
	v := n.Get(key)
	if v != nil && v.kind != Sequence {
		return nil, v.wrongType(key, "list")
	}
	return v, nil
}

// NeedStr is GetStr, with an error where the key is absent.
func (n *Node) NeedStr(key string) (string, error) {
	if _, err := n.Need(key); err != nil {
		return "", err
	}
	return n.GetStr(key, "")
}

// ValidateKeys gives LOAD/INVALID_DATA at the first key that is not listed:
// "file [line L column C]: Unexpected key: xyz".
func (n *Node) ValidateKeys(valid ...string) error {
	for i, key := range n.Keys() {
		if !contains(valid, key) {
			return n.content.items[i].Errorf(invalidData, "Unexpected key: %s", key)
		}
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, one := range list {
		if one == s {
			return true
		}
	}
	return false
}

func (n *Node) wrongType(name, want string) error {
	return n.Errorf(invalidData, "Value of '%s' is not of the expected type '%s'", name, want)
}

func (n *Node) boolAt(name string) (bool, error) {
	if n.kind != Scalar {
		return false, n.wrongType(name, "scalar")
	}
	switch n.value {
	case "True", "true", "1":
		return true, nil
	case "False", "false", "0":
		return false, nil
	}
	return false, n.wrongType(name, "boolean")
}

func (n *Node) intAt(name string) (int, error) {
	if n.kind != Scalar {
		return 0, n.wrongType(name, "scalar")
	}
	if i, ok := pythonInt(n.value); ok {
		return i, nil
	}
	return 0, n.wrongType(name, "int")
}

// pythonInt is int(s) for the base 10: a sign, digits of any script, single
// underscores between digits. A number that no int holds is refused.
func pythonInt(s string) (int, bool) {
	s = strings.TrimFunc(s, isPythonSpace)
	digits := make([]byte, 0, len(s))
	after := false // a digit stands before
	for i, r := range s {
		switch {
		case (r == '+' || r == '-') && i == 0:
			digits = append(digits, byte(r))
		case r == '_' && after:
			after = false
		case r >= '0' && r <= '9':
			digits, after = append(digits, byte(r)), true
		case r > 0x7f && unicode.Is(unicode.Nd, r):
			digits, after = append(digits, '0'+byte(digitValue(r))), true
		default:
			return 0, false
		}
	}
	if !after {
		return 0, false
	}
	i, err := strconv.Atoi(string(digits))
	return i, err == nil
}

// digitValue is the value of a decimal digit: Unicode lists each script's ten
// digits in order, starting where no digit precedes or ten have gone by.
func digitValue(r rune) int {
	for _, span := range unicode.Nd.R16 {
		if rune(span.Lo) <= r && r <= rune(span.Hi) {
			return int(r-rune(span.Lo)) % 10
		}
	}
	for _, span := range unicode.Nd.R32 {
		if rune(span.Lo) <= r && r <= rune(span.Hi) {
			return int(r-rune(span.Lo)) % 10
		}
	}
	return 0
}

// name is what n is called in its file: its key, or its place in a list.
func (n *Node) name() string {
	if n.file != nil && n.file.root != nil {
		if path, ok := n.file.root.find(n, nil); ok && len(path) > 0 {
			last := path[len(path)-1]
			if last.key == "" {
				return strconv.Itoa(last.index)
			}
			return last.key
		}
	}
	return n.value
}

// step is one step of a path: a key, or an index where the key is empty.
type step struct {
	key   string
	index int
}

// find is the path from n to the node that stands where target does.
func (n *Node) find(target *Node, path []step) ([]step, bool) {
	if n.file == target.file && n.line == target.line && n.column == target.column {
		return path, true
	}
	for i, item := range n.Items() {
		s := step{index: i}
		if n.kind == Mapping {
			s.key = n.content.keys[i]
		}
		if found, ok := item.find(target, append(path, s)); ok {
			return found, true
		}
	}
	return nil, false
}
