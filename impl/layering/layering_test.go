// Package layering holds the project's rules about who may import whom, and the
// few others that a compiler does not know, as tests over `go list`
// (docs/design.md, section 3). It has no code of its own.
package layering

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "bst/"

// pkg is what is used of go list's description of a package.
type pkg struct {
	ImportPath string
	Dir        string
	Standard   bool
	GoFiles    []string
	Imports    []string
	Deps       []string
}

// path is the package's path below the module.
func (p *pkg) path() string { return strings.TrimPrefix(p.ImportPath, module) }

// list describes all packages of the module, and those they depend on, as they
// are built for an operating system.
func list(t *testing.T, goos string) map[string]*pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-deps", "-json=ImportPath,Dir,Standard,GoFiles,Imports,Deps", "./...")
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	all := make(map[string]*pkg)
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		p := new(pkg)
		if err := dec.Decode(p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = p
	}
}

// ours yields the module's packages, sorted.
func ours(all map[string]*pkg) []*pkg {
	var found []*pkg
	for path, p := range all {
		if strings.HasPrefix(path, module) {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b *pkg) int { return strings.Compare(a.ImportPath, b.ImportPath) })
	return found
}

// below tells whether a path is one of the folders, or in one.
func below(path string, folders ...string) bool {
	for _, f := range folders {
		if path == f || strings.HasPrefix(path, f+"/") {
			return true
		}
	}
	return false
}

// rule refuses an import, or a package reached by imports, with a reason.
type rule func(all map[string]*pkg, refuse func(p *pkg, imported, because string))

