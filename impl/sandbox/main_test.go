//go:build linux

package sandbox

import (
	"bytes"
	"debug/elf"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bst/impl/cas"
)

// The test binary is its own helper, as bst is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == HelperWord {
		os.Exit(RunHelper(os.Args[2:]))
	}
	if len(os.Args) > 2 && os.Args[1] == "__victim" {
		os.Exit(runVictim(os.Args[2]))
	}
	os.Exit(m.Run())
}

// needBwrap skips where commands cannot run at all.
func needBwrap(t testing.TB) {
	t.Helper()
	path, err := exec.LookPath("bwrap")
	if err != nil {
		t.Skip("needs bubblewrap: apt install bubblewrap")
	}
	if out, err := exec.Command(path, "--ro-bind", "/", "/", "true").CombinedOutput(); err != nil {
		t.Skipf("bubblewrap does not work here: %v: %s", err, out)
	}
}

// lab is a store, a factory and a root file system with a shell.
type lab struct {
	t       testing.TB
	dir     string
	store   *cas.Store
	factory *Factory
	base    cas.Digest // the system
}

func newLab(t testing.TB, change func(*Config)) *lab {
	t.Helper()
	needBwrap(t)
	l := &lab{t: t, dir: t.TempDir()}
	var err error
	if l.store, err = cas.Open(filepath.Join(l.dir, "cas")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.store.Close() })
	c := Config{Store: l.store, WorkDir: filepath.Join(l.dir, "build"), TreesDir: filepath.Join(l.dir, "trees")}
	if change != nil {
		change(&c)
	}
	if l.factory, err = New(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.factory.Close(); err != nil {
			t.Error(err)
		}
	})
	system := filepath.Join(l.dir, "system")
	makeSystem(t, system)
	l.base = l.capture(system)
	return l
}

func (l *lab) capture(path string) cas.Digest {
	l.t.Helper()
	d, err := l.store.CaptureTree(path, cas.CaptureOptions{})
	if err != nil {
		l.t.Fatal(err)
	}
	return d
}

// tree stores a directory made from path → content; "-> target" makes a symlink,
// a path that ends in "/" a directory, "!" before the content an executable.
func (l *lab) tree(files map[string]string) cas.Digest {
	l.t.Helper()
	return makeTree(l.t, l.store, files)
}

