package engine

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"bst/impl/cas"
	"bst/impl/element"
	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/sandbox"
	"bst/impl/stream"
)

// assembly is one element's sandbox while it is staged, built and captured.
// What is staged goes into a virtual root; only a command makes files of it.
// It implements kind.Assembly and is used by one goroutine.
type assembly struct {
	w *world
	e *element.Element
	j *journal

	environment map[string]string
	directory   string // work directory, absolute in the sandbox
	marked      []string
	public      *node.Node
	overlaps    overlaps
	// forShell ends the assembly where its first commands would run.
	forShell bool

	// root is what was staged, and after commands what they left. layers are
	// the trees that, laid over each other, give the same root: the sandbox
	// stacks them instead of making files for each element anew. They are given
	// up (nil, with stacked false) when something else changes the root.
	root    *cas.Dir
	layers  []layer
	stacked bool

	box sandbox.Box // set once a command has run
	// dirty says that commands ran since root was captured.
	dirty bool
}

// newAssembly makes an empty sandbox for e.
func (w *world) newAssembly(e *element.Element, j *journal) *assembly {
	a := &assembly{w: w, e: e, j: j, environment: make(map[string]string, len(e.Environment)), directory: "/",
		root: w.store.EmptyDir(), stacked: true}
	for _, b := range e.Environment {
		a.environment[b.Name] = b.Value
	}
	return a
}

// close removes what the sandbox had on disk.
func (a *assembly) close() error {
	if a.box == nil {
		return nil
	}
	err := a.box.Close()
	a.box = nil
	return err
}

func (a *assembly) Name() string                        { return a.e.Name }
func (a *assembly) Variable(name string) (string, bool) { return a.e.Variables.Get(name) }
func (a *assembly) ProjectDir() string                  { return a.e.Project.Dir }
func (a *assembly) Provenance() stream.Provenance       { return a.e.Provenance }
func (a *assembly) Environment() map[string]string      { return maps.Clone(a.environment) }
func (a *assembly) SetEnvironment(name, value string)   { a.environment[name] = value }
func (a *assembly) SetWorkDirectory(path string)        { a.directory = path }
func (a *assembly) SetPublic(n *node.Node)              { a.public = n }
func (a *assembly) Workspaced() bool                    { return a.e.Workspace != "" }
func (a *assembly) MarkDirectory(path string) {
	if !slices.Contains(a.marked, path) {
		a.marked = append(a.marked, path)
	}
}

func (a *assembly) Public() *node.Node {
	if a.public != nil {
		return a.public.Clone()
	}
	return a.e.Public.Clone()
}

func (a *assembly) PublicOf(h kind.Handle) (*node.Node, error) { return a.w.public(elementOf(h)) }

func (a *assembly) Message(t stream.MessageType, text, detail string) {
	a.j.message(t, nil, text, detail)
}

func (a *assembly) Activity(name string, f func() error) error { return a.j.activity(name, f) }

func elementOf(h kind.Handle) *element.Element { return h.(element.Handle).Element }

func elementsOf(handles []kind.Handle) []*element.Element {
	if handles == nil {
		return nil
	}
	list := make([]*element.Element, len(handles))
	for i, h := range handles {
		list[i] = elementOf(h)
	}
	return list
}

func (a *assembly) Dependencies(selection []kind.Handle) []kind.Handle {
	var list []kind.Handle
	for e := range a.w.graph.Selected(a.e, elementsOf(selection)) {
		list = append(list, element.Handle{Element: e})
	}
	return list
}

func (a *assembly) StageDependencies(ctx context.Context, s kind.StageDeps) error {
	var list []*element.Element
	if s.Direct {
		list = elementsOf(s.Selection)
	} else {
		list = slices.Collect(a.w.graph.Selected(a.e, elementsOf(s.Selection)))
	}
	return a.stage(ctx, list, s)
}

