package stacks

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Format is the generation of BuildStream that a project is written for.
type Format string

const (
	// BuildStream2 is the format of this project and of its reference.
	BuildStream2 Format = "2"
	// BuildStream16 is the format of BuildStream 1.6, so that it can be
	// measured on the same stack.
	BuildStream16 Format = "1.6"
)

// header is what project.conf says besides the name.
func (f Format) header() (string, error) {
	switch f {
	case BuildStream2:
		return "min-version: 2.0\n", nil
	case BuildStream16:
		return "format-version: 18\n", nil
	}
	return "", fmt.Errorf("stacks: no format %q; there are %q and %q", string(f), string(BuildStream2), string(BuildStream16))
}

// Write writes the project to dir, which must not exist or be empty. It appears
// there whole or not at all.
func (s *Stack) Write(dir string, format Format) (err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	side, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(side))
		}
	}()
	if err := os.Chmod(side, 0o755); err != nil {
		return err
	}
	if err := s.write(side, format); err != nil {
		return err
	}
	// An empty folder may be in the way; one with files in it stays.
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("stacks: %s is in the way: %w", dir, err)
	}
	return os.Rename(side, dir)
}

func (s *Stack) write(dir string, format Format) error {
	header, err := format.header()
	if err != nil {
		return err
	}
	conf := "name: " + s.Name + "\n" + header + "element-path: elements\n"
	if err := os.WriteFile(filepath.Join(dir, "project.conf"), []byte(conf), 0o644); err != nil {
		return err
	}
	elements, files := filepath.Join(dir, "elements"), filepath.Join(dir, "files")
	for _, sub := range []string{elements, files} {
		if err := os.Mkdir(sub, 0o755); err != nil {
			return err
		}
	}
	for _, e := range s.Elements {
		if e.Content != "" {
			if err := os.WriteFile(filepath.Join(files, e.Name), []byte(e.Content), 0o644); err != nil {
				return err
			}
		}
		if err := e.write(filepath.Join(elements, e.Name+".bst")); err != nil {
			return err
		}
	}
	return nil
}

// write writes the element's declaration, which both formats read alike.
func (e *Element) write(path string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f) // keeps its first error for Flush
	if e.Content == "" {
		fmt.Fprint(w, "kind: stack\n")
	} else {
		fmt.Fprintf(w, "kind: import\n\nsources:\n- kind: local\n  path: files/%s\n", e.Name)
	}
	if len(e.Depends) > 0 {
		fmt.Fprint(w, "\ndepends:\n")
		for _, name := range e.Depends {
			fmt.Fprintf(w, "- %s.bst\n", name)
		}
	}
	return w.Flush()
}
