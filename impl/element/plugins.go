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
	"bst/impl/kind/plainelement"
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
	// element or source is what does the plugin's work, nil where nothing is
	// known to.
	element *kind.Traits
	source  *kind.SourceTraits
	// sum is the SHA-256 of the plugin's file, in hexadecimal, where it was read.
	sum string
	err error
}

// findPlugins looks for the plugins of all elements and sources, by one
// goroutine: it may load projects. What is wrong with one is told when an
// element is resolved that needs it.
func findPlugins(ctx context.Context, loaded *project.Loaded, registry *Registry) *plugins {
	ps := &plugins{found: map[pluginKey]foundPlugin{}}
	var builtIn []builtInDefaults
	look := func(key pluginKey, at *node.Node, f foundPlugin, known *kind.Plugins) {
		if _, done := ps.found[key]; done {
			return
		}
		f.plugin, f.err = key.project.Plugin(ctx, key.what, key.kind)
		switch {
		case f.err != nil && project.NotFetched(f.err) && (known == nil || len(known.Files) == 0):
			if known != nil {
				builtIn = append(builtIn, builtInDefaults{key, f.err.Error()})
			}
			f.err = nil
		case f.err == nil && f.plugin != nil:
			f.check(registry, key, at, known)
			if f.plugin.Dir == "" && known != nil {
				builtIn = append(builtIn, builtInDefaults{key, f.plugin.String() + " is not installed in the version that is asked for"})
			}
		}
		ps.found[key] = f
	}
	for _, l := range loaded.All {
		if l.Kind != "" {
			t := registry.elements[l.Kind]
			f := foundPlugin{element: t}
			var known *kind.Plugins
			if t != nil {
				known = &t.Plugins
			}
			look(pluginKey{l.Project, project.PluginElement, l.Kind}, l.Node, f, known)
		}
		for _, s := range l.Node.Get("sources").Items() {
			name := s.Get("kind").Text()
			if name == "" {
				continue
			}
			t := registry.sources[name]
			f := foundPlugin{source: t}
			var known *kind.Plugins
			if t != nil {
				known = &t.Plugins
			}
			look(pluginKey{l.Project, project.PluginSource, name}, s, f, known)
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

// element is where an element kind comes from, without a plugin for one of the
// format's own.
func (ps *plugins) element(p *project.Project, kind string) foundPlugin {
	return ps.found[pluginKey{p, project.PluginElement, kind}]
}

// source is where a source kind comes from.
func (ps *plugins) source(p *project.Project, kind string) foundPlugin {
	return ps.found[pluginKey{p, project.PluginSource, kind}]
}

// check finds what does the work of the plugin, and refuses one that nothing is
// known to do the same as. known is what the kind of its name stands for, nil
// for no such kind.
func (f *foundPlugin) check(registry *Registry, key pluginKey, at *node.Node, known *kind.Plugins) {
	p := f.plugin
	var packages []string
	if known != nil {
		packages = known.Packages
		if len(packages) == 0 && len(known.Files) == 0 {
			packages = []string{kind.Official, kind.Samples}
		}
		from := strings.ReplaceAll(p.Project.Name, "_", "-")
		if p.Origin.Origin == "pip" {
			from = p.Origin.Package()
		}
		if slices.Contains(packages, from) {
			f.vary(key.kind)
			return
		}
	}
	f.element, f.source = nil, nil
	if p.Dir == "" {
		if known != nil {
			what := "Single files are known of that kind, and none is installed here."
			if len(packages) > 0 {
				what = "The kind that is built in stands for the one in " + strings.Join(packages, " or ") + "."
			}
			f.err = unknownPlugin(key, p, at, what)
		}
		return
	}
	file := filepath.Join(p.Dir, key.kind+".py")
	p.Project.Seen().File(file)
	text, err := readPlugin(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e := at.Errorf("plugin-not-found", "No %s plugin registered for kind '%s'", key.what, key.kind)
		e.Domain = stream.DomainPlugin
		e.Detail = fmt.Sprintf("%s: the project takes it from %s, where there is no file '%s.py'.",
			p.Origin.Provenance, p, key.kind)
		f.err = e
		return
	case err != nil:
		e := at.Errorf("load-plugin-error", "Failed to load plugin '%s': %s", key.kind, err)
		e.Domain = stream.DomainPlugin
		f.err = e
		return
	}
	sum := sha256.Sum256(text)
	f.sum = hex.EncodeToString(sum[:])
	switch key.what {
	case project.PluginSource:
		if t := registry.sourceFiles[f.sum]; t != nil {
			f.source = sourceVariant(t, key.kind, string(text))
		}
	case project.PluginElement:
		if t := registry.elementFiles[f.sum]; t != nil {
			f.element = elementVariant(t, key.kind, string(text))
		} else {
			f.element = plainelement.Read(key.kind, text)
		}
	}
	if f.element == nil && f.source == nil && known != nil {
		f.err = unknownPlugin(key, p, at, "That file has the SHA-256 "+f.sum+".")
	}
}

// vary makes of a kind what the release of its plugin has that the project
// uses. A file that cannot be read says nothing: packages are known by name.
func (f *foundPlugin) vary(name string) {
	if f.plugin.Dir == "" || f.element == nil && f.source.Variant == nil {
		return
	}
	file := filepath.Join(f.plugin.Dir, name+".py")
	f.plugin.Project.Seen().File(file)
	text, err := readPlugin(file)
	switch {
	case err != nil:
	case f.element != nil:
		f.element = elementVariant(f.element, name, string(text))
	default:
		f.source = sourceVariant(f.source, name, string(text))
	}
}

func elementVariant(t *kind.Traits, name, file string) *kind.Traits {
	variant := *t
	if t.Variant != nil {
		variant = t.Variant(file)
	}
	variant.ReadConstants(file)
	variant.Kind = name
	return &variant
}

func sourceVariant(t *kind.SourceTraits, name, file string) *kind.SourceTraits {
	variant := *t
	if t.Variant != nil {
		variant = t.Variant(file)
	}
	variant.Kind = name
	return &variant
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

// maxPlugin bounds how much of a plugin's file is read.
const maxPlugin = 4 << 20

func readPlugin(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPlugin+1))
	if err == nil && len(text) > maxPlugin {
		err = fmt.Errorf("%s has more than %d bytes", name, maxPlugin)
	}
	return text, err
}