// stage stages the artifacts of elements, in order.
func (a *assembly) stage(ctx context.Context, elements []*element.Element, s kind.StageDeps) error {
	if a.box != nil {
		return &stream.Error{Domain: stream.DomainImpl, Message: "artifacts are staged before commands run"}
	}
	location := path.Join("/", s.Path)
	session := a.overlaps.begin(location, a.whitelisted)
	for _, e := range elements {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !e.HasArtifact() {
			continue
		}
		files, err := a.w.selectFiles(e, s.Include, s.Exclude, !s.NoOrphans)
		if err != nil {
			return err
		}
		a.j.message(stream.TypeStatus, nil, "Staging "+e.Name+"/"+brief(a.w.key(e).Full), "")
		dest, err := a.root.Sub(location, true)
		if err != nil {
			return err
		}
		r, err := dest.Import(files, cas.ImportOptions{NoWritten: true})
		if err != nil {
			return err
		}
		session.staged(e, func(file string) bool {
			_, err := files.Lookup(file)
			return err == nil
		}, r.Overwritten, r.Ignored)
		if len(r.Ignored) > 0 {
			a.stacked = false
		}
		a.lay(location, files)
	}
	return a.warn(a.overlaps.end(session))
}

// layer is a tree that was laid over the root at a place.
type layer struct {
	location string
	files    *cas.Dir
}

// lay notes that files were laid over the root at location.
func (a *assembly) lay(location string, files *cas.Dir) {
	if a.stacked {
		a.layers = append(a.layers, layer{location, files})
	}
}

// digest is that of the layer as a root of its own.
func (l layer) digest(store *cas.Store) (cas.Digest, error) {
	if l.location == "/" {
		return l.files.Digest()
	}
	top := store.EmptyDir()
	below, err := top.Sub(l.location, true)
	if err != nil {
		return cas.Digest{}, err
	}
	if _, err := below.Import(l.files, cas.ImportOptions{NoResult: true}); err != nil {
		return cas.Digest{}, err
	}
	return top.Digest()
}

// whitelisted says whether an element may overwrite a file: whether a glob of
// its overlap-whitelist matches it.
func (a *assembly) whitelisted(e *element.Element, file string) bool {
	p, err := a.w.publicOf(e)
	if err != nil {
		return false // staging it has failed before, with this error
	}
	for _, g := range p.whitelist {
		if g.Match("/" + strings.TrimPrefix(file, "/")) {
			return true
		}
	}
	return false
}

func (a *assembly) warn(found []warning) error {
	for _, w := range found {
		if err := w.tell(a.e, a.j); err != nil {
			return err
		}
	}
	return nil
}

func (a *assembly) StageSources(ctx context.Context, where string) error {
	if len(a.e.Sources) == 0 {
		// The directory is made all the same: commands run in it.
		_, err := a.root.Sub(where, true)
		a.stacked = a.stacked && a.isMarked(where)
		return err
	}
	return a.j.activity("Staging sources", func() error {
		d, err := a.w.sourceTree(ctx, a.e, a.j)
		if err != nil {
			return err
		}
		tree, err := a.w.store.OpenDir(d)
		if err != nil {
			return err
		}
		if last, err := a.w.lastBuild(a.e); err != nil {
			return err
		} else if last != nil {
			a.j.message(stream.TypeInfo, nil, "Incremental build", "")
			if tree, err = a.w.goOn(last, d); err != nil {
				return err
			}
		}
		dest, err := a.root.Sub(where, true)
		if err != nil {
			return err
		}
		if _, err := dest.Import(tree, cas.ImportOptions{NoResult: true}); err != nil {
			return err
		}
		if a.isMarked(where) {
			return nil // a writable directory, not a layer
		}
		a.lay(path.Join("/", where), tree)
		return nil
	})
}

// isMarked says that path lies in a directory that is made writable.
func (a *assembly) isMarked(where string) bool {
	for _, m := range a.marked {
		if where == m || strings.HasPrefix(where, strings.TrimSuffix(m, "/")+"/") {
			return true
		}
	}
	return false
}

