package node

// Clone is a deep copy; scalars are stripped again. What it takes lies in few
// pieces of memory: trees are cloned for every element, and live and die whole.
func (n *Node) Clone() *Node {
	if n == nil {
		return nil
	}
	if n.kind == Scalar {
		clone := *n
		clone.value = strip(n.value)
		return &clone
	}
	var need size
	need.add(n)
	c := cloner{
		nodes:    make([]Node, 0, need.nodes),
		contents: make([]content, 0, need.contents),
		items:    make([]*Node, 0, need.items),
		keys:     make([]string, 0, need.keys),
	}
	return c.clone(n)
}

// size is what a tree takes.
type size struct{ nodes, contents, items, keys int }

func (s *size) add(n *Node) {
	s.nodes++
	if n.kind == Scalar {
		return
	}
	s.contents++
	s.items += len(n.content.items)
	s.keys += len(n.content.keys)
	for _, item := range n.content.items {
		s.add(item)
	}
}

type cloner struct {
	nodes    []Node
	contents []content
	items    []*Node
	keys     []string
}

func (c *cloner) clone(n *Node) *Node {
	c.nodes = append(c.nodes, *n)
	clone := &c.nodes[len(c.nodes)-1]
	if n.kind == Scalar {
		clone.value = strip(n.value)
		return clone
	}
	c.contents = append(c.contents, content{})
	clone.content = &c.contents[len(c.contents)-1]
	// A list's capacity ends with it, so that appending to it copies it.
	start, end := len(c.items), len(c.items)+len(n.content.items)
	c.items = c.items[:end]
	clone.content.items = c.items[start:end:end]
	for i, item := range n.content.items {
		clone.content.items[i] = c.clone(item)
	}
	if n.kind == Mapping {
		start = len(c.keys)
		c.keys = append(c.keys, n.content.keys...)
		clone.content.keys = c.keys[start:len(c.keys):len(c.keys)]
		if n.content.index != nil {
			clone.content.reindex()
		}
	}
	return clone
}
