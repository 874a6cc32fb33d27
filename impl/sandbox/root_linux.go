package sandbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"bst/impl/cas"
)

// Root is one staged root file system. What commands change in it stays until
// Close, from one Run to the next. Suspend, Resume and Close may be called at
// any moment; the other methods wait for one another.
type Root struct {
	factory *Factory
	store   *cas.Store
	dir     string // the work directory
	lock    *os.File
	layers  []cas.Digest
	wanted  cas.Digest // what was asked for, before any command

	use sync.Mutex // held by the methods that wait for one another; guards what follows
	// shown is what the root looks like, as far as it was read back, without
	// what is in the marked directories.
	shown *cas.Dir
	// changed says that commands may have changed the root since.
	changed bool
	marks   []*mark
	// wide says that the root itself is marked: it is never read-only.
	wide    bool
	state   state
	tree    cas.Digest // in state tree: which checkout is bound
	lower   []string   // in state overlay: the layers' names
	lease   *lease
	overlay bool // an overlay is possible here
	plain   bool // but not of this Root's layers
	own     bool // the helper gets namespaces of its own
	plans   int
	runs    int

	mu        sync.Mutex // guards what follows
	running   map[*process]struct{}
	suspended chan struct{} // not nil: closed by Resume
	closed    bool
}

// state says how the root lies on disk.
type state int

const (
	// unstaged: nothing yet; no command has run.
	unstaged state = iota
	// overlaid: checkouts under an upper layer in the work directory.
	overlaid
	// bound: a checkout of the whole root, bound read-only. Without overlayfs,
	// until a command wants to write.
	bound
	// copied: a private copy in the work directory.
	copied
)

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

var errClosed = errors.New("the sandbox is closed")

func (r *Root) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
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

// view is what the root looks like now, without what is in the marked
// directories. The Root keeps it; callers that change it do the same on disk.
func (r *Root) view(ctx context.Context) (*cas.Dir, error) {
	if !r.changed {
		return r.shown, nil
	}
	switch r.state {
	case overlaid:
		// From what was staged, not from what was shown last: what a command has
		// made and another has removed leaves no trace.
		out, err := r.store.OpenDir(r.wanted)
		if err != nil {
			return nil, err
		}
		if err := applyUpper(ctx, r.store, filepath.Join(r.dir, upperName), out); err != nil {
			return nil, stagingError("read back", r.dir, err)
		}
		r.shown = out
	case copied:
		d, err := captureTree(r.store, filepath.Join(r.dir, copyName))
		if err != nil {
			return nil, err
		}
		if r.shown, err = r.store.OpenDir(d); err != nil {
			return nil, err
		}
	}
	r.changed = false
	return r.shown, nil
}

// CaptureRoot is the root as commands left it, the marked directories' content
// included. The Dir is the caller's.
func (r *Root) CaptureRoot(ctx context.Context) (*cas.Dir, error) {
	r.use.Lock()
	defer r.use.Unlock()
	return r.captureRoot(ctx)
}

