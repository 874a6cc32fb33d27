package yamledit

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"bst/impl/node"
	"bst/impl/stream"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// Where things stand in the text. The library tells where a value begins; where
// it ends is worked out here.

var noPlace stream.Provenance

// maxDepth bounds how deep collections lie in each other.
const maxDepth = 500

// file is a text and what stands in it.
type file struct {
	text []byte
	// lines are the offsets at which lines begin.
	lines []int
	// newline ends a line.
	newline string
	// root is nil for a text without a document.
	root *yaml.Node
}

func parse(text []byte) (*file, error) {
	f := &file{text: text, newline: "\n"}
	if bytes.Contains(text, []byte("\r\n")) {
		f.newline = "\r\n"
	}
	for at := 0; ; {
		f.lines = append(f.lines, at)
		next := bytes.IndexByte(text[at:], '\n')
		if next < 0 {
			break
		}
		at += next + 1
	}
	var tree yaml.Node
	loader, err := yaml.NewLoader(bytes.NewReader(text), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth))))
	if err == nil {
		err = loader.Load(&tree)
	}
	if err == io.EOF {
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	f.root = &tree
	if tree.Kind == yaml.DocumentNode && len(tree.Content) == 1 {
		f.root = tree.Content[0]
	}
	if f.root.Kind != yaml.MappingNode {
		return nil, errors.New("expected a dictionary at the top level")
	}
	return f, nil
}

// offset is where a node begins, in bytes.
func (f *file) offset(n *yaml.Node) int {
	if n.Line < 1 || n.Line > len(f.lines) {
		return len(f.text)
	}
	at := f.lines[n.Line-1]
	for range n.Column - 1 {
		if at >= len(f.text) {
			break
		}
		_, size := utf8.DecodeRune(f.text[at:])
		at += size
	}
	return at
}

// place is a value and what is around it.
type place struct {
	node *yaml.Node
	// key is set in a mapping, and parent but at the root.
	key, parent *yaml.Node
	// indent is the column, from 0, of the key or of the dash before the value;
	// -1 at the root.
	indent int
	// flow says that the value stands between brackets.
	flow bool
}

// walk follows a path as far as there is something. The first place is the
// root's, with a nil node where the text has no document.
func (f *file) walk(path Path) (there []place, rest Path) {
	at := place{node: f.root, indent: -1}
	there = append(there, at)
	for i, step := range path {
		if at.node == nil {
			return there, path[i:]
		}
		next := place{parent: at.node, flow: at.flow || isFlow(at.node)}
		switch step := step.(type) {
		case string:
			if at.node.Kind != yaml.MappingNode {
				return there, path[i:]
			}
			for k := 0; k+1 < len(at.node.Content); k += 2 {
				if at.node.Content[k].Value == step {
					next.key, next.node = at.node.Content[k], at.node.Content[k+1]
					next.indent = next.key.Column - 1
				}
			}
		case int:
			if at.node.Kind == yaml.SequenceNode && step >= 0 && step < len(at.node.Content) {
				next.node, next.indent = at.node.Content[step], at.node.Column-1
			}
		}
		if next.node == nil {
			return there, path[i:]
		}
		at = next
		there = append(there, at)
	}
	return there, nil
}

func isFlow(n *yaml.Node) bool {
	return (n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode) && n.Style&yaml.FlowStyle != 0
}

// empty says that nothing is written for a value: "key:".
func (f *file) empty(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "" && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
}

// afterKey is behind the colon of a key.
func (f *file) afterKey(key *yaml.Node, flow bool) int {
	at := f.keyEnd(key, flow)
	for at < len(f.text) && f.text[at] != ':' {
		at++
	}
	return min(at+1, len(f.text))
}

// keyEnd is behind the last character of a key.
func (f *file) keyEnd(key *yaml.Node, flow bool) int {
	at := f.offset(key)
	for i := at; i < len(f.text) && !flow; i++ {
		if i == at && (f.text[i] == '"' || f.text[i] == '\'') {
			return f.quoted(i, f.text[i])
		}
		if f.text[i] == '\n' || f.text[i] == ':' && (i+1 == len(f.text) || strings.IndexByte(" \t\r\n", f.text[i+1]) >= 0) {
			return i
		}
	}
	return f.end(key, 0, true)
}

