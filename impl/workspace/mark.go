package workspace

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"bst/impl/node"
	"bst/impl/patient"
	"bst/impl/stream"
)

const (
	// MarkName is the file in a workspace that leads back to what it belongs to.
	MarkName   = ".bstproject.yaml"
	markFormat = 1
)

// owner is one element that a folder is the workspace of.
type owner struct{ project, element string }

// Mark writes into a folder that it is the workspace of an element of a project.
// What it says of others stays; had says that there was such a file. One that is
// not in the known format is replaced: it came with the sources.
func Mark(dir, project, element string) (had bool, err error) {
	owners, had, err := marks(dir)
	if err != nil {
		return had, err
	}
	mine := owner{project, element}
	for _, o := range owners {
		if o == mine {
			return had, nil
		}
	}
	return had, writeMarks(dir, append(owners, mine))
}

// Unmark takes back what Mark wrote. A folder that is gone has nothing to take
// back.
func Unmark(dir, project, element string) error {
	owners, had, err := marks(dir)
	if err != nil || !had {
		return err
	}
	var rest []owner
	for _, o := range owners {
		if o != (owner{project, element}) {
			rest = append(rest, o)
		}
	}
	if rest != nil {
		return writeMarks(dir, rest)
	}
	if err := patient.Remove(filepath.Join(dir, MarkName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unmarked(dir, err)
	}
	return nil
}

func marks(dir string) (owners []owner, had bool, err error) {
	file := filepath.Join(dir, MarkName)
	switch _, err := os.Lstat(file); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, nil
	case err != nil:
		return nil, false, unmarked(dir, err)
	}
	n, err := node.Load(file, file)
	if err != nil {
		return nil, true, nil
	}
	format, err := n.GetInt("format-version", 0)
	if err != nil || format != markFormat {
		return nil, true, nil
	}
	list, err := n.GetSequence("projects")
	if err != nil {
		return nil, true, nil
	}
	for _, item := range list.Items() {
		if item.Kind() != node.Mapping {
			return nil, true, nil
		}
		project, err := item.NeedStr("project-path")
		if err != nil {
			return nil, true, nil
		}
		element, err := item.NeedStr("element-name")
		if err != nil {
			return nil, true, nil
		}
		owners = append(owners, owner{project, element})
	}
	return owners, true, nil
}

func writeMarks(dir string, owners []owner) error {
	none := stream.Provenance{}
	var items []*node.Node
	for _, o := range owners {
		item := node.NewMapping(none)
		item.Set("project-path", node.NewScalar(o.project, none))
		item.Set("element-name", node.NewScalar(o.element, none))
		items = append(items, item)
	}
	root := node.NewMapping(none)
	root.Set("projects", node.NewSequence(items, none))
	root.Set("format-version", node.NewVerbatim(strconv.Itoa(markFormat)))
	return write(filepath.Join(dir, MarkName), root.Dump())
}

func unmarked(dir string, err error) error {
	return &stream.Error{Domain: stream.DomainStream, Reason: "workspace-directory-failure",
		Message: "The workspace '" + dir + "' cannot be changed: " + err.Error()}
}
