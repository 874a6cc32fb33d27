package inner

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRecipe(t *testing.T) {
	for _, want := range []*Recipe{
		{Program: "/usr/bin/bwrap", Args: []string{"bwrap"}},
		{Work: "/w\xff", OwnMounts: true, Overlay: "lowerdir=l/0:l/1", Target: "root", Batch: true,
			Program: "/usr/bin/bwrap", Args: []string{"bwrap", "", "--setenv", "A", "\xfe\n", ""}},
	} {
		path := filepath.Join(t.TempDir(), "recipe")
		if err := want.Write(path); err != nil {
			t.Fatal(err)
		}
		got, err := read(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%v, %v: others can read variables of the build", info.Mode(), err)
		}
		// Half of it is none: its writer was killed.
		if err := os.Truncate(path, info.Size()-1); err != nil {
			t.Fatal(err)
		}
		if _, err := read(path); err == nil {
			t.Error("no error for a file that is cut")
		}
	}
	if err := (&Recipe{Args: []string{"a\x00b"}}).Write(filepath.Join(t.TempDir(), "recipe")); err == nil || !strings.Contains(err.Error(), "zero") {
		t.Errorf("%v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(magic + "\x00/w\x001\x00\x00\x000\x00/b\x001\x00b\x00"))
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "recipe")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := read(path); err == nil && len(r.Args) == 0 {
			t.Errorf("%q has no arguments", data)
		}
	})
}

// What is reported is JSON, whatever the error says.
func TestReport(t *testing.T) {
	for _, text := range []string{"plain", "a \"b\" \\ \t\n\x00\x1f\x7f", "ä 中 🙂", "\xff\xfe", ""} {
		for _, mount := range []bool{false, true} {
			line := report(mount, text)
			var got struct {
				Error string `json:"bst-error"`
				Mount bool   `json:"bst-mount"`
			}
			if err := json.Unmarshal(line, &got); err != nil || strings.Count(string(line), "\n") != 1 {
				t.Fatalf("%q: %v", line, err)
			}
			if want := strings.ToValidUTF8(text, "\ufffd"); got.Error != want && got.Error != strings.ReplaceAll(text, "\xff\xfe", "\ufffd\ufffd") || got.Mount != mount {
				t.Errorf("%q became %q, %v", text, got.Error, got.Mount)
			}
		}
	}
}
