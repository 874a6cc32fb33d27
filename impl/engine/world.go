package engine

import (
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"bst/impl/artifact"
	"bst/impl/cas"
	"bst/impl/element"
	"bst/impl/expiry"
	"bst/impl/kind/host"
	"bst/impl/node"
	"bst/impl/parallel"
	"bst/impl/project"
	"bst/impl/sandbox"
	"bst/impl/source"
	"bst/impl/split"
	"bst/impl/stream"
)

// world is what a session works on: the resolved graph, and what the caches
// know of it.
type world struct {
	s        *session
	project  *project.Project
	projects []*project.Project
	// strangers are the projects of artifacts of which only the name is known.
	strangers []*project.Project
	graph     *element.Graph
	// told holds the warnings that were shown.
	told map[element.Warning]bool
	// telling hears of what is told while a graph is loaded that may be kept.
	telling func(stream.MessageType, element.Warning)
	// except are what the command line excepts.
	except []*element.Element

	store *cas.Store
	// cache is the store's folder as it was when jobs began; nil before, and where
	// it could not be made.
	cache     os.FileInfo
	programs  host.Suspension // of the host's that jobs run
	artifacts *artifact.Cache
	sources   *source.Cache
	keeper    *expiry.Keeper // makes room in the cache

	remotes remotes

	mu sync.RWMutex // guards what follows: jobs ask and set it
	// found holds the artifact of each element, nil where none is cached.
	found []*artifact.Artifact
	// strong holds the strong key of each element, "" while it is not known: in
	// non-strict mode it depends on which artifacts its dependencies have.
	strong []string
	// retried says that a build was tried in this session.
	retried map[int]bool
	// publics holds parsed public data by digest, rules and whitelists likewise:
	// most elements of a project share theirs.
	publics map[cas.Digest]*publicData
	boxes   *sandbox.Factory
	// suspended says that new boxes begin so.
	suspended bool
	// workspaced holds the keys of what was built of workspaces, by element.
	workspaced map[int]string
	// kept holds, by element, what failed builds left that no artifact holds.
	kept map[*element.Element]*assembly
}

// publicData is an artifact's public data, as far as staging needs it.
type publicData struct {
	all       *node.Node
	rules     *split.Rules
	whitelist []*split.Glob
	integrate []string
}

// load opens the project, loads the targets and resolves them, with their keys
// where somebody will look at these.
// What except names is loaded too: it may lie outside of what targets need.
func (s *session) load(ctx context.Context, targets []string, keys bool, except ...string) (*world, error) {
	w, err := s.open()
	if err != nil {
		return nil, err
	}
	l, err := s.loadGraph(ctx, w, targets, except, keys)
	if err != nil {
		return nil, err
	}
	w.project, w.projects, w.graph = l.project, l.projects, l.graph
	w.graph.Targets, w.except = w.graph.Targets[:l.targeted], w.graph.Targets[l.targeted:]
	w.tell(w.graph)
	w.found = make([]*artifact.Artifact, len(w.graph.Elements))
	w.initKeys()
	return w, nil
}

// open makes a world of the caches alone.
func (s *session) open() (*world, error) {
	set := &s.set.Settings
	store, err := cas.Open(filepath.Join(set.CacheDir, "cas"))
	if err != nil {
		return nil, err
	}
	if s.holds {
		// Before anything is looked up: what is found is needed.
		if err := store.Hold(); err != nil {
			return nil, err
		}
	}
	w := &world{s: s, store: store, keeper: s.newKeeper(store), told: make(map[element.Warning]bool), retried: make(map[int]bool), workspaced: make(map[int]string), publics: make(map[cas.Digest]*publicData)}
	if w.artifacts, err = artifact.Open(set.CacheDir, store); err != nil {
		return nil, err
	}
	if w.sources, err = source.Open(set.CacheDir, set.SourceDir, store); err != nil {
		return nil, err
	}
	s.world = w
	return w, nil
}

// tell says what was noticed while elements were resolved, each thing once:
// a junction is resolved when it is crossed, and again if it is a target.
func (w *world) tell(g *element.Graph) {
	for _, of := range []struct {
		t     stream.MessageType
		notes []element.Warning
	}{{stream.TypeWarning, g.Warnings}, {stream.TypeStatus, g.Notes}} {
		for _, n := range of.notes {
			if !w.told[n] {
				w.told[n] = true
				if w.telling != nil {
					w.telling(of.t, n)
				}
				w.s.say(subject{}, of.t, nil, n.Text, n.Detail)
			}
		}
	}
}

