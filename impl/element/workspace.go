package element

import (
	"bst/impl/node"
	"bst/impl/project"
	"bst/impl/workspace"
)

// workspaceKind is the source kind that stands for a workspace.
const workspaceKind = "workspace"

// workspaceSource is the one source of an element with a workspace. Overrides
// and refs are for sources that somebody wrote; behaviour: the reference's
// Element.__load_sources.
func (r *resolution) workspaceSource(e *Element, l *project.Element, w workspace.Workspace, dir string) (*Source, error) {
	s := &Source{Element: e, Kind: workspaceKind, Provenance: w.Provenance}
	config := node.NewMapping(w.Provenance)
	config.Set("kind", node.NewScalar(workspaceKind, w.Provenance))
	config.Set("path", node.NewScalar(dir, w.Provenance))
	config.Set("last_build", node.NewScalar(w.LastBuild, w.Provenance))
	var err error
	if s.Traits, err = r.layers.registry.source(e.Project, workspaceKind, config, foundPlugin{}); err != nil {
		return nil, err
	}
	env := &sourceEnv{source: s, first: l.FirstPass(), digests: r.digests, configuring: true}
	s.Impl = s.Traits.New()
	if err := s.Impl.Configure(config, env); err != nil {
		return nil, err
	}
	env.configuring = false
	s.Resolved = s.Impl.Resolved()
	return s, nil
}
