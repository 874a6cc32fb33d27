package snapimage

import (
	"context"
	"testing"

	"bst/impl/kind/kindtest"

	"github.com/google/go-cmp/cmp"
)

func TestAssemble(t *testing.T) {
	a := kindtest.New(t)
	e, err := kindtest.Configure(t, Traits(), a, "directory: /snap\ninclude-orphans: False\nmetadata: {name: x, version: '1'}")
	if err != nil {
		t.Fatal(err)
	}
	at, err := e.Assemble(context.Background(), a)
	if err != nil || at != "/snap" {
		t.Fatalf("%q, %v", at, err)
	}
	text, err := a.Tree.ReadFile("snap/meta/snap.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("name: x\nversion: \"1\"\n", string(text)); diff != "" {
		t.Error(diff)
	}
	log := []string{"activity Staging dependencies", `stage [] at "" include [] exclude [] orphans false direct false`}
	if diff := cmp.Diff(log, a.Log); diff != "" {
		t.Error(diff)
	}
}