var rules = map[string]rule{
	"stream imports the standard library alone, wire adds only it and the codec": func(all map[string]*pkg, refuse func(*pkg, string, string)) {
		for _, p := range ours(all) {
			for _, i := range p.Imports {
				if all[i] == nil || all[i].Standard {
					continue
				}
				switch {
				case p.path() == "impl/stream":
					refuse(p, i, "the contract is for everybody to import, and imports nobody")
				case p.path() == "impl/wire" && i != module+"impl/stream" && i != "github.com/fxamacker/cbor/v2":
					refuse(p, i, "what crosses is told by package stream; how, by the codec")
				}
			}
		}
	},

	"nothing that the engine reaches knows of frontends, terminals or strategies": func(all map[string]*pkg, refuse func(*pkg, string, string)) {
		engine := all[module+"impl/engine"]
		if engine == nil {
			return
		}
		for _, d := range engine.Deps {
			if below(strings.TrimPrefix(d, module), "impl/frontend", "impl/term", "impl/wire", "impl/cli", "strategies") {
				refuse(engine, d, "the backend may run where there is none")
			}
		}
	},

	"the frontend sees events alone": func(all map[string]*pkg, refuse func(*pkg, string, string)) {
		for _, p := range ours(all) {
			if !below(p.path(), "impl/frontend") {
				continue
			}
			for _, d := range p.Deps {
				if below(strings.TrimPrefix(d, module), "impl/engine", "impl/element", "impl/project", "impl/cas", "impl/artifact", "impl/sched", "impl/sandbox", "impl/source") {
					refuse(p, d, "an event carries all that is needed to draw it")
				}
			}
		}
	},

	"a strategy knows stream and wire": func(all map[string]*pkg, refuse func(*pkg, string, string)) {
		for _, p := range ours(all) {
			if !below(p.path(), "strategies") {
				continue
			}
			for _, i := range p.Imports {
				if !strings.HasPrefix(i, module) || i == module+"impl/stream" || i == module+"impl/wire" {
					continue
				}
				if below(strings.TrimPrefix(i, module), "strategies") && (p.path() == "strategies" || strings.Contains(p.path(), "batched")) {
					continue // the table, and the decorator
				}
				refuse(p, i, "a strategy carries orders and events and knows neither end")
			}
		}
	},

	"only cli and bench join engine and strategy": func(all map[string]*pkg, refuse func(*pkg, string, string)) {
		for _, p := range ours(all) {
			if below(p.path(), "impl/cli", "bench", "cmd/bst-bench", "impl/engine", "strategies") {
				continue
			}
			for _, i := range p.Imports {
				if below(strings.TrimPrefix(i, module), "impl/engine", "strategies") {
					refuse(p, i, "ask impl/cli, which makes both meet")
				}
			}
		}
	},

	"no command goes round the contract": func(all map[string]*pkg, refuse func(*pkg, string, string)) {
		for _, p := range ours(all) {
			if !below(p.path(), "impl/cli", "cmd/bst") {
				continue
			}
			for _, i := range p.Imports {
				if i == module+"impl/sandbox" && p.path() == "impl/cli" {
					continue // to start the helper: TestCLIStartsTheHelperOnly
				}
				if below(strings.TrimPrefix(i, module), "impl/project", "impl/element", "impl/kind", "impl/cas", "impl/artifact",
					"impl/source", "impl/sandbox", "impl/sched", "impl/remote", "impl/workspace") {
					refuse(p, i, "send an order")
				}
			}
		}
	},

	"go-cmp is for tests, tablewriter for reports": func(all map[string]*pkg, refuse func(*pkg, string, string)) {
		for _, p := range ours(all) {
			for _, i := range p.Imports {
				if below(i, "github.com/google/go-cmp") && p.path() != "strategies/strategytest" {
					refuse(p, i, "compare in tests only")
				}
				if below(i, "github.com/olekukonko/tablewriter") && !below(p.path(), "bench", "cmd/bst-bench") {
					refuse(p, i, "what bst prints has the reference's form")
				}
			}
		}
	},

	"only term catches signals and touches the terminal": func(all map[string]*pkg, refuse func(*pkg, string, string)) {
		for _, p := range ours(all) {
			if below(p.path(), "impl/term", "cmd/bst-bench") {
				continue
			}
			for _, i := range p.Imports {
				if i == "os/signal" && p.path() == "impl/sandbox" {
					continue // its helper, a process between a shell and its sandbox
				}
				if below(i, "os/signal", "golang.org/x/term") {
					refuse(p, i, "the frontend owns the person: ask impl/term")
				}
				// bench makes terminals of its own, to measure with.
				if below(i, "github.com/creack/pty", "github.com/hinshun/vt10x") && !below(p.path(), "bench", "cmd/bst-bench") {
					refuse(p, i, "a terminal is made in tests and in bench only")
				}
			}
		}
	},
}

func TestImports(t *testing.T) {
	for _, goos := range []string{"linux", "windows"} {
		all := list(t, goos)
		for name, check := range rules {
			t.Run(goos+"/"+name, func(t *testing.T) {
				check(all, func(p *pkg, imported, because string) {
					t.Errorf("%s imports %s: %s\n\tby %s", p.ImportPath, imported, because, strings.Join(way(all, p.ImportPath, imported), " -> "))
				})
			})
		}
	}
}

// way is a shortest chain of imports from one package to another.
func way(all map[string]*pkg, from, to string) []string {
	before := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		p := all[queue[0]]
		if p == nil {
			continue
		}
		for _, i := range p.Imports {
			if _, seen := before[i]; seen {
				continue
			}
			before[i] = p.ImportPath
			if i == to {
				var chain []string
				for at := to; at != ""; at = before[at] {
					chain = append(chain, at)
				}
				slices.Reverse(chain)
				return chain
			}
			queue = append(queue, i)
		}
	}
	return []string{from, "?", to}
}

