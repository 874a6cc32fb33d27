package checkforbidden

import (
	"context"
	"fmt"
	"testing"

	"bst/impl/kind"
	"bst/impl/kind/kindtest"
	"bst/impl/kind/kindtest/graphtest"

	"github.com/google/go-cmp/cmp"
)

func assemble(t *testing.T, deps ...*graphtest.Element) ([]string, error) {
	t.Helper()
	a := kindtest.New(t)
	e, err := kindtest.Configure(t, Traits(), a, "forbidden: [bad.bst]")
	if err != nil {
		t.Fatal(err)
	}
	var list []kind.Dependency
	for _, dep := range deps {
		list = append(list, graphtest.Dependency(t, dep, ""))
	}
	if err := e.ConfigureDependencies(list); err != nil {
		t.Fatal(err)
	}
	_, err = e.Assemble(context.Background(), a)
	return a.Log, err
}

func TestForbidden(t *testing.T) {
	good := graphtest.New("good.bst")
	bad := graphtest.New("bad.bst")
	middle := graphtest.New("middle.bst", good, bad)
	for _, tt := range []struct {
		name string
		deps []*graphtest.Element
		log  []string
		bad  bool
	}{
		{"none", []*graphtest.Element{good, good}, nil, false},
		{"direct", []*graphtest.Element{bad}, []string{"WARNING a.bst depends on bad.bst"}, true},
		{"behind others", []*graphtest.Element{good, graphtest.New("top.bst", middle)},
			[]string{"WARNING middle.bst depends on bad.bst", "WARNING top.bst depends on middle.bst"}, true},
		{"twice", []*graphtest.Element{middle, graphtest.New("top.bst", middle)},
			[]string{"WARNING middle.bst depends on bad.bst", "WARNING top.bst depends on middle.bst"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log, err := assemble(t, tt.deps...)
			if (err != nil) != tt.bad {
				t.Errorf("error: %v", err)
			}
			if diff := cmp.Diff(tt.log, log); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDeep(t *testing.T) {
	e := graphtest.New("bad.bst")
	for i := range 100000 {
		e = graphtest.New(fmt.Sprintf("%d.bst", i), e)
	}
	if log, err := assemble(t, e); err == nil || len(log) != 100000 {
		t.Errorf("%d warnings, %v", len(log), err)
	}
}
