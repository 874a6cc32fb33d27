package layering

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// bare names what starts a goroutine whose panic would end the process.
func bare(f *ast.File) (found []string) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = append(found, "a go statement")
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "sync" && n.Sel.Name == "WaitGroup" {
				found = append(found, "sync.WaitGroup")
			}
		}
		return true
	})
	return found
}

// The backend's goroutines start through impl/bug: a panic on another ends the
// process, which may be the terminal's too. Exceptions have a reason.
func TestGoroutines(t *testing.T) {
	all := list(t, "linux")
	engine := all[module+"impl/engine"]
	if engine == nil {
		t.Fatal("there is no engine")
	}
	for _, p := range ours(all) {
		if p != engine && !slices.Contains(engine.Deps, p.ImportPath) || p.path() == "impl/bug" {
			continue
		}
		for name, f := range files(t, p) {
			for _, what := range bare(f) {
				if p.path() == "impl/kind/host" && what == "sync.WaitGroup" {
					continue // waits for an assignment, not for a goroutine
				}
				t.Errorf("%s/%s has %s: start goroutines through impl/bug, so that a panic becomes an error", p.ImportPath, name, what)
			}
		}
	}
}

func TestGoroutinesAreFound(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\nfunc f() { go f(); var w sync.WaitGroup; w.Go(f) }", parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(bare(f), ", "); got != "a go statement, sync.WaitGroup" {
		t.Errorf("found %s", got)
	}
}
