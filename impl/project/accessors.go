package project

import (
	"io/fs"
	"path/filepath"

	"bst/impl/kind/projectpath"
	"bst/impl/node"
	"bst/impl/seen"
	"bst/impl/stream"
	"bst/impl/workspace"
)

// config is the pass that the project has got to.
func (p *Project) config() *pass {
	if p.fullyLoaded {
		return &p.second
	}
	return &p.first
}

// Variables are the base variables: project.conf's, project-name, max-jobs and
// the options that are exported. The caller must not change them.
func (p *Project) Variables() *node.Node { return p.config().variables }

// FirstPassVariables are those that junctions see.
func (p *Project) FirstPassVariables() *node.Node { return p.first.variables }

// Environment is the base environment. The caller must not change it.
func (p *Project) Environment() *node.Node { return p.environment }

// EnvironmentNoCache are the variables of the environment that keys leave out.
func (p *Project) EnvironmentNoCache() []string { return p.environmentNoCache }

// Sandbox is the base sandbox configuration. The caller must not change it.
func (p *Project) Sandbox() *node.Node { return p.sandbox }

// SplitRules are the base split rules. The caller must not change them.
func (p *Project) SplitRules() *node.Node { return p.splitRules }

// ElementOverrides is elements.<kind>, nil where the project has none. first
// asks for what junctions and links see.
func (p *Project) ElementOverrides(kind string, first bool) (*node.Node, error) {
	return p.pass(first).elementOverrides.GetMapping(kind)
}

// SourceOverrides is sources.<kind>, nil where the project has none.
func (p *Project) SourceOverrides(kind string, first bool) (*node.Node, error) {
	return p.pass(first).sourceOverrides.GetMapping(kind)
}

func (p *Project) pass(first bool) *pass {
	if first {
		return &p.first
	}
	return p.config()
}

// Plugins are the declared plugin origins, in order.
func (p *Project) Plugins() []PluginOrigin { return p.plugins }

// Seen is who is told of every file that is read or looked for, for the project
// and those that it leads to; nil is nobody.
func (p *Project) Seen() *seen.Record { return p.session.options.Seen }

// Loaded says that nothing more will be loaded: what was only needed for that is
// forgotten, and nobody is told of anything any more.
func (p *Project) Loaded() {
	s := p.session
	s.options.Seen, s.options.Warn, s.options.Junctions, s.junctions, s.progress = nil, nil, nil, nil, nil
}

// Unfetched says that something which was loaded without could not be fetched:
// another time it may be there.
func (p *Project) Unfetched() bool { return p.session.unfetched }

// resolve checks a path that the project's file names (projectpath.Resolve).
func (p *Project) resolve(n *node.Node, want projectpath.Want) (string, fs.FileInfo, error) {
	path, info, err := projectpath.Resolve(n, p.Dir, want)
	if err == nil {
		p.Seen().Real(filepath.Join(p.Dir, path))
	}
	return path, info, err
}

// FatalWarnings are the warnings that are errors in this project.
func (p *Project) FatalWarnings() []string { return p.fatalWarnings }

// WarningIsFatal says that a warning is an error in this project.
func (p *Project) WarningIsFatal(warning string) bool { return has(p.fatalWarnings, warning) }

// Shell is the configuration of bst shell.
func (p *Project) Shell() Shell { return p.shell }

// OptionValues are the options by name, values as the user writes them.
func (p *Project) OptionValues() []stream.Pair { return p.config().options.printable() }

// ArtifactCaches and SourceCaches are the recommended remotes' mappings.
func (p *Project) ArtifactCaches() []*node.Node { return p.artifacts }

// SourceCaches is described at ArtifactCaches.
func (p *Project) SourceCaches() []*node.Node { return p.sourceCaches }

// SourceProvenanceAttributes are the keys that a source's provenance may have,
// and their descriptions.
func (p *Project) SourceProvenanceAttributes() *node.Node { return p.sourceProvenanceAttributes }

// Workspace is the folder in which an element is worked on, by its full name: of
// those that the toplevel project has open.
func (p *Project) Workspace(element string) (w workspace.Workspace, directory string, ok bool) {
	if w, ok = p.session.workspaces.Find(element); !ok {
		return w, "", false
	}
	return w, p.session.workspaces.Directory(w), true
}

// OriginalSources is Options.OriginalSources.
func (p *Project) OriginalSources() bool { return p.session.options.OriginalSources }

// JunctionElement is the name of the junction that leads here, local to the project
// that it is in; "" for the toplevel.
func (p *Project) JunctionElement() string {
	if p.junction == nil {
		return ""
	}
	return p.junction.Element.Name
}

// Toplevel is the project that was opened.
func (p *Project) Toplevel() *Project {
	for p.Parent != nil {
		p = p.Parent
	}
	return p
}

func has(list []string, s string) bool {
	for _, one := range list {
		if one == s {
			return true
		}
	}
	return false
}
