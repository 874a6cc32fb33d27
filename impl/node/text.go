package node

// SetText replaces the text of a scalar in place, as it stands: what variables
// expand to is not stripped, unlike what was read from a file.
func (n *Node) SetText(value string) {
	if n.kind == Scalar {
		n.value, n.none = value, false
	}
}
