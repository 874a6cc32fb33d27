package element

// KeyText is the JSON whose SHA-256 is the weak or the strict key of e: what two
// programs have to compare that disagree about a key. It is nil where e has no
// such key.
func (g *Graph) KeyText(e *Element, weak bool) ([]byte, error) {
	if weak && e.WeakKey == "" || !weak && e.StrictKey == "" {
		return nil, nil
	}
	text := []byte(coreVersion)
	first := true
	for dep := range g.Dependencies(ScopeBuild, e) {
		if !first {
			text = append(text, ',')
		}
		first = false
		text = appendName(text, dep)
		switch {
		case !weak:
			text = append(append(append(text, `,"`...), dep.StrictKey...), '"')
		case e.Traits.StrictRebuild || e.Strict(dep):
			text = append(append(append(text, `,"`...), dep.WeakKey...), '"')
		}
		text = append(text, ']')
	}
	text, err := e.appendTail(text)
	if err != nil {
		return nil, err
	}
	if weak {
		return append(text, '}'), nil
	}
	return append(text, weakPart(e.WeakKey)...), nil
}
