package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"bst/impl/cas"
)

// Marked directories: plain folders of the host, bound over the root, in which
// commands write.

// mark is a marked directory.
type mark struct {
	path string // resolved, in the sandbox
	host string // where it lies
	// digest is of its content when runs was the Root's count, if not zero.
	digest cas.Digest
	runs   int
}

// within says whether p is dir or below it, and where.
func within(dir, p string) (rel string, ok bool) {
	if p == dir || dir == "/" {
		return strings.TrimPrefix(strings.TrimPrefix(p, dir), "/"), true
	}
	rel, ok = strings.CutPrefix(p, dir+"/")
	return rel, ok
}

// Writable marks a directory: it exists, and it stays writable where the root is
// read-only. content is what it holds at first; the zero Digest leaves what is
// staged there. Marking "/" makes the whole root writable in every Run.
func (r *Root) Writable(p string, content cas.Digest) error {
	r.use.Lock()
	defer r.use.Unlock()
	if r.isClosed() {
		return errClosed
	}
	p = path.Clean("/" + p)
	if p == "/" {
		r.wide = true
		return nil
	}
	if m, rel := r.markOf(p); m != nil {
		return r.fillMark(m, rel, content)
	}
	shown, err := r.view(context.Background())
	if err != nil {
		return err
	}
	sub, err := shown.Sub(p, true)
	if err != nil {
		return err
	}
	resolved := sub.Path()
	if m, rel := r.markOf(resolved); m != nil { // by way of a symlink
		return r.fillMark(m, rel, content)
	}
	if content.IsZero() {
		if content, err = sub.Digest(); err != nil {
			return err
		}
	}
	m := &mark{path: resolved, host: filepath.Join(r.dir, marksName, itoa(len(r.marks)))}
	if err := os.MkdirAll(m.host, 0o755); err != nil {
		return stagingError("create the folder", m.host, err)
	}
	// A copy, never links: this is where commands write.
	if err := r.store.CheckoutTree(content, m.host, cas.CheckoutOptions{}); err != nil {
		return err
	}
	if err := errors.Join(os.Chmod(m.host, 0o755), os.Chtimes(m.host, cas.MTime, cas.MTime)); err != nil {
		return stagingError("prepare the folder", m.host, err)
	}
	// Marked directories below the new one go into it.
	kept := r.marks[:0:0]
	for _, old := range r.marks {
		rel, ok := within(m.path, old.path)
		if !ok {
			kept = append(kept, old)
			continue
		}
		if err := moveInto(m.host, rel, old.host); err != nil {
			return stagingError("prepare the folder", m.host, err)
		}
	}
	r.marks = append(kept, m)
	return nil
}

// KeepTimes has what is captured of marked directories hold its files' times of
// modification, as the reference does in workspaces: a build that goes on there
// tells by them what is out of date.
func (r *Root) KeepTimes() {
	r.use.Lock()
	defer r.use.Unlock()
	r.times = true
}

// moveInto puts the directory at from in place of rel below host.
func moveInto(host, rel, from string) error {
	root, err := os.OpenRoot(host)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.RemoveAll(rel); err != nil {
		return err
	}
	if dir := path.Dir(rel); dir != "." {
		if err := root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	return os.Rename(from, filepath.Join(host, rel))
}

// markOf gives the marked directory that p lies in.
func (r *Root) markOf(p string) (*mark, string) {
	for _, m := range r.marks {
		if rel, ok := within(m.path, p); ok {
			return m, rel
		}
	}
	return nil, ""
}

// fillMark puts content at rel in a directory that is marked already.
func (r *Root) fillMark(m *mark, rel string, content cas.Digest) error {
	m.digest = cas.Digest{}
	dest := filepath.Join(m.host, rel)
	if rel != "" {
		// Commands may have left links there that lead out of the directory.
		root, err := os.OpenRoot(m.host)
		if err != nil {
			return stagingError("open the folder", m.host, err)
		}
		defer root.Close()
		if err := root.MkdirAll(rel, 0o755); err != nil {
			return stagingError("create the folder", dest, err)
		}
		at := m.host
		for part := range strings.SplitSeq(rel, "/") {
			at = filepath.Join(at, part)
			if st, err := os.Lstat(at); err != nil || !st.IsDir() {
				return stagingError("create the folder", at, fmt.Errorf("a symlink is in the way"))
			}
		}
	}
	if content.IsZero() {
		return nil
	}
	return r.store.CheckoutTree(content, dest, cas.CheckoutOptions{})
}
