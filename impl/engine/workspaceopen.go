package engine

// Opening workspaces. Behaviour: the reference's Stream.workspace_open.

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"bst/impl/cas"
	"bst/impl/element"
	"bst/impl/patient"
	"bst/impl/stream"
	"bst/impl/workspace"
)

// openWorkspaces obeys bst workspace open. What can be wrong is found before
// anything is changed; then each workspace is filled first and noted after that,
// so that one that is noted is whole.
func (s *session) openWorkspaces(ctx context.Context, o *stream.OpenWorkspaces) (summary *stream.Summary, err error) {
	w, elements, summary, err := s.fetchOriginal(ctx, o.Targets, !o.NoCheckout)
	if err != nil {
		return summary, err
	}
	project := w.project.Dir
	unlock, err := workspace.Lock(ctx, project)
	if err != nil {
		return summary, err
	}
	defer unlocked(unlock, &err)
	set, err := workspace.Read(project)
	if err != nil {
		return summary, err
	}
	op := &opening{s: s, w: w, set: set, project: project, force: o.Force, bare: o.NoCheckout}
	dirs, err := op.check(elements, o.Directory, s.set.Settings.WorkspaceDir)
	if err != nil {
		return summary, err
	}
	for i, e := range elements {
		if err := op.open(ctx, e, dirs[i]); err != nil {
			failed := *asError(err)
			if rest := elements[i+1:]; len(rest) > 0 {
				names := make([]string, len(rest))
				for k, e := range rest {
					names[k] = e.FullName
				}
				failed.Detail = strings.TrimLeft(failed.Detail+"\nDid not try to create workspaces for "+strings.Join(names, " "), "\n")
			}
			return summary, &failed
		}
	}
	return summary, nil
}

// fetchOriginal loads elements with the sources that their files name, and
// fetches these.
func (s *session) fetchOriginal(ctx context.Context, targets []string, fetch bool) (*world, []*element.Element, *stream.Summary, error) {
	if s.world != nil { // names were looked up
		if err := s.world.close(); err != nil {
			return nil, nil, nil, err
		}
	}
	s.original = true
	w, err := s.load(ctx, targets, true)
	if err != nil {
		return nil, nil, nil, err
	}
	elements := s.redirected(w.graph.Targets)
	if !fetch {
		return w, elements, nil, nil
	}
	summary, err := s.fetchMissing(ctx, w, elements)
	return w, elements, summary, err
}

// opening opens workspaces while it holds the lock.
type opening struct {
	s       *session
	w       *world
	set     *workspace.Set
	project string
	force   bool
	// bare takes the folders as they are.
	bare bool
}

func openError(reason, message string) error {
	return &stream.Error{Domain: stream.DomainStream, Reason: reason, Message: message}
}

// check tells the folder of each element, or what is wrong with one.
func (op *opening) check(elements []*element.Element, custom, base string) ([]string, error) {
	if custom != "" && len(elements) != 1 {
		return nil, openError("directory-with-multiple-elements", "Exactly one element can be given if --directory is used")
	}
	var dirs []string
	taken := make(map[string]string)
	for _, e := range elements {
		if len(e.Sources) == 0 {
			failed := &stream.Error{Domain: stream.DomainStream, Message: "The element " + e.FullName + " has no sources"}
			for i, d := range e.Build {
				if i == 0 {
					failed.Detail = "Try opening a workspace on one of its dependencies instead:\n"
				}
				failed.Detail += "  " + d.FullName + "\n"
			}
			return nil, failed
		}
		if open, ok := op.set.Find(e.FullName); ok && !op.force {
			return nil, &stream.Error{Domain: stream.DomainStream,
				Message: "Element '" + e.FullName + "' already has an open workspace defined at: " + op.set.Directory(open),
				Detail:  "Close it with `bst workspace close`, or replace it with `--force`."}
		}
		dir := custom
		if dir == "" {
			dir = filepath.Join(base, filepath.FromSlash(strings.TrimSuffix(e.Name, ".bst")))
		}
		if other, ok := taken[dir]; ok {
			return nil, openError("bad-directory", "For element '"+e.FullName+"', Directory path is that of '"+other+"' too: "+dir)
		}
		taken[dir] = e.FullName
		dirs = append(dirs, dir)
		if err := op.checkDirectory(e.FullName, dir); err != nil {
			return nil, err
		}
	}
	return dirs, nil
}

