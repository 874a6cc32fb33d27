package layering

import (
	"go/ast"
	"go/parser"
	"go/token"
	"testing"
)

// compiled names the variables of a package whose initialisers compile a regular
// expression.
func compiled(f *ast.File) (found []string) {
	for _, decl := range f.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.VAR {
			continue
		}
		for _, spec := range gen.Specs {
			spec := spec.(*ast.ValueSpec)
			for _, value := range spec.Values {
				ast.Inspect(value, func(n ast.Node) bool {
					switch n := n.(type) {
					case *ast.FuncLit:
						return false // runs when it is called
					case *ast.SelectorExpr:
						if x, ok := n.X.(*ast.Ident); ok && x.Name == "regexp" && n.Sel.Name == "MustCompile" {
							found = append(found, spec.Names[0].Name)
						}
					}
					return true
				})
			}
		}
	}
	return found
}

// Every command pays for what is done before main, twice where its backend is a
// process: no regular expression is compiled there.
func TestNothingIsCompiledAtStart(t *testing.T) {
	all := list(t, "linux")
	bst := all[module+"cmd/bst"]
	if bst == nil {
		t.Fatal("there is no bst")
	}
	linked := map[string]bool{bst.ImportPath: true}
	for _, d := range bst.Deps {
		linked[d] = true
	}
	for _, p := range ours(all) {
		if !linked[p.ImportPath] {
			continue
		}
		for name, f := range files(t, p) {
			for _, what := range compiled(f) {
				t.Errorf("%s/%s compiles %s at start: wrap it in sync.OnceValue", p.ImportPath, name, what)
			}
		}
	}
}

func TestCompiledIsFound(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "x.go", `package x
var a, b = regexp.MustCompile("a"), sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("b") })
var c = []*regexp.Regexp{regexp.MustCompile("c")}
func f() { regexp.MustCompile("d") }`, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	if got := compiled(f); len(got) != 2 || got[0] != "a" || got[1] != "c" {
		t.Errorf("found %v", got)
	}
}
