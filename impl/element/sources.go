package element

import (
	"cmp"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"bst/impl/cas"
	"bst/impl/element/cachekey"
	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/project"
	"bst/impl/stream"
)

// resolveSources configures the sources of an element.
func (r *resolution) resolveSources(e *Element, l *project.Element) error {
	if w, dir, ok := e.Project.Workspace(e.FullName); ok && !e.Project.OriginalSources() {
		e.Workspace = dir
		s, err := r.workspaceSource(e, l, w, dir)
		e.Sources = append(e.Sources, s)
		return err
	}
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
	return nil
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
	found := r.layers.plugins.source(p, s.Kind)
	if found.err != nil {
		return nil, found.err
	}
	if s.Traits, err = r.layers.registry.source(p, s.Kind, n, found); err != nil {
		return nil, err
	}
	config, err := sourceConfig(p, s.Traits, n, l.FirstPass())
	if err != nil {
		return nil, err
	}
	if err := e.Variables.Expand(config); err != nil {
		return nil, err
	}
	if err := r.storedRef(s, l, config); err != nil {
		return nil, err
	}
	if r.options.KeepSources {
		s.kept = &keptSource{loaded: l, mapping: n, config: config.Clone()}
	}
	env := &sourceEnv{source: s, first: l.FirstPass(), digests: r.digests, configuring: true}
	s.Impl = s.Traits.New()
	if err := s.Impl.Configure(config, env); err != nil {
		return nil, err
	}
	env.configuring = false
	for _, url := range env.marked {
		if err := r.checkURL(s, url, l.FirstPass()); err != nil {
			return nil, err
		}
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
	if config.Len() == 0 && !own.HasDirectives() {
		return own, nil // laid over nothing, it is itself
	}
	if err := own.Composite(config); err != nil {
		return nil, err
	}
	return config, config.AssertFullyComposited()
}

// sourceAttributes checks the "provenance" of a source against what the
// project defines, which is known when it is fully loaded: of the sources of
// junctions that are needed for that, they are checked then.
func sourceAttributes(p *project.Project, n *node.Node) (*node.Node, error) {
	attributes, err := n.GetMapping("provenance")
	if attributes.Len() == 0 || err != nil {
		return nil, err
	}
	err = p.WhenLoaded(func() error {
		if err := attributes.ValidateKeys(p.SourceProvenanceAttributes().Keys()...); err != nil {
			return &stream.Error{Domain: stream.DomainLoad, Reason: "UNDEFINED_SOURCE_PROVENANCE_ATTRIBUTE",
				Message: "Specified source provenance attribute not defined in project config\n " + err.Error()}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, key := range attributes.Keys() {
		if value := attributes.Get(key); value.Kind() != node.Scalar {
			return nil, value.Errorf("INVALID_DATA", "Expected string for the value of provenance attribute '%s'", key)
		}
	}
	return attributes, nil
}

// refKeys are what a kind keeps in project.refs; other keys there are nobody's.
func refKeys(t *kind.SourceTraits) []string {
	if t.RefKeys == nil {
		return []string{"ref"}
	}
	return t.RefKeys
}

// storedRef puts the ref that project.refs has for a source into its config.
// Where the project keeps its refs there, one in the element file is ignored.
func (r *resolution) storedRef(s *Source, l *project.Element, config *node.Node) error {
	stored, exclusive, err := l.Project.Ref(l, s.Index)
	if err != nil || s.Traits.NoRef {
		return err
	}
	if exclusive {
		if inline := config.Get(refKeys(s.Traits)[0]); inline != nil {
			for _, key := range refKeys(s.Traits) {
				config.Delete(key)
			}
			r.find(finding{source: s, redundantRef: inline.Text()})
		}
	}
	for _, key := range refKeys(s.Traits) {
		if v := stored.Get(key); v != nil {
			config.Set(key, v)
		} else if stored != nil {
			config.Delete(key)
		}
	}
	return nil
}

// checkURL checks a URL that a source was configured with.
func (r *resolution) checkURL(s *Source, url string, first bool) error {
	p := s.Element.Project
	alias, _ := kind.SplitAlias(url)
	if alias == "" {
		const token = "unaliased-url"
		text := "[" + token + "]: " + s.String() + ": Use of unaliased source download URL: " + url
		if p.WarningIsFatal(token) {
			return &stream.Error{Domain: stream.DomainPlugin, Reason: token, Message: text}
		}
		r.find(finding{source: s, text: text})
		return nil
	}
	ok, err := p.CheckAlias(alias, s.String(), first)
	if err != nil {
		return err
	}
	if !ok {
		return &stream.Error{
			Domain: stream.DomainSource, Reason: "invalid-source-alias",
			Message: s.String() + ": Invalid alias '" + alias + "' specified in URL: " + url,
		}
	}
	if _, err := p.TranslateURL(url, first); err != nil {
		var told *stream.Error
		if errors.As(err, &told) {
			prefixed := *told
			prefixed.Message = s.String() + ": " + told.Message
			return &prefixed
		}
		return err
	}
	return nil
}

// finding is something about a source that the person is told.
type finding struct {
	source *Source
	// text is a warning; without one, redundantRef is a ref that is not used.
	text, redundantRef string
}

func (r *resolution) find(f finding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.findings = append(r.findings, f)
}

// warn reports the findings in the elements' order.
func (r *resolution) warn() {
	slices.SortStableFunc(r.findings, func(a, b finding) int {
		return cmp.Or(a.source.Element.Index-b.source.Element.Index, a.source.Index-b.source.Index)
	})
	var redundant []string
	for _, f := range r.findings {
		if f.text != "" {
			r.graph.Warnings = append(r.graph.Warnings, Warning{Text: f.text})
		} else {
			redundant = append(redundant, f.source.Provenance.String()+":"+f.redundantRef)
		}
	}
	if redundant != nil {
		r.graph.Warnings = append(r.graph.Warnings, Warning{
			Text: "Ignoring redundant source references",
			Detail: "The following inline specified source references will be ignored:\n\n" +
				strings.Join(redundant, "\n"),
		})
	}
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
	source  *Source
	first   bool
	digests *cas.Digests
	// configuring holds during Configure, which marks the URLs it asks about.
	configuring bool
	marked      []string
}

func (v *sourceEnv) ElementName() string           { return v.source.Element.Name }
func (v *sourceEnv) ProjectDir() string            { return v.source.Element.Project.Dir }
func (v *sourceEnv) Provenance() stream.Provenance { return v.source.Provenance }

func (v *sourceEnv) mark(url string) {
	if v.configuring {
		v.marked = append(v.marked, url)
	}
}

// Translate gives the URL as it is where its alias cannot be translated: then
// the source has been refused already.
func (v *sourceEnv) Translate(url string) string {
	v.mark(url)
	if translated, err := v.source.Element.Project.TranslateURL(url, v.first); err == nil {
		return translated
	}
	return url
}

func (v *sourceEnv) Digests() *cas.Digests { return v.digests }

func (v *sourceEnv) Reads(path string) {
	record := v.source.Element.Project.Seen()
	record.Tree(path)
	// Its folder alone: what the path itself is, the tree says.
	record.Real(filepath.Dir(path))
}

func (v *sourceEnv) URLs(url string) []string {
	return v.urls(url, v.source.Element.Project.AliasURLs)
}

func (v *sourceEnv) TrackURLs(url string) []string {
	return v.urls(url, v.source.Element.Project.TrackURLs)
}

func (v *sourceEnv) urls(url string, of func(alias, rest string, first bool) []string) []string {
	v.mark(url)
	alias, rest := kind.SplitAlias(url)
	if alias == "" {
		return []string{url}
	}
	if urls := of(alias, rest, v.first); urls != nil {
		return urls
	}
	return []string{url}
}
