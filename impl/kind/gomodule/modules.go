package gomodule

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// list adds the module to vendor/modules.txt: its version, what its go.mod says
// of the language, and its packages.
func (s *source) list(root *os.Root, folder string) error {
	var text strings.Builder
	if s.explicit {
		fmt.Fprintf(&text, "# %s %s\n", s.module, s.goVersion)
		directive, err := directive(root, filepath.Join(folder, "go.mod"))
		if err != nil {
			return err
		}
		if directive != "" {
			fmt.Fprintf(&text, "## explicit; %s\n", directive)
		} else {
			text.WriteString("## explicit\n")
		}
	} else {
		fmt.Fprintf(&text, "# %s\n", s.module)
	}
	if err := packages(root.FS(), filepath.ToSlash(folder), &text); err != nil {
		return err
	}
	file, err := root.OpenFile(filepath.Join("vendor", "modules.txt"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text.String())
	return errors.Join(err, file.Close())
}

// packages writes the folders that have Go files, or are modules of their own,
// each before those in it.
func packages(tree fs.FS, folder string, text *strings.Builder) error {
	entries, err := fs.ReadDir(tree, folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if name := entry.Name(); !entry.IsDir() && (name == "go.mod" || strings.HasSuffix(name, ".go")) {
			text.WriteString(strings.TrimPrefix(folder, "vendor/") + "\n")
			break
		}
	}
	for _, entry := range entries {
		if !entry.IsDir() || entry.Name() == ".git" {
			continue
		}
		if err := packages(tree, folder+"/"+entry.Name(), text); err != nil {
			return err
		}
	}
	return nil
}

// directive is the line of a go.mod that names the language's version, "" for
// none.
func directive(root *os.Root, name string) (string, error) {
	file, err := root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "go ") {
			return lines.Text(), nil
		}
	}
	return "", lines.Err()
}

// merge copies what is in one folder into another, over what is there.
func merge(to *os.Root, toDir string, from *os.Root, fromDir string) error {
	entries, err := fs.ReadDir(from.FS(), filepath.ToSlash(fromDir))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		source, dest := filepath.Join(fromDir, entry.Name()), filepath.Join(toDir, entry.Name())
		switch {
		case entry.IsDir():
			if err = to.Mkdir(dest, 0o755); errors.Is(err, fs.ErrExist) {
				err = nil
			}
			if err == nil {
				err = merge(to, dest, from, source)
			}
		case entry.Type() == fs.ModeSymlink:
			var target string
			if target, err = from.Readlink(source); err == nil {
				if err = clear(to, dest); err == nil {
					err = to.Symlink(target, dest)
				}
			}
		default:
			if err = clear(to, dest); err == nil {
				err = copyFile(to, dest, from, source)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// clear makes room for a file.
func clear(root *os.Root, name string) error {
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func copyFile(to *os.Root, dest string, from *os.Root, source string) error {
	in, err := from.Open(source)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := to.OpenFile(dest, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644|info.Mode()&0o111)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
