package flatpakimage

import (
	"context"
	"testing"

	"bst/impl/kind/kindtest"

	"github.com/google/go-cmp/cmp"
)

func TestAssemble(t *testing.T) {
	a := kindtest.New(t)
	e, err := kindtest.Configure(t, Traits(), a, `
directory: /usr
include: [runtime]
metadata:
  Application: {name: org.x, command: x}
  Extension org.x.Debug: {directory: lib/debug, text: "a\nb"}
`)
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
	for _, folder := range []string{"export", "files/lib/debug"} {
		if _, err := image.Sub(folder, false); err != nil {
			t.Error(err)
		}
	}
	text, err := image.ReadFile("metadata")
	if err != nil {
		t.Fatal(err)
	}
	want := "[Application]\nname = org.x\ncommand = x\n\n[Extension org.x.Debug]\ndirectory = lib/debug\ntext = a\n\tb\n\n"
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Error(diff)
	}
	log := []string{"activity Staging dependencies",
		`stage [] at "/buildstream/allfiles" include [runtime] exclude [] orphans true direct false`}
	if diff := cmp.Diff(log, a.Log); diff != "" {
		t.Error(diff)
	}
}

func TestRefusals(t *testing.T) {
	for _, config := range []string{
		"directory: /\nmetadata: {}\ncomponent-ids: [x]",
		"directory: /\nmetadata: {Extension x: {}}",
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
	for _, config := range []string{"metadata: {}", "directory: /", "directory: /\nmetadata: {x: y}"} {
		if _, err := kindtest.Configure(t, Traits(), kindtest.New(t), config); err == nil {
			t.Errorf("it takes %q", config)
		}
	}
}
