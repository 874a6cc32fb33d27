// Package node holds YAML as BuildStream sees it: mappings, sequences and
// scalars, each of which knows where it came from.
//
// It knows composition and its directives. It does not know what a project or
// an element is, nor where files lie.
package node

import "bst/impl/stream"

// Kind is what a node is.
type Kind uint8

const (
	Scalar Kind = iota
	Sequence
	Mapping
)

// Node is one node. All scalars are strings, stripped of white space around
// them. A nil *Node stands for "absent": the Get methods of a nil mapping find
// nothing.
type Node struct {
	kind Kind
	// (implementation to come: value, items, keys in order, file, line, column)
}

// Kind tells what n is.
func (n *Node) Kind() Kind { panic("to be written") }

// Provenance is where n was found.
func (n *Node) Provenance() stream.Provenance { panic("to be written") }

// Load parses a file. shown is its name as the user should see it.
// Errors: LOAD/MISSING_FILE, LOADING_DIRECTORY, INVALID_YAML (broken,
// duplicate keys, anchors, several documents, root not a mapping).
func Load(path, shown string) (*Node, error) { panic("to be written") }

// Parse is Load on bytes.
func Parse(data []byte, shown string) (*Node, error) { panic("to be written") }

// New* make synthetic nodes; prov may be the zero value.
func NewScalar(value string, prov stream.Provenance) *Node    { panic("to be written") }
func NewSequence(items []*Node, prov stream.Provenance) *Node { panic("to be written") }
func NewMapping(prov stream.Provenance) *Node                 { panic("to be written") }

// --- scalars

// IsNone says that a scalar is YAML's null (or was made so).
func (n *Node) IsNone() bool { panic("to be written") }

// Str is a scalar's text. LOAD/INVALID_DATA for other kinds.
func (n *Node) Str() (string, error) { panic("to be written") }

// Bool takes True true 1 False false 0.
func (n *Node) Bool() (bool, error) { panic("to be written") }

// Int takes what Python's int() takes.
func (n *Node) Int() (int, error) { panic("to be written") }

// Text is a scalar's text without a check, "" for other kinds.
func (n *Node) Text() string { panic("to be written") }

// --- sequences

// Len is the number of items of a sequence or of keys of a mapping.
func (n *Node) Len() int { panic("to be written") }

// Items are a sequence's items; the caller must not change the slice.
func (n *Node) Items() []*Node { panic("to be written") }

// Strs is a sequence's scalars. LOAD/INVALID_DATA where an item is no scalar.
func (n *Node) Strs() ([]string, error) { panic("to be written") }

// --- mappings

// Keys in order; the caller must not change the slice.
func (n *Node) Keys() []string { panic("to be written") }

// Get is the value at key, nil where there is none.
func (n *Node) Get(key string) *Node { panic("to be written") }

// Set replaces or appends; Delete removes.
func (n *Node) Set(key string, v *Node) { panic("to be written") }
func (n *Node) Delete(key string)       { panic("to be written") }

// Need is Get, with LOAD/INVALID_DATA where the key is absent.
func (n *Node) Need(key string) (*Node, error) { panic("to be written") }

// GetStr, GetBool, GetInt, GetStrs, GetMapping, GetSequence give a typed value
// at key, or the default where the key is absent (nil for the last three).
// LOAD/INVALID_DATA with provenance where the value has another type.
func (n *Node) GetStr(key, def string) (string, error)     { panic("to be written") }
func (n *Node) GetBool(key string, def bool) (bool, error) { panic("to be written") }
func (n *Node) GetInt(key string, def int) (int, error)    { panic("to be written") }
func (n *Node) GetStrs(key string) ([]string, error)       { panic("to be written") }
func (n *Node) GetMapping(key string) (*Node, error)       { panic("to be written") }
func (n *Node) GetSequence(key string) (*Node, error)      { panic("to be written") }

// NeedStr is GetStr, with an error where the key is absent.
func (n *Node) NeedStr(key string) (string, error) { panic("to be written") }

// ValidateKeys gives LOAD/INVALID_DATA at the first key that is not listed:
// "file [line L column C]: Unexpected key: xyz".
func (n *Node) ValidateKeys(valid ...string) error { panic("to be written") }

// --- composition (reference part B; _yaml and node.pyx)

// Clone is a deep copy (scalars are stripped again).
func (n *Node) Clone() *Node { panic("to be written") }

// Composite lays n over target: scalars replace, lists replace, mappings merge,
// (<) (>) (=) edit. target is changed. LOAD/ILLEGAL_COMPOSITE.
func (n *Node) Composite(target *Node) error { panic("to be written") }

// CompositeUnder lays n under target: values of target win.
func (n *Node) CompositeUnder(target *Node) error { panic("to be written") }

// AssertFullyComposited gives LOAD/TRAILING_LIST_DIRECTIVE where a list
// directive is left over.
func (n *Node) AssertFullyComposited() error { panic("to be written") }

// Plain turns n into map[string]any, []any and string for cache keys.
func (n *Node) Plain() any { panic("to be written") }

// Dump writes n as YAML in the reference's style (ruamel's round-trip dump).
func (n *Node) Dump() string { panic("to be written") }

// Errorf makes LOAD/<reason> with n's provenance before the message.
func (n *Node) Errorf(reason, format string, args ...any) *stream.Error { panic("to be written") }
