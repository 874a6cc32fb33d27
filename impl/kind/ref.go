package kind

import (
	"bst/impl/node"
	"bst/impl/stream"
)

// Refs as Tracker gives them. They stand in no file yet.

// TextRef is a ref that is one text, under the key "ref"; nil for none.
func TextRef(text string) *node.Node {
	if text == "" {
		return nil
	}
	return RefOf(node.NewVerbatim(text))
}

// RefOf is a ref that is some value, under the key "ref".
func RefOf(value *node.Node) *node.Node {
	ref := node.NewMapping(stream.Provenance{})
	ref.Set("ref", value)
	return ref
}

// ListOf is a list of values.
func ListOf(items []*node.Node) *node.Node { return node.NewSequence(items, stream.Provenance{}) }

// Texts is a mapping of keys to texts, which follow each other.
func Texts(pairs ...string) *node.Node {
	m := node.NewMapping(stream.Provenance{})
	for i := 0; i < len(pairs); i += 2 {
		m.Set(pairs[i], node.NewVerbatim(pairs[i+1]))
	}
	return m
}

// Truth is a truth value as Python writes it.
func Truth(is bool) string {
	if is {
		return "True"
	}
	return "False"
}