func (r *Root) captureRoot(ctx context.Context) (*cas.Dir, error) {
	if r.isClosed() {
		return nil, errClosed
	}
	shown, err := r.view(ctx)
	if err != nil {
		return nil, err
	}
	out := shown.Clone()
	for _, m := range r.marks {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		d, err := r.captureMark(m)
		if err != nil {
			return nil, err
		}
		if err := out.Remove(m.path, true); err != nil && !cas.IsNotFound(err) {
			return nil, err
		}
		if err := out.AddDir(m.path, d); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *Root) captureMark(m *mark) (cas.Digest, error) {
	if !m.digest.IsZero() && m.runs == r.runs {
		return m.digest, nil
	}
	d, err := captureTree(r.store, m.host)
	if err == nil {
		m.digest, m.runs = d, r.runs
	}
	return d, err
}

// CaptureDir stores the directory at the path as commands left it. An error for
// which cas.IsNotFound holds says that there is none.
func (r *Root) CaptureDir(ctx context.Context, p string) (cas.Digest, error) {
	r.use.Lock()
	defer r.use.Unlock()
	if r.isClosed() {
		return cas.Digest{}, errClosed
	}
	if err := ctx.Err(); err != nil {
		return cas.Digest{}, err
	}
	p = path.Clean("/" + p)
	if m, rel := r.markOf(p); m != nil {
		d, err := r.captureMark(m)
		if err != nil || rel == "" {
			return d, err
		}
	}
	root, err := r.view(ctx)
	if err != nil {
		return cas.Digest{}, err
	}
	if len(r.marks) > 0 {
		// The path may lead to a marked directory, or hold one.
		if root, err = r.captureRoot(ctx); err != nil {
			return cas.Digest{}, err
		}
	}
	sub, err := root.Sub(p, false)
	if err != nil {
		return cas.Digest{}, err
	}
	return sub.Digest()
}

// stage makes the root on disk as a command needs it: writable or not.
func (r *Root) stage(ctx context.Context, writable bool) error {
	if r.lease == nil {
		l, err := r.factory.trees.register(ctx)
		if err != nil {
			return err
		}
		r.lease = l
	}
	switch {
	case r.state == overlaid || r.state == copied:
		return nil
	case r.overlay:
		return r.stageOverlay(ctx)
	case writable:
		return r.stageCopy()
	}
	return r.stageBound(ctx)
}

// stageOverlay chooses the layers and links them into the work directory.
func (r *Root) stageOverlay(ctx context.Context) error {
	stack, err := r.choose()
	if err != nil {
		return err
	}
	if err := r.lease.ensure(ctx, stack); err != nil {
		return err
	}
	for _, name := range []string{upperName, ovlWorkName, mountName, layersName} {
		if err := os.Mkdir(filepath.Join(r.dir, name), 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	upper := filepath.Join(r.dir, upperName)
	if err := errors.Join(os.Chmod(upper, 0o755), os.Chtimes(upper, cas.MTime, cas.MTime)); err != nil {
		return err
	}
	r.lower = nil
	for i, d := range stack {
		name := filepath.Join(layersName, itoa(i))
		if err := os.Symlink(r.factory.trees.path(d), filepath.Join(r.dir, name)); err != nil {
			return err
		}
		r.lower = append(r.lower, name)
	}
	r.state = overlaid
	// What is shown may have directories that were marked before: on disk there
	// is only what was asked for.
	return r.makeMissing()
}

// choose gives the checkouts to stack, topmost first, so that they show what was
// asked for.
func (r *Root) choose() ([]cas.Digest, error) {
	stack, err := group(normalize(r.layers), maxLayers, func(part []cas.Digest) (cas.Digest, error) {
		return merge(r.store, part)
	})
	if err != nil {
		return nil, err
	}
	patch := r.store.EmptyDir()
	ok := len(stack) <= maxLayers
	if ok {
		hidden := map[string]bool{}
		for _, m := range r.marks {
			hidden[m.path] = true
		}
		if ok, err = correct(r.store, stack, r.wanted, hidden, "", patch); err != nil {
			return nil, err
		}
	}
	bare := func() ([]cas.Digest, error) {
		whole, err := r.store.OpenDir(r.wanted)
		if err != nil {
			return nil, err
		}
		d, err := r.bare(whole)
		return []cas.Digest{d}, err
	}
	switch {
	case !ok:
		return bare()
	case patch.Len() > 0:
		d, err := patch.Digest()
		if err != nil {
			return nil, err
		}
		// The patch may be one of the layers, which overlayfs refuses to take
		// twice. Further down it would add nothing.
		stack = append([]cas.Digest{d}, slices.DeleteFunc(stack, func(l cas.Digest) bool { return l == d })...)
	case len(stack) == 0:
		// An overlay has at least one lower layer.
		return bare()
	}
	return stack, nil
}

// makeMissing makes on disk the directories that are shown and were not staged:
// mount points.
func (r *Root) makeMissing() error {
	for _, m := range r.marks {
		if err := makeUpperDir(filepath.Join(r.dir, upperName), m.path, r.userXattr()); err != nil {
			return err
		}
	}
	return nil
}

func (r *Root) userXattr() bool { return os.Geteuid() != 0 }

// bare stores dir with nothing in the marked directories: what is in those lies
// elsewhere, and would only be checked out to be hidden.
func (r *Root) bare(dir *cas.Dir) (cas.Digest, error) {
	dir = dir.Clone()
	for _, m := range r.marks {
		if err := dir.Remove(m.path, true); err != nil && !cas.IsNotFound(err) {
			return cas.Digest{}, err
		}
		if err := dir.MkdirAll(m.path); err != nil {
			return cas.Digest{}, err
		}
	}
	return dir.Digest()
}

// stageBound makes a checkout of all that is shown, to be bound read-only.
func (r *Root) stageBound(ctx context.Context) error {
	d, err := r.bare(r.shown)
	if err != nil {
		return err
	}
	if err := r.lease.ensure(ctx, []cas.Digest{d}); err != nil {
		return err
	}
	r.tree, r.state = d, bound
	return nil
}

// stageCopy makes a private copy of all that is shown.
func (r *Root) stageCopy() error {
	d, err := r.bare(r.shown)
	if err != nil {
		return err
	}
	dest := filepath.Join(r.dir, copyName)
	if err := os.Mkdir(dest, 0o755); err != nil {
		return err
	}
	if err := r.store.CheckoutTree(d, dest, cas.CheckoutOptions{}); err != nil {
		return err
	}
	if err := errors.Join(os.Chmod(dest, 0o755), os.Chtimes(dest, cas.MTime, cas.MTime)); err != nil {
		return err
	}
	r.state = copied
	return nil
}

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

// prepare stages the root and makes the plan of one command.
func (r *Root) prepare(ctx context.Context, spec *Spec) (*plan, error) {
	bwrap, err := r.factory.bwrap()
	if err != nil {
		return nil, err
	}
	if _, err := r.view(ctx); err != nil {
		return nil, err
	}
	p := &plan{
		Bwrap:        bwrap,
		Work:         r.dir,
		RootReadOnly: spec.RootReadOnly && !r.wide,
		Network:      spec.Network,
		Argv:         spec.Argv,
		UID:          spec.UID,
		GID:          spec.GID,
		Locks:        []string{r.lock.Name()},
	}
	if spec.InheritUID {
		p.UID, p.GID = os.Geteuid(), os.Getegid()
	}
	if p.UID < 0 || p.GID < 0 {
		return nil, failure("", fmt.Sprintf("User %d, group %d: the sandbox's user and group cannot be negative", p.UID, p.GID), "", nil)
	}
	if r.state == unstaged {
		found, err := r.factory.probe(ctx)
		if err != nil {
			return nil, err
		}
		r.own, r.overlay = found.namespaces, found.overlay && !r.plain
	}
	// Mount points are made in an overlay's upper layer; without overlays what is
	// staged is all that is shown, with them.
	dir := path.Clean("/" + spec.Dir)
	steps := []func() error{
		func() error { return r.stage(ctx, !p.RootReadOnly) },
		func() error { return r.points(p, spec, dir) },
	}
	if !r.overlay {
		slices.Reverse(steps)
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, stagingError("stage", r.dir, err)
		}
	}

	switch r.state {
	case overlaid:
		p.Overlay, p.UserXattr, p.Layers = true, r.userXattr(), r.lower
	case bound:
		p.RootDir = r.factory.trees.path(r.tree)
		p.RootReadOnly = true // shared: never otherwise
	case copied:
		p.RootDir = filepath.Join(r.dir, copyName)
	}
	p.OwnNamespaces = r.own
	p.RealRoot = os.Geteuid() == 0
	p.NewUser = p.UID != 0 || p.GID != 0 || !r.own && os.Geteuid() != 0
	p.Locks = append(p.Locks, r.lease.file.Name())

	env := maps.Clone(spec.Env)
	if env == nil {
		env = map[string]string{}
	}
	env["PWD"] = dir
	p.Dir = dir
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(env[name], "\x00") {
			return nil, failure("", fmt.Sprintf("The environment variable %q cannot be set", name), "Its name must not be empty or hold '=', and neither name nor value may hold a NUL.", nil)
		}
		p.Env = append(p.Env, name+"="+env[name])
	}
	return p, nil
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

// has says whether the sandbox has the command, as the reference looks for it:
// by its path, or in each directory of PATH.
func (r *Root) has(ctx context.Context, spec *Spec) (bool, error) {
	shown, err := r.view(ctx)
	if err != nil {
		return false, err
	}
	name := spec.Argv[0]
	if path.IsAbs(name) {
		return r.exists(shown, spec, name), nil
	}
	if name == "" || strings.Contains(name, "/") {
		return false, nil
	}
	for dir := range strings.SplitSeq(spec.Env["PATH"], ":") {
		if r.exists(shown, spec, path.Join("/", dir, name)) {
			return true, nil
		}
	}
	return false, nil
}

func (r *Root) exists(shown *cas.Dir, spec *Spec, p string) bool {
	p = path.Clean(p)
	for _, m := range spec.Mounts {
		if rel, ok := within(path.Clean("/"+m.Path), p); ok {
			_, err := os.Stat(filepath.Join(m.Host, rel))
			return err == nil
		}
	}
	if m, rel := r.markOf(p); m != nil && rel != "" {
		root, err := os.OpenRoot(m.host)
		if err != nil {
			return false
		}
		defer root.Close()
		// A link that leads out of the directory leads somewhere in the sandbox.
		st, err := root.Lstat(rel)
		return err == nil && !st.IsDir()
	}
	_, err := shown.Stat(p)
	return err == nil
}

// Suspend stops the commands that run; one that starts meanwhile waits.
func (r *Root) Suspend() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.suspended == nil {
		r.suspended = make(chan struct{})
	}
	for p := range r.running {
		p.stop()
	}
}

// Resume lets them go on.
func (r *Root) Resume() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.suspended == nil {
		return
	}
	close(r.suspended)
	r.suspended = nil
	for p := range r.running {
		p.cont()
	}
}

