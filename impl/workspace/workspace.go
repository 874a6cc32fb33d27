// Package workspace keeps which elements of a project are worked on in folders
// of their own, in the reference's file <project>/.bst2/workspaces.yml (format 4),
// and marks these folders with .bstproject.yaml.
//
// It knows the two files, their locks and paths. It does not know elements,
// sources or what is in a workspace.
package workspace

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"bst/impl/node"
	"bst/impl/stream"
)

const (
	// format is the one version of workspaces.yml that is read and written.
	format = 4
	// Folder is the project's folder that the file lies in.
	Folder = ".bst2"
	// Name is the file's.
	Name = "workspaces.yml"
)

// Workspace is one element's.
type Workspace struct {
	// Element is the element's full name, junctions before it.
	Element string
	// Path is as the file has it: below the project relative to it, else absolute.
	Path string
	// LastBuild is the key of the last artifact that was built from it, "" for
	// none: BuildStream builds on from there.
	LastBuild string
	// Provenance is where the file names it.
	Provenance stream.Provenance
}

// Set is a project's workspaces. A nil Set has none.
type Set struct {
	project string
	list    []Workspace
}

// File is where a project keeps its workspaces.
func File(project string) string { return filepath.Join(project, Folder, Name) }

// Read reads the workspaces of the project in a directory; one without the file
// has none. Errors: LOAD/INVALID_DATA, and those of node.Load.
func Read(project string) (*Set, error) {
	file := File(project)
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return &Set{project: project}, nil
	}
	n, err := node.Load(file, Name)
	if err != nil {
		return nil, err
	}
	list, err := parse(n)
	if err != nil {
		return nil, err
	}
	return &Set{project: project, list: list}, nil
}

func parse(n *node.Node) ([]Workspace, error) {
	version, err := n.GetInt("format-version", 0)
	if err != nil {
		return nil, err
	}
	if version != format {
		at := n
		if v := n.Get("format-version"); v != nil {
			at = v
		}
		e := at.Errorf("INVALID_DATA", "Workspace configuration format version %d not supported", version)
		if version < format {
			e.Detail = "BuildStream 1 wrote this file. Remove it, and open the workspaces again with `bst workspace open`:\n" +
				"the folders themselves stay as they are with `--no-checkout`."
		} else {
			e.Detail = "This version of bst knows version 4: a newer one has written the file. Use that one."
		}
		return nil, e
	}
	mapping, err := n.GetMapping("workspaces")
	if err != nil {
		return nil, err
	}
	var list []Workspace
	for _, element := range mapping.Keys() {
		item, err := mapping.GetMapping(element)
		if err != nil {
			return nil, err
		}
		w := Workspace{Element: element, Provenance: item.Provenance()}
		if w.Path, err = item.NeedStr("path"); err != nil {
			return nil, err
		}
		if w.LastBuild, err = item.GetStr("last_build", ""); err != nil {
			return nil, err
		}
		list = append(list, w)
	}
	return list, nil
}

// All are the workspaces, in the file's order. They must not be changed.
func (s *Set) All() []Workspace {
	if s == nil {
		return nil
	}
	return s.list
}

// Find is the workspace of an element.
func (s *Set) Find(element string) (Workspace, bool) {
	if i := s.index(element); i >= 0 {
		return s.list[i], true
	}
	return Workspace{}, false
}

func (s *Set) index(element string) int {
	return slices.IndexFunc(s.All(), func(w Workspace) bool { return w.Element == element })
}

// Directory is where a workspace lies, absolute.
func (s *Set) Directory(w Workspace) string {
	if filepath.IsAbs(w.Path) {
		return filepath.Clean(w.Path)
	}
	return filepath.Join(s.project, filepath.FromSlash(w.Path))
}
