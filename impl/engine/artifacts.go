package engine

// The commands about artifacts that are cached here. Behaviour: the reference's
// Stream.artifact_show, artifact_log, artifact_list_contents, artifact_delete.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"bst/impl/artifact"
	"bst/impl/cas"
	"bst/impl/element"
	"bst/impl/stream"
)

// loadArtifacts loads the targets of a command about artifacts, and asks the
// cache about those that deps selects.
func (s *session) loadArtifacts(ctx context.Context, targets []string, deps string) (*world, []*element.Element, error) {
	w, err := s.loadAny(ctx, targets, true)
	if err != nil {
		return nil, nil, err
	}
	if err := w.noDeps(deps); err != nil {
		return nil, nil, err
	}
	selected := w.selection(deps)
	return w, selected, w.queryCache(ctx, selected, false)
}

// artifactName is the name of the artifact that an element has or would have.
func (w *world) artifactName(e *element.Element) string {
	return artifact.Name(e.Project.Name, e.NormalName, w.key(e).Full)
}

// showArtifacts obeys bst artifact show.
func (s *session) showArtifacts(ctx context.Context, o *stream.ShowArtifacts) error {
	w, selected, err := s.loadArtifacts(ctx, o.Targets, o.Deps)
	if err != nil {
		return err
	}
	some, err := w.someMissing(selected)
	if err != nil {
		return err
	}
	if some {
		if err := w.connect(ctx, useArtifacts); err != nil {
			return err
		}
	}
	if w.pulls() {
		if err := w.queryRemotes(ctx, selected); err != nil {
			return err
		}
	}
	for _, e := range selected {
		shown := &stream.ArtifactShown{Name: e.FullName, State: stream.ArtifactNotCached}
		if a := w.artifact(e); a != nil && a.BuildSuccess {
			shown.State = stream.ArtifactCached
		} else if a != nil {
			shown.State = stream.ArtifactFailed
		} else if w.remotes.offers[e.Index] != nil {
			shown.State = stream.ArtifactAvailable
		}
		s.emit(shown)
	}
	return nil
}

// maxContents bounds the files of one event.
const maxContents = 1024

// listContents obeys bst artifact list-contents.
func (s *session) listContents(ctx context.Context, o *stream.ListContents) error {
	w, selected, err := s.loadArtifacts(ctx, o.Targets, "none")
	if err != nil {
		return err
	}
	for _, e := range selected {
		if err := ctx.Err(); err != nil {
			return err
		}
		a := w.artifact(e)
		if a == nil {
			s.say(subject{}, stream.TypeWarning, nil, w.artifactName(e)+" is not cached", "")
			continue
		}
		event := &stream.ArtifactContents{Name: e.FullName, Begin: true}
		if !a.Files.IsZero() {
			root, err := w.store.OpenDir(a.Files)
			if err != nil {
				return err
			}
			err = root.Walk(func(path string, entry cas.Entry) error {
				if len(event.Files) == maxContents {
					s.emit(event)
					event = &stream.ArtifactContents{Name: e.FullName}
				}
				file := stream.ContentsFile{Path: path}
				if o.Long {
					describe(&file, entry)
				}
				event.Files = append(event.Files, file)
				return ctx.Err()
			})
			if err != nil {
				return err
			}
		}
		s.emit(event)
	}
	return nil
}

func describe(file *stream.ContentsFile, entry cas.Entry) {
	switch {
	case entry.Type == cas.TypeDirectory:
		file.Type = stream.ContentsDirectory
	case entry.Type == cas.TypeSymlink:
		file.Type, file.Target, file.Size = stream.ContentsLink, entry.Target, int64(len(entry.Target))
	case entry.Executable:
		file.Type, file.Size = stream.ContentsExecutable, entry.Digest.Size
	default:
		file.Type, file.Size = stream.ContentsRegular, entry.Digest.Size
	}
}

// artifactLogs obeys bst artifact log.
func (s *session) artifactLogs(ctx context.Context, o *stream.ArtifactLogs) error {
	w, selected, err := s.loadArtifacts(ctx, o.Targets, "none")
	if err != nil {
		return err
	}
	if o.Out != "" {
		if err := os.Mkdir(o.Out, 0o755); err != nil {
			e := &stream.Error{Domain: stream.DomainStream, Cause: err.Error(),
				Message: fmt.Sprintf("The folder for logs cannot be made: %v", err)}
			if errors.Is(err, os.ErrExist) {
				e.Message = "Error: " + o.Out + " already exists"
				e.Detail = "Name a folder that does not exist yet."
			}
			return e
		}
	}
	taken := make(map[string]bool)
	for _, e := range selected {
		if err := ctx.Err(); err != nil {
			return err
		}
		name := w.artifactName(e)
		a := w.artifact(e)
		switch {
		case a == nil:
			s.say(subject{}, stream.TypeWarning, nil, name+" is not cached", "")
			continue
		case len(a.Logs) == 0:
			s.say(subject{}, stream.TypeWarning, nil, name+" is cached without log files", "")
			continue
		}
		if o.Out == "" {
			for _, log := range a.Logs {
				if err := w.store.Verify(log.Digest); err != nil {
					return err
				}
				s.emit(&stream.LogShown{Name: e.FullName, Path: w.store.Path(log.Digest)})
			}
			continue
		}
		// Artifacts of one element differ in their keys.
		stem := e.NormalName
		if taken[stem] {
			stem += "-" + w.key(e).Full
		}
		taken[stem] = true
		if len(a.Logs) == 1 {
			err = w.copyLog(a.Logs[0], filepath.Join(o.Out, stem+".log"))
		} else if err = os.Mkdir(filepath.Join(o.Out, stem), 0o755); err == nil {
			for _, log := range a.Logs {
				err = errors.Join(err, w.copyLog(log, filepath.Join(o.Out, stem, log.Name)))
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// copyLog writes a log to a file that must not be there.
func (w *world) copyLog(log artifact.Log, path string) error {
	from, err := w.store.OpenFile(log.Digest)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err == nil {
		_, err = io.Copy(to, from)
		err = errors.Join(err, to.Close())
	}
	if err != nil {
		return &stream.Error{Domain: stream.DomainStream, Message: fmt.Sprintf("Failed to write the log: %v", err)}
	}
	return nil
}

// deleteArtifacts obeys bst artifact delete.
func (s *session) deleteArtifacts(ctx context.Context, o *stream.DeleteArtifacts) error {
	w, selected, err := s.loadArtifacts(ctx, o.Targets, o.Deps)
	if err != nil {
		return err
	}
	var names []string
	seen := make(map[string]bool)
	add := func(e *element.Element, key string) {
		name := artifact.Name(e.Project.Name, e.NormalName, key)
		if isKey(key) && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	for _, e := range selected {
		if err := ctx.Err(); err != nil {
			return err
		}
		strong, weak := w.strongKey(e), e.WeakKey
		if a := w.artifact(e); a != nil && isArtifact(e) {
			strong, weak = a.StrongKey, a.WeakKey
			add(e, e.StrictKey) // what was asked for, whatever the artifact says of itself
		}
		add(e, strong)
		add(e, weak)
	}
	removed := false
	for _, name := range names {
		if err := w.artifacts.Delete(name); err != nil {
			s.say(subject{}, stream.TypeWarning, nil, asError(err).Message, "")
			continue
		}
		s.say(subject{}, stream.TypeInfo, nil, "Removed: "+name, "")
		removed = true
	}
	if !removed {
		s.say(subject{}, stream.TypeInfo, nil, "No artifacts were removed", "")
	}
	return nil
}
