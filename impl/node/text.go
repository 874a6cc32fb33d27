package node

// SetText changes a scalar in place: variables are expanded so. The text is
// not stripped; Clone strips it.
func (n *Node) SetText(text string) { n.value, n.none = text, false }
