package collectinitialscripts

import (
	"context"
	"testing"

	"bst/impl/kind"
	"bst/impl/kind/kindtest"
	"bst/impl/node"

	"github.com/google/go-cmp/cmp"
)

func TestScripts(t *testing.T) {
	a := kindtest.New(t)
	e, err := kindtest.Configure(t, Traits(), a, "path: /etc/scripts/")
	if err != nil {
		t.Fatal(err)
	}
	script, err := node.Parse([]byte("initial-script: {script: 'echo hello'}"), "public")
	if err != nil {
		t.Fatal(err)
	}
	a.Build = []kind.Handle{kindtest.Handle("none.bst"), kindtest.Handle("a/first.bst"), kindtest.Handle("b-2.bst")}
	a.Publics = map[string]*node.Node{"a/first.bst": script, "b-2.bst": script}
	if _, err := e.Assemble(context.Background(), a); err != nil {
		t.Fatal(err)
	}
	want := []string{"etc/scripts/001-a_first_bst", "etc/scripts/002-b_2_bst"}
	if diff := cmp.Diff(want, kindtest.Files(t, a.Tree)); diff != "" {
		t.Error(diff)
	}
	text, err := a.Tree.ReadFile(want[0])
	if err != nil || string(text) != "echo hello" {
		t.Errorf("%q, %v", text, err)
	}
}
