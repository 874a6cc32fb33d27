package engine

import (
	"context"
	"errors"
	"maps"
	"os"

	"bst/impl/element"
	"bst/impl/kind"
	"bst/impl/sandbox"
	"bst/impl/stream"
)

// errShell ends an assembly where its first commands would run: there the
// shell opens.
var errShell = errors.New("a shell opens here")

// shell obeys bst shell.
func (s *session) shell(ctx context.Context, o *stream.Shell) error {
	w, err := s.loadAny(ctx, []string{o.Target}, true)
	if err != nil {
		return err
	}
	target, err := w.oneTarget()
	if err != nil {
		return err
	}
	if isArtifact(target) && !o.UseBuildtree {
		return &stream.Error{Domain: stream.DomainStream, Reason: "only-buildtrees-supported",
			Message: "Only buildtrees are supported with artifact names",
			Detail:  "Use the --build and --use-buildtree options to shell into a cached build tree"}
	}
	scope := element.ScopeRun
	if o.Build || o.UseBuildtree {
		scope = element.ScopeBuild
	}
	needed := w.graph.Collect(scope, target)
	if o.UseBuildtree {
		// What it was built in is all that is needed.
		needed, s.set.Settings.PullBuildtrees = nil, true
	}
	all := withElement(needed, target)
	if err := w.queryCache(ctx, all, false); err != nil {
		return err
	}
	use := useArtifacts
	if scope == element.ScopeBuild {
		use |= useSources
	}
	if err := w.pullMissing(ctx, all, use); err != nil {
		return err
	}
	if !o.UseBuildtree {
		missing := ""
		for _, e := range needed {
			if a := w.artifact(e); a == nil || !a.BuildSuccess {
				missing += e.FullName + "\n"
			}
		}
		if missing != "" {
			return &stream.Error{Domain: stream.DomainStream, Reason: "shell-missing-deps",
				Message: "Elements need to be built or downloaded before staging a shell environment", Detail: missing}
		}
	}

	j := s.mainJournal(target, w)
	var a *assembly
	switch {
	case o.UseBuildtree:
		a, err = w.stageBuildtree(target, j)
	case scope == element.ScopeBuild:
		if err := s.fetchFor(ctx, w, target, j); err != nil {
			return err
		}
		a, err = w.stageBuild(ctx, target, j)
	default:
		a, err = w.stageRun(ctx, target, element.ScopeRun, true, j)
	}
	if a != nil {
		defer func() {
			if err := a.close(); err != nil {
				j.message(stream.TypeWarning, nil, "The sandbox could not be removed", err.Error())
			}
		}()
	}
	if err != nil {
		return err
	}
	status, err := s.openShell(ctx, a, shellOptions{command: o.Command, isolate: o.Isolate, mounts: o.Mounts})
	s.shellStatus = status
	return err
}

// fetchFor brings the sources of one element, outside of the scheduler.
func (s *session) fetchFor(ctx context.Context, w *world, e *element.Element, j *journal) error {
	if w.sourcesCached(e) {
		return nil
	}
	return j.activity("Fetching sources", func() error { return w.fetchSources(ctx, e, j) })
}

// stageRun stages what a target needs in a scope, with its integration commands.
func (w *world) stageRun(ctx context.Context, target *element.Element, scope element.Scope, integrate bool,
	j *journal) (*assembly, error) {
	a := w.newAssembly(target, j)
	list := w.graph.Collect(scope, target)
	err := j.activity("Staging dependencies", func() error { return a.stage(ctx, list, kind.StageDeps{}) })
	if err != nil || !integrate {
		return a, err
	}
	handles := make([]kind.Handle, len(list))
	for i, e := range list {
		handles[i] = element.Handle{Element: e}
	}
	return a, j.activity("Integrating sandbox", func() error { return a.Integrate(ctx, handles) })
}

// stageBuild stages what a target is built from, up to its first command.
func (w *world) stageBuild(ctx context.Context, target *element.Element, j *journal) (*assembly, error) {
	a := w.newAssembly(target, j)
	a.forShell = true
	if _, err := target.Impl.Assemble(ctx, a); err != nil && !errors.Is(err, errShell) {
		return a, err
	}
	return a, nil
}

