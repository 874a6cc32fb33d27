package engine

// Workspaces: which are open, and closing them. Behaviour: the reference's
// Stream.workspace_close, workspace_reset, workspace_list.

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bst/impl/element"
	"bst/impl/patient"
	"bst/impl/project"
	"bst/impl/stream"
	"bst/impl/workspace"
)

// placeOfWork is the project that a session's workspaces are of.
type placeOfWork struct {
	// project is its directory; element the one whose workspace led there, "" for
	// none.
	project, element string
}

// findWork finds the project without loading it: workspaces of a project that
// does not load can be listed and closed.
func (s *session) findWork() (placeOfWork, error) {
	dir, element, err := project.Find(s.set.Directory, nil)
	if err != nil {
		e := *asError(err)
		if e.Reason == "MISSING_PROJECT_CONF" {
			e = stream.Error{Domain: stream.DomainStream, Reason: "project-not-loaded",
				Message: "Unable to locate workspaces", Detail: e.Message}
		}
		return placeOfWork{}, &e
	}
	return placeOfWork{dir, element}, nil
}

// listWorkspaces obeys bst workspace list.
func (s *session) listWorkspaces() error {
	at, err := s.findWork()
	if err != nil {
		return err
	}
	set, err := workspace.Read(at.project)
	if err != nil {
		return err
	}
	shown := &stream.WorkspacesShown{}
	for _, w := range set.All() {
		shown.Workspaces = append(shown.Workspaces, stream.OpenWorkspace{Element: w.Element, Directory: set.Directory(w)})
	}
	s.emit(shown)
	return nil
}

// closeWorkspaces obeys bst workspace close.
func (s *session) closeWorkspaces(ctx context.Context, o *stream.CloseWorkspaces) (err error) {
	at, err := s.findWork()
	if err != nil {
		return err
	}
	targets := o.Targets
	if len(targets) == 0 && !o.All {
		if at.element == "" {
			return &stream.Error{Domain: stream.DomainApp, Message: "No elements specified"}
		}
		targets = []string{at.element}
	}
	set, err := workspace.Read(at.project)
	if err != nil {
		return err
	}
	if o.All {
		if targets = openElements(set); len(targets) == 0 {
			s.say(subject{}, stream.TypeInfo, nil, "No open workspaces to close", "")
			return nil
		}
	} else if targets, err = s.named(ctx, set, targets); err != nil {
		return err
	}
	unlock, err := workspace.Lock(ctx, at.project)
	if err != nil {
		return err
	}
	defer unlocked(unlock, &err)
	if set, err = workspace.Read(at.project); err != nil {
		return err
	}
	if err := allOpen(set, targets, stream.DomainApp); err != nil {
		return err
	}
	for _, name := range targets {
		if err := s.closeWorkspace(set, at.project, name, o.RemoveDirectory); err != nil {
			return err
		}
	}
	return nil
}

// closeWorkspace gives an element its own sources again. The folder goes first: a
// close that was interrupted can be ordered again.
func (s *session) closeWorkspace(set *workspace.Set, project, name string, remove bool) error {
	w, _ := set.Find(name)
	dir := set.Directory(w)
	if remove {
		if err := s.removeWorkspace(project, name, dir); err != nil {
			return err
		}
	} else if err := workspace.Unmark(dir, project, name); err != nil {
		return err
	}
	set.Remove(name)
	if err := set.Save(); err != nil {
		return err
	}
	s.say(subject{element: name}, stream.TypeInfo, nil, "Closed workspace for "+name, "")
	return nil
}

func (s *session) removeWorkspace(project, name, dir string) error {
	if err := spareProject(project, name, dir); err != nil {
		return err
	}
	j := &journal{s: s, subject: subject{element: name}}
	return j.activity("Removing workspace directory "+dir, func() error {
		if err := patient.RemoveAll(dir); err != nil {
			return &stream.Error{Domain: stream.DomainStream, Message: "Could not remove '" + dir + "': " + err.Error(),
				Detail: "The workspace stays open. Remove what is left of the folder, and close it again."}
		}
		return nil
	})
}

// spareProject refuses to remove a folder that the project itself lies in.
func spareProject(project, name, dir string) error {
	relative, err := filepath.Rel(dir, project)
	if err == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator)) {
		return &stream.Error{Domain: stream.DomainStream, Reason: "bad-directory",
			Message: "For element '" + name + "', Directory holds the project itself, and is not removed: " + dir}
	}
	return nil
}

