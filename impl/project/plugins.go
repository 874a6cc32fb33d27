package project

import (
	"bst/impl/kind/projectpath"
	"bst/impl/node"
	"bst/impl/stream"
)

// loadPlugins reads where project.conf says that kinds come from. Whether a
// kind is known is seen when an element uses it: what is declared and not used
// need not exist.
func (p *Project) loadPlugins(n *node.Node) ([]PluginOrigin, error) {
	list, err := n.GetSequence("plugins")
	if err != nil {
		return nil, err
	}
	origins := make([]PluginOrigin, 0, list.Len())
	seen := map[string]int{} // the origin that has a kind, by type and kind
	for _, item := range list.Items() {
		if item.Kind() != node.Mapping {
			return nil, item.Errorf("INVALID_DATA", "Value of 'plugins' is not of the expected type 'MappingNode'")
		}
		origin, err := p.loadPlugin(item)
		if err != nil {
			return nil, err
		}
		origins = append(origins, origin)
		if err := uniqueKinds(origins, seen); err != nil {
			return nil, err
		}
	}
	return origins, nil
}

// uniqueKinds refuses that the last origin has a kind of one before.
func uniqueKinds(origins []PluginOrigin, seen map[string]int) error {
	last := len(origins) - 1
	for _, of := range []struct {
		what  string
		kinds []string
	}{{"element", origins[last].Elements}, {"source", origins[last].Sources}, {"source-mirror", origins[last].SourceMirrors}} {
		for _, kind := range of.kinds {
			key := of.what + " " + kind
			if i, ok := seen[key]; ok && i != last {
				return &stream.Error{Domain: stream.DomainPlugin, Reason: "duplicate-plugin",
					Message: "More than one " + of.what + " plugin registered as kind '" + kind + "'",
					Detail: "It is declared at " + origins[i].Provenance.String() + ", and again at " +
						origins[last].Provenance.String() + ". Take it from one of these origins only."}
			}
			seen[key] = last
		}
	}
	return nil
}

func (p *Project) loadPlugin(n *node.Node) (PluginOrigin, error) {
	o := PluginOrigin{Provenance: n.Provenance()}
	var err error
	if o.Origin, err = n.NeedStr("origin"); err != nil {
		return o, err
	}
	where, ok := map[string]string{"local": "path", "pip": "package-name", "junction": "junction"}[o.Origin]
	if !ok {
		return o, n.Get("origin").Errorf("INVALID_DATA", "Value of 'origin' should be one of 'local, pip, junction'")
	}
	if err := n.ValidateKeys(where, "origin", "sources", "elements", "source-mirrors", "allow-deprecated"); err != nil {
		return o, err
	}
	if o.Where, err = n.NeedStr(where); err != nil {
		return o, err
	}
	o.node = n
	if o.Origin == "local" {
		if _, _, err := p.resolve(n.Get(where), projectpath.Directory); err != nil {
			return o, err
		}
	}
	if o.AllowDeprecated, err = n.GetBool("allow-deprecated", false); err != nil {
		return o, err
	}
	for _, field := range []struct {
		key  string
		into *[]string
	}{{"elements", &o.Elements}, {"sources", &o.Sources}, {"source-mirrors", &o.SourceMirrors}} {
		if *field.into, err = loadPluginKinds(n, field.key); err != nil {
			return o, err
		}
	}
	return o, nil
}

func loadPluginKinds(n *node.Node, key string) ([]string, error) {
	list, err := n.GetSequence(key)
	if err != nil {
		return nil, err
	}
	kinds := make([]string, 0, list.Len())
	for _, item := range list.Items() {
		kind := item.Text()
		switch item.Kind() {
		case node.Mapping:
			if err := item.ValidateKeys("kind", "allow-deprecated"); err != nil {
				return nil, err
			}
			if _, err := item.GetBool("allow-deprecated", false); err != nil {
				return nil, err
			}
			if kind, err = item.NeedStr("kind"); err != nil {
				return nil, err
			}
		case node.Sequence:
			return nil, item.Errorf("INVALID_DATA", "Plugin is not specified as a string or a dictionary")
		}
		kinds = append(kinds, kind)
	}
	return kinds, nil
}
