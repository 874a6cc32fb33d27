package workspace

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"bst/impl/node"
	"bst/impl/patient"
	"bst/impl/stream"

	"github.com/gofrs/flock"
)

const (
	// lockName is a file of its own: the one that it is about is replaced.
	lockName = "workspaces.lock"
	// lockWait bounds how long another bst is waited for, which holds the lock
	// while it fills a workspace.
	lockWait = 5 * time.Minute
	lockPoll = 50 * time.Millisecond
)

// Lock keeps other bst from changing the project's workspaces until unlock, or
// the end of this process. Read them again after it.
func Lock(ctx context.Context, project string) (unlock func() error, err error) {
	dir := filepath.Join(project, Folder)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, unwritten(err)
	}
	lock := flock.New(filepath.Join(dir, lockName), flock.SetPermissions(0o644)) // several people may share a project
	bounded, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	switch _, err := lock.TryLockContext(bounded, lockPoll); {
	case err == nil:
		return lock.Unlock, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return nil, &stream.Error{Domain: stream.DomainStream, Reason: "workspaces-locked",
			Message: "Another bst has been changing the workspaces of '" + project + "' for " + lockWait.String(),
			Detail:  "Wait until it has ended, or end it; the lock goes with its process."}
	default:
		return nil, unwritten(err)
	}
}

// Put adds the workspace of an element that lies in an absolute directory, or
// changes it.
func (s *Set) Put(element, directory, lastBuild string) {
	w := Workspace{Element: element, Path: directory, LastBuild: lastBuild}
	if relative, err := filepath.Rel(s.project, directory); err == nil && relative != ".." &&
		!strings.HasPrefix(relative, ".."+string(filepath.Separator)) {
		w.Path = filepath.ToSlash(relative)
	}
	if i := s.index(element); i >= 0 {
		s.list[i] = w
	} else {
		s.list = append(s.list, w)
	}
}

// Remove forgets the workspace of an element.
func (s *Set) Remove(element string) {
	if i := s.index(element); i >= 0 {
		s.list = slices.Delete(s.list, i, i+1)
	}
}

// Save writes the file, whole or not at all. Whoever saves holds the lock.
func (s *Set) Save() error {
	dir := filepath.Join(s.project, Folder)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return unwritten(err)
	}
	return write(File(s.project), s.text())
}

func (s *Set) text() string {
	none := stream.Provenance{}
	list := node.NewMapping(none)
	for _, w := range s.list {
		item := node.NewMapping(none)
		item.Set("path", node.NewScalar(w.Path, none))
		if w.LastBuild != "" {
			item.Set("last_build", node.NewScalar(w.LastBuild, none))
		}
		list.Set(w.Element, item)
	}
	root := node.NewMapping(none)
	root.Set("format-version", node.NewVerbatim(strconv.Itoa(format)))
	root.Set("workspaces", list)
	return root.Dump()
}

func write(file, text string) error {
	// A person's work hangs on it, and it is written rarely.
	if err := patient.WriteFile(file, []byte(text), 0o644, patient.Synced); err != nil {
		return unwritten(err)
	}
	return nil
}

func unwritten(err error) error {
	return &stream.Error{Domain: stream.DomainStream, Reason: "workspaces-not-writable",
		Message: "The project's workspaces cannot be changed: " + err.Error(),
		Detail:  "They are kept in the project's folder '" + Folder + "', which must be writable."}
}
