// Package projectpath checks paths that project files name: they must exist,
// stay inside the project and be of a kind that sources can use.
//
// It knows the file system and where a path was written. It does not know what
// the file is for.
package projectpath

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"bst/impl/node"
	"bst/impl/stream"
)

// Want says what a path must lead to.
type Want uint8

const (
	Any Want = iota
	File
	Directory
)

// Resolve checks the path that n, a scalar, names in the project at dir
// (absolute) and gives it as written, together with what it leads to.
//
// Errors are LOAD domain with n's provenance: MISSING_FILE, PROJ_PATH_INVALID
// for a path that leaves the project, PROJ_PATH_INVALID_KIND for a symbolic
// link or a special file, or one that is not what is wanted.
func Resolve(n *node.Node, dir string, want Want) (string, fs.FileInfo, error) {
	path, err := n.Str()
	if err != nil {
		return "", nil, err
	}
	info, err := inside(n, dir, path)
	if err != nil {
		return "", nil, err
	}
	mode := info.Mode()
	switch {
	case want == File && !mode.IsRegular():
		err = n.Errorf("PROJ_PATH_INVALID_KIND", "Specified path '%s' is not a regular file", path)
	case want == Directory && !mode.IsDir():
		err = n.Errorf("PROJ_PATH_INVALID_KIND", "Specified path '%s' is not a directory", path)
	case !mode.IsRegular() && !mode.IsDir():
		err = n.Errorf("PROJ_PATH_INVALID_KIND", "Specified path '%s' points to an unsupported file kind", path)
	default:
		return path, info, nil
	}
	return "", nil, err
}

// inside finds what path leads to and refuses it where that is no part of the
// project. The checks come in the reference's order, since the first that fails
// gives the error its reason.
func inside(n *node.Node, dir, path string) (fs.FileInfo, error) {
	if info, ok := plain(dir, path); ok {
		return info, nil
	}
	full := path
	if !filepath.IsAbs(path) {
		full = filepath.Join(dir, path)
	}
	if info, err := os.Lstat(full); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return nil, n.Errorf("PROJ_PATH_INVALID_KIND", "Specified path '%s' must not point to symbolic links", path)
	}
	if first, _, _ := strings.Cut(path, "/"); first == ".." {
		return nil, n.Errorf("PROJ_PATH_INVALID", "Specified path '%s' first component must not be '..'", path)
	}
	// Not full: Join has worked out ".." by the letters, which is another file
	// where the component before it is a symbolic link.
	if !filepath.IsAbs(path) {
		full = dir + "/" + path
	}
	real, err := filepath.EvalSymlinks(full)
	if err != nil {
		return nil, missing(n, path, err)
	}
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, missing(n, path, err)
	}
	if real != root && !strings.HasPrefix(real, strings.TrimSuffix(root, string(filepath.Separator))+string(filepath.Separator)) {
		return nil, n.Errorf("PROJ_PATH_INVALID", "Specified path '%s' must not lead outside of the project directory", path)
	}
	if filepath.IsAbs(path) {
		return nil, n.Errorf("PROJ_PATH_INVALID",
			"Absolute path: '%s' invalid.\nPlease specify a path relative to the project's root.", path)
	}
	info, err := os.Lstat(real)
	if err != nil {
		return nil, missing(n, path, err)
	}
	return info, nil
}

// plain is the quick way for the usual path, which has neither ".." nor
// symbolic links: one look at each of its components.
func plain(dir, path string) (fs.FileInfo, bool) {
	if path == "" || !filepath.IsLocal(path) || filepath.ToSlash(filepath.Clean(path)) != path {
		return nil, false
	}
	for i := 0; i < len(path); i++ {
		if path[i] != '/' {
			continue
		}
		info, err := os.Lstat(dir + "/" + path[:i])
		if err != nil || !info.IsDir() {
			return nil, false
		}
	}
	info, err := os.Lstat(dir + "/" + path)
	if err != nil || info.Mode()&fs.ModeSymlink != 0 {
		return nil, false
	}
	return info, true
}

// missing turns the error of a look at path into LOAD/MISSING_FILE.
func missing(n *node.Node, path string, err error) *stream.Error {
	e := n.Errorf("MISSING_FILE", "Specified path '%s' does not exist", path)
	if !errors.Is(err, fs.ErrNotExist) {
		e = n.Errorf("MISSING_FILE", "Specified path '%s' cannot be read: %s", path, reason(err))
	}
	e.Cause = err.Error()
	return e
}

// reason is an error's text without the operation and the absolute path.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