// end is behind the last character of a value, comments after it aside. indent
// is that of its place.
func (f *file) end(n *yaml.Node, indent int, flow bool) int {
	switch n.Kind {
	case yaml.MappingNode, yaml.SequenceNode:
		inside := flow || isFlow(n)
		at := f.offset(n)
		switch {
		case len(n.Content) == 0:
			at++ // behind the bracket
		case n.Kind == yaml.MappingNode:
			key, value := n.Content[len(n.Content)-2], n.Content[len(n.Content)-1]
			if f.empty(value) {
				at = f.keyEnd(key, inside)
				if rest := bytes.TrimLeft(f.text[at:], " "); !inside || len(rest) > 0 && rest[0] == ':' {
					at = f.afterKey(key, inside)
				}
			} else {
				at = f.end(value, key.Column-1, inside)
			}
		default:
			if item := n.Content[len(n.Content)-1]; !f.empty(item) {
				at = f.end(item, n.Column-1, inside)
			} else if !inside {
				at = f.lastDash(n)
			}
		}
		if isFlow(n) {
			at = f.closing(at)
		}
		return at
	}
	at := f.offset(n)
	if f.empty(n) {
		return at
	}
	// A tag stands before its value.
	for at < len(f.text) && f.text[at] == '!' {
		for at < len(f.text) && f.text[at] != ' ' && f.text[at] != '\n' {
			at++
		}
		for at < len(f.text) && f.text[at] == ' ' {
			at++
		}
	}
	if at >= len(f.text) {
		return at
	}
	switch c := f.text[at]; {
	case c == '"' || c == '\'':
		return f.quoted(at, c)
	case (c == '|' || c == '>') && !flow:
		return f.literal(at, indent)
	case flow:
		return f.plainFlow(at)
	}
	return f.plainBlock(at, indent)
}

// lastDash is behind the dash of the last item, of which nothing is written.
func (f *file) lastDash(n *yaml.Node) int {
	from := f.offset(n)
	for _, item := range n.Content {
		if !f.empty(item) {
			from = f.end(item, n.Column-1, false)
		}
	}
	last := from
	for at := from; at < len(f.text); at = f.lineEnd(at) + 1 {
		line := string(f.text[f.lineStart(at):f.lineEnd(at)])
		trimmed := strings.TrimLeft(line, " ")
		if trimmed == "" || trimmed[0] == '#' {
			continue
		}
		if len(line)-len(trimmed) != n.Column-1 || trimmed[0] != '-' {
			if at > from {
				break
			}
			continue
		}
		last = f.lineStart(at) + n.Column
	}
	return last
}

// closing is behind the bracket that closes a collection whose last part ends
// at a place.
func (f *file) closing(at int) int {
	for at < len(f.text) {
		switch f.text[at] {
		case ']', '}':
			return at + 1
		case '#':
			at = f.lineEnd(at)
		default:
			at++
		}
	}
	return at
}

func (f *file) quoted(at int, quote byte) int {
	for i := at + 1; i < len(f.text); i++ {
		switch {
		case f.text[i] == '\\' && quote == '"':
			i++
		case f.text[i] == quote && quote == '\'' && i+1 < len(f.text) && f.text[i+1] == quote:
			i++
		case f.text[i] == quote:
			return i + 1
		}
	}
	return len(f.text)
}

// literal is the end of a literal or folded block: lines that are blank or
// indented more than what it belongs to.
func (f *file) literal(at, indent int) int {
	header := f.text[at:f.lineEnd(at)]
	if i := bytes.IndexByte(header, '#'); i >= 0 {
		header = header[:i]
	}
	keep := bytes.IndexByte(header, '+') >= 0
	end := at + len(bytes.TrimRight(f.text[at:f.lineEnd(at)], " \t\r"))
	for next := f.lineEnd(at) + 1; next <= len(f.text); next = f.lineEnd(next) + 1 {
		line := f.text[next:f.lineEnd(next)]
		trimmed := bytes.TrimLeft(line, " ")
		blank := len(bytes.TrimSpace(line)) == 0
		switch {
		case blank && !keep && next >= len(f.text):
			return end
		case blank:
			if keep {
				end = next + len(line)
			}
			continue
		case len(line)-len(trimmed) <= indent:
			return end
		}
		end = next + len(bytes.TrimRight(line, "\r"))
	}
	return min(end, len(f.text))
}

