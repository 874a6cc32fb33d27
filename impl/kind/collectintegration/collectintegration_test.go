package collectintegration

import (
	"context"
	"testing"

	"bst/impl/kind"
	"bst/impl/kind/kindtest"
	"bst/impl/node"

	"github.com/google/go-cmp/cmp"
)

func public(t *testing.T, text string) *node.Node {
	n, err := node.Parse([]byte(text), "public")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestScript(t *testing.T) {
	a := kindtest.New(t)
	e, err := kindtest.Configure(t, Traits(), a, "script-path: /usr/libexec/post.sh\nignore: [c.bst]")
	if err != nil {
		t.Fatal(err)
	}
	a.Build = []kind.Handle{kindtest.Handle("a.bst"), kindtest.Handle("b.bst"), kindtest.Handle("c.bst")}
	a.Publics = map[string]*node.Node{
		"a.bst": public(t, "bst: {integration-commands: [one, two]}"),
		"b.bst": public(t, "bst: {}"),
		"c.bst": public(t, "bst: {integration-commands: [three]}"),
	}
	if _, err := e.Assemble(context.Background(), a); err != nil {
		t.Fatal(err)
	}
	text, err := a.Tree.ReadFile("usr/libexec/post.sh")
	if err != nil {
		t.Fatal(err)
	}
	want := "#!/bin/sh\nset -e\n\n# integration commands from a.bst\none\n\ntwo\n\n"
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Error(diff)
	}
	if entry, err := a.Tree.Lookup("usr/libexec/post.sh"); err != nil || !entry.Executable {
		t.Errorf("the script cannot be run: %v", err)
	}
	a.Build = a.Build[:2]
	if _, err := e.Assemble(context.Background(), a); err == nil {
		t.Error("an element to ignore need not be there")
	}
}
