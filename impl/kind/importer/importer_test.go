package importer_test

import (
	"testing"

	"bst/impl/kind/importer"
	"bst/impl/kind/kindtest"

	"github.com/google/go-cmp/cmp"
)

func TestAssemble(t *testing.T) {
	tests := []struct {
		config string
		want   []string
	}{
		{"", []string{"README", "src/a", "src/sub/b"}},
		{"{source: src}", []string{"a", "sub/b"}},
		{"{source: /src/sub/, target: /usr/share/}", []string{"usr/share/b"}},
	}
	for _, tt := range tests {
		a := kindtest.New(t)
		a.SourceTree = a.Tree.Store().EmptyDir()
		kindtest.Put(t, a.SourceTree, "README", "src/a", "src/sub/b")
		e, err := kindtest.Configure(t, importer.Traits(), a, tt.config)
		if err != nil {
			t.Fatal(err)
		}
		collect, err := e.Assemble(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		dir, err := a.Tree.Sub(collect, false)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, kindtest.Files(t, dir)); diff != "" {
			t.Errorf("%q: %s", tt.config, diff)
		}
	}
}

func TestMissing(t *testing.T) {
	a := kindtest.New(t)
	e, err := kindtest.Configure(t, importer.Traits(), a, "{source: nowhere}")
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.Assemble(t.Context(), a)
	if want := "a.bst: No files were found inside directory 'nowhere'"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
