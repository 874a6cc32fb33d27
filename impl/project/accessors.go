package project

import (
	"bst/impl/node"
	"bst/impl/stream"
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
