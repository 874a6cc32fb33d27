package engine

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"bst/impl/bug"
	"bst/impl/cas"
	"bst/impl/element"
	"bst/impl/kind/all"
	"bst/impl/project"
	"bst/impl/seen"
	"bst/impl/stream"
)

// Memory is what the sessions of one process share: the graphs that they loaded,
// with their keys, each for as long as none of the files that it was made from
// changes. What is in the caches is not kept; it is asked for each time.
//
// The zero value of a pointer to it, nil, keeps nothing. It is safe for concurrent
// use.
type Memory struct {
	margin time.Duration

	mu sync.Mutex // guards what follows
	// kept are the graphs, the one used last at the end.
	kept []*keptGraph
	// keeping has a channel for each that is about to be kept, closed when that is
	// done.
	keeping []chan struct{}
}

// Bounds of what is kept: some projects, or one with several sets of targets and
// options, and no more elements than two of the largest known graph.
const (
	maxKept         = 8
	maxKeptElements = 1 << 17
)

// NewMemory makes an empty memory.
func NewMemory() *Memory { return &Memory{margin: seen.Margin} }

// loadedGraph is what loading gives.
type loadedGraph struct {
	project  *project.Project
	projects []*project.Project
	// graph has targets and after them what is excepted.
	graph    *element.Graph
	targeted int
}

// keptGraph is one that stands for loading the same again. It is not changed.
type keptGraph struct {
	loadedGraph
	// wanted is all that it was loaded for; said is what was told on the way.
	wanted   string
	said     []saying
	snapshot *seen.Snapshot
}

// saying is a line that was told while a graph was loaded.
type saying struct {
	t    stream.MessageType
	line element.Warning
}

// wanted names all that what is loaded depends on, files and environment aside.
func (s *session) wanted(targets, except []string, keys bool) (string, error) {
	set := s.set.Settings
	// What these say is not asked while loading. Whatever is new counts until it
	// is listed here.
	set.LogDir, set.Term = "", ""
	set.Fetchers, set.Builders, set.Pushers, set.NetworkRetries = 0, 0, 0, 0
	set.OnError, set.Interactive, set.Strict = "", false, nil
	set.BuildDependencies, set.RetryFailed = "", false
	set.CacheBuildtrees, set.PullBuildtrees, set.Quota = "", false, 0
	set.ReservedSpace, set.LowWatermark = 0, 0
	set.ErrorLines, set.Debug, set.Verbose = 0, false, false
	set.Artifacts, set.SourceCaches = stream.Caches{}, stream.Caches{}
	text, err := json.Marshal(struct {
		Directory       string
		Targets, Except []string
		Keys            bool
		Settings        stream.Settings
	}{s.set.Directory, targets, except, keys, set})
	return string(text), err
}

// inquiry is the question whether the files of a graph have changed.
type inquiry struct {
	of   *keptGraph
	done chan struct{}
	same bool // is set when done is closed
}

// inquire asks about the graph that was used last, on a goroutine; nil where there is
// none.
func (m *Memory) inquire() *inquiry {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.kept) == 0 {
		return nil
	}
	q := &inquiry{of: m.kept[len(m.kept)-1], done: make(chan struct{})}
	bug.Start(func() {
		defer close(q.done)
		q.same = q.of.snapshot.Same()
	}, func(*bug.Error) {}) // then nothing is the same
	return q
}

// recall gives the graph that is kept for what is wanted, nil where there is none
// or a file has changed. q may have asked that already.
func (m *Memory) recall(wanted string, q *inquiry) *keptGraph {
	m.settle()
	m.mu.Lock()
	i := slices.IndexFunc(m.kept, func(k *keptGraph) bool { return k.wanted == wanted })
	if i < 0 {
		m.mu.Unlock()
		return nil
	}
	k := m.kept[i]
	m.kept = append(slices.Delete(m.kept, i, i+1), k)
	m.mu.Unlock()
	same := false
	if q != nil && q.of == k {
		<-q.done
		same = q.same
	} else {
		same = k.snapshot.Same()
	}
	if same {
		return k
	}
	m.forget(k)
	return nil
}

// settle waits until what is about to be kept is.
func (m *Memory) settle() {
	m.mu.Lock()
	keeping := slices.Clone(m.keeping)
	m.mu.Unlock()
	for _, done := range keeping {
		<-done
	}
}

func (m *Memory) forget(k *keptGraph) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept = slices.DeleteFunc(m.kept, func(other *keptGraph) bool { return other == k })
}

// keep takes a graph in, unless something it was made from has changed meanwhile.
// It returns at once.
func (m *Memory) keep(k *keptGraph, record *seen.Record) {
	if k.project.Unfetched() || len(k.graph.Elements) > maxKeptElements {
		return
	}
	k.project.Loaded()
	done := make(chan struct{})
	m.mu.Lock()
	m.keeping = append(m.keeping, done)
	m.mu.Unlock()
	bug.Start(func() {
		defer func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.keeping = slices.DeleteFunc(m.keeping, func(other chan struct{}) bool { return other == done })
			close(done)
		}()
		var err error
		if k.snapshot, err = record.Close(m.margin); err != nil {
			return // the next session loads it again
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		m.kept = append(slices.DeleteFunc(m.kept, func(other *keptGraph) bool { return other.wanted == k.wanted }), k)
		elements := 0
		for _, k := range m.kept {
			elements += len(k.graph.Elements)
		}
		for len(m.kept) > maxKept || elements > maxKeptElements {
			elements -= len(m.kept[0].graph.Elements)
			m.kept = slices.Delete(m.kept, 0, 1)
		}
	}, func(*bug.Error) {}) // then nothing is kept, which harms no answer
}

