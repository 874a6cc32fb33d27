// Package kindtest is an assembly for the tests of element kinds: it stages
// nothing and runs nothing, but says what it was asked for.
package kindtest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"bst/impl/cas"
	"bst/impl/kind"
	"bst/impl/node"
	"bst/impl/stream"
)

// Handle is an element by its name; a name that ends in "stack.bst" has no
// artifact.
type Handle string

// Name is the name.
func (h Handle) Name() string { return string(h) }

// HasArtifact is false for stacks.
func (h Handle) HasArtifact() bool { return !strings.HasSuffix(string(h), "stack.bst") }

// Assembly is the assembly.
type Assembly struct {
	Vars map[string]string
	// Log is what was asked for, in order.
	Log []string
	// Tree is the virtual root.
	Tree *cas.Dir
	// Build are what Dependencies(nil) gives.
	Build []kind.Handle
	// SourceTree is staged by StageSources, where it is not nil.
	SourceTree *cas.Dir
	// Publics is public data by element name, "" for the element's own.
	Publics map[string]*node.Node
	// Splits is what SplitFiles gives, by element name.
	Splits map[string][]string
	// OnIntegrate and OnRun change the tree as commands would.
	OnIntegrate, OnRun func(root *cas.Dir)
	// InWorkspace is what Workspaced gives.
	InWorkspace bool
}

var _ kind.Assembly = (*Assembly)(nil)

// New makes one with an empty root and the variables build-root and
// install-root.
func New(t testing.TB) *Assembly {
	t.Helper()
	store, err := cas.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return &Assembly{
		Vars: map[string]string{"build-root": "/buildstream/test/a.bst", "install-root": "/buildstream-install"},
		Tree: store.EmptyDir(),
	}
}

// Put adds files of their own name as content to a directory.
func Put(t testing.TB, d *cas.Dir, paths ...string) {
	t.Helper()
	for _, path := range paths {
		digest, err := d.Store().PutBytes([]byte(path))
		if err == nil {
			if i := strings.LastIndexByte(path, '/'); i > 0 {
				err = d.MkdirAll(path[:i])
			}
		}
		if err == nil {
			err = d.AddFile(path, digest, false)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Files lists all that is no directory.
func Files(t testing.TB, d *cas.Dir) []string {
	t.Helper()
	var paths []string
	err := d.Walk(func(path string, e cas.Entry) error {
		if e.Type != cas.TypeDirectory {
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// Configure parses config over the defaults of a kind, and configures an
// element with it.
func Configure(t testing.TB, traits kind.Traits, env kind.Env, config string) (kind.Element, error) {
	t.Helper()
	parse := func(text string) *node.Node {
		n, err := node.Parse([]byte(text), "a.bst")
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	all := node.NewMapping(stream.Provenance{})
	if traits.Defaults != "" {
		if defaults := parse(traits.Defaults).Get("config"); defaults != nil {
			all = defaults.Clone()
		}
	}
	if config != "" {
		if err := parse(config).Composite(all); err != nil {
			t.Fatal(err)
		}
	}
	e := traits.New()
	return e, e.Configure(all, env)
}

// Dependency makes one with a config, "" for none.
func Dependency(t testing.TB, name, config string) kind.Dependency {
	t.Helper()
	d := kind.Dependency{Element: Handle(name), Path: name}
	if config != "" {
		n, err := node.Parse([]byte(config), "a.bst")
		if err != nil {
			t.Fatal(err)
		}
		d.Config = n
	}
	return d
}

func (a *Assembly) log(format string, args ...any) {
	a.Log = append(a.Log, fmt.Sprintf(format, args...))
}

func list(handles []kind.Handle) string {
	names := make([]string, len(handles))
	for i, h := range handles {
		names[i] = h.Name()
	}
	return strings.Join(names, " ")
}

// The methods of kind.Assembly.

func (a *Assembly) Name() string { return "a.bst" }
func (a *Assembly) Variable(name string) (string, bool) {
	v, ok := a.Vars[name]
	return v, ok
}
func (a *Assembly) ProjectDir() string { return "/project" }
func (a *Assembly) Provenance() stream.Provenance {
	return stream.Provenance{File: "a.bst", Line: 1}
}
func (a *Assembly) Environment() map[string]string    { return map[string]string{} }
func (a *Assembly) SetEnvironment(name, value string) { a.log("environment %s=%s", name, value) }
func (a *Assembly) MarkDirectory(path string)         { a.log("mark %s", path) }
func (a *Assembly) SetWorkDirectory(path string)      { a.log("work in %s", path) }
func (a *Assembly) Workspaced() bool                  { return a.InWorkspace }

func (a *Assembly) Exists(_ context.Context, path string) (bool, error) {
	_, err := a.Tree.Lookup(path)
	if cas.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

func (a *Assembly) StageDependencies(_ context.Context, s kind.StageDeps) error {
	a.log("stage [%s] at %q include %v exclude %v orphans %v direct %v",
		list(s.Selection), s.Path, s.Include, s.Exclude, !s.NoOrphans, s.Direct)
	return nil
}

// Dependencies gives a selection as it is.
func (a *Assembly) Dependencies(selection []kind.Handle) []kind.Handle {
	if selection == nil {
		return a.Build
	}
	return selection
}

func (a *Assembly) Integrate(_ context.Context, elements []kind.Handle) error {
	a.log("integrate [%s]", list(elements))
	if a.OnIntegrate != nil {
		a.OnIntegrate(a.Tree)
	}
	return nil
}

func (a *Assembly) StageSources(_ context.Context, path string) error {
	a.log("sources at %s", path)
	if a.SourceTree == nil {
		return nil
	}
	dir, err := a.Tree.Sub(path, true)
	if err != nil {
		return err
	}
	_, err = dir.Import(a.SourceTree, cas.ImportOptions{NoResult: true})
	return err
}

func (a *Assembly) SubsandboxDigest(_ context.Context, selection []kind.Handle) (cas.Digest, error) {
	a.log("digest of [%s]", list(selection))
	return cas.EmptyDigest, nil
}

func (a *Assembly) Run(_ context.Context, commands []kind.Command) error {
	for _, c := range commands {
		a.log("run %q read-only %v", c.Argv, c.RootReadOnly)
	}
	if a.OnRun != nil {
		a.OnRun(a.Tree)
	}
	return nil
}

func (a *Assembly) Root(context.Context) (*cas.Dir, error) { return a.Tree, nil }

func (a *Assembly) SplitFiles(h kind.Handle, include, exclude []string, orphans bool) ([]string, error) {
	a.log("split %s include %v exclude %v orphans %v", h.Name(), include, exclude, orphans)
	return a.Splits[h.Name()], nil
}

func (a *Assembly) Public() *node.Node { return a.Publics[""].Clone() }
func (a *Assembly) SetPublic(n *node.Node) {
	a.log("public %v", n.Plain())
}
func (a *Assembly) PublicOf(h kind.Handle) (*node.Node, error) { return a.Publics[h.Name()], nil }

func (a *Assembly) Activity(name string, f func() error) error {
	a.log("activity %s", name)
	return f()
}
func (a *Assembly) Message(t stream.MessageType, text, _ string) { a.log("%s %s", t, text) }
