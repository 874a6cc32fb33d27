package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"bst/impl/cas"
)

// Mount points: what must exist in a root for something to be mounted there.

// point makes sure that there is a directory at the path, and resolves it.
func (r *Root) point(p string) (string, error) {
	sub, err := r.shown.Sub(p, false)
	if err == nil {
		return sub.Path(), nil
	}
	if !cas.IsNotFound(err) {
		return "", err
	}
	if sub, err = r.shown.Sub(p, true); err != nil {
		return "", err
	}
	return sub.Path(), r.makeDir(sub.Path())
}

// makeDir makes a directory that shown has just got.
func (r *Root) makeDir(resolved string) error {
	switch r.state {
	case overlaid:
		return makeUpperDir(filepath.Join(r.dir, upperName), resolved, r.userXattr())
	case copied:
		return os.MkdirAll(filepath.Join(r.dir, copyName, resolved), 0o755)
	}
	return nil // unstaged or bound: it is staged with all that is shown
}

// filePoint makes sure that something can be mounted at the path: a directory,
// or a file. It resolves the path to the end.
func (r *Root) filePoint(p string, dir bool) (string, error) {
	for range 40 {
		parent, err := r.point(path.Dir(p))
		if err != nil {
			return "", err
		}
		in, err := r.shown.Sub(parent, false)
		if err != nil {
			return "", err
		}
		name := path.Base(p)
		e, err := in.Lookup(name)
		switch {
		case cas.IsNotFound(err):
			resolved := path.Join(parent, name)
			if dir {
				return r.point(resolved)
			}
			if _, err := r.store.PutBytes(nil); err != nil {
				return "", err
			}
			if err := in.AddFile(name, cas.EmptyDigest, false); err != nil {
				return "", err
			}
			return resolved, r.makeFile(parent, name)
		case err != nil:
			return "", err
		case e.Type != cas.TypeSymlink:
			if (e.Type == cas.TypeDirectory) != dir {
				return "", failure("", fmt.Sprintf("Cannot mount on '%s': one is a directory, the other is not", p), "", nil)
			}
			return path.Join(parent, name), nil
		case path.IsAbs(e.Target):
			p = path.Clean(e.Target)
		default:
			p = path.Join(parent, e.Target)
		}
	}
	return "", failure("", fmt.Sprintf("Cannot mount on '%s': too many symlinks", p), "", nil)
}

// makeFile makes the empty file that shown has just got.
func (r *Root) makeFile(parent, name string) error {
	var at string
	switch r.state {
	case overlaid:
		upper := filepath.Join(r.dir, upperName)
		if err := makeUpperDir(upper, parent, r.userXattr()); err != nil {
			return err
		}
		at = filepath.Join(upper, parent, name)
		if st, err := os.Lstat(at); err == nil && isWhiteout(st) {
			if err := os.Remove(at); err != nil {
				return err
			}
		}
	case copied:
		at = filepath.Join(r.dir, copyName, parent, name)
	default:
		return nil
	}
	return os.WriteFile(at, nil, 0o644)
}

// points makes the mount points and the working directory, and fills in the
// plan's binds.
func (r *Root) points(p *plan, spec *Spec, dir string) (err error) {
	for _, at := range []struct {
		path string
		to   *string
	}{{"/proc", &p.Proc}, {"/dev", &p.Dev}, {"/tmp", &p.Tmp}} {
		if *at.to, err = r.point(at.path); err != nil {
			return err
		}
	}
	marks := slices.Clone(r.marks)
	slices.SortFunc(marks, func(a, b *mark) int { return strings.Compare(a.path, b.path) })
	for _, m := range marks {
		at, err := r.point(m.path)
		if err != nil {
			return err
		}
		p.Binds = append(p.Binds, bind{Host: m.host, Path: at})
	}
	fresh := func(at string) bool { // made by bubblewrap in what it mounts anew
		for _, d := range []string{p.Proc, p.Dev, p.Tmp} {
			if _, ok := within(d, at); ok {
				return true
			}
		}
		return false
	}
	for _, m := range spec.Mounts {
		at := path.Clean("/" + m.Path)
		host, err := filepath.Abs(m.Host)
		if err != nil {
			return stagingError("mount", m.Host, err)
		}
		st, err := os.Stat(host)
		if err != nil {
			return stagingError("mount", m.Host, err)
		}
		if mk, _ := r.markOf(at); mk == nil && !fresh(at) {
			if at, err = r.filePoint(at, st.IsDir()); err != nil {
				return err
			}
		}
		p.Binds = append(p.Binds, bind{Host: host, Path: at, Device: true})
	}
	m, rel := r.markOf(dir)
	switch {
	case fresh(dir):
		p.Dirs = append(p.Dirs, dir)
	case m != nil && rel != "":
		root, err := os.OpenRoot(m.host)
		if err != nil {
			return err
		}
		defer root.Close()
		// Where a link of the build's leads elsewhere bubblewrap finds out, inside.
		var refused *os.PathError
		if err := root.MkdirAll(rel, 0o755); err != nil && !errors.As(err, &refused) {
			return err
		}
	case m == nil:
		mounted := slices.ContainsFunc(spec.Mounts, func(m Mount) bool {
			_, ok := within(path.Clean("/"+m.Path), dir)
			return ok
		})
		if !mounted {
			if _, err := r.point(dir); err != nil {
				return err
			}
		}
	}
	return nil
}
