package wire

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The closed sets of package stream, by their marker methods, are the lists'.
func TestEveryOrderAndEventIsListed(t *testing.T) {
	declared := map[string]map[string]bool{"order": {}, "event": {}}
	names, err := filepath.Glob("../stream/*.go")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || declared[fn.Name.Name] == nil {
				continue
			}
			star, ok := fn.Recv.List[0].Type.(*ast.StarExpr)
			if !ok {
				t.Errorf("%v is no method of a pointer", fn.Name)
				continue
			}
			declared[fn.Name.Name][star.X.(*ast.Ident).Name] = true
		}
	}
	for marker, list := range map[string][]entry{"order": orders, "event": events} {
		listed := make(map[string]bool)
		for _, e := range list {
			listed[e.name] = true
		}
		if diff := cmp.Diff(declared[marker], listed); diff != "" {
			t.Errorf("types with the method %s: give each a row in list.go (-declared +listed):\n%s", marker, diff)
		}
	}
}
