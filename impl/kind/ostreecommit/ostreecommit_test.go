package ostreecommit

import (
	"context"
	"testing"

	"bst/impl/kind"
	"bst/impl/kind/kindtest"

	"github.com/google/go-cmp/cmp"
)

func TestAssemble(t *testing.T) {
	a := kindtest.New(t)
	a.Vars["sysroot"] = "/sysroot"
	e, err := kindtest.Configure(t, Traits(), a, "ostree-branch: x/y\ninitial-commands: [mkdir /sysroot/etc]")
	if err == nil {
		err = e.ConfigureDependencies([]kind.Dependency{
			kindtest.Dependency(t, "tools.bst", ""),
			kindtest.Dependency(t, "system.bst", "sysroot: True"),
			kindtest.Dependency(t, "more.bst", "sysroot: False"),
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	at, err := e.Assemble(context.Background(), a)
	if err != nil || at != "/buildstream-install" {
		t.Errorf("%q is collected, %v", at, err)
	}
	root, bare := "/buildstream/test/a.bst", "/buildstream/test/a.bst/barerepo"
	want := []string{
		"mark " + root, "mark /buildstream-install",
		"activity Staging environment",
		`stage [tools.bst more.bst] at "" include [] exclude [] orphans true direct false`,
		"activity Integrating sandbox", "integrate [tools.bst more.bst]",
		"activity Staging sysroot",
		`stage [system.bst] at "/sysroot" include [] exclude [] orphans true direct false`,
		`run ["sh" "-e" "-c" "mkdir /sysroot/etc"] read-only false`,
		`run ["ostree" "init" "--repo" "` + bare + `"] read-only false`,
		`run ["ostree" "commit" "--repo" "` + bare + `" "--consume" "` + root + `/sysroot" "--branch" "x/y" "--timestamp" "` + timestamp + `"] read-only false`,
		`run ["ostree" "init" "--repo" "/buildstream-install" "--mode" "archive"] read-only false`,
		`run ["ostree" "pull-local" "--repo" "/buildstream-install" "` + bare + `"] read-only false`,
	}
	// How a command is given to the shell is buildelement's to say.
	if diff := cmp.Diff(want[:8], a.Log[:8]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want[9:], a.Log[9:]); diff != "" {
		t.Error(diff)
	}
}

func TestRefusals(t *testing.T) {
	for _, config := range []string{"", "ostree-branch: x\nother: y"} {
		if _, err := kindtest.Configure(t, Traits(), kindtest.New(t), config); err == nil {
			t.Errorf("it takes %q", config)
		}
	}
	e, err := kindtest.Configure(t, Traits(), kindtest.New(t), "ostree-branch: x")
	if err != nil {
		t.Fatal(err)
	}
	for _, config := range []string{"other: x", "sysroot: maybe"} {
		if err := e.ConfigureDependencies([]kind.Dependency{kindtest.Dependency(t, "a.bst", config)}); err == nil {
			t.Errorf("it takes a dependency with %q", config)
		}
	}
}
