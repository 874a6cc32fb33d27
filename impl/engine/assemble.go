package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"path/filepath"
	"slices"

	"bst/impl/artifact"
	"bst/impl/element"
	"bst/impl/node"
	"bst/impl/stream"
)

// assemble builds one element and caches its artifact, a failed build's too.
// Behaviour: the reference's Element._assemble.
func (w *world) assemble(ctx context.Context, e *element.Element, j *journal) (err error) {
	if old := w.artifact(e); old != nil && !old.BuildSuccess && w.firstTry(e) {
		return w.cachedFailure(old, j)
	}
	if err := w.dropKept(e); err != nil {
		return err
	}
	a := w.newAssembly(e, j)
	kept := false
	defer func() {
		if kept {
			return
		}
		if closeErr := a.close(); closeErr != nil {
			if err == nil {
				err = closeErr
			} else {
				j.message(stream.TypeWarning, nil, "The sandbox could not be removed", closeErr.Error())
			}
		}
	}()
	j.record("LOG", nil, "Build environment for element "+e.Name, bindings(e.Environment).Dump())

	collect, buildErr := e.Impl.Assemble(ctx, a)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if buildErr != nil && !isBuildFailure(buildErr) {
		return buildErr // the machine's fault: nothing to remember
	}
	if buildErr != nil {
		if wrong := w.machineFailed(); wrong != nil {
			wrong.Detail += "\nWhat failed: " + asError(buildErr).Message
			return wrong
		}
	}
	art := &artifact.Artifact{BuildSuccess: buildErr == nil, BuildError: "succeeded"}
	var failed *stream.Error
	if buildErr != nil {
		copied := *asError(buildErr)
		failed = &copied
		failed.Sandbox = true
		art.BuildError, art.BuildErrorDetails = failed.Message, failed.Detail
	}
	missing := false
	err = j.activity("Caching artifact", func() error {
		if failed == nil {
			if art.Files, err = a.collect(ctx, collect); err != nil {
				return err
			}
			missing = art.Files.IsZero() && e.HasArtifact()
		}
		if missing {
			failed = &stream.Error{Domain: stream.DomainElement, Sandbox: true,
				Message: fmt.Sprintf("Directory '%s' was not found inside the sandbox, unable to collect artifact contents", collect)}
			art.BuildSuccess, art.BuildError = false, failed.Message
		}
		return w.cacheArtifact(ctx, a, art)
	})
	w.tried(e)
	if err != nil {
		return err
	}
	if failed != nil {
		if kept = a.box != nil && art.BuildRoot.IsZero() && w.s.set.Settings.Interactive; kept {
			w.keep(a)
		}
		return failed
	}
	return nil
}

// isBuildFailure tells a build that failed from a machine that failed: only the
// former is cached.
func isBuildFailure(err error) bool {
	var e *stream.Error
	if !errors.As(err, &e) {
		return false
	}
	return e.Domain == stream.DomainElement || e.Sandbox || e.Reason == "missing-command"
}

// cachedFailure fails as the cached build did, with its log.
func (w *world) cachedFailure(old *artifact.Artifact, j *journal) error {
	for _, log := range old.Logs {
		f, err := w.store.OpenFile(log.Digest)
		if err != nil {
			return err
		}
		_, err = io.Copy(j, f)
		f.Close()
		if err != nil {
			return err
		}
	}
	return &stream.Error{Domain: stream.DomainElement, Reason: "cached-failure", Message: old.BuildError,
		Detail: old.BuildErrorDetails, Sandbox: !old.BuildRoot.IsZero()}
}

// cacheArtifact fills in what is left of an artifact and commits it under the
// element's keys.
func (w *world) cacheArtifact(ctx context.Context, a *assembly, art *artifact.Artifact) error {
	e := a.e
	art.StrongKey, art.StrictKey, art.WeakKey = w.strongKey(e), e.StrictKey, e.WeakKey

	keep := w.s.set.Settings.CacheBuildtrees
	art.WasWorkspaced = e.Workspace != ""
	if e.RunCommands && (keep == "always" || keep != "never" && (!art.BuildSuccess || art.WasWorkspaced)) {
		root, err := a.Root(ctx)
		if err != nil {
			return err
		}
		if art.BuildRoot, err = root.Digest(); err != nil {
			return err
		}
		if where, ok := e.Variables.Get("build-root"); ok {
			if dir, err := root.Sub(path.Join("/", where), false); err == nil {
				if art.BuildTree, err = dir.Digest(); err != nil {
					return err
				}
			}
		}
		if len(e.Sources) > 0 {
			if art.Sources, err = w.sourceTree(ctx, e, a.j); err != nil {
				return err
			}
		}
		art.BuildSandbox = &artifact.BuildSandbox{WorkingDirectory: a.directory, MarkedDirectories: a.marked}
		for _, b := range sorted(a.environment) {
			art.BuildSandbox.Environment = append(art.BuildSandbox.Environment, artifact.Variable{Name: b.Name, Value: b.Value})
		}
	}

	var err error
	if art.PublicData, err = w.store.PutBytes([]byte(a.Public().Dump())); err != nil {
		return err
	}
	low := node.NewMapping(stream.Provenance{})
	low.Set("environment", bindings(e.Environment))
	low.Set("sandbox-config", plain(e.Sandbox.Plain()))
	if art.LowDiversityMeta, err = w.store.PutBytes([]byte(low.Dump())); err != nil {
		return err
	}
	variables := node.NewMapping(stream.Provenance{})
	for name, value := range e.Variables.All() {
		variables.Set(name, node.NewScalar(value, stream.Provenance{}))
	}
	high := node.NewMapping(stream.Provenance{})
	high.Set("variables", variables)
	if art.HighDiversityMeta, err = w.store.PutBytes([]byte(high.Dump())); err != nil {
		return err
	}
	if err := a.j.flush(); err != nil {
		return err
	}
	log, err := w.store.PutFile(a.j.path)
	if err != nil {
		return err
	}
	art.Logs = []artifact.Log{{Name: filepath.Base(a.j.path), Digest: log}}
	art.BuildDeps = w.buildDeps(e)
	if err := w.room(ctx); err != nil {
		return err
	}
	if err := w.artifacts.Commit(e.Project.Name, e.NormalName, art); err != nil {
		return err
	}
	w.setArtifact(e, art)
	w.noteBuild(ctx, e, art.StrongKey, a.j)
	return nil
}

func bindings(list []element.Binding) *node.Node {
	n := node.NewMapping(stream.Provenance{})
	for _, b := range list {
		n.Set(b.Name, node.NewScalar(b.Value, stream.Provenance{}))
	}
	return n
}

// plain makes a node of what a sandbox's configuration is made of.
func plain(v any) *node.Node {
	m, ok := v.(map[string]any)
	if !ok {
		return node.NewScalar(fmt.Sprint(v), stream.Provenance{})
	}
	n := node.NewMapping(stream.Provenance{})
	for _, key := range slices.Sorted(maps.Keys(m)) {
		n.Set(key, plain(m[key]))
	}
	return n
}
