package buildelement_test

import (
	"testing"

	"bst/impl/cas"
	"bst/impl/kind"
	"bst/impl/kind/kindtest"
	"bst/impl/kind/manual"

	"github.com/google/go-cmp/cmp"
)

func TestUniqueKey(t *testing.T) {
	none := []string(nil)
	tests := []struct {
		name   string
		config string
		vars   map[string]string
		deps   [][2]string
		want   map[string]any
	}{
		{"defaults", "", nil, [][2]string{{"base.bst", ""}}, map[string]any{
			"configure-commands": []string{}, "build-commands": []string{}, "install-commands": []string{},
			"strip-commands": []string{"%{strip-binaries}"}}},
		{"all of it", "{configure-commands: [a], build-commands: [b, c], install-commands: [d], strip-commands: []}",
			map[string]string{"command-subdir": "sub", "notparallel": "False"},
			[][2]string{{"base.bst", ""}, {"sub.bst:x.bst", "{location: /x}"}, {"tools.bst", "{digest-environment: D}"}, {"y.bst", "{location: /x}"}},
			map[string]any{
				"configure-commands": []string{"a"}, "build-commands": []string{"b", "c"}, "install-commands": []string{"d"},
				"strip-commands": []string{}, "command-subdir": "sub", "notparallel": true,
				"layout":             map[string][]string{"/": {"base.bst", "tools.bst"}, "/x": {"sub.bst:x.bst", "y.bst"}},
				"digest-enviornment": map[string][]string{"D": {"tools.bst"}}}},
		{"locations that are the root", "{strip-commands: []}", nil, [][2]string{{"a.bst", "{location: /}"}, {"b.bst", "{location: ''}"}},
			map[string]any{"configure-commands": none, "build-commands": none, "install-commands": none, "strip-commands": none}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := kindtest.New(t)
			for name, value := range tt.vars {
				a.Vars[name] = value
			}
			e, err := kindtest.Configure(t, manual.Traits(), a, tt.config)
			if err != nil {
				t.Fatal(err)
			}
			var deps []kind.Dependency
			for _, d := range tt.deps {
				deps = append(deps, kindtest.Dependency(t, d[0], d[1]))
			}
			if err := e.ConfigureDependencies(deps); err != nil {
				t.Fatal(err)
			}
			// A key is the same with nil and with an empty list.
			bothEmpty := cmp.FilterValues(func(a, b []string) bool { return len(a)+len(b) == 0 }, cmp.Ignore())
			if diff := cmp.Diff(tt.want, e.UniqueKey(), bothEmpty); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	a := kindtest.New(t)
	if _, err := kindtest.Configure(t, manual.Traits(), a, "{comands: []}"); err == nil || err.Error() != "a.bst [line 1 column 10]: Unexpected key: comands" {
		t.Errorf("got %v", err)
	}
	e, err := kindtest.Configure(t, manual.Traits(), a, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.ConfigureDependencies([]kind.Dependency{kindtest.Dependency(t, "a.bst", "{place: /}")}); err == nil {
		t.Error("an unknown key of a dependency is accepted")
	}
}

func TestAssemble(t *testing.T) {
	a := kindtest.New(t)
	a.Vars["command-subdir"] = "sub"
	e, err := kindtest.Configure(t, manual.Traits(), a, "{configure-commands: [conf], build-commands: [make], install-commands: ['make install'], strip-commands: []}")
	if err != nil {
		t.Fatal(err)
	}
	err = e.ConfigureDependencies([]kind.Dependency{
		kindtest.Dependency(t, "base.bst", ""),
		kindtest.Dependency(t, "sdk.bst", "{location: /sdk, digest-environment: SDK}"),
	})
	if err != nil {
		t.Fatal(err)
	}
	collect, err := e.Assemble(t.Context(), a)
	if err != nil || collect != "/buildstream-install" {
		t.Fatalf("collects %s, %v", collect, err)
	}
	want := []string{
		"mark /buildstream/test/a.bst",
		"mark /buildstream-install",
		"work in /buildstream/test/a.bst/sub",
		"activity Staging dependencies for 'SDK' in subsandbox",
		"digest of [sdk.bst]",
		"environment SDK=" + cas.EmptyDigest.String(),
		"activity Staging dependencies at: /",
		`stage [base.bst] at "/" include [] exclude [] orphans true direct false`,
		"activity Staging dependencies at: /sdk",
		`stage [sdk.bst] at "/sdk" include [] exclude [] orphans true direct false`,
		"activity Integrating sandbox",
		"integrate [base.bst]",
		"sources at /buildstream/test/a.bst",
		`run ["sh" "-c" "-e" "conf\n"] read-only true`,
		`run ["sh" "-c" "-e" "make\n"] read-only true`,
		`run ["sh" "-c" "-e" "make install\n"] read-only true`,
	}
	if diff := cmp.Diff(want, a.Log); diff != "" {
		t.Error(diff)
	}
}

// In a workspace, what configuring made is still there the next time.
func TestWorkspace(t *testing.T) {
	a := kindtest.New(t)
	a.InWorkspace = true
	e, err := kindtest.Configure(t, manual.Traits(), a, "{configure-commands: [conf], build-commands: [make], strip-commands: []}")
	if err != nil {
		t.Fatal(err)
	}
	runs := func() (list []string) {
		if _, err := e.Assemble(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		for _, line := range a.Log {
			if line[:3] == "run" {
				list = append(list, line)
			}
		}
		a.Log = nil
		return list
	}
	conf, build := `run ["sh" "-c" "-e" "conf\n"] read-only true`, `run ["sh" "-c" "-e" "make\n"] read-only true`
	const marker = "/buildstream/test/a.bst/.bst-prepared"
	mark := `run ["sh" "-c" ": > \"$0\"" "` + marker + `"] read-only true`
	if diff := cmp.Diff([]string{conf, mark, build}, runs()); diff != "" {
		t.Error(diff)
	}
	if err := a.Tree.AddFile(marker, cas.EmptyDigest, false); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{build}, runs()); diff != "" {
		t.Error(diff)
	}
}