// stage tells that a step before the scheduler begins, goes on and ends.
func (s *session) stage(name string, f func(progress func(current, total int)) error) error {
	start := s.clock.Elapsed()
	s.emit(&stream.Stage{Name: name})
	var mu sync.Mutex // guards last: progress may be told from several goroutines
	last := start
	err := f(func(current, total int) {
		mu.Lock()
		defer mu.Unlock()
		// Nobody can see more than some twenty steps a second.
		if now := s.clock.Elapsed(); now-last > 50e6 {
			last = now
			s.emit(&stream.Stage{Name: name, Current: current, Total: total, Elapsed: now - start})
		}
	})
	if err != nil {
		return err
	}
	s.emit(&stream.Stage{Name: name, Done: true, Elapsed: s.clock.Elapsed() - start})
	return nil
}

// strict says that a change of a dependency rebuilds what is built from it.
// The command line wins over the user configuration of the project, and that
// over the configuration of all.
func (s *session) strict() bool {
	strict := s.set.Settings.Strict
	if s.world != nil && s.world.project != nil && strict == nil {
		strict = s.set.Settings.Projects[s.world.project.Name].Strict
	}
	return strict == nil || *strict
}

// mainJournal logs what is done for an element outside of jobs: there is no
// log file, lines are shown only.
func (s *session) mainJournal(e *element.Element, w *world) *journal {
	return &journal{s: s, subject: subject{element: e.FullName, key: w.key(e)}}
}

// selection is what the command line's --deps and --except select.
func (w *world) selection(deps string) []*element.Element {
	return w.graph.Except(w.graph.Targets, w.graph.Select(deps, w.graph.Targets...), w.except)
}

// key is an element's key as a person sees it.
func (w *world) key(e *element.Element) stream.Key {
	strong := w.strongKey(e)
	if strong == "" {
		return stream.Key{Full: strings.Repeat("?", 64)}
	}
	return stream.Key{Full: strong, Strict: strong == e.StrictKey}
}

// strongKey is the key that an element's artifact has, or will have; "" while
// it is not known.
func (w *world) strongKey(e *element.Element) string {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.strong[e.Index]
}

// resolveKey works out the strong key of an element that is about to be built:
// all that it is built from has one.
func (w *world) resolveKey(e *element.Element) error {
	if w.strongKey(e) != "" {
		return nil
	}
	key, err := w.graph.StrongKey(e, w.strongKey)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.strong[e.Index] = key
	return nil
}

// initKeys says which strong keys are known before the cache was asked.
func (w *world) initKeys() {
	w.strong = make([]string, len(w.graph.Elements))
	if w.s.strict() {
		for i, e := range w.graph.Elements {
			w.strong[i] = e.StrictKey
		}
	}
}

// queryCache asks the local cache about elements: by the strict key, and in
// non-strict mode by the weak key where that finds nothing. In a build, failed
// ones are discarded where they are to be tried again. Behaviour: the
// reference's Element._load_artifact. No element is twice in the list: several are
// asked about at once.
func (w *world) queryCache(ctx context.Context, list []*element.Element, building bool) error {
	strict, retry := w.s.strict(), building && w.s.set.Settings.RetryFailed
	return w.s.stage("Query cache", func(progress func(current, total int)) error {
		present := make(map[string]func(normalName string) bool)
		if len(list) >= manyQueries {
			for _, e := range list {
				if present[e.Project.Name] == nil {
					present[e.Project.Name] = w.artifacts.Present(e.Project.Name)
				}
			}
		}
		var done atomic.Int64
		err := parallel.Do(ctx, len(list), func(i int) error {
			e := list[i]
			if may := present[e.Project.Name]; e.StrictKey != "" && (may == nil || may(e.NormalName)) {
				a, err := w.lookUp(e, e.StrictKey)
				if err == nil && a == nil && !strict {
					a, err = w.lookUp(e, e.WeakKey)
				}
				if err != nil {
					return err
				}
				w.found[e.Index] = a
			}
			progress(int(done.Add(1)), len(list))
			return nil
		})
		if err != nil {
			return err
		}
		for _, e := range list {
			a := w.found[e.Index]
			// What is said of failed builds comes in the order of the elements.
			if a != nil && !a.BuildSuccess && building {
				if a, err = w.query(e, e.StrictKey, retry); err == nil && a == nil && !strict {
					a, err = w.query(e, e.WeakKey, true)
				}
				if err != nil {
					return err
				}
				w.found[e.Index] = a
			}
			if a != nil && !strict {
				w.strong[e.Index] = a.StrongKey
			}
		}
		return nil
	})
}

