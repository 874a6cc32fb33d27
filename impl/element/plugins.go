package element

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/project"
	"bst/impl/stream"
)

// plugins are where the kinds of a graph come from. Projects say so, and what
// they say is what holds: a kind that is built in stands for the plugin there
// only where it is known to do the same.
type plugins struct {
	found map[pluginKey]foundPlugin
	// notes say where built-in defaults are used for want of the plugin's own.
	notes []Warning
}

type pluginKey struct {
	project *project.Project
	what    project.PluginType
	kind    string
}

// foundPlugin has no plugin where the project declares none.
type foundPlugin struct {
	plugin *project.Plugin
	err    error
}

// findPlugins looks for the plugins of all elements and sources, by one
// goroutine: it may load projects. What is wrong with one is told when an
// element is resolved that needs it.
func findPlugins(ctx context.Context, loaded *project.Loaded, registry *Registry) *plugins {
	ps := &plugins{found: map[pluginKey]foundPlugin{}}
	var builtIn []builtInDefaults
	look := func(key pluginKey, at *node.Node, known kind.Plugins) {
		if _, done := ps.found[key]; done {
			return
		}
		var f foundPlugin
		f.plugin, f.err = key.project.Plugin(ctx, key.what, key.kind)
		switch {
		case f.err != nil && project.NotFetched(f.err) && len(known.Files) == 0:
			builtIn = append(builtIn, builtInDefaults{key, f.err.Error()})
			f.err = nil
		case f.err == nil && f.plugin != nil:
			f.err = check(key, f.plugin, at, known)
			if f.plugin.Dir == "" {
				builtIn = append(builtIn, builtInDefaults{key, f.plugin.String() + " is not installed in the version that is asked for"})
			}
		}
		ps.found[key] = f
	}
	for _, l := range loaded.All {
		if t := registry.elements[l.Kind]; t != nil {
			look(pluginKey{l.Project, project.PluginElement, l.Kind}, l.Node, t.Plugins)
		}
		for _, s := range l.Node.Get("sources").Items() {
			name := s.Get("kind").Text()
			if t := registry.sources[name]; t != nil {
				look(pluginKey{l.Project, project.PluginSource, name}, s, t.Plugins)
			}
		}
	}
	ps.note(builtIn)
	return ps
}

// builtInDefaults is a kind whose own defaults are not here, and why.
type builtInDefaults struct {
	key pluginKey
	why string
}

// note tells of the kinds with built-in defaults, all with one reason at once.
// Sources have none.
func (ps *plugins) note(list []builtInDefaults) {
	var reasons []string
	kinds := map[string][]string{}
	for _, d := range list {
		if d.key.what != project.PluginElement {
			continue
		}
		if kinds[d.why] == nil {
			reasons = append(reasons, d.why)
		}
		if !slices.Contains(kinds[d.why], d.key.kind) {
			kinds[d.why] = append(kinds[d.why], d.key.kind)
		}
	}
	for _, why := range reasons {
		ps.notes = append(ps.notes, Warning{
			Text: "Built-in defaults are used of the kinds " + strings.Join(kinds[why], ", "), Detail: why,
		})
	}
}

// element is where an element kind comes from, nil for one of the format's own.
func (ps *plugins) element(p *project.Project, kind string) (*project.Plugin, error) {
	f := ps.found[pluginKey{p, project.PluginElement, kind}]
	return f.plugin, f.err
}

// source tells what is wrong with where a source kind comes from.
func (ps *plugins) source(p *project.Project, kind string) error {
	return ps.found[pluginKey{p, project.PluginSource, kind}].err
}

// check refuses a plugin that is not known to do what the kind here does.
func check(key pluginKey, p *project.Plugin, at *node.Node, known kind.Plugins) error {
	packages := known.Packages
	if len(packages) == 0 && len(known.Files) == 0 {
		packages = []string{kind.Official, kind.Samples}
	}
	from := strings.ReplaceAll(p.Project.Name, "_", "-")
	if p.Origin.Origin == "pip" {
		from = p.Origin.Package()
	}
	if slices.Contains(packages, from) {
		return nil
	}
	if p.Origin.Origin == "pip" {
		return unknownPlugin(key, p, at, "The kind that is built in stands for the one in "+strings.Join(packages, " or ")+".")
	}
	file := filepath.Join(p.Dir, key.kind+".py")
	sum, err := checksum(file)
	if errors.Is(err, fs.ErrNotExist) {
		e := at.Errorf("plugin-not-found", "No %s plugin registered for kind '%s'", key.what, key.kind)
		e.Domain = stream.DomainPlugin
		e.Detail = fmt.Sprintf("%s: the project takes it from %s, where there is no file '%s.py'.",
			p.Origin.Provenance, p, key.kind)
		return e
	}
	if err != nil {
		e := at.Errorf("load-plugin-error", "Failed to load plugin '%s': %s", key.kind, err)
		e.Domain = stream.DomainPlugin
		return e
	}
	if slices.Contains(known.Files, sum) {
		return nil
	}
	return unknownPlugin(key, p, at, "That file has the SHA-256 "+sum+".")
}

// unknownPlugin is the error for a plugin that has the name of a kind which is
// built in, and nothing else that is known of it.
func unknownPlugin(key pluginKey, p *project.Plugin, at *node.Node, what string) error {
	e := at.Errorf("plugin-unknown", "The %s plugin '%s' of this project is not the one that is built in", key.what, key.kind)
	e.Domain = stream.DomainPlugin
	e.Detail = fmt.Sprintf("%s: the project takes it from %s.\n%s\n"+
		"Python plugins are not run, and one that was edited, or is another by the same name, is never taken for the\n"+
		"released one. Take the plugin from its package, or describe the element with kinds that are built in.",
		p.Origin.Provenance, p, what)
	return e
}

func checksum(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