// resetWorkspaces obeys bst workspace reset.
func (s *session) resetWorkspaces(ctx context.Context, o *stream.ResetWorkspaces) (summary *stream.Summary, err error) {
	at, err := s.findWork()
	if err != nil {
		return nil, err
	}
	set, err := workspace.Read(at.project)
	if err != nil {
		return nil, err
	}
	refused := func(message string) error { return &stream.Error{Domain: stream.DomainApp, Message: message} }
	targets := o.Targets
	switch {
	case o.All && len(targets) > 0:
		return nil, refused("Specify either --all or elements, not both")
	case o.All:
		if targets = openElements(set); len(targets) == 0 {
			return nil, refused("No open workspaces to reset")
		}
	case len(targets) == 0 && at.element == "":
		return nil, refused("No elements specified to reset")
	case len(targets) == 0:
		targets = []string{at.element}
	}
	if targets, err = s.named(ctx, set, targets); err != nil {
		return nil, err
	}
	if err := allOpen(set, targets, stream.DomainStream); err != nil {
		return nil, err
	}
	if o.Soft {
		return nil, s.forgetBuilds(ctx, at.project, targets)
	}
	w, elements, summary, err := s.fetchOriginal(ctx, targets, true)
	if err != nil {
		return summary, err
	}
	unlock, err := workspace.Lock(ctx, at.project)
	if err != nil {
		return summary, err
	}
	defer unlocked(unlock, &err)
	if set, err = workspace.Read(at.project); err != nil {
		return summary, err
	}
	if err := allOpen(set, targets, stream.DomainStream); err != nil {
		return summary, err
	}
	opening := &opening{s: s, w: w, set: set, project: at.project, force: true}
	for _, e := range elements {
		open, _ := set.Find(e.FullName)
		if err := opening.open(ctx, e, set.Directory(open)); err != nil {
			return summary, err
		}
	}
	return summary, nil
}

// forgetBuilds forgets what was built last of workspaces.
func (s *session) forgetBuilds(ctx context.Context, project string, targets []string) (err error) {
	unlock, err := workspace.Lock(ctx, project)
	if err != nil {
		return err
	}
	defer unlocked(unlock, &err)
	set, err := workspace.Read(project)
	if err != nil {
		return err
	}
	if err := allOpen(set, targets, stream.DomainStream); err != nil {
		return err
	}
	for _, name := range targets {
		w, _ := set.Find(name)
		set.Put(name, set.Directory(w), "")
	}
	if err := set.Save(); err != nil {
		return err
	}
	for _, name := range targets {
		w, _ := set.Find(name)
		s.say(subject{element: name}, stream.TypeInfo, nil, "Reset workspace state for "+name+" at: "+set.Directory(w), "")
	}
	return nil
}

// named gives the full names of the elements that are meant: those that have no
// workspace may stand for others that have.
func (s *session) named(ctx context.Context, set *workspace.Set, targets []string) ([]string, error) {
	var names, others []string
	for _, t := range targets {
		if _, ok := set.Find(t); ok {
			names = append(names, t)
		} else {
			others = append(others, t)
		}
	}
	if len(others) == 0 {
		return slices.Compact(names), nil
	}
	w, err := s.load(ctx, others, false)
	if err != nil {
		if e := asError(err); e.Domain == stream.DomainLoad && e.Reason == "MISSING_FILE" {
			err = notOpen(others, stream.DomainApp)
		}
		return nil, err
	}
	for _, e := range s.redirected(w.graph.Targets) {
		if !slices.Contains(names, e.FullName) {
			names = append(names, e.FullName)
		}
	}
	return names, nil
}

// redirected puts in the place of elements that have no sources of their own by
// their kind (filter) those whose they show.
func (s *session) redirected(targets []*element.Element) []*element.Element {
	var list []*element.Element
	for _, t := range targets {
		e := t
		for e.Kind == "filter" && len(e.Build) > 0 {
			e = e.Build[0]
		}
		if e != t {
			s.say(subject{}, stream.TypeInfo, nil, "Element '"+t.FullName+"' redirected to '"+e.FullName+"'", "")
		}
		if !slices.Contains(list, e) {
			list = append(list, e)
		}
	}
	return list
}

func openElements(set *workspace.Set) []string {
	var names []string
	for _, w := range set.All() {
		names = append(names, w.Element)
	}
	return names
}

func allOpen(set *workspace.Set, names []string, domain stream.Domain) error {
	var missing []string
	for _, name := range names {
		if _, ok := set.Find(name); !ok {
			missing = append(missing, name)
		}
	}
	if missing == nil {
		return nil
	}
	return notOpen(missing, domain)
}

func notOpen(names []string, domain stream.Domain) error {
	return &stream.Error{Domain: domain, Message: "Workspace does not exist", Detail: strings.Join(names, "\n")}
}

// unlocked gives a lock back at the end.
func unlocked(unlock func() error, err *error) {
	if e := unlock(); *err == nil && e != nil {
		*err = &stream.Error{Domain: stream.DomainStream, Message: "The lock of the project's workspaces cannot be given back: " + e.Error()}
	}
}

// isEmpty says that nothing is in a folder, or that there is none.
func isEmpty(dir string) (bool, error) {
	list, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return true, nil
	}
	return len(list) == 0, err
}