// sessionsOwn is the graph for one session: its targets are the session's to
// change.
func (k *keptGraph) sessionsOwn() loadedGraph {
	own := k.loadedGraph
	own.graph = &element.Graph{Targets: slices.Clone(k.graph.Targets), Elements: k.graph.Elements,
		Warnings: k.graph.Warnings, Notes: k.graph.Notes}
	return own
}

// registry holds the kinds.
func (s *session) registry() (*element.Registry, error) {
	kinds := s.kinds
	if kinds == nil {
		kinds = all.Elements()
	}
	return element.NewRegistry(kinds, all.Sources())
}

// loadGraph loads the targets and resolves them, or finds that nothing has
// changed since that was done.
func (s *session) loadGraph(ctx context.Context, w *world, targets, except []string, keys bool) (loadedGraph, error) {
	registry, err := s.registry()
	if err != nil {
		return loadedGraph{}, err
	}
	memory, inquiry := s.memory, s.inquiry
	s.inquiry = nil // what the session does from here on may change files
	if memory == nil || s.original || s.tracking {
		return s.loadNow(ctx, w, registry, targets, except, keys, nil, nil)
	}
	wanted, err := s.wanted(targets, except, keys)
	if err != nil {
		return loadedGraph{}, err
	}
	if k := memory.recall(wanted, inquiry); k != nil {
		for _, said := range k.said {
			w.told[said.line] = true
			s.say(subject{}, said.t, nil, said.line.Text, said.line.Detail)
		}
		for _, name := range []string{"Loading elements", "Resolving elements"} {
			if err := s.stage(name, func(func(int, int)) error { return nil }); err != nil {
				return loadedGraph{}, err
			}
		}
		return k.sessionsOwn(), nil
	}
	record := seen.NewRecord()
	k := &keptGraph{wanted: wanted}
	w.telling = func(t stream.MessageType, line element.Warning) { k.said = append(k.said, saying{t, line}) }
	k.loadedGraph, err = s.loadNow(ctx, w, registry, targets, except, keys, record, func(text, detail string) {
		k.said = append(k.said, saying{stream.TypeWarning, element.Warning{Text: text, Detail: detail}})
	})
	w.telling = nil
	if err != nil {
		return loadedGraph{}, err
	}
	own := k.sessionsOwn()
	memory.keep(k, record)
	return own, nil
}

// loadNow loads the project's targets and resolves them. What is read is told to
// the record, warnings to warned as well.
func (s *session) loadNow(ctx context.Context, w *world, registry *element.Registry, targets, except []string, keys bool,
	record *seen.Record, warned func(text, detail string)) (l loadedGraph, err error) {
	digests := new(cas.Digests)
	// A project that cannot be loaded is told before any step begins.
	l.project, err = s.openProject(ctx, w, registry, digests, record, warned)
	if err != nil {
		return l, withoutProject(err, targets)
	}
	w.project = l.project
	var loaded *project.Loaded
	err = s.stage("Loading elements", func(progress func(current, total int)) error {
		names, artifacts, err := l.project.ExpandTargets(targets)
		if err != nil {
			return err
		}
		if len(artifacts) > 0 {
			return project.InvalidTargets(artifacts)
		}
		l.targeted = len(names)
		loaded, err = l.project.Load(ctx, append(slices.Clip(names), except...), project.LoadOptions{
			Progress: func(current int) { progress(current, 0) },
		})
		return err
	})
	if err != nil {
		return l, err
	}
	l.projects = loaded.Projects
	err = s.stage("Resolving elements", func(progress func(current, total int)) error {
		l.graph, err = element.Resolve(ctx, loaded, registry, element.Options{Progress: progress, NoKeys: !keys, Digests: digests, KeepSources: s.tracking})
		return err
	})
	return l, err
}

// openProject opens the toplevel project.
func (s *session) openProject(ctx context.Context, w *world, registry *element.Registry, digests *cas.Digests, record *seen.Record,
	warned func(text, detail string)) (*project.Project, error) {
	set := &s.set.Settings
	directory, err := filepath.Abs(s.set.Directory)
	if err != nil {
		return nil, err
	}
	return project.Open(ctx, project.Options{
		Directory: directory, Options: set.Options, Projects: set.Projects,
		DefaultMirror: set.DefaultMirror, FetchSource: set.FetchSource, TrackSource: set.TrackSource, MaxJobs: set.MaxJobs, Junctions: junctions{w, registry, digests}, Seen: record,
		OriginalSources: s.original,
		Warn: func(text, detail string) {
			if warned != nil {
				warned(text, detail)
			}
			s.say(subject{}, stream.TypeWarning, nil, text, detail)
		},
	})
}
