package script_test

import (
	"testing"

	"bst/impl/kind"
	"bst/impl/kind/kindtest"
	"bst/impl/kind/script"

	"github.com/google/go-cmp/cmp"
)

func TestAssemble(t *testing.T) {
	a := kindtest.New(t)
	a.Vars["cwd"] = "/work"
	e, err := kindtest.Configure(t, script.Traits(), a, "{commands: [one, two], root-read-only: True}")
	if err != nil {
		t.Fatal(err)
	}
	deps := []kind.Dependency{kindtest.Dependency(t, "base.bst", ""), kindtest.Dependency(t, "files.bst", "{location: /files}")}
	if err := e.ConfigureDependencies(deps); err != nil {
		t.Fatal(err)
	}
	wantKey := map[string]any{
		"commands": map[string][]string{"commands": {"one", "two"}},
		"cwd":      "/work", "install-root": "/buildstream-install", "root-read-only": true,
		"layout": map[string][]string{"/": {"base.bst"}, "/files": {"files.bst"}},
	}
	if diff := cmp.Diff(wantKey, e.UniqueKey()); diff != "" {
		t.Error(diff)
	}
	collect, err := e.Assemble(t.Context(), a)
	if err != nil || collect != "/buildstream-install" {
		t.Fatalf("collects %s, %v", collect, err)
	}
	want := []string{
		"work in /work",
		"mark /buildstream-install",
		"activity Staging dependencies at: /",
		`stage [base.bst] at "/" include [] exclude [] orphans true direct false`,
		"activity Staging dependencies at: /files",
		`stage [files.bst] at "/files" include [] exclude [] orphans true direct false`,
		"activity Integrating sandbox",
		"integrate [base.bst]",
		`run ["sh" "-c" "-e" "one\n"] read-only true`,
		`run ["sh" "-c" "-e" "two\n"] read-only true`,
	}
	if diff := cmp.Diff(want, a.Log); diff != "" {
		t.Error(diff)
	}
	if _, err := a.Tree.Sub("/buildstream-install", false); err != nil {
		t.Errorf("no install root: %v", err)
	}
}

func TestNoLayout(t *testing.T) {
	a := kindtest.New(t)
	a.Build = []kind.Handle{kindtest.Handle("base.bst")}
	e, err := kindtest.Configure(t, script.Traits(), a, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.ConfigureDependencies(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Assemble(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"work in /",
		"mark /buildstream-install",
		"activity Staging dependencies",
		`stage [] at "" include [] exclude [] orphans true direct false`,
		"integrate [base.bst]",
	}
	if diff := cmp.Diff(want, a.Log); diff != "" {
		t.Error(diff)
	}
}
