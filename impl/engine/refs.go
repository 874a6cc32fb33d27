package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"bst/impl/element"
	"bst/impl/node"
	"bst/impl/patient"
	"bst/impl/stream"
	"bst/impl/yamledit"

	"github.com/gofrs/flock"
)

// refWriter writes refs into the files that they belong in: that of the element, one
// that it includes, or project.refs. Each file is changed at that place alone, to the
// side, and renamed; one ref at a time, in all bst that share a cache.
type refWriter struct {
	mu sync.Mutex // guards files and is held while a file is changed
	// files holds each file's text as it was when the first ref was written there:
	// nodes tell where they stood in that.
	files map[string][]byte
	lock  *flock.Flock
}

func newRefWriter(cacheDir string) *refWriter {
	return &refWriter{files: make(map[string][]byte), lock: flock.New(filepath.Join(cacheDir, "refs.lock"))}
}

// edit is a change of one key.
type edit struct {
	file string
	// at stands where the change is; nil is for the path alone.
	at   *node.Node
	path yamledit.Path
	// value is nil where the key goes.
	value *node.Node
}

// save writes a source's ref, a mapping of its RefKeys.
func (w *refWriter) save(ctx context.Context, s *element.Source, ref *node.Node) error {
	edits, err := refEdits(s, ref)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.lock.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return saveError(s, w.lock.Path(), err)
	}
	defer w.lock.Unlock()
	// What belongs in one file is written at once.
	var files []string
	texts := make(map[string][]byte)
	for _, e := range edits {
		text, ok := texts[e.file]
		if !ok {
			files = append(files, e.file)
			if text, err = w.read(e.file); err != nil {
				return saveError(s, e.file, err)
			}
		}
		if texts[e.file], err = w.apply(text, e); err != nil {
			return saveError(s, e.file, err)
		}
	}
	for _, file := range files {
		if err := rewrite(file, texts[file]); err != nil {
			return saveError(s, file, err)
		}
	}
	return nil
}

func saveError(s *element.Source, file string, err error) error {
	e := &stream.Error{Domain: stream.DomainSource, Reason: "save-ref-error",
		Message: fmt.Sprintf("%s: Error saving source reference to '%s': %s", s, file, err), Cause: err.Error()}
	if errors.Is(err, fs.ErrPermission) {
		e.Detail = "The user who runs bst must be able to write to the folder of that file."
	}
	return e
}

// refEdits says which keys of which files change.
func refEdits(s *element.Source, ref *node.Node) ([]edit, error) {
	place, stored := s.StoredRef()
	holder := s.Mapping()
	if stored {
		holder = place.Entry
	} else if err := ours(s, holder); err != nil {
		return nil, err
	}
	var edits []edit
	for _, key := range s.RefKeys() {
		value, old := ref.Get(key), holder.Get(key)
		e := edit{value: value}
		switch {
		case old == nil && value == nil:
			continue
		case holder == nil:
			e.file, e.path = place.File, yamledit.Path{"projects", place.Project, place.Element, place.Index, key}
		case old != nil:
			if err := ours(s, old); err != nil {
				return nil, err
			}
			e.file, e.at = old.Path(), old
		default:
			e.file, e.at, e.path = holder.Path(), holder, yamledit.Path{key}
		}
		edits = append(edits, e)
	}
	return edits, nil
}

// ours refuses a node that stands in no file of the toplevel project.
func ours(s *element.Source, n *node.Node) error {
	if n.Path() == "" {
		return &stream.Error{Domain: stream.DomainSource, Message: s.String() + ": Error saving source reference to synthetic node."}
	}
	if file := n.Provenance().File; strings.Contains(file, ":") {
		return &stream.Error{Domain: stream.DomainSource, Reason: "tracking-junction-fragment",
			Message: file + ": Cannot track source in a fragment from a junction",
			Detail: "The ref of " + s.String() + " stands in a file of another project, which is not changed.\n" +
				"Track it there, or let this project keep refs in project.refs."}
	}
	return nil
}

// read gives a file's text, nil for a file that is not there, and keeps the first.
func (w *refWriter) read(file string) ([]byte, error) {
	text, err := patient.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = nil, nil
	}
	if _, known := w.files[file]; err == nil && !known {
		w.files[file] = text
	}
	return text, err
}

// apply makes one change. Where a person has changed the file since it was loaded, so
// that something else stands at the place, it is refused.
func (w *refWriter) apply(text []byte, e edit) ([]byte, error) {
	path := e.path
	if e.at != nil {
		at := e.at.Provenance()
		to, err := yamledit.At(w.files[e.file], at.Line, at.Column)
		if err == nil && e.at.Kind() == node.Scalar {
			var there string
			if there, err = yamledit.Text(w.files[e.file], to); err == nil && strings.TrimSpace(there) != e.at.Text() {
				err = yamledit.ErrNowhere
			}
		}
		if err != nil {
			return nil, fmt.Errorf("the file was changed after bst had read it: run bst again (%w)", err)
		}
		path = append(to, e.path...)
	}
	if e.value == nil {
		return yamledit.Remove(text, path)
	}
	return yamledit.Update(text, path, e.value)
}

// rewrite writes a file to the side and renames it. A link stays one.
func rewrite(file string, text []byte) error {
	mode := os.FileMode(0o644)
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real
	}
	if info, err := os.Stat(file); err == nil {
		mode = info.Mode().Perm()
		if was, err := patient.ReadFile(file); err == nil && string(was) == string(text) {
			return nil
		}
	}
	// What a person wrote is in it: more than a cache's object is worth.
	return patient.WriteFile(file, text, mode, patient.Synced)
}
