package kind

import (
	"regexp"
	"strconv"
	"sync"
)

var (
	classInFile = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?m)^class \w+\((?:buildstream\.)?(Element|BuildElement|ScriptElement)\):`)
	})
	constantInFile = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?m)^    (BST_[A-Z_]+) = (True|False|[0-9]+)[ \t]*(?:#.*)?$`)
	})
)

// ReadConstants takes from the text of an element kind's plugin the constants of
// its class, which tell how BuildStream treats it: they changed between releases.
// A text without a class changes nothing.
func (t *Traits) ReadConstants(file string) {
	class := classInFile().FindStringSubmatch(file)
	if class == nil {
		return
	}
	script := class[1] == "ScriptElement"
	t.RunCommands, t.ArtifactVersion = true, 0
	t.StrictRebuild, t.ForbidRuntimeDeps, t.ForbidSources, t.ForbidBuildDeps = script, script, script, false
	for _, m := range constantInFile().FindAllStringSubmatch(file, -1) {
		switch is := m[2] == "True"; m[1] {
		case "BST_RUN_COMMANDS":
			t.RunCommands = is
		case "BST_STRICT_REBUILD":
			t.StrictRebuild = is
		case "BST_FORBID_SOURCES":
			t.ForbidSources = is
		case "BST_FORBID_BDEPENDS":
			t.ForbidBuildDeps = is
		case "BST_FORBID_RDEPENDS":
			t.ForbidRuntimeDeps = is
		case "BST_ARTIFACT_VERSION":
			if version, err := strconv.Atoi(m[2]); err == nil {
				t.ArtifactVersion = version
			}
		}
	}
}
