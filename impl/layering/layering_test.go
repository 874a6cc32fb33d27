// Package layering holds the project's rules about who may import whom, and the
// few others that a compiler does not know, as tests over `go list`
// (docs/design.md, section 3). It has no code of its own.
package layering

import (
	"context"
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
	"time"
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
	Error      *struct{ Err string }
}

// path is the package's path below the module.
func (p *pkg) path() string { return strings.TrimPrefix(p.ImportPath, module) }

// patience bounds a go list, which takes a second.
const patience = 3 * time.Minute

// lists are what was listed, by operating system: every test wants the same.
var lists = make(map[string]map[string]*pkg)

// list describes all packages of the module, and those they depend on, as they
// are built for an operating system. It uses no network: what it needs, building
// this test's neighbours has fetched.
func list(t *testing.T, goos string) map[string]*pkg {
	t.Helper()
	if all := lists[goos]; all != nil {
		return all
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "list", "-e", "-deps", "-mod=readonly", "-json=ImportPath,Dir,Standard,GoFiles,Imports,Deps,Error", "./...")
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0", "GOPROXY=off", "GOTOOLCHAIN=local", "GOFLAGS=")
	cmd.WaitDelay = 10 * time.Second
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if ctx.Err() != nil {
		t.Fatalf("go list did not end within %v: the machine has no time for it, or another go holds the build cache\n%s", patience, stderr.String())
	}
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	all := make(map[string]*pkg)
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		p := new(pkg)
		if err := dec.Decode(p); errors.Is(err, io.EOF) {
			lists[goos] = all
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		// Folders without a file for this system are no mistake.
		if p.Error != nil && !strings.Contains(p.Error.Err, "build constraints exclude all Go files") {
			t.Fatalf("go list for %s cannot load %s, without the network: %s\nRun: go mod download", goos, p.ImportPath, p.Error.Err)
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
	"stream imports the standard library alone, wire only it besides": func(all map[string]*pkg, refuse func(*pkg, string, string)) {
		for _, p := range ours(all) {
			for _, i := range p.Imports {
				if all[i] == nil || all[i].Standard {
					continue
				}
				switch {
				case p.path() == "impl/stream":
					refuse(p, i, "the contract is for everybody to import, and imports nobody")
				case p.path() == "impl/wire" && i != module+"impl/stream":
					refuse(p, i, "what crosses is told by package stream; how, here")
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
				if below(strings.TrimPrefix(d, module), "impl/engine", "impl/element", "impl/project", "impl/cas", "impl/artifact", "impl/sched", "impl/sandbox", "impl/source", "impl/expiry", "impl/reffile", "impl/server") {
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
				if i == module+"strategies/child" || i == module+"impl/slack" {
					continue // processes, for all that start one
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
					"impl/source", "impl/sandbox", "impl/sched", "impl/remote", "impl/workspace", "impl/expiry", "impl/reffile", "impl/server") {
					refuse(p, i, "send an order")
				}
			}
		}
	},

	"what lies on disk needs no gRPC": func(all map[string]*pkg, refuse func(*pkg, string, string)) {
		for _, p := range ours(all) {
			if !below(p.path(), "impl/proto/reapi", "impl/proto/buildstream", "impl/cas", "impl/artifact", "impl/source", "impl/expiry") {
				continue
			}
			for _, d := range p.Deps {
				if d == "google.golang.org/grpc" {
					refuse(p, d, "calls and their messages are impl/proto/repb's, messages that are kept impl/proto/reapi's")
				}
			}
		}
	},

	"where bst runs is known to the command line and to bench": func(all map[string]*pkg, refuse func(*pkg, string, string)) {
		for _, p := range ours(all) {
			for _, i := range p.Imports {
				if i == module+"impl/platform" && !below(p.path(), "impl/cli", "bench", "cmd/bst-bench") {
					refuse(p, i, "what depends on the platform is built for it, or told")
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

	// Go initialises all that is linked at each start; TestInitialisation in impl/cli
	// looks for what is new.
	"bst links nothing that is dear to begin with and seldom used": func(all map[string]*pkg, refuse func(*pkg, string, string)) {
		for _, p := range ours(all) {
			if p.path() != "cmd/bst" {
				continue
			}
			for _, d := range p.Deps {
				if below(d, "github.com/goccy/go-json", "oras.land", "github.com/opencontainers/go-digest", "github.com/aquasecurity",
					"github.com/bazelbuild/remote-apis", "google.golang.org/genproto/googleapis/api") {
					refuse(p, d, "it takes 0.3 to 1 ms of each start of bst")
				}
			}
		}
	},

	"only term catches signals and touches the terminal": func(all map[string]*pkg, refuse func(*pkg, string, string)) {
		for _, p := range ours(all) {
			if below(p.path(), "impl/term", "cmd/bst-bench", "cmd/bst-artifact-server") {
				continue
			}
			for _, i := range p.Imports {
				if i == "os/signal" && below(p.path(), "impl/sandbox") {
					continue // its helpers, processes between a shell and its sandbox
				}
				if below(i, "os/signal", "golang.org/x/term") {
					refuse(p, i, "the frontend owns the person: ask impl/term")
				}
				// bench makes terminals of its own, to measure with.
				if below(i, "github.com/creack/pty", "github.com/charmbracelet/x/vt") && !below(p.path(), "bench", "cmd/bst-bench", "impl/term/termtest") {
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
		"stream imports the standard library alone, wire only it besides":             {"impl/stream", "impl/node"},
		"nothing that the engine reaches knows of frontends, terminals or strategies": {"impl/engine", "impl/term"},
		"the frontend sees events alone":                                              {"impl/frontend/session", "impl/cas"},
		"a strategy knows stream and wire":                                            {"strategies/pipe", "impl/term"},
		"only cli and bench join engine and strategy":                                 {"cmd/bst", "impl/engine"},
		"no command goes round the contract":                                          {"impl/cli", "impl/cas"},
		"what lies on disk needs no gRPC":                                             {"impl/artifact", "google.golang.org/grpc"},
		"where bst runs is known to the command line and to bench":                    {"impl/engine", "impl/platform"},
		"go-cmp is for tests, tablewriter for reports":                                {"impl/cas", "github.com/google/go-cmp/cmp"},
		"bst links nothing that is dear to begin with and seldom used":                {"cmd/bst", "github.com/goccy/go-json/internal/runtime"},
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
			if ast.IsGenerated(f) || p.path() == "impl/sandbox/inner" || p.path() == "impl/cli/early" { // which say why
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
	// Those about sessions themselves.
	hub := mentions(t, all, "strategies/warm", "stream")
	for _, name := range orders {
		if !engine[name] && !sched[name] && !hub[name] {
			t.Errorf("neither impl/engine nor impl/sched nor strategies/warm knows the order stream.%s", name)
		}
	}
	for _, name := range work {
		if !cli[name] {
			t.Errorf("no command in impl/cli gives the order stream.%s", name)
		}
	}
}

// What loading reads is told to whoever keeps the result (impl/seen): a function
// that reads, and does not tell, would make a kept answer stale. Kinds tell of
// what their keys are made from by SourceEnv.Reads.
func TestLoadingTellsWhatItReads(t *testing.T) {
	reads := map[string][]string{
		"os":       {"Open", "OpenFile", "ReadFile", "ReadDir", "Readlink", "Stat", "Lstat"},
		"filepath": {"Glob", "Walk", "WalkDir", "EvalSymlinks"},
		"node":     {"Load"},
		// What the project's file names is looked at component by component.
		"projectpath": {"Resolve"},
	}
	exempt := map[string]string{
		"impl/project.missing":    "makes an error's hint: errors are not kept",
		"impl/element.readPlugin": "its callers tell",
	}
	all := list(t, "linux")
	found := 0
	for _, p := range ours(all) {
		if !below(p.path(), "impl/project", "impl/element") && !(below(p.path(), "impl/kind") && p.path() != "impl/kind/projectpath") {
			continue
		}
		inKind := below(p.path(), "impl/kind")
		for file, f := range files(t, p) {
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || exempt[p.path()+"."+fn.Name.Name] != "" {
					continue
				}
				what, tells := "", false
				ast.Inspect(fn, func(n ast.Node) bool {
					switch n := n.(type) {
					case *ast.SelectorExpr:
						tells = tells || n.Sel.Name == "Seen" || n.Sel.Name == "Reads"
						// Kinds read what they fetched, too: only what Resolve gives is the project's.
						if x, ok := n.X.(*ast.Ident); ok && slices.Contains(reads[x.Name], n.Sel.Name) && (!inKind || x.Name == "projectpath") {
							what = x.Name + "." + n.Sel.Name
						}
					case *ast.Ident:
						tells = tells || n.Name == "record"
					}
					return true
				})
				if what == "" {
					continue
				}
				if found++; !tells {
					t.Errorf("%s/%s: %s calls %s and tells nobody: call Seen().File, or for a source env.Reads, before", p.ImportPath, file, fn.Name.Name, what)
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d functions that read were found", found)
	}
}

// A command does its work by an order and by nothing else: what it may reach beyond
// that is listed, and each has its reason. Strategies and the engine are joined in
// one file.
func TestCommandsOnlySendOrders(t *testing.T) {
	allowed := map[string]string{
		"impl/cli/early":        "a backend that was begun before it was asked for",
		"impl/config":           "the user's settings travel in the order",
		"impl/frontend":         "what is shown of the events",
		"impl/frontend/session": "sends the order and shows what comes",
		"impl/record":           "what the user wants recorded of the events",
		"impl/record/events":    "the same",
		"impl/record/profile":   "the same",
		"impl/term/termmodel":   "a slow terminal, to measure with",
		"impl/newproject":       "checks what a person answers, as it is typed",
		"impl/patient":          "files of the frontend's own that Windows holds",
		"impl/platform":         "where bst runs, which the default strategy depends on",
		"impl/remotespec":       "how servers are named on the command line",
		"impl/stream":           "the contract",
		"impl/term":             "the person",
		"impl/usage":            "what a session used, for those who measure",
		"impl/wire":             "tells a bug in a started backend from other errors",
	}
	joins := map[string]bool{"impl/engine": true, "impl/sandbox": true, "strategies": true}
	all := list(t, "linux")
	p := all[module+"impl/cli"]
	for name, f := range files(t, p) {
		for _, spec := range f.Imports {
			path := strings.Trim(spec.Path.Value, `"`)
			if !strings.HasPrefix(path, module) {
				if path == "os/exec" || path == "syscall" || path == "net" || strings.HasPrefix(path, "golang.org/x/sys") {
					t.Errorf("impl/cli/%s imports %s: the backend works, and programs on the terminal are impl/term's", name, path)
				}
				continue
			}
			path = strings.TrimPrefix(path, module)
			switch {
			case allowed[path] != "":
			case joins[path] && name == "join.go":
			default:
				t.Errorf("impl/cli/%s imports %s: a command sends an order", name, path)
			}
		}
	}
	// No row of the table of strategies is named outside it.
	for _, row := range ours(all) {
		if !below(row.path(), "strategies") || row.path() == "strategies" {
			continue
		}
		for _, user := range ours(all) {
			if below(user.path(), "strategies") || !slices.Contains(user.Imports, row.ImportPath) {
				continue
			}
			t.Errorf("%s imports %s: ask the table, so that a strategy is one package and one row", user.ImportPath, row.ImportPath)
		}
	}
}
