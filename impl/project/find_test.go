package project

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

// In a workspace, wherever it lies, its project is found, and its element.
func TestWorkspaceLookup(t *testing.T) {
	root, work := t.TempDir(), t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(root, "project.conf"), "name: test\nmin-version: 2.0\nelement-path: elements\ndefaults: {targets: [b.bst]}\n")
	write(filepath.Join(root, "elements", "a.bst"), "kind: stack\n")
	write(filepath.Join(root, "elements", "b.bst"), "kind: stack\n")
	write(filepath.Join(work, "deep", "file"), "")
	file := filepath.Join(work, ".bstproject.yaml")
	at := func(text, dir string) ([]string, error) {
		write(file, text)
		p, err := Open(context.Background(), Options{Directory: dir})
		if err != nil {
			return nil, err
		}
		targets, _, err := p.ExpandTargets(nil)
		return targets, err
	}
	good := "format-version: 1\nprojects:\n- project-path: " + root + "\n  element-name: a.bst\n"
	for _, tt := range []struct {
		name, text, dir, want string
	}{
		{"in the workspace", good, work, "a.bst"},
		{"below it", good, filepath.Join(work, "deep"), "a.bst"},
		{"in the project", good, filepath.Join(root, "elements"), "b.bst"},
	} {
		got, err := at(tt.text, tt.dir)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{tt.want}, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
	for text, reason := range map[string]string{
		"format-version: 2\n":                                                                "INVALID_DATA",
		"format-version: 1\nprojects: []\n":                                                  "INVALID_DATA",
		"format-version: 1\nprojects: [x]\n":                                                 "INVALID_DATA",
		"format-version: 1\nprojects: [{project-path: /}]\n":                                 "INVALID_DATA",
		"format-version: 1\nprojects: [{project-path: " + work + ", element-name: a.bst}]\n": "MISSING_PROJECT_CONF",
		"[": "INVALID_YAML",
	} {
		_, err := at(text, work)
		var told *stream.Error
		if !errors.As(err, &told) || told.Reason != reason {
			t.Errorf("%q: %v", text, err)
		}
	}
}
