package project

import (
	"bst/impl/kind/projectpath"
	"bst/impl/node"
)

// loadPlugins reads where project.conf says that kinds come from. Whether a
// kind is known is seen when an element uses it: what is declared and not used
// need not exist.
func loadPlugins(n *node.Node, dir string) ([]PluginOrigin, error) {
	list, err := n.GetSequence("plugins")
	if err != nil {
		return nil, err
	}
	origins := make([]PluginOrigin, 0, list.Len())
	for _, item := range list.Items() {
		if item.Kind() != node.Mapping {
			return nil, item.Errorf("INVALID_DATA", "Value of 'plugins' is not of the expected type 'MappingNode'")
		}
		origin, err := loadPlugin(item, dir)
		if err != nil {
			return nil, err
		}
		origins = append(origins, origin)
	}
	return origins, nil
}

func loadPlugin(n *node.Node, dir string) (PluginOrigin, error) {
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
	o.node = n.Get(where)
	if o.Origin == "local" {
		if _, _, err := projectpath.Resolve(n.Get(where), dir, projectpath.Directory); err != nil {
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
