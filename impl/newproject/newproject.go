// Package newproject makes new projects (bst init): what may be asked for, and
// project.conf. The frontend checks a person's answers with it as they are typed,
// the backend what it is ordered.
//
// It knows the rules for the three values that every project has. It does not know
// how projects are loaded.
package newproject

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"bst/impl/patient"
	"bst/impl/stream"
)

// The version of the format that this program knows, and the newest that projects
// may ask for.
const (
	Major = 2
	Minor = 8
)

// Defaults of the values that have one.
var (
	DefaultMinVersion  = strconv.Itoa(Major) + "." + strconv.Itoa(Minor)
	DefaultElementPath = "elements"
)

func appError(reason, message string) *stream.Error {
	return &stream.Error{Domain: stream.DomainApp, Reason: reason, Message: message}
}

// CheckName refuses names that are no symbols.
func CheckName(name string) error {
	valid := name != "" && (name[0] < '0' || name[0] > '9')
	for _, c := range []byte(name) {
		valid = valid && (c == '_' || c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z')
	}
	if valid {
		return nil
	}
	return &stream.Error{Domain: stream.DomainLoad, Reason: "INVALID_SYMBOL_NAME",
		Message: fmt.Sprintf("Invalid symbol name for project name: '%s'", name),
		Detail: "Symbol names must contain only alphanumeric characters, " +
			"may not start with a digit, and may contain underscores or dashes"}
}

// CheckMinVersion refuses versions that this program could not load.
func CheckMinVersion(text string) error {
	const reason = "invalid-min-version"
	major, minor, ok := strings.Cut(text, ".")
	first, err1 := strconv.Atoi(major)
	second, err2 := strconv.Atoi(minor)
	switch {
	case !ok || err1 != nil || err2 != nil || second < 0:
		return appError(reason, "Malformed version string: "+text)
	case first != Major || second > Minor:
		return appError(reason, fmt.Sprintf("The minimum version must be a known version of BuildStream %d", Major))
	}
	return nil
}

// CheckElementPath refuses folders outside of the project.
func CheckElementPath(path string) error {
	outside := path == "" || filepath.IsAbs(path) || strings.HasPrefix(path, "/")
	for part := range strings.SplitSeq(filepath.ToSlash(path), "/") {
		outside = outside || part == ".."
	}
	if outside || strings.ContainsAny(path, "\n\r") {
		return appError("invalid-element-path", "The element path cannot be an absolute path or contain any '..' components\n")
	}
	return nil
}

// Project is what a new project is to be.
type Project struct {
	// Directory is absolute.
	Directory                     string
	Name, MinVersion, ElementPath string
	// Force replaces a project.conf that is there.
	Force bool
}

// Conf is the path of the project's project.conf.
func (p *Project) Conf() string { return filepath.Join(p.Directory, "project.conf") }

// CheckFree refuses to replace a project.conf, unless that is asked for.
func (p *Project) CheckFree() error {
	if _, err := os.Lstat(p.Conf()); err == nil && !p.Force {
		return appError("project-exists", "A project.conf already exists at: "+p.Conf())
	}
	return nil
}

// Make checks all values and writes the project: its folders first, project.conf to
// the side and at last.
func (p *Project) Make() error {
	for _, err := range []error{p.CheckFree(), CheckName(p.Name), CheckMinVersion(p.MinVersion), CheckElementPath(p.ElementPath)} {
		if err != nil {
			return err
		}
	}
	if err := os.MkdirAll(p.Directory, 0o755); err != nil {
		return appError("", fmt.Sprintf("Error creating project directory %s: %s", p.Directory, plain(err)))
	}
	elements := filepath.Join(p.Directory, filepath.FromSlash(p.ElementPath))
	if err := os.MkdirAll(elements, 0o755); err != nil {
		return appError("", fmt.Sprintf("Error creating elements sub-directory %s: %s", elements, plain(err)))
	}
	if err := p.write(); err != nil {
		return appError("", fmt.Sprintf("Error writing %s: %s", p.Conf(), plain(err)))
	}
	return nil
}

// text is project.conf's.
func (p *Project) text() string {
	path := filepath.ToSlash(p.ElementPath)
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./") != "" || strings.HasPrefix(path, "-") {
		path = "'" + strings.ReplaceAll(path, "'", "''") + "'"
	}
	return "# The name of this project, which tells it from all others\n" +
		"name: " + p.Name + "\n\n" +
		"# The lowest version of BuildStream that can build it\n" +
		"min-version: " + p.MinVersion + "\n\n" +
		"# The folder of its elements\n" +
		"element-path: " + path + "\n"
}

func (p *Project) write() error {
	if !p.Force {
		// Another may have made one meanwhile.
		if _, err := os.Lstat(p.Conf()); err == nil {
			return fs.ErrExist
		}
	}
	return patient.WriteFile(p.Conf(), []byte(p.text()), 0o644, patient.Synced)
}

// plain is an error without the path that the message has already.
func plain(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
