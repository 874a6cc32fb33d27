package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"bst/impl/bug"
	"bst/impl/cas"
	"bst/impl/stream"

	"golang.org/x/sys/unix"
)

// Factory makes Roots. It is safe for concurrent use.
type Factory struct {
	config Config
	trees  *trees

	mu        sync.Mutex // guards what follows
	features  *features  // nil until probed
	roots     map[*Root]struct{}
	suspended bool
	swept     bool
}

// features are what this system lets a sandbox do.
type features struct {
	namespaces bool // the helper can be born in namespaces of its own
	overlay    bool // and mount overlays in WorkDir there
	// why says why not, for people.
	why string
}

// New makes a factory. It touches nothing yet: what is missing for running
// commands is said when a command is to run.
func New(c Config) (*Factory, error) {
	if c.Store == nil || c.WorkDir == "" || c.TreesDir == "" {
		return nil, errors.New("sandbox: Store, WorkDir and TreesDir are required")
	}
	for _, dir := range []*string{&c.WorkDir, &c.TreesDir} {
		abs, err := filepath.Abs(*dir)
		if err != nil {
			return nil, stagingError("find the folder", *dir, err)
		}
		*dir = abs
	}
	if c.MaxTreeEntries <= 0 {
		c.MaxTreeEntries = DefaultMaxTreeEntries
	}
	return &Factory{
		config: c,
		trees:  &trees{store: c.Store, dir: c.TreesDir, max: c.MaxTreeEntries},
		roots:  map[*Root]struct{}{},
	}, nil
}

// Available says whether commands can run here: nil, or a *stream.Error
// (SANDBOX, unavailable-local-sandbox) that tells what to install.
func (f *Factory) Available() error {
	_, err := f.bwrap()
	return err
}

func (f *Factory) bwrap() (string, error) {
	name := f.config.Bwrap
	if name == "" {
		name = "bwrap"
	}
	path, err := exec.LookPath(name)
	if err == nil {
		return filepath.Abs(path)
	}
	return "", failure(ReasonUnavailable,
		"Running commands needs bubblewrap, and '"+name+"' was not found",
		"Install it and try again:\n"+
			"    apt install bubblewrap      (Debian, Ubuntu)\n"+
			"    dnf install bubblewrap      (Fedora)\n"+
			"    pacman -S bubblewrap        (Arch)\n"+
			"    zypper install bubblewrap   (openSUSE)\n"+
			"Elements that run no commands (import, stack, filter, compose without integration) build without it.", err)
}

// Stage prepares a root in which later layers lie over earlier ones. merged is
// what the root must look like; where an overlay of the layers would show
// something else, merged wins. Nothing is written to TreesDir before a command
// runs. The caller may go on to change merged, and must Close the Root.
func (f *Factory) Stage(ctx context.Context, layers []cas.Digest, merged *cas.Dir) (*Root, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := f.sweepOnce(ctx); err != nil {
		return nil, stagingError("clean up", f.config.WorkDir, err)
	}
	var wanted cas.Digest
	var err error
	if merged == nil {
		wanted, err = merge(f.config.Store, normalize(layers))
	} else {
		wanted, err = merged.Digest()
	}
	if err != nil {
		return nil, err
	}
	base, err := f.config.Store.OpenDir(wanted)
	if err != nil {
		return nil, err
	}
	dir, lock, err := f.makeWorkDir(ctx)
	if err != nil {
		return nil, stagingError("create a folder in", f.config.WorkDir, err)
	}
	r := &Root{
		factory: f,
		store:   f.config.Store,
		dir:     dir,
		lock:    lock,
		layers:  append([]cas.Digest(nil), layers...),
		wanted:  wanted,
		shown:   base,
		running: map[*process]struct{}{},
	}
	f.mu.Lock()
	f.roots[r] = struct{}{}
	if f.suspended {
		r.Suspend()
	}
	f.mu.Unlock()
	return r, nil
}

// Suspend stops all commands of all Roots; commands that start meanwhile wait.
func (f *Factory) Suspend() { f.suspend(true) }

// Resume lets them go on.
func (f *Factory) Resume() { f.suspend(false) }

func (f *Factory) suspend(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.suspended = on
	for r := range f.roots {
		if on {
			r.Suspend()
		} else {
			r.Resume()
		}
	}
}

// Close closes the Roots that are still open.
func (f *Factory) Close() error {
	f.mu.Lock()
	var open []*Root
	for r := range f.roots {
		open = append(open, r)
	}
	f.mu.Unlock()
	var errs []error
	for _, r := range open {
		errs = append(errs, r.Close())
	}
	return errors.Join(errs...)
}

// Prune removes the least recently used checkouts that nobody uses until at most
// entries files, links and directories are left in all of them. The disk space
// of an object is free only when no checkout holds a link to it.
func (f *Factory) Prune(ctx context.Context, entries int64) error {
	if err := f.trees.prune(ctx, entries); err != nil {
		return stagingError("remove checkouts in", f.config.TreesDir, err)
	}
	return nil
}

const workPrefix = "sandbox-"

