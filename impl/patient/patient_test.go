package patient

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A file that is closed meanwhile is replaced and removed, whatever the system.
func TestOpenFiles(t *testing.T) {
	for name, f := range map[string]func(path, other string) error{
		"rename over": func(path, other string) error { return Rename(other, path) },
		"rename":      func(path, other string) error { return errors.Join(os.Remove(other), Rename(path, other)) },
		"remove":      func(path, _ string) error { return Remove(path) },
		"remove all":  func(path, _ string) error { return RemoveAll(filepath.Dir(path)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "d")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			path, other := filepath.Join(dir, "a"), filepath.Join(dir, "b")
			write(t, path, "a")
			write(t, other, "b")
			open, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			tried := make(chan error, 1)
			go func() { tried <- f(path, other) }()
			if runtime.GOOS != "windows" {
				if err := <-tried; err != nil {
					t.Error(err)
				}
				open.Close()
				return
			}
			if err := open.Close(); err != nil {
				t.Error(err)
			}
			if err := <-tried; err != nil {
				t.Error(err)
			}
		})
	}
}

// What is read is all of a file, of whatever size, and an error names it.
func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	for _, size := range []int{0, 1, small - 1, small, small + 1, 100_000} {
		content := strings.Repeat("x", size)
		write(t, path, content)
		if got, err := ReadFile(path); string(got) != content || got == nil || err != nil {
			t.Errorf("of %d bytes %d were read, %v", size, len(got), err)
		}
	}
	var named *fs.PathError
	if _, err := ReadFile(dir); !errors.As(err, &named) || named.Path != dir {
		t.Errorf("a folder: %v", err)
	}
}

// What fails for another reason fails at once, and what stays open in the end.
func TestItEnds(t *testing.T) {
	dir := t.TempDir()
	if err := Rename(filepath.Join(dir, "none"), filepath.Join(dir, "x")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if _, err := ReadFile(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if runtime.GOOS != "windows" {
		return
	}
	path := filepath.Join(dir, "a")
	write(t, path, "a")
	open, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if err := Remove(path); err == nil {
		t.Error("an open file was removed")
	}
}

// Nothing is left of a nameless file once it is closed.
func TestNameless(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	f, err := Nameless(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("content"); err != nil {
		t.Error(err)
	}
	var b [4]byte
	if _, err := f.ReadAt(b[:], 3); err != nil || string(b[:]) != "tent" {
		t.Errorf("%q, %v", b, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is left: %v", err)
	}
	write(t, path, "somebody's")
	if f, err := Nameless(path); err == nil {
		f.Close()
		t.Error("a file was taken that was there")
	}
}

// TestWriteFile: the file is replaced whole, with the mode that was asked for, and an
// attempt that fails leaves what was there and nothing else.
func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	write(t, path, "old")
	if err := WriteFile(path, []byte("new"), 0o600, Synced); err != nil {
		t.Fatal(err)
	}
	if b, err := ReadFile(path); err != nil || string(b) != "new" {
		t.Errorf("%q, %v", b, err)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	folder := filepath.Join(dir, "folder")
	if err := os.MkdirAll(filepath.Join(folder, "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(folder, []byte("new"), 0o644, Unsynced); err == nil {
		t.Error("a folder was replaced")
	}
	if err := WriteFile(filepath.Join(dir, "none", "file"), nil, 0o644, Unsynced); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in no folder: %v", err)
	}
	list, err := os.ReadDir(dir)
	if err != nil || len(list) != 2 {
		t.Errorf("%v, %v", list, err)
	}
}
