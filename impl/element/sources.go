package element

import (
	"slices"
	"strings"

	"bst/impl/element/cachekey"
	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/project"
	"bst/impl/stream"
)

// resolveSources configures the sources of an element and works out their keys.
func (r *resolution) resolveSources(e *Element, l *project.Element) error {
	list, err := l.Node.GetSequence("sources")
	if err != nil {
		return err
	}
	for i, n := range list.Items() {
		if n.Kind() != node.Mapping {
			return n.Errorf("INVALID_DATA", "Value of 'sources' is not of the expected type 'Mapping'")
		}
		s, err := r.resolveSource(e, l, i, n)
		if err != nil {
			return err
		}
		e.Sources = append(e.Sources, s)
	}
	return e.keySources()
}

func (r *resolution) resolveSource(e *Element, l *project.Element, index int, n *node.Node) (*Source, error) {
	p := e.Project
	s := &Source{Element: e, Index: index, Provenance: n.Provenance()}
	var err error
	if s.Kind, err = n.NeedStr("kind"); err != nil {
		return nil, err
	}
	if s.Kind == "workspace" {
		return nil, n.Get("kind").Errorf("INVALID_DATA", "Invalid usage of workspace source kind")
	}
	if s.Directory, err = n.GetStr("directory", ""); err != nil {
		return nil, err
	}
	if s.Attributes, err = sourceAttributes(p, n); err != nil {
		return nil, err
	}
	if s.Traits, err = r.layers.registry.source(p, s.Kind, n); err != nil {
		return nil, err
	}
	config, err := sourceConfig(p, s.Traits, n, l.FirstPass())
	if err != nil {
		return nil, err
	}
	if err := e.Variables.Expand(config); err != nil {
		return nil, err
	}
	r.storedRef(s, config)
	env := &sourceEnv{source: s, first: l.FirstPass()}
	s.Impl = s.Traits.New()
	if err := s.Impl.Configure(config, env); err != nil {
		return nil, err
	}
	s.Resolved = s.Impl.Resolved()
	return s, nil
}

// sourceConfig is the source's own mapping over the project's defaults for its
// kind, without the keys that every source has.
func sourceConfig(p *project.Project, t *kind.SourceTraits, n *node.Node, first bool) (*node.Node, error) {
	config := node.NewMapping(stream.Provenance{})
	if t.Defaults != "" {
		defaults, err := node.Parse([]byte(t.Defaults), t.Kind+".yaml")
		if err != nil {
			return nil, err
		}
		config = defaults
	}
	overrides, err := p.SourceOverrides(t.Kind, first)
	if err != nil {
		return nil, err
	}
	if err := lay(overrides, "config", config); err != nil {
		return nil, err
	}
	own := n.Clone()
	for _, key := range kind.CommonSourceKeys {
		own.Delete(key)
	}
	if err := own.Composite(config); err != nil {
		return nil, err
	}
	return config, config.AssertFullyComposited()
}

// sourceAttributes checks the "provenance" of a source against what the
// project defines.
func sourceAttributes(p *project.Project, n *node.Node) (*node.Node, error) {
	attributes, err := n.GetMapping("provenance")
	if attributes.Len() == 0 || err != nil {
		return nil, err
	}
	for _, key := range attributes.Keys() {
		value := attributes.Get(key)
		if p.SourceProvenanceAttributes().Get(key) == nil {
			return nil, value.Errorf("UNDEFINED_SOURCE_PROVENANCE_ATTRIBUTE",
				"Specified source provenance attribute not defined in project config: Unexpected key: %s", key)
		}
		if value.Kind() != node.Scalar {
			return nil, value.Errorf("INVALID_DATA", "Expected string for the value of provenance attribute '%s'", key)
		}
	}
	return attributes, nil
}

// redundantRef is a ref that is not used.
type redundantRef struct {
	source *Source
	text   string
}

// storedRef puts the ref that project.refs has for a source into its config.
// Where the project keeps its refs there, one in the element file is ignored.
func (r *resolution) storedRef(s *Source, config *node.Node) {
	stored := s.Element.Project.Ref(s.Element.Name, s.Index)
	if s.Element.Project.RefStorage == "project.refs" {
		if inline := config.Get("ref"); inline != nil {
			config.Delete("ref")
			r.mu.Lock()
			r.redundant = append(r.redundant, redundantRef{s, inline.Text()})
			r.mu.Unlock()
		}
	}
	for _, key := range stored.Keys() {
		config.Set(key, stored.Get(key))
	}
}

// warn reports what was found on the way.
func (r *resolution) warn() {
	if len(r.redundant) == 0 {
		return
	}
	slices.SortFunc(r.redundant, func(a, b redundantRef) int {
		if d := a.source.Element.Index - b.source.Element.Index; d != 0 {
			return d
		}
		return a.source.Index - b.source.Index
	})
	lines := []string{"The following inline specified source references will be ignored:", ""}
	for _, ref := range r.redundant {
		lines = append(lines, ref.source.Provenance.String()+":"+ref.text)
	}
	r.graph.Warnings = append(r.graph.Warnings, Warning{
		Text: "Ignoring redundant source references", Detail: strings.Join(lines, "\n"),
	})
}

// keySources works out the keys of the sources, alone and together.
func (e *Element) keySources() error {
	e.SourcesResolved = true
	for _, s := range e.Sources {
		if !s.Resolved {
			e.SourcesResolved = false
		}
	}
	if !e.SourcesResolved {
		return nil
	}
	for _, s := range e.Sources {
		unique, err := s.Impl.UniqueKey()
		if err != nil {
			return err
		}
		if s.unique, err = cachekey.Append(nil, unique); err != nil {
			return err
		}
		s.Key = cachekey.Sum(s.unique)
	}
	e.SourcesKey = cachekey.Sum(e.appendSources(nil))
	return nil
}

// appendSources encodes the sources as they go into keys.
func (e *Element) appendSources(dst []byte) []byte {
	dst = append(dst, '[')
	for i, s := range e.Sources {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '{')
		if s.Directory != "" {
			dst = append(dst, `"directory":`...)
			dst = append(cachekey.AppendString(dst, s.Directory), ',')
		}
		dst = append(append(append(dst, `"key":`...), s.unique...), `,"name":`...)
		dst = append(cachekey.AppendString(dst, s.Kind), '}')
	}
	return append(dst, ']')
}

// sourceEnv is the kind.SourceEnv of a source.
type sourceEnv struct {
	source *Source
	first  bool
}

func (v *sourceEnv) ElementName() string           { return v.source.Element.Name }
func (v *sourceEnv) ProjectDir() string            { return v.source.Element.Project.Dir }
func (v *sourceEnv) Provenance() stream.Provenance { return v.source.Provenance }

// Translate gives the URL as it is where its alias cannot be translated.
func (v *sourceEnv) Translate(url string) string {
	if translated, err := v.source.Element.Project.TranslateURL(url, v.first); err == nil {
		return translated
	}
	return url
}

func (v *sourceEnv) URLs(url string) []string {
	if alias, rest, ok := strings.Cut(url, ":"); ok {
		if bases, err := v.source.Element.Project.AliasURLs(alias, v.first); err == nil && len(bases) > 0 {
			urls := make([]string, len(bases))
			for i, base := range bases {
				urls[i] = base + rest
			}
			return urls
		}
	}
	return []string{url}
}
