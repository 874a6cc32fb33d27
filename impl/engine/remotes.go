package engine

// Servers of artifacts and sources: which are used for which project, and what they
// can do. Behaviour: the reference's Context.initialize_remotes.

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync"

	"bst/impl/bug"
	"bst/impl/node"
	"bst/impl/project"
	"bst/impl/remote"
	"bst/impl/remotespec"
	"bst/impl/stream"
)

// servers are those of one project, each list in the order of its use.
type servers struct {
	index, storage         []*remote.Client
	pushIndex, pushStorage []*remote.Client
	// headings say what they are, for the heading.
	headings []stream.Pair
}

func (s *servers) pulls() bool  { return s != nil && len(s.index) > 0 && len(s.storage) > 0 }
func (s *servers) pushes() bool { return s != nil && len(s.pushIndex) > 0 && len(s.pushStorage) > 0 }

// remotes are the servers of a session. Its fields are set before jobs run, but
// for what a mutex guards.
type remotes struct {
	pool remote.Pool
	// artifacts and sources are the servers of each project, as far as the command uses
	// them.
	artifacts, sources map[*project.Project]*servers
	// offers are what servers have of elements, by Element.Index.
	offers map[int]*offer

	mu sync.Mutex // guards what follows
	// told are the servers of which it was said that they failed.
	told map[*remote.Client]bool
	// unpushed counts artifacts that servers could not be sent.
	unpushed int
	// unpushedSources counts elements whose sources they could not be sent.
	unpushedSources int
}

// resolveServers says which servers are used for a project. Behaviour: the
// reference's Context._resolve_specs_for_project.
func resolveServers(caches *stream.Caches, own *stream.CacheServers, p *project.Project,
	recommended func(*project.Project) ([]stream.Remote, error)) ([]stream.Remote, error) {
	if caches.IgnoreProject && len(caches.CommandLine) > 0 {
		return caches.CommandLine, nil
	}
	list := caches.User.Servers
	if len(own.Servers) > 0 {
		list = own.Servers
	}
	if len(caches.CommandLine) > 0 {
		list = caches.CommandLine
	}
	if caches.IgnoreProject || own.Override || caches.User.Override {
		return list, nil
	}
	// The toplevel project's first.
	var chain []*project.Project
	for at := p; at != nil; at = at.Parent {
		chain = append([]*project.Project{at}, chain...)
	}
	seen := make(map[stream.Remote]bool)
	var all []stream.Remote
	add := func(more []stream.Remote) {
		for _, r := range more {
			key := r
			key.From = ""
			if !seen[key] {
				seen[key] = true
				all = append(all, r)
			}
		}
	}
	add(list)
	for _, at := range chain {
		more, err := recommended(at)
		if err != nil {
			return nil, err
		}
		add(more)
	}
	return all, nil
}

