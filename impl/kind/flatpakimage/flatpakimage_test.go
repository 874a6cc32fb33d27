package flatpakimage

import (
	"context"
	"testing"

	"bst/impl/kind"
	"bst/impl/kind/kindtest"

	"github.com/google/go-cmp/cmp"
)

func TestAssemble(t *testing.T) {
	a := kindtest.New(t)
	e, err := kindtest.Configure(t, Traits(), a, `
directory: /usr
include: [runtime]
component-ids: [org.a, org.b]
metadata:
  Runtime: {name: org.x, command: x}
  Extension org.x.Debug: {directory: lib/debug, text: "a\nb"}
`)
	if err != nil {
		t.Fatal(err)
	}
	err = e.ConfigureDependencies([]kind.Dependency{
		kindtest.Dependency(t, "a.bst", ""), kindtest.Dependency(t, "tools.bst", "location: /"), kindtest.Dependency(t, "b.bst", ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	kindtest.Put(t, a.Tree, "buildstream/allfiles/usr/bin/x", "buildstream/allfiles/etc/x.conf", "buildstream/allfiles/var/x")
	at, err := e.Assemble(context.Background(), a)
	if err != nil {
		t.Fatal(err)
	}
	image, err := a.Tree.Sub(at, false)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"metadata", "files/bin/x", "files/etc/x.conf"}, kindtest.Files(t, image)); diff != "" {
		t.Error(diff)
	}
	for _, folder := range []string{"files/lib/debug"} {
		if _, err := image.Sub(folder, false); err != nil {
			t.Error(err)
		}
	}
	text, err := image.ReadFile("metadata")
	if err != nil {
		t.Fatal(err)
	}
	want := "[Runtime]\nname = org.x\ncommand = x\n\n[Extension org.x.Debug]\ndirectory = lib/debug\ntext = a\n\tb\n\n"
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Error(diff)
	}
	log := []string{
		"work in /", "mark /buildstream/allfiles", "mark /buildstream/install",
		"activity Staging dependencies at: /",
		`stage [tools.bst] at "/" include [] exclude [] orphans true direct false`,
		"activity Staging dependencies at: /buildstream/allfiles",
		`stage [a.bst b.bst] at "/buildstream/allfiles" include [runtime] exclude [] orphans true direct false`,
		`run ["sh" "-c" "-e" "appstreamcli compose --components org.b --result-root /buildstream/install --prefix /usr ` +
			`--data-dir /buildstream/allfiles/usr/share --origin org.b /buildstream/allfiles\n"] read-only true`,
	}
	if diff := cmp.Diff(log, a.Log); diff != "" {
		t.Error(diff)
	}
}

// An application has a folder for what it exports, and no files of /etc.
func TestApplication(t *testing.T) {
	a := kindtest.New(t)
	e, err := kindtest.Configure(t, Traits(), a, "directory: /usr\nmetadata: {Application: {name: x}}")
	if err == nil {
		err = e.ConfigureDependencies([]kind.Dependency{kindtest.Dependency(t, "a.bst", "")})
	}
	if err != nil {
		t.Fatal(err)
	}
	kindtest.Put(t, a.Tree, "buildstream/allfiles/usr/bin/x", "buildstream/allfiles/etc/x.conf")
	at, err := e.Assemble(context.Background(), a)
	if err != nil {
		t.Fatal(err)
	}
	image, err := a.Tree.Sub(at, false)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"metadata", "files/bin/x"}, kindtest.Files(t, image)); diff != "" {
		t.Error(diff)
	}
	if _, err := image.Sub("export", false); err != nil {
		t.Error(err)
	}
}

func TestRefusals(t *testing.T) {
	for _, config := range []string{
		"directory: /\nmetadata: {Runtime: {}, Extension x: {}}",
	} {
		a := kindtest.New(t)
		e, err := kindtest.Configure(t, Traits(), a, config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Assemble(context.Background(), a); err == nil {
			t.Errorf("it takes %q", config)
		}
	}
	e, err := kindtest.Configure(t, Traits(), kindtest.New(t), "directory: /\nmetadata: {Runtime: {}}")
	if err != nil {
		t.Fatal(err)
	}
	for _, config := range []string{"{}", "{other: x}"} {
		if err := e.ConfigureDependencies([]kind.Dependency{kindtest.Dependency(t, "a.bst", config)}); err == nil {
			t.Errorf("it takes a dependency with %q", config)
		}
	}
	for _, config := range []string{"metadata: {}", "directory: /", "directory: /\nmetadata: {x: y}", "directory: /\nmetadata: {ExtensionOf: {}}"} {
		if _, err := kindtest.Configure(t, Traits(), kindtest.New(t), config); err == nil {
			t.Errorf("it takes %q", config)
		}
	}
}