// withElement is a list that has an element too, once.
func withElement(list []*element.Element, e *element.Element) []*element.Element {
	if slices.Contains(list, e) {
		return list
	}
	return append(slices.Clip(list), e)
}

// manyQueries is from how many elements on it pays to read first which have
// artifacts at all.
const manyQueries = 64

// query looks up one artifact; discard drops a failed build that another
// attempt may mend.
func (w *world) query(e *element.Element, key string, discard bool) (*artifact.Artifact, error) {
	a, err := w.lookUp(e, key)
	if err != nil || a == nil || a.BuildSuccess || !discard {
		return a, err
	}
	return w.unlessRetried(e, a), nil
}

func (w *world) lookUp(e *element.Element, key string) (*artifact.Artifact, error) {
	return w.artifacts.Lookup(artifact.Name(e.Project.Name, e.NormalName, key))
}

// usableArtifact is the artifact that an element has in a build: a failed one is
// dropped where another attempt may mend it.
func (w *world) usableArtifact(e *element.Element) *artifact.Artifact {
	a := w.artifact(e)
	if a == nil || a.BuildSuccess {
		return a
	}
	if a = w.unlessRetried(e, a); a == nil {
		w.setArtifact(e, nil)
	}
	return a
}

// unlessRetried is nil for a failed build that is to be tried again.
func (w *world) unlessRetried(e *element.Element, a *artifact.Artifact) *artifact.Artifact {
	why := "because retrying failed builds is enabled."
	if !w.s.set.Settings.RetryFailed {
		if a.StrongKey == e.StrictKey {
			return a
		}
		why = "in non strict mode because intermediate dependencies may have changed."
	}
	w.s.say(subject{element: e.FullName, key: w.key(e)}, stream.TypeInfo, nil, "Discarded failed build",
		"Discarded '"+a.StrongKey+"'\n"+why)
	return nil
}

func (w *world) artifact(e *element.Element) *artifact.Artifact {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.found[e.Index]
}

func (w *world) setArtifact(e *element.Element, a *artifact.Artifact) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.found[e.Index] = a
}

// successes says of each element whether a successful build is cached.
func (w *world) successes() []bool {
	list := make([]bool, len(w.found))
	for i, a := range w.found {
		list[i] = a != nil && a.BuildSuccess
	}
	return list
}

// firstTry says that an element was not built in this session yet.
func (w *world) firstTry(e *element.Element) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return !w.retried[e.Index]
}

func (w *world) tried(e *element.Element) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.retried[e.Index] = true
}

// public is the public data in an element's artifact.
func (w *world) public(e *element.Element) (*node.Node, error) {
	p, err := w.publicOf(e)
	if err != nil {
		return nil, err
	}
	return p.all, nil
}

func (w *world) publicOf(e *element.Element) (*publicData, error) {
	a := w.artifact(e)
	if a == nil {
		return nil, &stream.Error{Domain: stream.DomainElement, Reason: "uncached-checkout-attempt",
			Message: "No artifacts to stage",
			Detail: "No artifacts have been cached yet for that element: " + e.FullName +
				"\nTry building the element first with `bst build`\n"}
	}
	w.mu.RLock()
	p := w.publics[a.PublicData]
	w.mu.RUnlock()
	if p != nil {
		return p, nil
	}
	data, err := w.store.Get(a.PublicData)
	if err != nil {
		return nil, err
	}
	p = new(publicData)
	if p.all, err = node.Parse(data, e.FullName+" (public data of its artifact)"); err != nil {
		return nil, err
	}
	bst, err := p.all.GetMapping("bst")
	if err != nil {
		return nil, err
	}
	rules, err := bst.GetMapping("split-rules")
	if err != nil {
		return nil, err
	}
	if p.rules, err = split.New(rules); err != nil {
		return nil, err
	}
	if p.integrate, err = bst.GetStrs("integration-commands"); err != nil {
		return nil, err
	}
	patterns, err := bst.GetStrs("overlap-whitelist")
	if err != nil {
		return nil, err
	}
	for _, text := range patterns {
		g, err := split.Compile(text)
		if err != nil {
			return nil, bst.Get("overlap-whitelist").Errorf("INVALID_DATA", "Invalid glob '%s': %v", text, err)
		}
		p.whitelist = append(p.whitelist, g)
	}
	w.mu.Lock()
	w.publics[a.PublicData] = p
	w.mu.Unlock()
	return p, nil
}

