package project

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"bst/impl/stream"
)

// PluginType is what a plugin makes.
type PluginType string

const (
	PluginElement PluginType = "element"
	PluginSource  PluginType = "source"
)

// names are the kinds of a type that an origin is declared to provide.
func (o *PluginOrigin) names(t PluginType) []string {
	if t == PluginSource {
		return o.Sources
	}
	return o.Elements
}

// Plugin is where a project takes a kind from, junctions followed.
type Plugin struct {
	// Origin is the last one: local or pip.
	Origin *PluginOrigin
	// Project is the one that has that origin, which may lie behind junctions.
	Project *Project
	// Dir is the absolute folder of the plugin's files, "" for a package that
	// is not installed.
	Dir string
}

// String names the origin as a person would look for it.
func (p *Plugin) String() string {
	at := p.Origin.Origin + ": " + p.Origin.Where
	if p.Project.Junction != "" {
		at += " (in " + p.Project.Junction + ")"
	}
	return at
}

// Plugin finds where the project takes a kind from; nil where it does not
// declare it. A junction that plugins come from is loaded, if no element has
// led to it before.
//
// It changes what projects share: nothing else may work on them meanwhile.
// Errors are PLUGIN domain where a junction's project does not have the plugin,
// and LOAD domain where the junction cannot be loaded.
func (p *Project) Plugin(ctx context.Context, t PluginType, kind string) (*Plugin, error) {
	return p.findPlugin(ctx, t, kind, nil)
}

// findPlugin follows junctions; way are the projects on the way here.
func (p *Project) findPlugin(ctx context.Context, t PluginType, kind string, way []*Project) (*Plugin, error) {
	i := slices.IndexFunc(p.plugins, func(o PluginOrigin) bool { return slices.Contains(o.names(t), kind) })
	if i < 0 {
		return nil, nil
	}
	o := &p.plugins[i]
	switch o.Origin {
	case "local":
		return &Plugin{Origin: o, Project: p, Dir: filepath.Join(p.Dir, filepath.FromSlash(o.Where))}, nil
	case "pip":
		return &Plugin{Origin: o, Project: p, Dir: p.pipDir(o.Where, t)}, nil
	}
	sub, err := p.pluginProject(ctx, o)
	if err != nil {
		return nil, err
	}
	way = append(way, p)
	if slices.Contains(way, sub) {
		return nil, pluginErrorf(o, "junction-plugin-load-error",
			"Error loading "+string(t)+" plugin '"+kind+"' from project '"+sub.Name+"' referred to by junction '"+o.Where+
				"': that project takes it, by way of other junctions, from there again")
	}
	found, err := sub.findPlugin(ctx, t, kind, way)
	var known *stream.Error
	switch {
	case errors.As(err, &known) && known.Domain == stream.DomainPlugin:
		e := pluginErrorf(o, "junction-plugin-load-error",
			"Error loading "+string(t)+" plugin '"+kind+"' from project '"+sub.Name+"' referred to by junction '"+o.Where+
				"': "+known.Message)
		e.Detail = known.Detail
		return nil, e
	case err != nil:
		return nil, err
	case found == nil:
		return nil, pluginErrorf(o, "junction-plugin-not-found", "project '"+sub.Name+
			"' referred to by junction '"+o.Where+"' does not declare a "+string(t)+" plugin named: '"+kind+"'")
	}
	return found, nil
}

// pluginProject is the project behind the junction of an origin. What could not
// be fetched is not tried again for the origin's next kind.
func (p *Project) pluginProject(ctx context.Context, o *PluginOrigin) (*Project, error) {
	if err := p.session.unavailable[o]; err != nil {
		return nil, err
	}
	sub, err := p.loader.subLoader(ctx, strings.TrimSpace(o.Where), o.node, true)
	if !p.session.loading {
		// What the junctions' files led to is of no use: no elements are loaded.
		for _, l := range p.session.loaders {
			l.reader.stop()
		}
	}
	if err != nil {
		if NotFetched(err) {
			p.session.unfetched = p.session.unfetched || reasonOf(err) != noRef
			if p.session.unavailable == nil {
				p.session.unavailable = map[*PluginOrigin]error{}
			}
			p.session.unavailable[o] = err
		}
		return nil, err
	}
	return sub.project, nil
}

func pluginErrorf(o *PluginOrigin, reason, text string) *stream.Error {
	return &stream.Error{
		Domain: stream.DomainPlugin, Reason: reason, Message: o.Provenance.String() + ": " + text,
	}
}

// NotFetched says of an error of Plugin that the plugin's junction is not here:
// it would have to be fetched, and was not or could not be.
func NotFetched(err error) bool {
	var e *stream.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Domain {
	case stream.DomainLoad:
		return e.Reason == "SUBPROJECT_FETCH_NEEDED" || e.Reason == noRef
	case stream.DomainSource:
		return true
	case stream.DomainPlugin:
		// Programs that fetch and fail have no reason; plugins that are not known do.
		return e.Reason == ""
	}
	return false
}
