package filter_test

import (
	"errors"
	"strings"
	"testing"

	"bst/impl/kind"
	"bst/impl/kind/filter"
	"bst/impl/kind/kindtest"
	"bst/impl/node"
	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

func public(t *testing.T, text string) *node.Node {
	t.Helper()
	n, err := node.Parse([]byte(text), "public")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func configure(t *testing.T, a *kindtest.Assembly, config string) kind.Element {
	t.Helper()
	e, err := kindtest.Configure(t, filter.Traits(), a, config)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.ConfigureDependencies([]kind.Dependency{kindtest.Dependency(t, "parent.bst", "")}); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestAssemble(t *testing.T) {
	a := kindtest.New(t)
	a.Publics = map[string]*node.Node{
		"parent.bst": public(t, "bst: {split-rules: {runtime: [], devel: []}, integration-commands: [a]}"),
		"":           public(t, "bst: {integration-commands: [b], x: y}"),
	}
	e := configure(t, a, "{include: [runtime], exclude: [devel], pass-integration: True}")
	collect, err := e.Assemble(t.Context(), a)
	if err != nil || collect != "/" {
		t.Fatalf("collects %s, %v", collect, err)
	}
	want := []string{
		"activity Staging artifact",
		`stage [parent.bst] at "" include [runtime] exclude [devel] orphans false direct true`,
		"public map[bst:map[integration-commands:[a b] x:y]]",
	}
	if diff := cmp.Diff(want, a.Log); diff != "" {
		t.Error(diff)
	}
	// What others share stays as it was.
	if n := a.Publics["parent.bst"].Get("bst").Get("integration-commands").Len(); n != 1 {
		t.Errorf("the parent has %d integration commands", n)
	}
}

func TestUnknownDomains(t *testing.T) {
	a := kindtest.New(t)
	a.Publics = map[string]*node.Node{"parent.bst": public(t, "bst: {split-rules: {runtime: []}}")}
	e := configure(t, a, "{include: [runtime, x, y], exclude: [z]}")
	_, err := e.Assemble(t.Context(), a)
	var got *stream.Error
	if !errors.As(err, &got) {
		t.Fatalf("got %v", err)
	}
	want := "Unknown domains were used in a.bst [line 1 column 10]\n - x\n - y\n" +
		"Unknown domains were used in a.bst [line 1 column 36]\n - z"
	if got.Domain != stream.DomainElement || got.Detail != want {
		t.Errorf("got %q in %s, want %q", got.Detail, got.Domain, want)
	}
}

func TestUniqueKey(t *testing.T) {
	e := configure(t, kindtest.New(t), "{include: [b, a], pass-integration: True}")
	want := map[string]any{"include": []string{"a", "b"}, "exclude": []string(nil), "orphans": false}
	if diff := cmp.Diff(want, e.UniqueKey()); diff != "" {
		t.Error(diff)
	}
	if got := filter.Traits(); got.ArtifactVersion != 1 || !got.StrictRebuild || got.RunCommands {
		t.Errorf("%+v", got)
	}
}

func TestPreflight(t *testing.T) {
	h := func(names string) (list []kind.Handle) {
		for _, name := range strings.Fields(names) {
			list = append(list, kindtest.Handle(name))
		}
		return list
	}
	e := configure(t, kindtest.New(t), "").(kind.Preflighter)
	for _, tt := range []struct{ build, runtime, reason string }{
		{"a.bst", "b.bst", ""},
		{"", "", "filter-bdepend-wrong-count"},
		{"a.bst b.bst", "", "filter-bdepend-wrong-count"},
		{"a.bst", "b.bst a.bst", "filter-bdepend-also-rdepend"},
		{"my-stack.bst", "", "filter-bdepend-no-artifact"},
	} {
		err := e.Preflight(kind.Given{Build: h(tt.build), Runtime: h(tt.runtime)})
		got := ""
		var told *stream.Error
		if errors.As(err, &told) {
			got = told.Reason
		}
		if got != tt.reason {
			t.Errorf("%q and %q: %q, want %q", tt.build, tt.runtime, got, tt.reason)
		}
	}
}