// makeWorkDir makes a Root's work directory and locks it for as long as this
// process lives.
func (f *Factory) makeWorkDir(ctx context.Context) (string, *os.File, error) {
	if err := os.MkdirAll(f.config.WorkDir, 0o755); err != nil {
		return "", nil, err
	}
	unlock, err := f.lockWorkDir(ctx)
	if err != nil {
		return "", nil, err
	}
	defer unlock()
	dir := filepath.Join(f.config.WorkDir, fmt.Sprintf("%s%d-%08x", workPrefix, os.Getpid(), rand.Uint32()))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		if err = unix.Flock(int(lock.Fd()), unix.LOCK_SH|unix.LOCK_NB); err == nil {
			return dir, lock, nil
		}
		lock.Close()
	}
	return "", nil, errors.Join(err, os.RemoveAll(dir))
}

// lockWorkDir keeps a sweep from seeing a work directory that is not locked yet.
func (f *Factory) lockWorkDir(ctx context.Context) (unlock func(), err error) {
	lock, err := os.OpenFile(filepath.Join(f.config.WorkDir, ".lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := flockWait(ctx, lock, unix.LOCK_EX); err != nil {
		lock.Close()
		return nil, err
	}
	return func() { lock.Close() }, nil
}

// sweepOnce removes, once for a factory, what processes that died left behind.
func (f *Factory) sweepOnce(ctx context.Context) error {
	f.mu.Lock()
	done := f.swept
	f.swept = true
	f.mu.Unlock()
	if done {
		return nil
	}
	return f.sweep(ctx)
}

func (f *Factory) sweep(ctx context.Context) error {
	entries, err := os.ReadDir(f.config.WorkDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var stale []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), workPrefix) || strings.HasPrefix(e.Name(), stalePrefix) {
			stale = append(stale, e.Name())
		}
	}
	if len(stale) == 0 {
		return nil
	}
	unlock, err := f.lockWorkDir(ctx)
	if err != nil {
		return err
	}
	var waste []string
	for _, name := range stale {
		path := filepath.Join(f.config.WorkDir, name)
		if strings.HasPrefix(name, workPrefix) {
			if inUse(filepath.Join(path, lockName)) {
				continue
			}
			gone := filepath.Join(f.config.WorkDir, fmt.Sprintf("%s%016x", stalePrefix, rand.Uint64()))
			if err := os.Rename(path, gone); err != nil {
				continue // another process sweeps it
			}
			path = gone
		}
		waste = append(waste, path)
	}
	unlock()
	// Removing can take long after a crash in a large build; nobody waits for it,
	// and what is not finished is swept by the next process.
	bug.Start(func() {
		for _, path := range waste {
			_ = removeTree(path)
		}
	}, func(*bug.Error) {})
	return nil
}

const stalePrefix = "stale-"

// inUse says whether a process holds the lock file. One that is missing was
// never finished, or is nearly gone.
func inUse(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	defer f.Close()
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil
}

// probe finds out, once, what works here.
func (f *Factory) probe(ctx context.Context) (features, error) {
	f.mu.Lock()
	known := f.features
	f.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	found, err := f.try(ctx)
	if err != nil {
		return features{}, err
	}
	f.mu.Lock()
	f.features = &found
	f.mu.Unlock()
	return found, nil
}

func (f *Factory) try(ctx context.Context) (features, error) {
	dir, err := os.MkdirTemp(f.config.WorkDir, stalePrefix+"probe-")
	if err != nil {
		return features{}, err
	}
	defer removeTree(dir)
	var text bytes.Buffer
	e := &execution{verb: "probe", path: dir, namespaces: true, stderr: &text}
	_, state, err := e.execute(ctx)
	switch {
	case ctx.Err() != nil:
		return features{}, ctx.Err()
	case err != nil:
		return features{why: err.Error()}, nil
	case state.ExitCode() == exitNamespaces:
		return features{why: strings.TrimSpace(text.String())}, nil
	case !state.Success():
		return features{namespaces: true, why: strings.TrimSpace(text.String())}, nil
	}
	found := features{namespaces: true, overlay: true}
	if f.config.NoOverlay {
		found = features{namespaces: true, why: "it is switched off"}
	}
	return found, nil
}

// Staging says how roots are staged here, for a log: "overlay" or "copy", and
// why not as an overlay.
func (f *Factory) Staging(ctx context.Context) (how, why string, err error) {
	if err := os.MkdirAll(f.config.WorkDir, 0o755); err != nil {
		return "", "", stagingError("create the folder", f.config.WorkDir, err)
	}
	found, err := f.probe(ctx)
	if err != nil {
		return "", "", err
	}
	if found.overlay {
		return "overlay", "", nil
	}
	return "copy", found.why, nil
}

// stagingError makes an error of the file system one that a person can act on.
func stagingError(what, path string, err error) error {
	var known *stream.Error
	if errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	text := err.Error()
	var pe *fs.PathError
	if errors.As(err, &pe) {
		path, text = pe.Path, pe.Err.Error()
	}
	detail := ""
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		detail = "Free some space on that filesystem, or set `cachedir` in buildstream.conf to another place."
	case errors.Is(err, fs.ErrPermission), errors.Is(err, unix.EROFS):
		detail = "The user who runs bst must be able to write there; `cachedir` in buildstream.conf gives the cache another place."
	}
	e := failure("", fmt.Sprintf("Failed to %s '%s': %s", what, path, text), detail, nil)
	e.Cause = err.Error()
	return e
}
