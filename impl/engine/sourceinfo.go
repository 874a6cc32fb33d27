package engine

import (
	"bst/impl/element"
	"bst/impl/node"
	"bst/impl/stream"
)

// sourceInfo is what the sources of an element report of where they come from,
// as a YAML list.
func (w *world) sourceInfo(e *element.Element) (string, error) {
	var items []*node.Node
	for _, s := range e.Sources {
		infos, err := s.Info()
		if err != nil {
			return "", err
		}
		if infos == nil {
			if err := w.noSourceInfo(s); err != nil {
				return "", err
			}
		}
		for i := range infos {
			items = append(items, infos[i].Node())
		}
	}
	return node.NewSequence(items, stream.Provenance{}).Dump(), nil
}

// noSourceInfo warns of a kind that does not report, or fails where the project
// makes that warning fatal.
func (w *world) noSourceInfo(s *element.Source) error {
	const token = "unavailable-source-info"
	text := "[" + token + "]: " + s.String() + ": Source.collect_source_info() is not implemented in this plugin"
	if s.Element.Project.WarningIsFatal(token) {
		return &stream.Error{Domain: stream.DomainPlugin, Reason: token, Message: text}
	}
	w.s.say(subject{element: s.Element.FullName, key: w.key(s.Element)}, stream.TypeWarning, nil, text, "")
	return nil
}