// plainBlock is the end of a scalar without quotes outside of brackets.
func (f *file) plainBlock(at, indent int) int {
	end, comment := f.plainLine(at)
	for next := f.lineEnd(at) + 1; next < len(f.text) && !comment; next = f.lineEnd(next) + 1 {
		line := f.text[next:f.lineEnd(next)]
		trimmed := bytes.TrimLeft(line, " ")
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if len(line)-len(trimmed) <= indent || trimmed[0] == '#' {
			break
		}
		end, comment = f.plainLine(next)
	}
	return end
}

// plainLine is where a line's text ends, and whether a comment follows.
func (f *file) plainLine(at int) (end int, comment bool) {
	line := f.text[at:f.lineEnd(at)]
	for i := 1; i < len(line); i++ {
		if line[i] == '#' && (line[i-1] == ' ' || line[i-1] == '\t') {
			return at + len(bytes.TrimRight(line[:i], " \t")), true
		}
	}
	return at + len(bytes.TrimRight(line, " \t\r")), false
}

// plainFlow is the end of a scalar without quotes between brackets.
func (f *file) plainFlow(at int) int {
	i := at
	for ; i < len(f.text); i++ {
		c := f.text[i]
		if strings.IndexByte(",[]{}", c) >= 0 ||
			c == '#' && i > at && strings.IndexByte(" \t\n", f.text[i-1]) >= 0 ||
			c == ':' && (i+1 == len(f.text) || strings.IndexByte(" \t\r\n,[]{}", f.text[i+1]) >= 0) {
			break
		}
	}
	return at + len(bytes.TrimRight(f.text[at:i], " \t\r\n"))
}

func (f *file) lineStart(at int) int { return bytes.LastIndexByte(f.text[:at], '\n') + 1 }

// lineEnd is where the line ends that a place is in: at its newline, or at the
// end of the text.
func (f *file) lineEnd(at int) int {
	if i := bytes.IndexByte(f.text[at:], '\n'); i >= 0 {
		return at + i
	}
	return len(f.text)
}

// contentEnd is lineEnd without a carriage return.
func (f *file) contentEnd(at int) int {
	end := f.lineEnd(at)
	if end > at && f.text[end-1] == '\r' {
		end--
	}
	return end
}

// with is the text with a part of it replaced.
func (f *file) with(from, to int, text string) []byte {
	out := make([]byte, 0, len(f.text)+len(text))
	out = append(out, f.text[:from]...)
	out = append(out, text...)
	return append(out, f.text[to:]...)
}

// replace writes a value in a place, over what stands there.
func (f *file) replace(at place, value *node.Node) []byte {
	w := writer{newline: f.newline}
	old := at.node
	if old == nil { // a text without a document
		text := string(f.text)
		if text != "" && !strings.HasSuffix(text, "\n") {
			text += f.newline
		}
		return []byte(text + w.block(value, 0) + f.newline)
	}
	start := f.offset(old)
	end := f.end(old, at.indent, at.flow)
	if at.flow {
		text := w.flow(value)
		if f.empty(old) {
			start, text = f.gap(at)
			if end = start; end < len(f.text) && f.text[end] == ' ' {
				end++
			}
			text += w.flow(value)
		}
		return f.with(start, end, text)
	}
	simple := value.Kind() == node.Scalar || value.Len() == 0
	block := old.Kind != yaml.ScalarNode && !isFlow(old)
	if block && !simple && (old.Kind == yaml.MappingNode) == (value.Kind() == node.Mapping) {
		// In the same column, on the same line.
		return f.with(start, end, w.block(value, old.Column-1))
	}
	if !block && !f.empty(old) && simple && !isLiteral(old) {
		return f.with(start, end, w.like(old, value))
	}
	if at.parent == nil {
		return f.with(start, end, w.block(value, 0))
	}
	from, _ := f.gap(at)
	var text string
	if f.empty(old) {
		end = from
	}
	switch {
	case simple:
		text = " " + w.scalarOrEmpty(value)
	case at.key == nil: // behind a dash
		text = " " + w.block(value, at.indent+2)
	default:
		column := at.indent + 2
		if value.Kind() == node.Sequence {
			column = at.indent
		}
		text = f.newline + strings.Repeat(" ", column) + w.block(value, column)
		if f.empty(old) { // a comment after the colon stays there
			from = f.contentEnd(from)
			end = from
		}
	}
	return f.with(from, end, text)
}

