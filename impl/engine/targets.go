package engine

// Artifacts as targets of commands. Behaviour: the reference's
// Stream._expand_and_classify_targets and ArtifactElement.

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"bst/impl/artifact"
	"bst/impl/cas"
	"bst/impl/element"
	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/project"
	"bst/impl/stream"
)

// artifactKind stands for the kind of an element of which only an artifact is
// known. No project can name it.
var artifactKind = kind.Traits{Kind: "artifact"}

// isArtifact says that only an artifact is known of an element.
func isArtifact(e *element.Element) bool { return e.Traits == &artifactKind }

// loadAny is load for commands whose targets may be artifacts too. Those become
// elements of the graph that are built from what the artifact says.
func (s *session) loadAny(ctx context.Context, targets []string, keys bool) (*world, error) {
	var elements, names, globs []string
	for _, t := range targets {
		switch {
		case strings.HasSuffix(t, ".bst"):
			elements = append(elements, t)
		case strings.ContainsAny(t, "*?["):
			globs = append(globs, t)
		case !isArtifactName(t):
			return nil, &stream.Error{Domain: stream.DomainStream, Reason: "unrecognized-target-format",
				Message: "Specified target does not appear to be an artifact or element name: " + t,
				Detail:  "Element names and element glob expressions must end in '.bst'; an artifact is named project/element/key"}
		default:
			names = append(names, t)
		}
	}
	if len(names)+len(globs) == 0 {
		return s.load(ctx, targets, keys)
	}
	var w *world
	var err error
	if len(elements) > 0 {
		w, err = s.load(ctx, elements, keys)
	} else {
		w, err = s.loadNone(ctx)
	}
	if err != nil {
		return nil, err
	}
	for _, glob := range globs {
		matched, err := w.artifacts.List(glob)
		if err != nil {
			return nil, err
		}
		if len(matched) == 0 {
			s.say(subject{}, stream.TypeWarning, nil, "No artifact names matched the glob expression: "+glob, "")
		}
		for _, name := range matched {
			if isArtifactName(name) {
				names = append(names, name)
			}
		}
	}
	return w, w.addArtifacts(names)
}

// loadNone opens the project, where there is one, and no elements of it.
func (s *session) loadNone(ctx context.Context) (*world, error) {
	w, err := s.open()
	if err != nil {
		return nil, err
	}
	w.graph = &element.Graph{}
	registry, err := s.registry()
	if err != nil {
		return nil, err
	}
	p, err := s.openProject(ctx, w, registry, new(cas.Digests), nil, nil)
	var e *stream.Error
	if errors.As(err, &e) && e.Domain == stream.DomainLoad && e.Reason == "MISSING_PROJECT_CONF" {
		return w, nil
	}
	if err != nil {
		return nil, err
	}
	w.project = p
	loaded, err := p.Load(ctx, nil, project.LoadOptions{})
	if err != nil {
		return nil, err
	}
	w.projects = loaded.Projects
	return w, nil
}

// isArtifactName says that a name has the form project/element/key.
func isArtifactName(name string) bool {
	parts := strings.SplitN(name, "/", 3)
	return len(parts) == 3 && parts[0] != "" && parts[1] != "" && isKey(parts[2])
}

func isKey(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// addArtifacts makes targets of the graph of artifacts. Those that are cached have
// what they were built from as their dependencies.
func (w *world) addArtifacts(names []string) error {
	made := make(map[string]*element.Element)
	add := func(name string) *element.Element {
		if e := made[name]; e != nil {
			return e
		}
		parts := strings.SplitN(name, "/", 3)
		e := &element.Element{Index: len(w.graph.Elements), Name: parts[1], FullName: name, NormalName: parts[1],
			Kind: artifactKind.Kind, Traits: &artifactKind, Project: w.projectNamed(parts[0]), SourcesResolved: true,
			WeakKey: parts[2], StrictKey: parts[2]}
		made[name] = e
		// A graph that is kept for other sessions has elements of its own.
		w.graph.Elements = append(w.graph.Elements[:e.Index:e.Index], e)
		w.found = append(w.found, nil)
		w.strong = append(w.strong, parts[2])
		return e
	}
	for _, name := range names {
		a, err := w.artifacts.Lookup(name)
		if err != nil {
			return err
		}
		if a != nil && isKey(a.StrongKey) {
			// An artifact has two names, and is one target.
			parts := strings.SplitN(name, "/", 3)
			name = artifact.Name(parts[0], parts[1], a.StrongKey)
		}
		before := len(made)
		e := add(name)
		if len(made) == before && slices.Contains(w.graph.Targets, e) {
			continue
		}
		w.graph.Targets = append(w.graph.Targets, e)
		if a == nil {
			continue
		}
		for _, d := range a.BuildDeps {
			if name := d.ArtifactName(); isArtifactName(name) {
				e.Build = append(e.Build, add(name))
			}
		}
		if e.Environment, err = w.environmentOf(a); err != nil {
			return err
		}
	}
	return nil
}

// environmentOf is the environment in which an artifact was built.
func (w *world) environmentOf(a *artifact.Artifact) ([]element.Binding, error) {
	data, err := w.store.Get(a.LowDiversityMeta)
	if err != nil {
		return nil, err
	}
	meta, err := node.Parse(data, "low-diversity-meta.yaml")
	if err != nil {
		return nil, err
	}
	env, err := meta.GetMapping("environment")
	if err != nil || env == nil {
		return nil, err
	}
	var list []element.Binding
	for _, name := range env.Keys() {
		value, err := env.GetStr(name, "")
		if err != nil {
			return nil, err
		}
		list = append(list, element.Binding{Name: name, Value: value})
	}
	return list, nil
}

// oneTarget is the target of a command that takes one.
func (w *world) oneTarget() (*element.Element, error) {
	if len(w.graph.Targets) != 1 {
		return nil, &stream.Error{Domain: stream.DomainStream, Reason: "not-one-target",
			Message: fmt.Sprintf("This command works on one element or artifact, and %d were named", len(w.graph.Targets)),
			Detail:  "A glob must match exactly one."}
	}
	return w.graph.Targets[0], nil
}

// projectNamed is the project of that name, or one of which nothing but the name
// is known, the same for all artifacts of it.
func (w *world) projectNamed(name string) *project.Project {
	for _, p := range slices.Concat(w.projects, w.strangers) {
		if p.Name == name {
			return p
		}
	}
	p := &project.Project{Name: name, Parent: w.project}
	w.strangers = append(w.strangers, p)
	return p
}

// noDeps refuses --deps run and all where a target is an artifact: which elements
// it needs to run is not known.
func (w *world) noDeps(deps string) error {
	if deps != "run" && deps != "all" {
		return nil
	}
	for _, t := range w.graph.Targets {
		if isArtifact(t) {
			return &stream.Error{Domain: stream.DomainStream, Reason: "deps-not-supported",
				Message: "Error: '--deps " + deps + "' is not supported for artifact names"}
		}
	}
	return nil
}
