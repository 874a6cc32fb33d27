package completion

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// write makes a folder of files.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestElements(t *testing.T) {
	dir := write(t, map[string]string{
		"project.conf":                                   "name: top\nmin-version: 2.0\nelement-path: elements\n",
		"elements/app.bst":                               "kind: stack\n",
		"elements/core/a.bst":                            "kind: stack\n",
		"elements/core/b.bst":                            "kind: stack\n",
		"elements/core/README":                           "no element",
		"elements/.hidden.bst":                           "kind: stack\n",
		"elements/broken.bst":                            "kind: [\n",
		"elements/sub.bst":                               "kind: junction\nsources:\n- kind: local\n  path: sub\nconfig:\n  path: inner\n",
		"elements/alias.bst":                             "kind: link\nconfig:\n  target: sub.bst\n",
		"elements/circle.bst":                            "kind: link\nconfig:\n  target: circle.bst\n",
		"elements/git.bst":                               "kind: junction\nsources:\n- kind: git\n  url: x\n",
		"elements/out.bst":                               "kind: junction\nsources:\n- kind: local\n  path: ../..\n",
		"sub/inner/project.conf":                         "name: sub\nmin-version: 2.0\n",
		"sub/inner/deep.bst":                             "kind: junction\nsources:\n- kind: local\n  path: deeper\n",
		"sub/inner/thing.bst":                            "kind: stack\n",
		"sub/inner/deeper/project.conf":                  "name: deeper\nmin-version: 2.0\n",
		"sub/inner/deeper/last.bst":                      "kind: stack\n",
		".bst/staged-junctions/git.bst/old/project.conf": "name: g\nmin-version: 2.0\n",
		".bst/staged-junctions/git.bst/old/gone.bst":     "kind: stack\n",
		".bst/staged-junctions/git.bst/new/project.conf": "name: g\nmin-version: 2.0\n",
		".bst/staged-junctions/git.bst/new/here.bst":     "kind: stack\n",
	})
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(dir, ".bst/staged-junctions/git.bst/old"), past, past); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		word string
		want []string
	}{
		{"a", []string{"alias.bst", "app.bst"}},
		{"core/", []string{"core/a.bst", "core/b.bst"}},
		{"c", []string{"circle.bst", "core/"}},
		{"sub", []string{"sub.bst", "sub.bst:"}},
		{"bro", []string{"broken.bst"}},
		{"nothing", nil},
		{"app.bst:", nil},
		{"sub.bst:t", []string{"sub.bst:thing.bst"}},
		{"alias.bst:t", []string{"alias.bst:thing.bst"}},
		{"circle.bst:", nil},
		{"sub.bst:deep.bst:", []string{"sub.bst:deep.bst:last.bst"}},
		{"git.bst:", []string{"git.bst:here.bst"}},
		{"out.bst:", nil},
		{"../", nil},
		{"core/../../", nil},
		{"a:b:c:d:e:f:g:h:i:j:k:l:m:n:o:p:q:r", nil},
	} {
		if diff := cmp.Diff(c.want, Elements(filepath.Join(dir, "elements"), c.word)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.word, diff)
		}
	}
	if got := Options(t.TempDir(), ""); got != nil {
		t.Errorf("options without a project: %v", got)
	}
	if got := Elements(t.TempDir(), ""); got != nil {
		t.Errorf("without a project: %v", got)
	}
}

func TestOptions(t *testing.T) {
	dir := write(t, map[string]string{
		"project.conf": `name: top
min-version: 2.0
(@): [more.yml, project.conf, other.bst:away.yml, ../out.yml]
options:
  (@): inner.yml
  debug: {type: bool, description: "with\n debugging", default: False}
  target: {type: arch, values: [x86_64, aarch64], default: x86_64}
`,
		"more.yml":    "options:\n  from-more: {type: enum, values: [one, other], default: one}\n  broken: []\n",
		"inner.yml":   "sets: {type: flags, values: [a, ab, b], default: []}\nmask: {type: element-mask, default: []}\n",
		"app.bst":     "kind: stack\n",
		"another.bst": "kind: stack\n",
	})
	for _, c := range []struct{ word, want string }{
		{"", "debug\twith debugging|target|from-more|sets|mask"},
		{"d", "debug\twith debugging"},
		{"x", ""},
	} {
		if got := strings.Join(Options(dir, c.word), "|"); got != c.want {
			t.Errorf("%q: %q, want %q", c.word, got, c.want)
		}
	}
	for _, c := range []struct{ option, word, want string }{
		{"debug", "", "True|False"},
		{"debug", "T", "True"},
		{"target", "a", "aarch64"},
		{"from-more", "", "one|other"},
		{"sets", "", "a|ab|b"},
		{"sets", "a,a", "a,a|a,ab"},
		{"mask", "app.bst,an", "app.bst,another.bst"},
		{"none", "", ""},
	} {
		if got := strings.Join(OptionValues(dir, c.option, c.word), "|"); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.option, c.word, got, c.want)
		}
	}
}
