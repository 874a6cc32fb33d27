package project

import (
	"os"
	"path/filepath"
	"testing"
)

func TestVersionMeets(t *testing.T) {
	for _, tt := range []struct {
		version, conditions string
		want                bool
	}{
		{"2.7.0", "==2.7.0", true},
		{"2.7.0", "==2.7", true},
		{"2.7.0", "==2.7.*", true},
		{"2.8.0", "==2.7.*", false},
		{"2.7.0", "!=2.7.*", false},
		{"2.7.0", ">=2.5,<3", true},
		{"2.7.0", "> 2.5, < 2.7", false},
		{"2.7.1", "~=2.7.0", true},
		{"2.8.0", "~=2.7.0", false},
		{"2.8", "~=2", false},
		{"", "==2.7.0", false},
		{"2.7.0rc1", ">=2.5", false},
		{"2.7.0", "2.7.0", false},
		{"2.7.0", ">=2.*", false},
	} {
		if got := versionMeets(tt.version, tt.conditions); got != tt.want {
			t.Errorf("%q meets %q: %v", tt.version, tt.conditions, got)
		}
	}
}

func TestPipDir(t *testing.T) {
	dir := t.TempDir()
	want := filepath.Join(dir, "some_plugins", "elements")
	for _, made := range []string{want, filepath.Join(dir, "some_plugins-2.5.0.dist-info")} {
		if err := os.MkdirAll(made, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("VIRTUAL_ENV", "")
	t.Setenv("PYTHONPATH", "relative"+string(filepath.ListSeparator)+dir)
	for requirement, found := range map[string]bool{
		"some-plugins":              true,
		"some_plugins[extra]>=2":    true,
		"some-plugins (==2.5.0)":    true,
		"some-plugins == 2.6.0":     false,
		"other-plugins":             false,
		"../some_plugins":           false,
		"some-plugins; os == 'any'": true,
	} {
		got := pipDir(requirement, PluginElement)
		if got == want != found {
			t.Errorf("%q: %q", requirement, got)
		}
	}
	if got := pipDir("some-plugins", PluginSource); got != "" {
		t.Errorf("a folder that is not there: %q", got)
	}
}