// recommendations reads what a project's file recommends.
func recommendations(p *project.Project, list []*node.Node) ([]stream.Remote, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "~"
	}
	var all []stream.Remote
	for _, n := range list {
		r, err := remotespec.FromNode(n, remotespec.Paths(p.Dir, home))
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// uses are which servers a command needs.
type uses uint8

const (
	useArtifacts uses = 1 << iota
	useSources
)

// connect finds the servers that a command uses and makes sure that they can do what
// is asked of them. Those that cannot are told, and not used.
func (w *world) connect(ctx context.Context, use uses) error {
	set := &w.s.set.Settings
	artifacts, err := w.resolveAll(use&useArtifacts != 0, &set.Artifacts,
		func(p stream.ProjectSettings) stream.CacheServers { return p.Artifacts },
		(*project.Project).ArtifactCaches)
	if err != nil {
		return err
	}
	sources, err := w.resolveAll(use&useSources != 0, &set.SourceCaches,
		func(p stream.ProjectSettings) stream.CacheServers { return p.SourceCaches },
		(*project.Project).SourceCaches)
	if err != nil {
		return err
	}
	w.remotes.artifacts, w.remotes.sources = map[*project.Project]*servers{}, map[*project.Project]*servers{}
	if len(artifacts)+len(sources) == 0 {
		return nil
	}
	return w.s.stage("Initializing remote caches", func(progress func(current, total int)) error {
		var all []*remote.Client
		seen := make(map[*remote.Client]bool)
		unusable := make(map[string]bool)
		for _, p := range append(artifacts[:len(artifacts):len(artifacts)], sources...) {
			for _, spec := range p.specs {
				c, err := w.remotes.pool.Open(spec)
				if err != nil {
					if !unusable[spec.URL] {
						unusable[spec.URL] = true
						w.unusable(remote.Display(spec.URL), err)
					}
				} else if !seen[c] {
					seen[c] = true
					all = append(all, c)
				}
			}
		}
		faults := make([]error, len(all))
		var g bug.Group
		for i, c := range all {
			g.Go(func() { faults[i] = c.Check(ctx) })
		}
		g.Wait()
		if err := ctx.Err(); err != nil {
			return err
		}
		usable := make(map[*remote.Client]bool)
		for i, c := range all {
			if usable[c] = faults[i] == nil; faults[i] != nil {
				w.unusable(c.String(), faults[i])
			}
		}
		for _, of := range []struct {
			list []projectSpecs
			into map[*project.Project]*servers
		}{{artifacts, w.remotes.artifacts}, {sources, w.remotes.sources}} {
			for _, p := range of.list {
				of.into[p.project] = w.serversOf(p.specs, usable)
			}
		}
		if some(w.remotes.sources, (*servers).pulls) {
			w.sources.Share(sharedSources{w})
		}
		return nil
	})
}

// projectSpecs are the servers that a project uses, before they were asked anything.
type projectSpecs struct {
	project *project.Project
	specs   []stream.Remote
}

// resolveAll says which servers are used for each project; those without are left
// out.
func (w *world) resolveAll(use bool, caches *stream.Caches, own func(stream.ProjectSettings) stream.CacheServers,
	recommended func(*project.Project) []*node.Node) (all []projectSpecs, err error) {
	if !use {
		return nil, nil
	}
	for _, p := range slices.Concat(w.projects, w.strangers) {
		mine := own(w.s.set.Settings.Projects[p.Name])
		specs, err := resolveServers(caches, &mine, p, func(p *project.Project) ([]stream.Remote, error) {
			return recommendations(p, recommended(p))
		})
		if err != nil {
			return nil, err
		}
		if len(specs) > 0 {
			all = append(all, projectSpecs{p, specs})
		}
	}
	return all, nil
}

// serversOf sorts the usable ones by what they are for.
func (w *world) serversOf(specs []stream.Remote, usable map[*remote.Client]bool) *servers {
	s := &servers{}
	for _, spec := range specs {
		c, err := w.remotes.pool.Open(spec)
		if err != nil || !usable[c] {
			continue // told before
		}
		s.headings = append(s.headings, describeServer(c))
		if c.Index() {
			s.index = append(s.index, c)
		}
		if c.Storage() {
			s.storage = append(s.storage, c)
		}
		if c.Pushes() && c.Index() {
			s.pushIndex = append(s.pushIndex, c)
		}
		if c.Pushes() && c.Storage() {
			s.pushStorage = append(s.pushStorage, c)
		}
	}
	return s
}

// describeServer is a server in the heading, in the reference's words.
func describeServer(c *remote.Client) stream.Pair {
	spec := c.Spec()
	push, instance := "False", "None"
	if spec.Push {
		push = "True"
	}
	if spec.Instance != "" {
		instance = spec.Instance
	}
	return stream.Pair{Name: c.String(), Value: "push: " + push + " type: " + spec.Type + " instance: " + instance + "\nloaded from: " + spec.From}
}

// unusable tells that a server is not used, and why.
func (w *world) unusable(name string, err error) {
	e := asError(err)
	w.s.say(subject{}, stream.TypeWarning, nil, "Failed to initialize remote "+name+": "+strings.TrimPrefix(e.Message, name+" "), e.Detail)
}

// pulls says that some project's artifacts can be pulled, pushes that they can be
// pushed, pushesSources that its sources can.
func (w *world) pulls() bool         { return some(w.remotes.artifacts, (*servers).pulls) }
func (w *world) pushes() bool        { return some(w.remotes.artifacts, (*servers).pushes) }
func (w *world) pushesSources() bool { return some(w.remotes.sources, (*servers).pushes) }

func some(of map[*project.Project]*servers, can func(*servers) bool) bool {
	for _, s := range of {
		if can(s) {
			return true
		}
	}
	return false
}

// failedServer tells once that a server fails.
func (w *world) failedServer(c *remote.Client, err error) {
	w.remotes.mu.Lock()
	told := w.remotes.told[c]
	if w.remotes.told == nil {
		w.remotes.told = make(map[*remote.Client]bool)
	}
	w.remotes.told[c] = true
	w.remotes.mu.Unlock()
	if told {
		return
	}
	e := asError(err)
	text := e.Message
	if c.Down() != nil {
		text += "; it is not asked any more in this session"
	}
	w.s.say(subject{}, stream.TypeWarning, nil, text, e.Detail)
}
