package kind

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestReadConstants(t *testing.T) {
	all := Traits{ArtifactVersion: 7, RunCommands: false, StrictRebuild: true, ForbidSources: true, ForbidBuildDeps: true, ForbidRuntimeDeps: true}
	for _, tt := range []struct {
		name, file string
		want       Traits
	}{
		{"nothing", "", all},
		{"a module without a class", "import os\n    BST_STRICT_REBUILD = False\n", all},
		{"an element", "class X(Element):\n    BST_MIN_VERSION = \"2.0\"\n", Traits{RunCommands: true}},
		{"a qualified class", "class X(buildstream.BuildElement):\n    pass\n", Traits{RunCommands: true}},
		{"a script", "class X(ScriptElement):\n    BST_ARTIFACT_VERSION = 2\n    BST_FORBID_SOURCES = False  # none\n",
			Traits{RunCommands: true, StrictRebuild: true, ForbidRuntimeDeps: true, ArtifactVersion: 2}},
		{"all", "class X(Element):\n    BST_RUN_COMMANDS = False\n    BST_STRICT_REBUILD = True\n    BST_FORBID_RDEPENDS = True\n" +
			"    BST_FORBID_BDEPENDS = True\n    BST_FORBID_SOURCES = True\n    BST_ARTIFACT_VERSION = 7\n", all},
		{"another's", "class X(Element):\n    def f(self):\n        BST_STRICT_REBUILD = True\n", Traits{RunCommands: true}},
	} {
		got := all
		got.ReadConstants(tt.file)
		if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(Traits{}, "New", "Variant")); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}