// selectFiles is the tree of those files of an artifact that the domains
// select.
func (w *world) selectFiles(e *element.Element, include, exclude []string, orphans bool) (*cas.Dir, error) {
	p, err := w.publicOf(e)
	if err != nil {
		return nil, err
	}
	a := w.artifact(e)
	if !a.BuildSuccess {
		return nil, &stream.Error{Domain: stream.DomainElement, Reason: "failed-artifact",
			Message: "The cached build of " + e.FullName + " failed: there is nothing to stage",
			Detail:  a.BuildError + "\nBuild it again with `bst build --retry-failed`, or look into it with `bst shell --build --use-buildtree`.\n"}
	}
	files, err := w.store.OpenDir(a.Files)
	if err != nil {
		return nil, err
	}
	filter := p.rules.Filter(include, exclude, orphans)
	if filter == nil {
		return files, nil
	}
	selected := w.store.EmptyDir()
	_, err = selected.Import(files, cas.ImportOptions{NoResult: true,
		Filter: func(path string, _ cas.EntryType) bool { return filter(path) }})
	return selected, err
}

// sourcesCached says that an element's staged sources are in the store.
func (w *world) sourcesCached(e *element.Element) bool {
	return len(e.Sources) == 0 || w.sources.Cached(e)
}

// sandboxes makes the factory of sandboxes when the first one is needed.
func (w *world) sandboxes() (*sandbox.Factory, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.boxes == nil {
		cache := w.s.set.Settings.CacheDir
		boxes, err := sandbox.New(sandbox.Config{Store: w.store, WorkDir: filepath.Join(cache, "build"),
			TreesDir: filepath.Join(cache, "trees")})
		if err != nil {
			return nil, err
		}
		if w.boxes = boxes; w.suspended {
			boxes.Suspend()
		}
	}
	return w.boxes, nil
}

// suspend stops the running sandboxes, or lets them go on.
func (w *world) suspend(on bool) {
	w.programs.Set(on)
	w.mu.Lock()
	w.suspended = on
	boxes := w.boxes
	w.mu.Unlock()
	switch {
	case boxes == nil:
	case on:
		boxes.Suspend()
	default:
		boxes.Resume()
	}
}

// close gives back what the session held open.
func (w *world) close() error {
	var errs []error
	if w.boxes != nil {
		errs = append(errs, w.boxes.Close())
	}
	errs = append(errs, w.remotes.pool.Close())
	return errors.Join(append(errs, w.sources.Close(), w.store.Close())...)
}

// sorted is an environment in the order of its names.
func sorted(environment map[string]string) []element.Binding {
	var list []element.Binding
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		list = append(list, element.Binding{Name: name, Value: environment[name]})
	}
	return list
}

// taskReporter is where a source says what it does while a journal's task works
// with it. It implements source.Reporter.
type taskReporter struct {
	w *world
	j *journal
	e *element.Element
}

func (r taskReporter) Log() io.Writer { return r.j }

func (r taskReporter) Progress(current, total int) { r.progress(current, total, true) }

func (r taskReporter) Count(current, total int) { r.progress(current, total, false) }

func (r taskReporter) progress(current, total int, bytes bool) {
	if r.j.subject.job != 0 {
		r.w.s.emit(&stream.JobProgress{Job: r.j.subject.job, Current: current, Total: total, Bytes: bytes})
	}
}

func (r taskReporter) Message(t stream.MessageType, text, detail string) {
	r.j.message(t, nil, text, detail)
}

func (r taskReporter) Activity(name string, f func() error) error { return r.j.activity(name, f) }

func (r taskReporter) Warn(token, text, detail string) error {
	return warning{token, text, detail}.tell(r.e, r.j)
}

// fetchSources brings an element's sources into the store.
func (w *world) fetchSources(ctx context.Context, e *element.Element, j *journal) error {
	return w.sources.Fetch(ctx, e, taskReporter{w, j, e})
}

// sourceTree is the tree of an element's sources.
func (w *world) sourceTree(ctx context.Context, e *element.Element, j *journal) (cas.Digest, error) {
	return w.sources.Tree(ctx, e, taskReporter{w, j, e})
}

// withoutProject says what a project was needed for, where there is none.
func withoutProject(err error, targets []string) error {
	e, ok := err.(*stream.Error)
	if !ok || e.Domain != stream.DomainLoad || e.Reason != "MISSING_PROJECT_CONF" {
		return err
	}
	message := "Unable to determine default targets"
	if len(targets) > 0 {
		message = "Unable to load elements: " + strings.Join(targets, ", ")
	}
	return &stream.Error{Domain: stream.DomainStream, Reason: "project-not-loaded", Message: message, Detail: e.Message}
}
