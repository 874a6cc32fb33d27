// Package node holds YAML as BuildStream sees it: mappings, sequences and
// scalars, each of which knows where it came from.
//
// It knows composition and its directives. It does not know what a project or
// an element is, nor where files lie.
package node

import (
	"fmt"
	"strings"

	"bst/impl/stream"
)

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
//
// A project has hundreds of thousands of them, so a scalar takes 48 bytes: the
// name of its file is shared, and what only collections have lies behind one
// pointer.
type Node struct {
	file *file
	// value is a scalar's text.
	value string
	// content is set in sequences and mappings.
	content *content
	// line counts from 1. column counts from 0, and is negative in a node that
	// no place in the file belongs to.
	line, column int32
	kind         Kind
	// none marks a scalar without a value. YAML text never makes one: there,
	// even null is the string "null".
	none bool
}

// file is what the nodes of one file share.
type file struct {
	// name is what the user sees, path where the file lies; "" for text that is of
	// no file.
	name, path string
	// root is the document; errors look the name of a value up in it.
	root *Node
}

// content is what a collection holds. A mapping has keys[i] for items[i].
type content struct {
	items []*Node
	keys  []string
	// index finds keys in mappings that are too large to be searched from end
	// to end. It is nil in all others.
	index map[string]int
}

// Kind tells what n is.
func (n *Node) Kind() Kind { return n.kind }

// Provenance is where n was found: the zero value for a node without a file, a
// negative column for one that was made on behalf of a file.
func (n *Node) Provenance() stream.Provenance {
	if n == nil || n.file == nil {
		return stream.Provenance{}
	}
	return stream.Provenance{File: n.file.name, Line: int(n.line), Column: int(n.column)}
}

// Path is where the file lies that n was read from by Load, "" for none.
func (n *Node) Path() string {
	if n == nil || n.file == nil || n.column < 0 {
		return ""
	}
	return n.file.path
}

// NewScalar makes a synthetic scalar; prov may be the zero value.
func NewScalar(value string, prov stream.Provenance) *Node {
	n := synthetic(Scalar, prov)
	n.value = strip(value)
	return n
}

// NewVerbatim makes a synthetic scalar whose text is kept as it is, white space
// around it included.
func NewVerbatim(value string) *Node {
	n := synthetic(Scalar, stream.Provenance{})
	n.value = value
	return n
}

// NewNone makes a scalar without a value.
func NewNone(prov stream.Provenance) *Node {
	n := synthetic(Scalar, prov)
	n.none = true
	return n
}

// NewSequence makes a synthetic sequence, which owns items from now on.
func NewSequence(items []*Node, prov stream.Provenance) *Node {
	n := synthetic(Sequence, prov)
	n.content.items = items
	return n
}

// NewMapping makes an empty synthetic mapping.
func NewMapping(prov stream.Provenance) *Node { return synthetic(Mapping, prov) }

func synthetic(kind Kind, prov stream.Provenance) *Node {
	n := &Node{kind: kind, line: int32(prov.Line), column: int32(prov.Column)}
	if prov.File != "" {
		n.file = &file{name: prov.File}
	}
	if kind != Scalar {
		n.content = &content{}
	}
	return n
}

// Errorf makes LOAD/<reason> with n's provenance before the message. A node
// without a file adds nothing.
func (n *Node) Errorf(reason, format string, args ...any) *stream.Error {
	return loadError(reason, n.prefix()+fmt.Sprintf(format, args...))
}

// prefix is n's provenance as errors begin with it, "" where it has none.
func (n *Node) prefix() string {
	if n == nil || n.file == nil {
		return ""
	}
	return n.where() + ": "
}

// where is n's provenance in the reference's words.
func (n *Node) where() string {
	switch {
	case n.file == nil:
		return "[synthetic node]"
	case n.column < 0:
		return n.file.name + " [synthetic node]"
	}
	return n.Provenance().String()
}

func loadError(reason, message string) *stream.Error {
	return &stream.Error{Domain: stream.DomainLoad, Reason: reason, Message: message}
}

// strip removes what Python's str.strip does: Unicode white space and the
// four separators that Unicode does not call so.
func strip(s string) string {
	if s == "" || isPrint(s[0]) && isPrint(s[len(s)-1]) {
		return s
	}
	return strings.TrimFunc(s, isPythonSpace)
}

func isPrint(c byte) bool { return c > ' ' && c < 0x7f }
