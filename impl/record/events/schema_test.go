package events

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bst/impl/wire"
)

var update = flag.Bool("update", false, "write the tables of docs/events.md and the list of fields anew")

// contract is what impl/stream says of its types.
type contract struct {
	doc    map[string]string            // by type
	fields map[string]map[string]string // by type and field
	consts map[string]int               // how many constants a type has
}

func readContract(t *testing.T) *contract {
	t.Helper()
	c := &contract{map[string]string{}, map[string]map[string]string{}, map[string]int{}}
	paths, err := filepath.Glob("../../stream/*.go")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok {
				c.declaration(g)
			}
		}
	}
	return c
}

func (c *contract) declaration(g *ast.GenDecl) {
	typ := ""
	for _, s := range g.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			doc := s.Doc
			if doc == nil {
				doc = g.Doc
			}
			c.doc[s.Name.Name] = text(doc, s.Comment)
			if st, ok := s.Type.(*ast.StructType); ok {
				fields := map[string]string{}
				for _, f := range st.Fields.List {
					for _, n := range f.Names {
						fields[n.Name] = text(f.Doc, f.Comment)
					}
				}
				c.fields[s.Name.Name] = fields
			}
		case *ast.ValueSpec:
			if g.Tok != token.CONST {
				continue
			}
			if id, ok := s.Type.(*ast.Ident); ok {
				typ = id.Name
			}
			c.consts[typ]++
		}
	}
}

func text(groups ...*ast.CommentGroup) string {
	var b strings.Builder
	for _, g := range groups {
		if g != nil {
			b.WriteString(strings.Join(strings.Fields(g.Text()), " "))
		}
	}
	return b.String()
}

// TestEnumerations: every value of an enumeration has a name, and no number of
// the contract is one that this package has not heard of.
func TestEnumerations(t *testing.T) {
	c := readContract(t)
	for typ, list := range words {
		if got := c.consts[typ.Name()]; got != len(list) {
			t.Errorf("stream.%s has %d values, and %d names in words (form.go)", typ.Name(), got, len(list))
		}
	}
	for _, typ := range everyStruct() {
		for i := range typ.NumField() {
			f := typ.Field(i)
			if f.Type.Kind() == reflect.Uint8 && f.Type.PkgPath() != "" && enums[f.Type] == nil {
				t.Errorf("%s.%s is of the enumeration %v, which has no names yet: add it to words and enums (form.go)", typ.Name(), f.Name, f.Type)
			}
		}
	}
}

// everyStruct are the events and the structs that they are made of, events first.
func everyStruct() []reflect.Type {
	list := wire.EventTypes()
	seen := map[reflect.Type]bool{}
	for _, t := range list {
		seen[t] = true
	}
	for i := 0; i < len(list); i++ {
		for f := range list[i].NumField() {
			t := list[i].Field(f).Type
			for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
				t = t.Elem()
			}
			if t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]() && !seen[t] {
				seen[t] = true
				list = append(list, t)
			}
		}
	}
	return list
}

// jsonType says what a value is in JSON.
func jsonType(t reflect.Type) string {
	if list := words[t]; list != nil {
		return "`" + strings.Join(list, "`, `") + "`"
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "time"
	case t.Kind() == reflect.Pointer:
		return jsonType(t.Elem())
	case t.Kind() == reflect.Slice:
		return "list of " + jsonType(t.Elem())
	case t.Kind() == reflect.Map:
		return "object of " + jsonType(t.Elem())
	case t.Kind() == reflect.Struct:
		return "[" + t.Name() + "](#" + strings.ToLower(t.Name()) + ")"
	case t.Kind() == reflect.Bool:
		return "boolean"
	case t.Kind() == reflect.String:
		return "string"
	}
	return "number"
}

// tables are the generated part of docs/events.md, and list the fields that
// readers rely on.
func tables(t *testing.T) (doc string, list []string) {
	c := readContract(t)
	var b strings.Builder
	for i, typ := range everyStruct() {
		switch i {
		case 0:
			b.WriteString("## Events\n")
		case len(wire.EventTypes()):
			b.WriteString("\n## What they are made of\n")
		}
		fmt.Fprintf(&b, "\n### %s\n\n%s\n", typ.Name(), c.doc[typ.Name()])
		if typ.NumField() > 0 {
			b.WriteString("\n| field | value | |\n|---|---|---|\n")
		} else {
			list = append(list, typ.Name())
		}
		for j := range typ.NumField() {
			f := typ.Field(j)
			if f.Tag.Get("wire") == "-" {
				continue
			}
			said := strings.ReplaceAll(c.fields[typ.Name()][f.Name], "|", `\|`)
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name(f), jsonType(f.Type), said)
			kind := jsonType(f.Type)
			if words[f.Type] != nil {
				kind = "enumeration" // values may be added
			}
			list = append(list, typ.Name()+"."+name(f)+": "+kind)
		}
	}
	return b.String(), list
}

const (
	docFile   = "../../../docs/events.md"
	docMark   = "<!-- What follows is written by: go test ./impl/record/events -update -->\n\n"
	fieldFile = "testdata/fields-1.txt"
)

// TestSchema: docs/events.md names every event and field, in the contract's own
// words, and nothing that readers of this version rely on has gone.
func TestSchema(t *testing.T) {
	doc, fields := tables(t)
	page, err := os.ReadFile(docFile)
	if err != nil {
		t.Fatal(err)
	}
	head, old, found := strings.Cut(string(page), docMark)
	if !found {
		t.Fatalf("%s lacks the line %q", docFile, docMark)
	}
	known, err := os.ReadFile(fieldFile)
	if err != nil && !*update {
		t.Fatal(err)
	}
	has := map[string]bool{}
	for _, f := range fields {
		has[f] = true
	}
	for f := range strings.Lines(string(known)) {
		if f = strings.TrimSpace(f); f != "" && !has[f] {
			t.Errorf("readers of version %d rely on %q: raise Version (write.go), say so in %s, and begin a new list of fields", Version, f, docFile)
		}
	}
	if t.Failed() {
		return
	}
	list := strings.Join(fields, "\n") + "\n"
	if *update {
		if err := os.WriteFile(docFile, []byte(head+docMark+doc), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(fieldFile), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(fieldFile, []byte(list), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	const hint = "if the contract was meant to change, run: go test ./impl/record/events -update"
	if diff := cmp.Diff(strings.Split(doc, "\n"), strings.Split(old, "\n")); diff != "" {
		t.Errorf("%s is out of date; %s\n(-want +got):\n%s", docFile, hint, diff)
	}
	if diff := cmp.Diff(list, string(known)); diff != "" {
		t.Errorf("%s is out of date; %s\n(-want +got):\n%s", fieldFile, hint, diff)
	}
}
