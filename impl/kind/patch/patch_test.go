package patch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bst/impl/kind/sourcetest"
	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

const diff = "--- a/f.txt\n+++ b/f.txt\n@@ -1 +1 @@\n-one\n+two\n"

func project(t *testing.T) *sourcetest.Env {
	dir := t.TempDir()
	sourcetest.Write(t, dir, map[string]string{"p.diff": diff, "d/": "", "l": "->p.diff", "out.diff": strings.ReplaceAll(diff, "f.txt", "../../out.txt")})
	return &sourcetest.Env{Dir: dir}
}

func needPatch(t *testing.T) {
	if _, err := exec.LookPath("patch"); err != nil {
		t.Skip("this test applies real patches, and needs the program patch")
	}
}

func TestStage(t *testing.T) {
	needPatch(t)
	env := project(t)
	for _, test := range []struct {
		options       string
		before, after map[string]string
	}{
		{"", map[string]string{"f.txt": "one\n"}, map[string]string{"f.txt": "two\n"}},
		{"\nstrip-level: 0", map[string]string{"a/f.txt": "one\n"}, map[string]string{"a/": "", "a/f.txt": "two\n"}},
	} {
		dir := t.TempDir()
		sourcetest.Write(t, dir, test.before)
		s := sourcetest.Must(t, Traits(), env, "path: p.diff"+test.options)
		w := sourcetest.NewWork(t)
		if err := s.Stage(context.Background(), w, dir); err != nil {
			t.Fatalf("%v\n%s", err, w.LogText())
		}
		if d := cmp.Diff(test.after, sourcetest.Files(t, dir)); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]string{"START Applying local patch: p.diff"}, w.Messages); d != "" {
			t.Error(d)
		}
	}
}

func TestFailures(t *testing.T) {
	needPatch(t)
	env := project(t)
	fail := func(name, yaml string, files map[string]string, domain stream.Domain, reason, message string) {
		t.Helper()
		outer := t.TempDir()
		dir := filepath.Join(outer, "x", "y")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		sourcetest.Write(t, dir, files)
		err := sourcetest.Must(t, Traits(), env, yaml).Stage(context.Background(), sourcetest.NewWork(t), dir)
		var e *stream.Error
		if !errors.As(err, &e) || e.Domain != domain || e.Reason != reason || !strings.Contains(e.Message, message) {
			t.Errorf("%s: got %#v", name, err)
		}
		if _, err := os.Stat(filepath.Join(outer, "out.txt")); err == nil {
			t.Errorf("%s: it wrote outside", name)
		}
	}
	fail("empty", "path: p.diff", nil, stream.DomainSource, "patch-no-files", "Nothing to patch in directory '")
	fail("does not apply", "path: p.diff", map[string]string{"f.txt": "three\n"}, stream.DomainPlugin, "",
		"patch source at element.bst [line 4 column 2]: Failed to apply patch p.diff")
	fail("climbs", "path: out.diff", map[string]string{"f.txt": "one\n"}, stream.DomainPlugin, "", "Failed to apply patch out.diff")

	s := sourcetest.Must(t, Traits(), env, "path: p.diff")
	if _, err := s.UniqueKey(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(env.Dir, "p.diff"), []byte("other"), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	sourcetest.Write(t, dir, map[string]string{"f.txt": "one\n"})
	err := s.Stage(context.Background(), sourcetest.NewWork(t), dir)
	if err == nil || !strings.Contains(err.Error(), "'p.diff' was changed after bst had read it") {
		t.Errorf("got %v", err)
	}
}

func TestMissingPatch(t *testing.T) {
	env := project(t)
	t.Setenv("PATH", t.TempDir())
	dir := t.TempDir()
	sourcetest.Write(t, dir, map[string]string{"f.txt": "one\n"})
	err := sourcetest.Must(t, Traits(), env, "path: p.diff").Stage(context.Background(), sourcetest.NewWork(t), dir)
	var e *stream.Error
	if !errors.As(err, &e) || !strings.Contains(e.Message, "Did not find 'patch' in PATH") || !strings.Contains(e.Detail, "Install the package 'patch'") {
		t.Errorf("got %#v", err)
	}
}

func TestKey(t *testing.T) {
	key, err := sourcetest.Must(t, Traits(), project(t), "{path: p.diff, strip-level: 2, directory: d}").UniqueKey()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(diff))
	want := []any{"p.diff", hex.EncodeToString(sum[:]), 2}
	if d := cmp.Diff(any(want), key); d != "" {
		t.Error(d)
	}
}

func TestConfigure(t *testing.T) {
	env := project(t)
	for yaml, reason := range map[string]string{
		"path: none":                     "MISSING_FILE",
		"path: d":                        "PROJ_PATH_INVALID_KIND",
		"path: l":                        "PROJ_PATH_INVALID_KIND",
		"path: ../p.diff":                "PROJ_PATH_INVALID",
		"path: /etc/passwd":              "PROJ_PATH_INVALID",
		"{path: p.diff, strip: 1}":       "INVALID_DATA",
		"{path: p.diff, strip-level: x}": "INVALID_DATA",
		"strip-level: 1":                 "INVALID_DATA",
	} {
		_, err := sourcetest.Configure(t, Traits(), env, yaml)
		var e *stream.Error
		if !errors.As(err, &e) || e.Domain != stream.DomainLoad || e.Reason != reason {
			t.Errorf("%s: got %#v", yaml, err)
		}
	}
}
