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
	// Ninja is no project but one build.ninja of tasks that do nothing.
	Ninja Format = "ninja"
)

// NinjaFile is the one file that format Ninja writes.
const NinjaFile = "build.ninja"

// header is what project.conf says besides the name.
func (f Format) header() (string, error) {
	switch f {
	case BuildStream2:
		return "min-version: 2.0\n", nil
	case BuildStream16:
		return "format-version: 18\n", nil
	}
	return "", fmt.Errorf("stacks: no format %q; there are %q, %q and %q", string(f), string(BuildStream2), string(BuildStream16), string(Ninja))
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
	if format == Ninja {
		return s.writeNinja(dir)
	}
	header, err := format.header()
	if err != nil {
		return err
	}
	conf := "name: " + s.Name + "\n" + header + "element-path: elements\n"
	if s.has(func(e *Element) bool { return e.Shells != nil }) {
		conf += "\noptions:\n  machine:\n    type: arch\n    description: The machine that sandboxes run on\n    values:\n"
		for _, m := range machines {
			conf += "    - " + m.name + "\n"
		}
	}
	if s.has(func(e *Element) bool { return e.Upstream != "" }) {
		if format != BuildStream2 {
			return fmt.Errorf("stacks: %s is for BuildStream 2: 1.6 has no address for what lies beside the project", s.Name)
		}
		conf += "\naliases:\n  upstream: \"%{project-root-uri}/upstream/\"\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "project.conf"), []byte(conf), 0o644); err != nil {
		return err
	}
	elements := filepath.Join(dir, "elements")
	for _, sub := range []string{elements, filepath.Join(dir, "files")} {
		if err := os.Mkdir(sub, 0o755); err != nil {
			return err
		}
	}
	for i := range s.Elements {
		e := &s.Elements[i]
		if err := e.writeFiles(dir); err != nil {
			return err
		}
		if err := e.write(filepath.Join(elements, e.Name+".bst")); err != nil {
			return err
		}
	}
	if s.Sub == nil {
		return nil
	}
	junction := "kind: junction\n\nsources:\n- kind: local\n  path: " + Subproject + "\n"
	if err := os.WriteFile(filepath.Join(elements, Subproject+".bst"), []byte(junction), 0o644); err != nil {
		return err
	}
	inner := filepath.Join(dir, Subproject)
	if err := os.Mkdir(inner, 0o755); err != nil {
		return err
	}
	return s.Sub.write(inner, format)
}

func (s *Stack) has(what func(*Element) bool) bool {
	for i := range s.Elements {
		if what(&s.Elements[i]) {
			return true
		}
	}
	return false
}

// writeFiles writes what the element imports.
func (e *Element) writeFiles(dir string) error {
	files := map[string][]byte{}
	mode := os.FileMode(0o644)
	switch {
	case e.Content != "":
		files["files/"+e.Name] = []byte(e.Content)
	case e.Upstream != "":
		files["upstream/"+e.Name] = []byte(e.Upstream)
	case e.Shells != nil:
		mode = 0o755
		for machine, program := range e.Shells {
			files["files/"+e.Name+"/"+machine+"/bin/sh"] = program
		}
	}
	for path, content := range e.Files {
		files["files/"+e.Name+"/"+path] = []byte(content)
	}
	for path, content := range files {
		path = filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, mode); err != nil {
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
	switch {
	case e.Command != "":
		fmt.Fprintf(w, "kind: manual\n\nconfig:\n  build-commands:\n  - %s\n", e.Command)
	case e.Shells != nil:
		fmt.Fprint(w, "kind: import\n\n(?):\n")
		for _, m := range machines {
			fmt.Fprintf(w, "- machine == \"%s\":\n    sources:\n    - kind: local\n      path: files/%s/%s\n", m.name, e.Name, m.name)
		}
	case e.Upstream != "":
		fmt.Fprintf(w, "kind: import\n\nsources:\n- kind: remote\n  url: upstream:%s\n  ref: %s\n", e.Name, ref(e.Upstream))
	case e.Content != "" || e.Files != nil:
		fmt.Fprintf(w, "kind: import\n\nsources:\n- kind: local\n  path: files/%s\n", e.Name)
	default:
		fmt.Fprint(w, "kind: stack\n")
	}
	if len(e.Depends) > 0 {
		fmt.Fprint(w, "\ndepends:\n")
		for _, name := range e.Depends {
			fmt.Fprintf(w, "- %s.bst\n", name)
		}
	}
	return w.Flush()
}

// writeNinja writes a build.ninja in which each element is a task that makes an
// empty file: what is left is what a task costs.
func (s *Stack) writeNinja(dir string) (err error) {
	if s.Sub != nil {
		return fmt.Errorf("stacks: %s has Subprojects: ninja has none", s.Name)
	}
	f, err := os.OpenFile(filepath.Join(dir, NinjaFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f) // keeps its first error for Flush
	fmt.Fprint(w, "rule touch\n  command = : > $out\n\n")
	for _, e := range s.Elements {
		fmt.Fprintf(w, "build %s: touch", e.Name)
		for _, name := range e.Depends {
			fmt.Fprintf(w, " %s", name)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}
