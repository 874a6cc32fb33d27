package workspace

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMark: what others wrote stays, what is broken is replaced, and what is
// marked can be taken back.
func TestMark(t *testing.T) {
	const mine = "projects:\n- project-path: /p\n  element-name: a.bst\nformat-version: 1\n"
	const other = "projects:\n- project-path: /q\n  element-name: b.bst\nformat-version: 1\n"
	const both = "projects:\n- project-path: /q\n  element-name: b.bst\n- project-path: /p\n  element-name: a.bst\nformat-version: 1\n"
	for name, test := range map[string]struct {
		before        string // "" for no file
		had           bool
		marked, after string
	}{
		"none":       {"", false, mine, ""},
		"mine":       {mine, true, mine, ""},
		"other":      {other, true, both, other},
		"broken":     {": [", true, mine, ""},
		"new format": {"format-version: 2\n", true, mine, ""},
		"no list":    {"format-version: 1\nprojects: x\n", true, mine, ""},
		"no names":   {"format-version: 1\nprojects: [{}]\n", true, mine, ""},
		"no mapping": {"format-version: 1\nprojects: [x]\n", true, mine, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, MarkName)
			if test.before != "" {
				if err := os.WriteFile(file, []byte(test.before), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			had, err := Mark(dir, "/p", "a.bst")
			if err != nil || had != test.had {
				t.Errorf("had %v, %v", had, err)
			}
			expect(t, file, test.marked)
			if err := Unmark(dir, "/p", "a.bst"); err != nil {
				t.Error(err)
			}
			expect(t, file, test.after)
		})
	}
	if err := Unmark(filepath.Join(t.TempDir(), "gone"), "/p", "a.bst"); err != nil {
		t.Errorf("a folder that is gone: %v", err)
	}
}

func expect(t *testing.T, file, want string) {
	t.Helper()
	got, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}
