package node

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"syscall"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"

	"bst/impl/rawfile"
	"bst/impl/stream"
)

const (
	// maxFile bounds what a project file may hold; real ones are kilobytes.
	maxFile = 64 << 20
	// maxDepth bounds how deep collections may lie in each other, so that what
	// walks them may recurse.
	maxDepth = 500
)

const invalidYAML = "INVALID_YAML"

// Load parses a file. shown is its name as the user should see it.
// Errors: LOAD/MISSING_FILE, LOADING_DIRECTORY, INVALID_YAML (broken,
// duplicate keys, anchors, several documents, root not a mapping).
func Load(path, shown string) (*Node, error) {
	n, err := parseFile(path, shown)
	var e *stream.Error
	switch {
	case err == nil || errors.As(err, &e):
		return n, err
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return nil, loadError("MISSING_FILE", "Could not find file at "+path)
	case errors.Is(err, syscall.EISDIR):
		return nil, loadError("LOADING_DIRECTORY", path+" is a directory")
	}
	e = loadError("MISSING_FILE", "Could not read file at "+path+": "+rootCause(err))
	e.Cause = err.Error()
	return nil, e
}

// buffers are what files are read into: nothing of them is kept.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

// largestKept is up to what size a buffer is worth keeping.
const largestKept = 1 << 20

func parseFile(path, shown string) (*Node, error) {
	buffer := buffers.Get().(*[]byte)
	defer func() {
		if cap(*buffer) <= largestKept {
			buffers.Put(buffer)
		}
	}()
	data, err := rawfile.Append(path, (*buffer)[:0], maxFile+1)
	*buffer = data
	if err != nil && err != io.ErrShortBuffer {
		return nil, err
	}
	root, err := Parse(data, shown)
	if err == nil && root.file != nil {
		root.file.path = path
	}
	return root, err
}

func rootCause(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err.Error()
	}
	return err.Error()
}

// Parse is Load on bytes.
func Parse(data []byte, shown string) (*Node, error) {
	if len(data) > maxFile {
		return nil, loadError(invalidYAML, shown+": YAML file is too large")
	}
	if root := parsePlain(string(data), shown); root != nil {
		return root, nil
	}
	return parseYAML(data, shown)
}

// parseYAML parses all that YAML allows, by the library.
func parseYAML(data []byte, shown string) (*Node, error) {
	var tree yaml.Node
	loader, err := yaml.NewLoader(bytes.NewReader(data), loaderOptions...)
	if err == nil {
		err = loader.Load(&tree)
	}
	if err == io.EOF {
		// No document, only comments or nothing: an empty mapping.
		f := &file{name: shown}
		f.root = &Node{file: f, kind: Mapping, line: 1, content: &content{}}
		return f.root, nil
	}
	if err != nil {
		return nil, malformed(shown, "Severely malformed", err.Error())
	}
	root, err := convert(&tree, shown)
	if err != nil {
		return nil, malformed(shown, "Malformed", err.Error())
	}
	switch err := loader.Load(&tree); {
	case err == io.EOF:
		return root, nil
	case err != nil:
		return nil, malformed(shown, "Severely malformed", err.Error())
	}
	return nil, malformed(shown, "Malformed", "Zero, or more than one document found in YAML stream")
}

func malformed(shown, how, problem string) *stream.Error {
	return loadError(invalidYAML, shown+": "+how+" YAML:\n\n"+problem+"\n\n")
}

// loaderOptions are the parser's, made once: every file has the same.
var loaderOptions = []yaml.Option{
	yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth))),
}

// converter turns the parser's tree into ours. All nodes of a file lie in one
// piece of memory: they live and die together.
type converter struct {
	file  *file
	nodes []Node
	// items holds the lists of all collections.
	items []*Node
	keys  []string
}

// convert checks what BuildStream allows and YAML does not.
func convert(tree *yaml.Node, shown string) (*Node, error) {
	if tree.Kind == yaml.DocumentNode && len(tree.Content) == 1 {
		tree = tree.Content[0]
	}
	if tree.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("Expected a dictionary at the top level at line %d column %d",
			tree.Line-1, tree.Column-1)
	}
	var count counts
	count.add(tree)
	c := &converter{
		file:  &file{name: shown},
		nodes: make([]Node, 0, count.nodes),
		items: make([]*Node, 0, count.items),
		keys:  make([]string, 0, count.keys),
	}
	root, err := c.node(tree)
	c.file.root = root
	return root, err
}

// counts is what a tree needs.
type counts struct{ nodes, items, keys int }

func (c *counts) add(n *yaml.Node) {
	c.nodes++
	switch n.Kind {
	case yaml.MappingNode:
		c.items += len(n.Content) / 2
		c.keys += len(n.Content) / 2
		for i := 1; i < len(n.Content); i += 2 {
			c.add(n.Content[i])
		}
	case yaml.SequenceNode:
		c.items += len(n.Content)
		for _, item := range n.Content {
			c.add(item)
		}
	}
}

func (c *converter) node(n *yaml.Node) (*Node, error) {
	if err := allowed(n); err != nil {
		return nil, err
	}
	c.nodes = append(c.nodes, Node{file: c.file, line: int32(n.Line), column: int32(n.Column - 1)})
	node := &c.nodes[len(c.nodes)-1]
	switch n.Kind {
	case yaml.ScalarNode:
		node.value = intern(strip(n.Value))
		return node, nil
	case yaml.SequenceNode:
		node.kind = Sequence
		node.content = &content{items: c.list(len(n.Content))}
		for i, child := range n.Content {
			item, err := c.node(child)
			if err != nil {
				return nil, err
			}
			node.content.items[i] = item
		}
		return node, nil
	case yaml.MappingNode:
		node.kind = Mapping
		return node, c.mapping(node, n)
	}
	return nil, fmt.Errorf("Invalid input detected at line %d column %d", n.Line-1, n.Column-1)
}

func (c *converter) mapping(node *Node, n *yaml.Node) error {
	size := len(n.Content) / 2
	start := len(c.keys)
	keys := c.keys[start : start : start+size]
	c.keys = c.keys[:start+size]
	node.content = &content{items: c.list(size)[:0], keys: keys}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if err := allowed(key); err != nil {
			return err
		}
		if key.Kind != yaml.ScalarNode {
			return fmt.Errorf("Invalid input detected. Keys must be strings at line %d column %d",
				key.Line-1, key.Column-1)
		}
		if node.content.find(key.Value) >= 0 {
			return fmt.Errorf("Duplicate key %s at line %d column %d", key.Value, key.Line-1, key.Column-1)
		}
		item, err := c.node(n.Content[i+1])
		if err != nil {
			return err
		}
		node.content.add(intern(key.Value), item)
	}
	return nil
}

// list takes a list of the given length out of the common piece. Its capacity
// ends with it, so that appending to it copies it.
func (c *converter) list(size int) []*Node {
	start := len(c.items)
	c.items = c.items[:start+size]
	return c.items[start : start+size : start+size]
}

// allowed refuses anchors, aliases and tags that are not YAML's own.
func allowed(n *yaml.Node) error {
	if n.Anchor != "" || n.Kind == yaml.AliasNode {
		return fmt.Errorf("Anchors are disallowed in BuildStream at line %d column %d", n.Line-1, n.Column-1)
	}
	if n.Kind == yaml.ScalarNode && n.Tag != "" && !strings.HasPrefix(n.Tag, "!!") {
		return fmt.Errorf("Non-core tag expressed in input.  "+
			"This is disallowed in BuildStream. At line %d column %d", n.Line-1, n.Column-1)
	}
	return nil
}
