package sandbox

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"bst/impl/cas"
)

// From a Spec to the plan of one command, and what a root has of commands.

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