func (a *assembly) SubsandboxDigest(ctx context.Context, selection []kind.Handle) (cas.Digest, error) {
	sub := a.w.newAssembly(a.e, a.j)
	if err := sub.StageDependencies(ctx, kind.StageDeps{Selection: selection}); err != nil {
		return cas.Digest{}, err
	}
	return sub.root.Digest()
}

func (a *assembly) SplitFiles(h kind.Handle, include, exclude []string, orphans bool) ([]string, error) {
	files, err := a.w.selectFiles(elementOf(h), include, exclude, orphans)
	if err != nil {
		return nil, err
	}
	var list []string
	err = files.Walk(func(name string, _ cas.Entry) error {
		list = append(list, name)
		return nil
	})
	return list, err
}

func (a *assembly) Integrate(ctx context.Context, elements []kind.Handle) error {
	var all []scripted
	for _, h := range elements {
		e := elementOf(h)
		p, err := a.w.publicOf(e)
		if err != nil {
			return err
		}
		if len(p.integrate) == 0 {
			continue
		}
		environment := make(map[string]string, len(e.Environment))
		for _, b := range e.Environment {
			environment[b.Name] = b.Value
		}
		for _, c := range p.integrate {
			all = append(all, scripted{argv: []string{"sh", "-e", "-c", c}, label: c, directory: "/", environment: environment})
		}
	}
	return a.batch(ctx, all, false)
}

func (a *assembly) Run(ctx context.Context, commands []kind.Command) error {
	if a.forShell {
		return errShell
	}
	// One start of the sandbox for each stretch of commands with the same root.
	for len(commands) > 0 {
		n := 1
		for n < len(commands) && commands[n].RootReadOnly == commands[0].RootReadOnly {
			n++
		}
		var all []scripted
		for _, c := range commands[:n] {
			all = append(all, scripted{argv: c.Argv, label: c.Label, directory: a.directory, environment: a.environment})
		}
		if err := a.batch(ctx, all, commands[0].RootReadOnly); err != nil {
			return err
		}
		commands = commands[n:]
	}
	return nil
}

// scripted is one command of a batch.
type scripted struct {
	argv        []string
	label       string
	directory   string
	environment map[string]string
}

// batch runs commands in one start of the sandbox, as one shell script: a
// start costs 10-20 ms. The first failure ends it. Behaviour: the reference's
// _SandboxREAPIBatch.
func (a *assembly) batch(ctx context.Context, commands []scripted, readOnly bool) error {
	if len(commands) == 0 {
		return nil
	}
	var labels []string
	for _, c := range commands {
		labels = append(labels, c.label)
	}
	return a.j.activityDetail("Running commands", strings.Join(labels, "\n"), func() error {
		status, err := a.run(ctx, []string{"sh", "-c", "-e", script(commands)}, commands[0].directory,
			commands[0].environment, readOnly)
		if err != nil {
			return err
		}
		if status != 0 {
			detail := ""
			if len(labels) == 1 {
				detail = labels[0]
			}
			return &stream.Error{Domain: stream.DomainSandbox, Message: "Command failed", Detail: detail, Sandbox: true}
		}
		return nil
	})
}

// script joins commands into one for sh -e.
func script(commands []scripted) string {
	var b strings.Builder
	directory, environment := commands[0].directory, commands[0].environment
	for _, c := range commands {
		if c.directory != directory {
			fmt.Fprintf(&b, "mkdir -p %s\ncd %s\n", quote(c.directory), quote(c.directory))
			directory = c.directory
		}
		if !maps.Equal(c.environment, environment) {
			for _, name := range slices.Sorted(maps.Keys(environment)) {
				if _, ok := c.environment[name]; !ok {
					b.WriteString("unset " + name + "\n")
				}
			}
			for _, name := range slices.Sorted(maps.Keys(c.environment)) {
				if old, ok := environment[name]; !ok || old != c.environment[name] {
					b.WriteString("export " + name + "=" + quote(c.environment[name]) + "\n")
				}
			}
			environment = c.environment
		}
		words := make([]string, len(c.argv))
		for i, w := range c.argv {
			words[i] = quote(w)
		}
		label := c.label
		if label == "" {
			label = strings.Join(c.argv, " ")
		}
		fmt.Fprintf(&b, "(set -ex; %s) || (echo Command %s failed with exitcode $? >&2 ; exit 1)\n",
			strings.Join(words, " "), quote("'"+label+"'"))
	}
	return b.String()
}

