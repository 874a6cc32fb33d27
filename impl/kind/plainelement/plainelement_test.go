package plainelement

import (
	"strings"
	"testing"

	"bst/impl/kind"
	"bst/impl/kind/buildelement"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const plain = `from buildstream import BuildElement


class OursElement(BuildElement):
    BST_MIN_VERSION = "2.0"


def setup():
    return OursElement
`

// of is the plain file with one text in place of another.
func of(old, new string) string { return strings.Replace(plain, old, new, 1) }

func TestRead(t *testing.T) {
	version := `BST_MIN_VERSION = "2.0"`
	for name, tt := range map[string]struct {
		file string
		want func(*kind.Traits)
	}{
		"plain":            {plain, func(*kind.Traits) {}},
		"commented":        {"# SPDX\n\n\"\"\"\nours\n====\nfrom x import y\n\"\"\"\n" + of("class", "# The class\nclass"), func(*kind.Traits) {}},
		"a class's text":   {of("    BST", "    '''Ours.'''\n    BST"), func(*kind.Traits) {}},
		"after statements": {of(version, version+"  # old enough"), func(*kind.Traits) {}},
		"passing":          {of(version, version+"\n    pass"), func(*kind.Traits) {}},
		"constants": {of(version, version+"\n    BST_STRICT_REBUILD = True\n    BST_ARTIFACT_VERSION = 3\n"+
			"    BST_FORBID_SOURCES=True\n    BST_FORBID_RDEPENDS = False\n    BST_FORBID_BDEPENDS = True"), func(w *kind.Traits) {
			w.StrictRebuild, w.ArtifactVersion, w.ForbidSources, w.ForbidBuildDeps = true, 3, true, true
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Read("ours", []byte(tt.file))
			want := buildelement.Traits("ours", "")
			tt.want(&want)
			if diff := cmp.Diff(&want, got, cmpopts.IgnoreFields(kind.Traits{}, "New")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What has code, or what BuildStream 2.8 would not load, is no plain element.
func TestReadRefuses(t *testing.T) {
	version := `BST_MIN_VERSION = "2.0"`
	for name, file := range map[string]string{
		"empty":                  "",
		"another base":           strings.ReplaceAll(plain, "BuildElement", "ScriptElement"),
		"a method":               of(version, version+"\n    def configure(self, node):\n        pass"),
		"another import":         "import os\n" + plain,
		"more names":             of("import BuildElement", "import BuildElement, Scope"),
		"an unknown constant":    of(version, version+"\n    BST_RUN_COMMANDS = False"),
		"no version":             of(version, "pass"),
		"an old version":         of("2.0", "1.4"),
		"a new version":          of("2.0", "2.9"),
		"a version that expands": of(version, `BST_MIN_VERSION = f"2.0"`),
		"a value with code":      of(version, version+"\n    BST_ARTIFACT_VERSION = int('3')"),
		"an octal number":        of(version, version+"\n    BST_ARTIFACT_VERSION = 03"),
		"another class":          of("return OursElement", "return TheirsElement"),
		"nothing returned":       of("    return OursElement\n", ""),
		"code in setup":          of("    return", "    print()\n    return"),
		"code after setup":       plain + "\nBuildElement.configure = None\n",
		"statements on one line": of(version, version+"; x = 1"),
		"a decorator":            of("class", "@wrap\nclass"),
		"two classes":            of("\n\ndef", "\n\nclass Other(BuildElement):\n    pass\n\ndef"),
		"a second import":        of("\n\ndef", "\nfrom buildstream import BuildElement\n\ndef"),
		"text with code after":   "\"\"\"x\"\"\"; import os\n" + plain,
		"text that is not ended": plain + "\"\"\"\n",
		"text with an escape":    "\"\"\"\\\"\"\"\nimport os\n\"\"\"\n" + plain,
		"text in the setup":      of("    return", "    \"\"\"x\"\"\"\n    return"),
		"a continued line":       of(version, version+" \\"),
	} {
		if Read("ours", []byte(file)) != nil {
			t.Errorf("%s: taken for a plain element", name)
		}
	}
}

// Whatever is taken for a plain element stays one when lines without meaning
// are added.
func FuzzRead(f *testing.F) {
	f.Add(plain)
	f.Add("'''x'''\n" + plain)
	f.Add(of("    BST", "    '''Ours.'''\n    BST"))
	f.Fuzz(func(t *testing.T, file string) {
		got := Read("ours", []byte(file))
		if got == nil {
			return
		}
		again := Read("ours", []byte("# a comment\n\n"+file+"\n# another\n"))
		if diff := cmp.Diff(got, again, cmpopts.IgnoreFields(kind.Traits{}, "New")); diff != "" {
			t.Error(diff)
		}
	})
}
