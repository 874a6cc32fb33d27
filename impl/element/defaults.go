package element

import (
	"errors"
	"path/filepath"

	"bst/impl/node"
	"bst/impl/project"
	"bst/impl/stream"
)

// pluginDefaults reads the YAML beside a plugin's file, nil where the plugin is
// not in a folder. A plugin without one has no defaults.
func pluginDefaults(p *project.Plugin, kind string) (*node.Node, error) {
	if p.Dir == "" {
		return nil, nil
	}
	name := kind + ".yaml"
	p.Project.Seen().File(filepath.Join(p.Dir, name))
	n, err := node.Load(filepath.Join(p.Dir, name), name)
	var missing *stream.Error
	if errors.As(err, &missing) && missing.Reason == "MISSING_FILE" {
		return node.NewMapping(stream.Provenance{}), nil
	}
	return n, err
}
