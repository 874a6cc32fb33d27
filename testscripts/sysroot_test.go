package testscripts

import (
	"debug/elf"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// sysroot copies programs of this machine, and the libraries they need, into a
// folder that an import element can take for a system to build in: no download,
// and no more than the script needs.
//
//	sysroot files sh cat mkdir
func sysroot(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: sysroot FOLDER PROGRAM...")
	}
	root := ts.MkAbs(args[0])
	for _, program := range args[1:] {
		path, err := exec.LookPath(program)
		ts.Check(err)
		path, err = filepath.EvalSymlinks(path)
		ts.Check(err)
		ts.Check(copyFile(path, filepath.Join(root, "usr/bin", program)))
		ts.Check(copyLibraries(root, path))
	}
	for link, to := range map[string]string{"bin": "usr/bin", "lib": "usr/lib", "lib64": "usr/lib"} {
		if _, err := os.Lstat(filepath.Join(root, link)); err != nil {
			ts.Check(os.Symlink(to, filepath.Join(root, link)))
		}
	}
	ts.Check(os.MkdirAll(filepath.Join(root, "usr/lib"), 0o777))
}

// libraryFolders are where dynamic linkers look.
var libraryFolders = []string{"/lib/*-linux-gnu*", "/usr/lib/*-linux-gnu*", "/lib64", "/usr/lib64", "/lib", "/usr/lib"}

// copyLibraries copies what the dynamic linker would load for an ELF file, and
// the linker, into root/usr/lib.
func copyLibraries(root, path string) error {
	f, err := elf.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			name, err := io.ReadAll(p.Open())
			if err != nil {
				return err
			}
			if err := copyLibrary(root, strings.TrimRight(string(name), "\x00")); err != nil {
				return err
			}
		}
	}
	needed, err := f.ImportedLibraries()
	if err != nil {
		return err
	}
	for _, name := range needed {
		found := ""
		for _, folder := range libraryFolders {
			if hits, _ := filepath.Glob(filepath.Join(folder, name)); len(hits) > 0 {
				found = hits[0]
				break
			}
		}
		if found == "" {
			return &os.PathError{Op: "find", Path: name, Err: os.ErrNotExist}
		}
		if err := copyLibrary(root, found); err != nil {
			return err
		}
	}
	return nil
}

func copyLibrary(root, path string) error {
	to := filepath.Join(root, "usr/lib", filepath.Base(path))
	if _, err := os.Stat(to); err == nil {
		return nil
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	if err := copyFile(real, to); err != nil {
		return err
	}
	return copyLibraries(root, real)
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o755)
}