// quote makes one word of s for a shell.
func quote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'"'"'`) + "'"
}

// run runs one command and tells its exit status.
func (a *assembly) run(ctx context.Context, argv []string, directory string, environment map[string]string,
	readOnly bool) (int, error) {
	if err := a.materialise(ctx); err != nil {
		return 0, err
	}
	a.dirty = true
	spec := a.spec(argv, directory, environment)
	spec.RootReadOnly = readOnly
	spec.Stdout, spec.Stderr = a.j, a.j
	if err := a.j.flush(); err != nil {
		return 0, err
	}
	return a.box.Run(ctx, spec)
}

func (a *assembly) spec(argv []string, directory string, environment map[string]string) sandbox.Spec {
	spec := sandbox.Spec{Argv: argv, Env: environment, Dir: directory}
	if uid := a.e.Sandbox.BuildUID; uid != nil {
		spec.UID = *uid
	}
	if gid := a.e.Sandbox.BuildGID; gid != nil {
		spec.GID = *gid
	}
	return spec
}

// materialise makes files of the virtual root.
func (a *assembly) materialise(ctx context.Context) error {
	if a.box != nil {
		return nil
	}
	boxes, err := a.w.sandboxes()
	if err != nil {
		return err
	}
	var layers []cas.Digest
	if a.stacked {
		for _, l := range a.layers {
			d, err := l.digest(a.w.store)
			if err != nil {
				return err
			}
			if d != cas.EmptyDigest {
				layers = append(layers, d)
			}
		}
	}
	// The work directory must be there, also where nothing was staged in it.
	if _, err := a.root.Sub(a.directory, true); err != nil {
		return err
	}
	box, err := boxes.Stage(ctx, layers, a.root)
	if err != nil {
		return err
	}
	a.box = box
	if a.Workspaced() {
		box.KeepTimes()
	}
	for _, m := range a.marked {
		d := cas.EmptyDigest
		if dir, err := a.root.Sub(m, false); err == nil {
			if d, err = dir.Digest(); err != nil {
				return err
			}
		}
		if err := a.box.Writable(m, d); err != nil {
			return err
		}
	}
	return nil
}

// Root implements kind.Assembly. A change to it is seen by what follows.
func (a *assembly) Root(ctx context.Context) (*cas.Dir, error) {
	if a.box == nil || !a.dirty {
		if a.box == nil {
			a.stacked, a.layers = false, nil // whoever asks may change it
		}
		return a.root, nil
	}
	root, err := a.box.CaptureRoot(ctx)
	if err != nil {
		return nil, err
	}
	a.root, a.dirty = root, false
	return root, nil
}

// Exists implements kind.Assembly.
func (a *assembly) Exists(ctx context.Context, path string) (bool, error) {
	root := a.root
	if a.box != nil && a.dirty {
		var err error
		if root, err = a.Root(ctx); err != nil {
			return false, err
		}
	}
	_, err := root.Lookup(path)
	if cas.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// collect captures the directory that a kind named as its result; nothing but
// it is read. Zero and no error: there is no such directory.
func (a *assembly) collect(ctx context.Context, where string) (cas.Digest, error) {
	where = path.Join("/", where)
	if a.box != nil && a.dirty && slices.Contains(a.marked, where) {
		return a.box.CaptureDir(ctx, where)
	}
	root, err := a.Root(ctx)
	if err != nil {
		return cas.Digest{}, err
	}
	dir, err := root.Sub(where, false)
	if err != nil {
		return cas.Digest{}, nil
	}
	return dir.Digest()
}

func brief(key string) string { return key[:min(8, len(key))] }