// gap is the place behind a value's key or dash, and the space to leave there.
func (f *file) gap(at place) (int, string) {
	if at.key != nil {
		return f.afterKey(at.key, at.flow), " "
	}
	if at.flow {
		return f.offset(at.node), ""
	}
	// The dash is the last before the value.
	if f.empty(at.node) {
		return f.emptyDash(at), " "
	}
	return bytes.LastIndexByte(f.text[:f.offset(at.node)], '-') + 1, " "
}

// emptyDash is behind the dash of an item of which nothing is written: the one
// after those before it.
func (f *file) emptyDash(at place) int {
	part := *at.parent
	for i, item := range at.parent.Content {
		if item == at.node {
			part.Content = at.parent.Content[:i+1]
		}
	}
	seen := 0
	for line := at.parent.Line - 1; line < len(f.lines); line++ {
		text := f.text[f.lines[line]:f.lineEnd(f.lines[line])]
		column := at.parent.Column - 1
		if len(text) > column && text[column] == '-' && (len(text) == column+1 || text[column+1] == ' ' || text[column+1] == '\r') {
			if seen++; seen == len(part.Content) {
				return f.lines[line] + column + 1
			}
		}
	}
	return len(f.text)
}

func isLiteral(n *yaml.Node) bool { return n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 }

// addKey adds a key at the end of a mapping.
func (f *file) addKey(at place, key string, value *node.Node) []byte {
	w := writer{newline: f.newline}
	n := at.node
	if isFlow(n) || at.flow {
		if len(n.Content) == 0 {
			if !at.flow {
				return f.replace(at, mappingOf(key, value))
			}
			return f.with(f.offset(n)+1, f.offset(n)+1, w.flowKey(key)+": "+w.flow(value))
		}
		end := f.lastEnd(n)
		return f.with(end, end, ", "+w.flowKey(key)+": "+w.flow(value))
	}
	column := n.Content[0].Column - 1
	end := f.contentEnd(f.end(n, at.indent, false))
	return f.with(end, end, f.newline+strings.Repeat(" ", column)+w.block(mappingOf(key, value), column))
}

// lastEnd is the end of the last part of a collection between brackets.
func (f *file) lastEnd(n *yaml.Node) int {
	last := n.Content[len(n.Content)-1]
	if n.Kind == yaml.MappingNode && f.empty(last) {
		key := n.Content[len(n.Content)-2]
		at := f.keyEnd(key, true)
		if rest := bytes.TrimLeft(f.text[at:], " "); len(rest) > 0 && rest[0] == ':' {
			return f.afterKey(key, true)
		}
		return at
	}
	return f.end(last, 0, true)
}

// addItems adds items at the end of a list that has some.
func (f *file) addItems(at place, items []*node.Node) []byte {
	w := writer{newline: f.newline}
	n := at.node
	list := node.NewSequence(items, noPlace)
	if isFlow(n) || at.flow {
		end := f.lastEnd(n)
		text := w.flow(list)
		return f.with(end, end, ", "+text[1:len(text)-1])
	}
	end := f.contentEnd(f.end(n, at.indent, false))
	column := n.Column - 1
	return f.with(end, end, f.newline+strings.Repeat(" ", column)+w.block(list, column))
}

// remove takes a key and its value out of a mapping.
func (f *file) remove(from, at place) []byte {
	n := from.node
	index := 0
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i] == at.key {
			index = i
		}
	}
	start := f.offset(at.key)
	end := f.afterKey(at.key, at.flow)
	if !f.empty(at.node) {
		end = f.end(at.node, at.indent, at.flow)
	}
	switch {
	case len(n.Content) == 2:
		if isFlow(n) || at.flow {
			return f.with(start, end, "")
		}
		return f.replace(from, node.NewMapping(noPlace))
	case at.flow && index == 0:
		return f.with(start, f.offset(n.Content[2]), "")
	case at.flow:
		before := place{node: n.Content[index-1], key: n.Content[index-2], flow: true}
		last := f.afterKey(before.key, true)
		if !f.empty(before.node) {
			last = f.end(before.node, 0, true)
		}
		return f.with(last, end, "")
	case len(bytes.TrimSpace(f.text[f.lineStart(start):start])) > 0:
		// Behind a dash: the next key takes its place.
		return f.with(start, f.offset(n.Content[index+2]), "")
	}
	return f.with(f.lineStart(start), min(f.lineEnd(end)+1, len(f.text)), "")
}