func makeTree(t testing.TB, store *cas.Store, files map[string]string) cas.Digest {
	t.Helper()
	dir := store.EmptyDir()
	for path, content := range files {
		var err error
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			err = dir.AddSymlink(path, target)
		} else if strings.HasSuffix(path, "/") {
			err = dir.MkdirAll(path)
		} else {
			content, exec := strings.CutPrefix(content, "!")
			var d cas.Digest
			if d, err = store.PutBytes([]byte(content)); err == nil {
				err = dir.AddFile(path, d, exec)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	d, err := dir.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// list is what makeTree takes, read back.
func list(t testing.TB, dir *cas.Dir) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := dir.Walk(func(path string, e cas.Entry) error {
		switch e.Type {
		case cas.TypeSymlink:
			files[path] = "-> " + e.Target
		case cas.TypeDirectory:
			if sub, err := dir.Sub(path, false); err == nil && sub.Len() == 0 {
				files[path+"/"] = ""
			}
		default:
			b, err := dir.Store().Get(e.Digest)
			if err != nil {
				return err
			}
			files[path] = string(b)
			if e.Executable {
				files[path] = "!" + string(b)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// merged imports the layers as staging does.
func (l *lab) merged(layers ...cas.Digest) *cas.Dir {
	l.t.Helper()
	out := l.store.EmptyDir()
	for _, d := range layers {
		dir, err := l.store.OpenDir(d)
		if err != nil {
			l.t.Fatal(err)
		}
		if _, err := out.Import(dir, cas.ImportOptions{}); err != nil {
			l.t.Fatal(err)
		}
	}
	return out
}

func (l *lab) stage(layers ...cas.Digest) *Root {
	l.t.Helper()
	all := append([]cas.Digest{l.base}, layers...)
	r, err := l.factory.Stage(l.t.Context(), all, l.merged(all...))
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		if err := r.Close(); err != nil {
			l.t.Error(err)
		}
	})
	return r
}

// sh runs a script that must succeed and gives its output.
func (l *lab) sh(r *Root, script string, change func(*Spec)) string {
	l.t.Helper()
	status, out := l.try(r, script, change)
	if status != 0 {
		l.t.Fatalf("status %d of %q:\n%s", status, script, out)
	}
	return out
}

func (l *lab) try(r *Root, script string, change func(*Spec)) (int, string) {
	l.t.Helper()
	var out bytes.Buffer
	spec := Spec{
		Argv:   []string{"sh", "-e", "-c", script},
		Env:    map[string]string{"PATH": "/usr/bin:/bin"},
		Stdout: &out, Stderr: &out,
	}
	if change != nil {
		change(&spec)
	}
	status, err := r.Run(l.t.Context(), spec)
	if err != nil {
		l.t.Fatalf("%v (%s)", err, out.String())
	}
	return status, out.String()
}

// makeSystem copies a shell and some tools of the host, with their libraries.
func makeSystem(t testing.TB, dir string) {
	t.Helper()
	seen := map[string]bool{}
	var add func(path, dest string)
	add = func(path, dest string) {
		if seen[dest] {
			return
		}
		seen[dest] = true
		b, err := os.ReadFile(path)
		if err != nil {
			t.Skipf("needs %s of the host: %v", path, err)
		}
		to := filepath.Join(dir, dest)
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, b, 0o755)); err != nil {
			t.Fatal(err)
		}
		f, err := elf.NewFile(bytes.NewReader(b))
		if err != nil {
			return // a script
		}
		for _, p := range f.Progs {
			if p.Type == elf.PT_INTERP {
				name := make([]byte, p.Filesz)
				if _, err := p.ReadAt(name, 0); err == nil {
					interp := strings.TrimRight(string(name), "\x00")
					add(interp, interp)
				}
			}
		}
		libs, err := f.ImportedLibraries()
		if err != nil {
			t.Fatal(err)
		}
		for _, lib := range libs {
			for _, in := range libraryDirs() {
				if _, err := os.Stat(filepath.Join(in, lib)); err == nil {
					add(filepath.Join(in, lib), filepath.Join(in, lib))
					break
				}
			}
		}
	}
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, "usr/bin"), 0o755), os.Symlink("usr/bin", filepath.Join(dir, "bin"))); err != nil {
		t.Fatal(err)
	}
	for _, tool := range []string{"sh", "cat", "chmod", "chown", "cp", "id", "ln", "ls", "mkdir", "mkfifo", "mknod", "mv", "readlink", "rm", "rmdir", "sleep", "stat", "touch", "truncate", "uname"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Skipf("needs %s of the host", tool)
		}
		add(path, "usr/bin/"+tool)
	}
}

func libraryDirs() []string {
	dirs, _ := filepath.Glob("/lib/*-linux-gnu*")
	return append(dirs, "/lib64", "/lib", "/usr/lib64", "/usr/lib")
}

// mounts counts the mounts of this process's namespace that lie in the lab.
func (l *lab) mounts() (n int) {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		l.t.Fatal(err)
	}
	return strings.Count(string(b), l.dir)
}

// objects are the store's files with what must not change about them.
func (l *lab) objects() map[string]string {
	l.t.Helper()
	all := map[string]string{}
	for _, sub := range []string{"objects", "exec"} {
		err := filepath.WalkDir(filepath.Join(l.store.Dir(), sub), func(path string, e fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || e.IsDir() {
				return err
			}
			d, err := new(cas.Digests).File(path)
			if err != nil {
				return err
			}
			st, err := e.Info()
			if err != nil {
				return err
			}
			all[path] = d.String() + " " + st.Mode().String() + " " + st.ModTime().UTC().String()
			return nil
		})
		if err != nil {
			l.t.Fatal(err)
		}
	}
	return all
}

func sorted[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
