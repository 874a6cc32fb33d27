package newproject

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"bst/impl/stream"
)

func reason(err error) string {
	var e *stream.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func TestChecks(t *testing.T) {
	for _, tt := range []struct {
		check func(string) error
		value string
		want  string
	}{
		{CheckName, "foo-Bar_9", ""}, {CheckName, "", "INVALID_SYMBOL_NAME"}, {CheckName, "9a", "INVALID_SYMBOL_NAME"},
		{CheckName, "one+one", "INVALID_SYMBOL_NAME"}, {CheckName, "a b", "INVALID_SYMBOL_NAME"}, {CheckName, "a\nb", "INVALID_SYMBOL_NAME"},
		{CheckMinVersion, "2.0", ""}, {CheckMinVersion, DefaultMinVersion, ""},
		{CheckMinVersion, "-1", "invalid-min-version"}, {CheckMinVersion, "1.4", "invalid-min-version"},
		{CheckMinVersion, "2.900", "invalid-min-version"}, {CheckMinVersion, "abc", "invalid-min-version"}, {CheckMinVersion, "2.-1", "invalid-min-version"},
		{CheckElementPath, "foo/bar", ""}, {CheckElementPath, "..foo", ""}, {CheckElementPath, "", "invalid-element-path"},
		{CheckElementPath, "/absolute/path", "invalid-element-path"}, {CheckElementPath, "../outside", "invalid-element-path"},
		{CheckElementPath, "a/../..", "invalid-element-path"},
	} {
		if got := reason(tt.check(tt.value)); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.value, got, tt.want)
		}
	}
}

func TestMake(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "one")
	p := Project{Directory: dir, Name: "foo", MinVersion: "2.0", ElementPath: "it's/elements"}
	if err := p.Make(); err != nil {
		t.Fatal(err)
	}
	const want = "# The name of this project, which tells it from all others\nname: foo\n\n" +
		"# The lowest version of BuildStream that can build it\nmin-version: 2.0\n\n" +
		"# The folder of its elements\nelement-path: 'it''s/elements'\n"
	got, err := os.ReadFile(p.Conf())
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, got)
	}
	if info, err := os.Stat(filepath.Join(dir, "it's", "elements")); err != nil || !info.IsDir() {
		t.Errorf("no folder of elements: %v", err)
	}
	p.Name = "bar"
	if got := reason(p.Make()); got != "project-exists" {
		t.Errorf("over another: %q", got)
	}
	if again, err := os.ReadFile(p.Conf()); err != nil || string(again) != want {
		t.Errorf("it was changed: %v\n%s", err, again)
	}
	p.Force = true
	if err := p.Make(); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("left are %v, %v", entries, err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p.Directory = filepath.Join(file, "x")
	if err := p.Make(); err == nil {
		t.Error("it was made below a file")
	}
}
