package project

import (
	"os"
	"path/filepath"

	"bst/impl/node"
	"bst/impl/seen"
)

// workspaceName is the file that a workspace has: the project and the element
// that it was opened for.
const workspaceName = ".bstproject.yaml"

// workspaceFormat is the one version of that file that there is.
const workspaceFormat = 1

// Find looks for project.conf, or for a workspace, in a directory and
// those above it. element is the workspace's, "" for none.
func Find(start string, record *seen.Record) (dir, element string, err error) {
	start, err = filepath.Abs(start)
	if err != nil {
		return "", "", loadErrorf("MISSING_PROJECT_CONF", err.Error())
	}
	for at := start; ; at = filepath.Dir(at) {
		if isFile(filepath.Join(at, confName), record) {
			return at, "", nil
		}
		if file := filepath.Join(at, workspaceName); isFile(file, record) {
			return readWorkspace(file, record)
		}
		if at == filepath.Dir(at) {
			return "", "", loadErrorf("MISSING_PROJECT_CONF", "None of ['"+confName+
				"', '"+workspaceName+"'] found in '"+start+"' or any of its parent directories")
		}
	}
}

func isFile(name string, record *seen.Record) bool {
	record.File(name)
	info, err := os.Stat(name)
	return err == nil && !info.IsDir()
}

// readWorkspace reads what a workspace belongs to; of several projects, the
// first.
func readWorkspace(file string, record *seen.Record) (dir, element string, err error) {
	n, err := node.Load(file, file)
	if err != nil {
		return "", "", err
	}
	format, err := n.GetInt("format-version", 0)
	if err != nil {
		return "", "", err
	}
	if format != workspaceFormat {
		return "", "", n.Errorf("INVALID_DATA", "The file is of format-version %d; this version of bst knows %d", format, workspaceFormat)
	}
	projects, err := n.GetSequence("projects")
	if err != nil {
		return "", "", err
	}
	if projects.Len() == 0 || projects.Items()[0].Kind() != node.Mapping {
		return "", "", n.Errorf("INVALID_DATA", "The workspace names no project that it belongs to")
	}
	first := projects.Items()[0]
	if dir, err = first.NeedStr("project-path"); err != nil {
		return "", "", err
	}
	if element, err = first.NeedStr("element-name"); err != nil {
		return "", "", err
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(filepath.Dir(file), dir)
	}
	if !isFile(filepath.Join(dir, confName), record) {
		e := loadErrorf("MISSING_PROJECT_CONF", "The workspace at '"+filepath.Dir(file)+"' belongs to the project at '"+dir+
			"', where there is no "+confName)
		e.Detail = "If the project was moved, write its place into " + file + "."
		return "", "", e
	}
	return dir, element, nil
}
