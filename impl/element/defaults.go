package element

import (
	"errors"
	"path/filepath"

	"bst/impl/node"
	"bst/impl/project"
	"bst/impl/stream"
)

// LocalDefaults reads the defaults of plugins that lie in the project itself.
// For all other origins it says nothing, so that what is built in holds.
func LocalDefaults(p *project.Project, o *project.PluginOrigin, kind string) (*node.Node, error) {
	if o.Origin != "local" {
		return nil, nil
	}
	name := kind + ".yaml"
	n, err := node.Load(filepath.Join(p.Dir, o.Where, name), name)
	var missing *stream.Error
	if errors.As(err, &missing) && missing.Reason == "MISSING_FILE" {
		return node.NewMapping(stream.Provenance{}), nil
	}
	return n, err
}
