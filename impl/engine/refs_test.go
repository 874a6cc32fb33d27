package engine

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bst/impl/element"
	"bst/impl/kind/all"
	"bst/impl/node"
	"bst/impl/project"
	"bst/impl/stream"
)

// loadSource makes a project of files, and gives the first source of an element.
func loadSource(t *testing.T, files map[string]string) (string, *element.Source) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p, err := project.Open(t.Context(), project.Options{Directory: dir})
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := p.Load(t.Context(), []string{"e.bst"}, project.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	registry, err := element.NewRegistry(all.Elements(), all.Sources())
	if err != nil {
		t.Fatal(err)
	}
	graph, err := element.Resolve(t.Context(), loaded, registry, element.Options{KeepSources: true})
	if err != nil {
		t.Fatal(err)
	}
	return dir, graph.Targets[0].Sources[0]
}

const confFile = "name: p\nmin-version: 2.0\n"

func newRef(text string) *node.Node {
	ref := node.NewMapping(stream.Provenance{})
	ref.Set("ref", node.NewVerbatim(text))
	return ref
}

// A file that was changed meanwhile keeps what a person wrote, or is left alone.
func TestRefWriterChangedFiles(t *testing.T) {
	const before = "kind: import\nsources:\n- kind: remote\n  url: https://x/f\n  ref: old\n"
	for _, tt := range []struct{ name, meanwhile, want string }{
		{"nothing", before, "kind: import\nsources:\n- kind: remote\n  url: https://x/f\n  ref: new\n"},
		{"something after it", before + "# more\n", "kind: import\nsources:\n- kind: remote\n  url: https://x/f\n  ref: new\n# more\n"},
		{"something before it", "# more\n" + before, ""},
		{"the ref itself", strings.Replace(before, "old", "mine", 1), ""},
		{"no YAML", "kind: [", ""},
		{"gone", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, s := loadSource(t, map[string]string{"project.conf": confFile, "e.bst": before})
			file := filepath.Join(dir, "e.bst")
			err := os.WriteFile(file, []byte(tt.meanwhile), 0o600)
			if tt.meanwhile == "" {
				err = os.Remove(file)
			}
			if err == nil {
				err = os.Chmod(file, 0o600)
			}
			if err != nil && tt.meanwhile != "" {
				t.Fatal(err)
			}
			err = newRefWriter(t.TempDir()).save(t.Context(), s, newRef("new"))
			got, readErr := os.ReadFile(file)
			if tt.want == "" {
				var e *stream.Error
				if !errors.As(err, &e) || e.Domain != stream.DomainSource || e.Reason != "save-ref-error" {
					t.Errorf("got %#v", err)
				}
				if string(got) != tt.meanwhile {
					t.Errorf("it was changed: %q", got)
				}
				return
			}
			if err != nil || readErr != nil || string(got) != tt.want {
				t.Errorf("%v, %v: %q", err, readErr, got)
			}
			info, err := os.Stat(file)
			if err != nil || info.Mode().Perm() != 0o644 && info.Mode().Perm() != 0o600 {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}
			entries, err := os.ReadDir(dir)
			if err != nil || len(entries) != 2 {
				t.Errorf("left are %v, %v", entries, err)
			}
		})
	}
}

// A link stays one, and a folder that cannot be written to is told of.
func TestRefWriterPlaces(t *testing.T) {
	const text = "kind: import\nsources:\n- kind: remote\n  url: https://x/f\n"
	dir, s := loadSource(t, map[string]string{"project.conf": confFile, "e.bst": text})
	file, real := filepath.Join(dir, "e.bst"), filepath.Join(t.TempDir(), "real.bst")
	if err := os.Rename(file, real); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, file); err != nil {
		t.Skip("links cannot be made here: ", err)
	}
	if err := newRefWriter(t.TempDir()).save(t.Context(), s, newRef("new")); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(real)
	if err != nil || string(got) != text+"  ref: new\n" {
		t.Errorf("%v: %q", err, got)
	}
	if info, err := os.Lstat(file); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is none any more: %v, %v", info, err)
	}
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere: the rest is for others")
	}
	dir, s = loadSource(t, map[string]string{"project.conf": confFile, "e.bst": text})
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o755)
	err = newRefWriter(t.TempDir()).save(t.Context(), s, newRef("new"))
	var e *stream.Error
	if !errors.As(err, &e) || e.Reason != "save-ref-error" || e.Detail == "" {
		t.Errorf("got %#v", err)
	}
}