// The rules above find something: a graph that breaks each is refused by it.
func TestRulesRefuse(t *testing.T) {
	for name, edge := range map[string][2]string{
		"stream imports the standard library alone, wire adds only it and the codec":  {"impl/stream", "impl/node"},
		"nothing that the engine reaches knows of frontends, terminals or strategies": {"impl/engine", "impl/term"},
		"the frontend sees events alone":                                              {"impl/frontend/session", "impl/cas"},
		"a strategy knows stream and wire":                                            {"strategies/pipe", "impl/term"},
		"only cli and bench join engine and strategy":                                 {"cmd/bst", "impl/engine"},
		"no command goes round the contract":                                          {"impl/cli", "impl/cas"},
		"go-cmp is for tests, tablewriter for reports":                                {"impl/cas", "github.com/google/go-cmp/cmp"},
		"only term catches signals and touches the terminal":                          {"impl/cli", "os/signal"},
	} {
		from, to := module+edge[0], edge[1]
		if strings.HasPrefix(to, "impl/") {
			to = module + to
		}
		all := map[string]*pkg{
			from: {ImportPath: from, Imports: []string{to}, Deps: []string{to}},
			to:   {ImportPath: to},
		}
		refused := 0
		rules[name](all, func(*pkg, string, string) { refused++ })
		if refused != 1 {
			t.Errorf("%s: %s -> %s is refused %d times", name, from, to, refused)
		}
	}
	if got := way(map[string]*pkg{"a": {ImportPath: "a", Imports: []string{"b"}}, "b": {ImportPath: "b", Imports: []string{"c"}}}, "a", "c"); fmt.Sprint(got) != "[a b c]" {
		t.Errorf("the way is %v", got)
	}
}

// files parses a package's files.
func files(t *testing.T, p *pkg) map[string]*ast.File {
	t.Helper()
	parsed := make(map[string]*ast.File)
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		parsed[name] = f
	}
	return parsed
}

// Registration is explicit: nothing happens because a package is imported.
func TestNoInit(t *testing.T) {
	for _, p := range ours(list(t, "linux")) {
		for name, f := range files(t, p) {
			if ast.IsGenerated(f) {
				continue
			}
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					t.Errorf("%s/%s has an init function: register in an explicit list", p.ImportPath, name)
				}
			}
		}
	}
}

// mentions gives the names of another package that the packages in a folder use.
func mentions(t *testing.T, all map[string]*pkg, folder, name string) map[string]bool {
	t.Helper()
	found := make(map[string]bool)
	for _, p := range ours(all) {
		if !below(p.path(), folder) {
			continue
		}
		for _, f := range files(t, p) {
			ast.Inspect(f, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := sel.X.(*ast.Ident); ok && x.Name == name {
						found[sel.Sel.Name] = true
					}
				}
				return true
			})
		}
	}
	return found
}

// The command line starts the sandbox's helper, which is a program of its own
// that this executable can also be, and uses nothing else of the sandbox.
func TestCLIStartsTheHelperOnly(t *testing.T) {
	for name := range mentions(t, list(t, "linux"), "impl/cli", "sandbox") {
		if name != "RunHelper" {
			t.Errorf("impl/cli uses sandbox.%s: send an order", name)
		}
	}
}

// Every work order can be given by a command and is obeyed by the engine; every
// control order is obeyed.
func TestEveryOrderIsObeyed(t *testing.T) {
	all := list(t, "linux")
	var orders, work []string
	for _, f := range files(t, all[module+"impl/stream"]) {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv == nil {
				continue
			}
			star, ok := fn.Recv.List[0].Type.(*ast.StarExpr)
			if !ok {
				continue
			}
			switch name := star.X.(*ast.Ident).Name; fn.Name.Name {
			case "order":
				orders = append(orders, name)
			case "Common":
				work = append(work, name)
			}
		}
	}
	if len(orders) == 0 || len(work) == 0 {
		t.Fatal("no orders were found in impl/stream")
	}
	engine, sched, cli := mentions(t, all, "impl/engine", "stream"), mentions(t, all, "impl/sched", "stream"), mentions(t, all, "impl/cli", "stream")
	for _, name := range orders {
		if !engine[name] && !sched[name] {
			t.Errorf("neither impl/engine nor impl/sched knows the order stream.%s", name)
		}
	}
	for _, name := range work {
		if !cli[name] {
			t.Errorf("no command in impl/cli gives the order stream.%s", name)
		}
	}
}
