package node

import "strings"

// Flow collections of the plain part of YAML: see plain.go.

// flow reads a flow collection that ends in this line, and leaves p behind it.
func (p *plainReader) flow(n *Node, depth int) {
	end := byte(']')
	n.kind = Sequence
	if p.peek(0) == '{' {
		end, n.kind = '}', Mapping
	}
	items, keys := len(p.openItems), len(p.openKeys)
	p.pos++
	for p.spaces(); !p.failed && p.peek(0) != end; p.spaces() {
		if p.pos >= len(p.text) {
			p.failed = true
			break
		}
		if n.kind == Mapping {
			key := p.flowScalar()
			if p.peek(0) != ':' || p.peek(1) != ' ' || len(key) > plainKey || len(p.openKeys)-keys >= searched {
				p.failed = true
			}
			for _, k := range p.openKeys[keys:] {
				p.failed = p.failed || k == key
			}
			p.openKeys = append(p.openKeys, intern(key))
			p.pos++
			p.spaces()
		}
		item := p.node(Scalar)
		switch c := p.peek(0); {
		case depth >= plainDepth:
			p.failed = true
		case c == '[', c == '{':
			p.flow(item, depth+1)
		default:
			item.value = intern(strip(p.flowScalar()))
		}
		p.openItems = append(p.openItems, item)
		p.spaces()
		switch p.peek(0) {
		case ',':
			p.pos++
		case end:
		default:
			p.failed = true
		}
	}
	p.pos++
	p.close(n, items, keys)
}

// flowScalar reads a scalar within a flow collection.
func (p *plainReader) flowScalar() string {
	if c := p.peek(0); c == '"' || c == '\'' {
		text := p.scalar()
		p.failed = p.failed || !ascii(text)
		return text
	}
	start := min(p.pos, len(p.text))
	p.pos = start
	for {
		switch c := p.peek(0); {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '.', c == '/', c == '(', c == ')':
		case (c == '-' || c == ' ' || c == '+' || c == '~' || c == '=' || c == '<' || c == '>') && p.pos > start:
		default:
			text := strings.TrimRight(p.text[start:p.pos], " ")
			p.failed = p.failed || text == "" || c == '\n'
			return text
		}
		p.pos++
	}
}