func (op *opening) checkDirectory(name, dir string) error {
	info, err := os.Stat(dir)
	switch {
	case os.IsNotExist(err):
		return nil
	case err != nil:
		return openError("workspace-directory-failure", "Failed to create workspace directory: "+err.Error())
	case !info.IsDir():
		return openError("bad-directory", "For element '"+name+"', Directory path is not a directory: "+dir)
	case op.bare:
		return nil
	}
	empty, err := isEmpty(dir)
	switch {
	case err != nil:
		return openError("workspace-directory-failure", "Failed to create workspace directory: "+err.Error())
	case empty:
		return nil
	case !op.force:
		return openError("bad-directory", "For element '"+name+"', Directory path is not empty: "+dir)
	}
	return spareProject(op.project, name, dir)
}

// open makes dir the workspace of an element. One that it had elsewhere is given
// up.
func (op *opening) open(ctx context.Context, e *element.Element, dir string) error {
	j := op.s.mainJournal(e, op.w)
	j.message(stream.TypeStatus, nil, "Creating workspace for element "+e.FullName, "")
	old, replaces := op.set.Find(e.FullName)
	was := op.set.Directory(old)
	if replaces && !op.bare {
		j.message(stream.TypeWarning, nil, "Replacing existing workspace for element '"+e.FullName+"' defined at: "+was, "")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return openError("workspace-directory-failure", "Failed to create workspace directory: "+err.Error())
	}
	if !op.bare {
		err := j.activity("Staging sources to "+dir, func() error {
			tree, err := op.w.sourceTree(ctx, e, j)
			if err != nil {
				return err
			}
			return fill(op.w.store, tree, dir, func() error {
				if !replaces {
					return nil
				}
				op.set.Remove(e.FullName) // it must not count while its files are being replaced
				return op.set.Save()
			})
		})
		if err != nil {
			return err
		}
	}
	had, err := workspace.Mark(dir, op.project, e.FullName)
	if err != nil {
		return err
	}
	if had {
		j.message(stream.TypeWarning, nil, workspace.MarkName+" was staged from this element's sources", "")
	}
	op.set.Put(e.FullName, dir, "")
	if err := op.set.Save(); err != nil {
		return err
	}
	if replaces && was != dir {
		if err := workspace.Unmark(was, op.project, e.FullName); err != nil {
			return err
		}
		if !op.bare {
			if err := op.s.removeWorkspace(op.project, e.FullName, was); err != nil {
				return err
			}
		}
	}
	j.message(stream.TypeInfo, nil, "Created a workspace for element "+e.FullName, "")
	return nil
}

// fill makes a tree the content of a folder: it is checked out to the side, and
// what was there goes when that is done and replace agrees. The folder itself stays: a shell may
// be in it.
func fill(store *cas.Store, tree cas.Digest, dir string, replace func() error) (err error) {
	failed := func(err error) error {
		return openError("workspace-directory-failure", "Failed to create workspace directory: "+err.Error())
	}
	aside, err := besides(dir)
	if err != nil {
		return failed(err)
	}
	defer func() {
		if rmErr := patient.RemoveAll(aside); rmErr != nil {
			err = errors.Join(err, failed(rmErr))
		}
	}()
	if err := store.CheckoutTree(tree, aside, cas.CheckoutOptions{}); err != nil {
		return err
	}
	if err := replace(); err != nil {
		return err
	}
	before, err := os.ReadDir(dir)
	if err != nil {
		return failed(err)
	}
	for _, entry := range before {
		if path := filepath.Join(dir, entry.Name()); path != aside {
			if err := patient.RemoveAll(path); err != nil {
				return failed(err)
			}
		}
	}
	fresh, err := os.ReadDir(aside)
	if err != nil {
		return failed(err)
	}
	for _, entry := range fresh {
		if err := patient.Rename(filepath.Join(aside, entry.Name()), filepath.Join(dir, entry.Name())); err != nil {
			return failed(err)
		}
	}
	return nil
}

// besides makes an empty folder from which files can be renamed into dir: beside
// it, where what a kill leaves is no part of the workspace, or in it, where its
// parent may not be written to or is another file system.
func besides(dir string) (string, error) {
	const pattern = ".bst-open-*"
	aside, err := os.MkdirTemp(filepath.Dir(dir), pattern)
	if err != nil {
		return os.MkdirTemp(dir, pattern)
	}
	into := filepath.Join(dir, filepath.Base(aside))
	if os.Rename(aside, into) != nil {
		if err := patient.Remove(aside); err != nil {
			return "", err
		}
		return os.MkdirTemp(dir, pattern)
	}
	return aside, patient.Rename(into, aside)
}
