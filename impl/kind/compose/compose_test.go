package compose_test

import (
	"slices"
	"testing"

	"bst/impl/cas"
	"bst/impl/kind"
	"bst/impl/kind/compose"
	"bst/impl/kind/kindtest"

	"github.com/google/go-cmp/cmp"
)

func TestUniqueKey(t *testing.T) {
	tests := []struct {
		config string
		run    bool
		want   any
	}{
		{"", true, map[string]any{"integrate": true, "include": []string(nil), "orphans": true}},
		{"{integrate: False, include: [b, a], exclude: [d, c], include-orphans: False}", false, map[string]any{
			"integrate": false, "include": []string{"a", "b"}, "exclude": []string{"c", "d"}, "orphans": false}},
	}
	for _, tt := range tests {
		e, err := kindtest.Configure(t, compose.Traits(), kindtest.New(t), tt.config)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, e.UniqueKey()); diff != "" {
			t.Error(diff)
		}
		if run := e.(kind.CommandRunner).RunCommands(); run != tt.run {
			t.Errorf("%q runs commands: %v", tt.config, run)
		}
	}
}

func TestAssemble(t *testing.T) {
	tests := []struct {
		name, config, collect string
		want                  []string
	}{
		{"everything", "", "/", []string{"cache", "usr/bin/tool", "usr/include/a.h"}},
		{"nothing is integrated", "{integrate: False}", "/", []string{"usr/bin/tool", "usr/include/a.h", "var/old"}},
		// Integration adds "cache" and removes "var/old".
		{"a domain", "{include: [runtime]}", "/buildstream/install", []string{"cache", "usr/bin/tool"}},
		{"a domain, not integrated", "{include: [runtime], integrate: False}", "/buildstream/install",
			[]string{"usr/bin/tool", "var/old"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := kindtest.New(t)
			kindtest.Put(t, a.Tree, "usr/bin/tool", "usr/include/a.h", "var/old")
			a.Build = []kind.Handle{kindtest.Handle("a.bst"), kindtest.Handle("b.bst")}
			a.Splits = map[string][]string{"a.bst": {"usr/bin", "usr/bin/tool"}, "b.bst": {"var/old"}}
			a.OnIntegrate = func(root *cas.Dir) {
				kindtest.Put(t, root, "cache")
				if err := root.Remove("var/old", false); err != nil {
					t.Fatal(err)
				}
			}
			e, err := kindtest.Configure(t, compose.Traits(), a, tt.config)
			if err != nil {
				t.Fatal(err)
			}
			collect, err := e.Assemble(t.Context(), a)
			if err != nil || collect != tt.collect {
				t.Fatalf("collects %s, %v", collect, err)
			}
			dir, err := a.Tree.Sub(collect, false)
			if err != nil {
				t.Fatal(err)
			}
			got := kindtest.Files(t, dir)
			slices.Sort(got)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