// enter notes a process that runs.
func (r *Root) enter(p *process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running[p] = struct{}{}
	switch {
	case r.closed:
		p.kill()
	case r.suspended != nil:
		p.stop()
	}
}

func (r *Root) leave(p *process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, p)
}

// awake waits while the Root is suspended.
func (r *Root) awake(ctx context.Context) error {
	for {
		r.mu.Lock()
		wait := r.suspended
		closed := r.closed
		r.mu.Unlock()
		if closed {
			return errClosed
		}
		if wait == nil {
			return nil
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Close ends what runs and removes the work directory. It may be called more
// than once.
func (r *Root) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil
	}
	r.closed = true
	for p := range r.running {
		p.kill()
	}
	if r.suspended != nil {
		close(r.suspended)
		r.suspended = nil
	}
	r.mu.Unlock()

	r.use.Lock() // until the command has ended
	defer r.use.Unlock()
	var errs []error
	if r.lease != nil {
		errs = append(errs, r.lease.release())
	}
	errs = append(errs, removeTree(r.dir), r.lock.Close())
	r.factory.mu.Lock()
	delete(r.factory.roots, r)
	r.factory.mu.Unlock()
	if err := errors.Join(errs...); err != nil {
		return stagingError("remove", r.dir, err)
	}
	return nil
}