// stageBuildtree stages the root that a cached build left.
func (w *world) stageBuildtree(target *element.Element, j *journal) (*assembly, error) {
	art := w.artifact(target)
	switch {
	case art == nil:
		return nil, &stream.Error{Domain: stream.DomainStream, Reason: "missing-buildtree-artifact-not-cached",
			Message: "Artifact not cached locally or in available remotes"}
	case art.BuildRoot.IsZero():
		return nil, &stream.Error{Domain: stream.DomainStream, Reason: "missing-buildtree-artifact-created-without-buildtree",
			Message: "Artifact was created without buildtree",
			Detail:  "Build it again with --cache-buildtrees always."}
	}
	if whole, err := w.buildtreesHere(art); err != nil {
		return nil, err
	} else if !whole {
		return nil, &stream.Error{Domain: stream.DomainStream, Reason: "missing-buildtree-artifact-buildtree-not-cached",
			Message: "Buildtree is not cached locally or in available remotes"}
	}
	if !art.BuildSuccess {
		j.message(stream.TypeWarning, nil, "using a buildtree from a failed build.", "")
	}
	a := w.newAssembly(target, j)
	root, err := w.store.OpenDir(art.BuildRoot)
	if err != nil {
		return nil, err
	}
	a.root = root.Clone()
	a.lay("/", root)
	if box := art.BuildSandbox; box != nil {
		a.environment = make(map[string]string, len(box.Environment))
		for _, v := range box.Environment {
			a.environment[v.Name] = v.Value
		}
		a.marked = append(a.marked, box.MarkedDirectories...)
		if box.WorkingDirectory != "" {
			a.directory = box.WorkingDirectory
		}
	}
	return a, nil
}

type shellOptions struct {
	job     stream.JobID
	command []string
	isolate bool
	mounts  []stream.Mount
}

// openShell makes files of what is staged, hands the recipe to the frontend and
// waits until it says that the shell has ended.
func (s *session) openShell(ctx context.Context, a *assembly, o shellOptions) (int, error) {
	conf := a.e.Project.Toplevel().Shell()
	environment := maps.Clone(a.environment)
	key := a.w.key(a.e)
	environment["PS1"] = "[" + brief(key.Full) + "@" + a.e.FullName + ":${PWD}]$ "
	// The default environment says dumb, for builds; a person sees colours.
	if term := s.set.Settings.Term; term != "" && (environment["TERM"] == "dumb" || environment["TERM"] == "") {
		environment["TERM"] = term
	}
	argv := o.command
	if len(argv) == 0 {
		argv = conf.Command
	}
	var mounts []sandbox.Mount
	if !o.isolate {
		for _, v := range conf.Environment {
			environment[v.Name] = v.Value
		}
		add := func(host, path string, optional bool) {
			if _, err := os.Stat(host); err == nil {
				mounts = append(mounts, sandbox.Mount{Host: host, Path: path})
			} else if !optional {
				a.j.message(stream.TypeWarning, nil, "Not mounting non-existing host file: "+host, "")
			}
		}
		for _, f := range conf.HostFiles {
			add(f.HostPath, f.Path, f.Optional)
		}
		for _, m := range o.mounts {
			add(m.Host, m.Path, false)
		}
	}
	if err := a.materialise(ctx); err != nil {
		return 0, err
	}
	spec := a.spec(argv, a.directory, environment)
	spec.RootReadOnly = true
	spec.Network, spec.InheritUID = !o.isolate, !o.isolate
	spec.Mounts = mounts
	recipe, env, dir, err := a.box.Recipe(spec)
	if err != nil {
		return 0, err
	}

	done := make(chan int, 1)
	s.mu.Lock()
	s.nextShell++
	id := s.nextShell
	s.shells[id] = done
	s.mu.Unlock()
	s.emit(&stream.ShellReady{Shell: id, Job: o.job, Argv: recipe, Env: env, Dir: dir, Element: a.e.FullName, Key: key})
	select {
	case status := <-done:
		return status, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// stageShell obeys StageShell: a shell in what a failed job left. It runs beside
// the scheduler.
func (r *runner) stageShell(ctx context.Context, id stream.JobID) {
	r.mu.Lock()
	e := r.failed[id]
	r.mu.Unlock()
	err := func() error {
		if e == nil {
			return &stream.Error{Domain: stream.DomainStream, Message: "This job left nothing to open a shell in"}
		}
		j := r.s.mainJournal(e, r.w)
		a := r.w.keptOf(e)
		if a != nil {
			a.j = j // the job's has ended
		} else {
			if err := r.w.bringBuildtree(ctx, e, j); err != nil {
				return err
			}
			var err error
			if a, err = r.w.stageBuildtree(e, j); err != nil {
				return err
			}
			defer a.close()
		}
		_, err := r.s.openShell(ctx, a, shellOptions{job: id, isolate: true})
		return err
	}()
	if err != nil && ctx.Err() == nil {
		r.s.emit(&stream.ShellRefused{Job: id, Error: *r.s.asError(err)})
	}
}
