package frontend

import (
	"bst/impl/node"
	"bst/impl/stream"
)

// workspaces prints bst workspace list's answer in the reference's form, YAML.
func (m *Model) workspaces(e *stream.WorkspacesShown) {
	none := stream.Provenance{}
	var items []*node.Node
	for _, w := range e.Workspaces {
		item := node.NewMapping(none)
		item.Set("element", node.NewScalar(w.Element, none))
		item.Set("directory", node.NewScalar(w.Directory, none))
		items = append(items, item)
	}
	root := node.NewMapping(none)
	root.Set("workspaces", node.NewSequence(items, none))
	m.out.raw(root.Dump())
}
