package engine

import (
	"context"
	"strings"

	"bst/impl/element"
	"bst/impl/node"
	"bst/impl/stream"
)

// fields says which fields of ElementShown somebody wants.
type fields map[string]bool

func wanted(names []string) fields {
	f := make(fields, len(names))
	for _, n := range names {
		f[n] = true
	}
	return f
}

// state says that the caches must be asked: the reference asks them only where
// one of these fields is shown.
func (f fields) state() bool {
	return f["state"] || f["key"] || f["full-key"] || f["artifact-cas-digest"]
}

// show obeys bst show.
func (s *session) show(ctx context.Context, o *stream.Show) error {
	want := wanted(o.Fields)
	w, err := s.load(ctx, o.Targets, want.state(), o.Except...)
	if err != nil {
		return err
	}
	selected := w.selection(o.Deps)
	// In strict mode keys follow from the project alone. Whether an element is
	// buildable depends on all that it is built from.
	if want["state"] || want["artifact-cas-digest"] || want.state() && !s.strict() {
		if err := w.queryCache(ctx, w.graph.Elements, false); err != nil {
			return err
		}
	}
	if o.Sort == "alpha" {
		element.SortByName(selected)
	}
	return s.showElements(ctx, w, selected, want, stream.ShownShow)
}

// showElements emits a line's worth for each element, in order.
func (s *session) showElements(ctx context.Context, w *world, list []*element.Element, want fields,
	where stream.ShownWhere) error {
	var ready []bool
	if want["state"] {
		ready = buildable(w.graph, w.successes())
		if len(list) >= manyQueries {
			defer w.sources.Ask()()
		}
	}
	const batch = 256 // events go out in batches: a call for each costs more than the event
	events := make([]stream.Event, 0, min(batch, len(list)))
	for i, e := range list {
		if i%batch == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			s.emit(events...)
			events = events[:0:0]
		}
		shown, err := w.shown(ctx, e, ready, want)
		if err != nil {
			return err
		}
		shown.Where = where
		events = append(events, shown)
	}
	s.emit(events...)
	return nil
}

// shown fills in what is wanted of an element. ready says which are buildable, where
// the state is wanted.
func (w *world) shown(ctx context.Context, e *element.Element, ready []bool, want fields) (*stream.ElementShown, error) {
	v := &stream.ElementShown{Name: e.FullName}
	if want["kind"] {
		v.Kind = e.Kind
	}
	if want["key"] || want["full-key"] {
		v.Key = w.key(e)
	}
	if want["description"] {
		v.Description = strings.Join(strings.FieldsFunc(e.Description, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
	}
	if want["state"] {
		v.State = w.state(ctx, e, ready)
	}
	if want["config"] {
		v.Config = e.Config.Dump()
	}
	if want["vars"] {
		vars := node.NewMapping(stream.Provenance{})
		for name, value := range e.Variables.All() {
			vars.Set(name, node.NewVerbatim(value))
		}
		v.Vars = vars.Dump()
	}
	if want["env"] {
		env := node.NewMapping(stream.Provenance{})
		for _, b := range e.Environment {
			env.Set(b.Name, node.NewScalar(b.Value, stream.Provenance{}))
		}
		v.Env = env.Dump()
	}
	if want["public"] {
		v.Public = e.Public.Dump()
	}
	if want["deps"] {
		v.Deps = names(e.Direct(element.ScopeAll))
	}
	if want["build-deps"] {
		v.BuildDeps = names(e.Direct(element.ScopeBuild))
	}
	if want["runtime-deps"] {
		v.RuntimeDeps = names(e.Direct(element.ScopeRun))
	}
	if want["source-info"] {
		info, err := w.sourceInfo(e)
		if err != nil {
			return nil, err
		}
		v.SourceInfo = info
	}
	if v.Workspaced = want["workspaced"] && e.Workspace != ""; want["workspace-dirs"] && e.Workspace != "" {
		v.WorkspaceDirs = "Workspace: " + e.Workspace
	}
	if want["artifact-cas-digest"] {
		if a := w.artifact(e); a != nil {
			v.ArtifactDigest = a.Files.String()
		} else {
			w.s.say(subject{element: e.FullName, key: w.key(e)}, stream.TypeWarning, nil,
				"Cannot obtain CAS digest because artifact is not cached", "")
		}
	}
	return v, nil
}

// names is a YAML list of full names.
func names(list []*element.Element) string {
	items := make([]*node.Node, len(list))
	for i, e := range list {
		items[i] = node.NewScalar(e.FullName, stream.Provenance{})
	}
	return strings.TrimRight(node.NewSequence(items, stream.Provenance{}).Dump(), "\n")
}

// state is the reference's word for how an element stands.
func (w *world) state(ctx context.Context, e *element.Element, ready []bool) string {
	switch a := w.artifact(e); {
	case !e.SourcesResolved:
		return "no reference"
	case e.Kind == "junction":
		return "junction"
	case e.StrictKey == "":
		return "waiting"
	case a != nil && !a.BuildSuccess:
		return "failed"
	case a != nil:
		return "cached"
	case w.sources.FetchNeeded(ctx, e):
		return "fetch needed"
	case ready[e.Index]:
		return "buildable"
	}
	return "waiting"
}
