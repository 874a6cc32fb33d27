package all

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"bst/impl/kind"
	"bst/impl/kind/kindtest"
	"bst/impl/kind/sourcetest"
	"bst/impl/node"

	"github.com/google/go-cmp/cmp"
)

// What the kinds are without configuration is in testdata/defaults.golden: what
// the reference's classes have as constants, the defaults of the plugins' YAML,
// and the key that follows. All of it is part of cache keys, so a change there
// is a change of every artifact's name. UPDATE_GOLDEN=1 writes the file anew.
func TestElementDefaults(t *testing.T) {
	var got strings.Builder
	for _, traits := range Elements() {
		fmt.Fprintf(&got, "== %s: version %d,%s\n", traits.Kind, traits.ArtifactVersion, names(map[string]bool{
			"no artifact": traits.NoArtifact, "dependency config": traits.DependencyConfig, "runs commands": traits.RunCommands,
			"strict rebuild": traits.StrictRebuild, "no sources": traits.ForbidSources, "no build dependencies": traits.ForbidBuildDeps,
			"no runtime dependencies": traits.ForbidRuntimeDeps, "build element": traits.BuildElement,
		}, traits.Plugins))
		if traits.Defaults != "" {
			defaults, err := node.Parse([]byte(traits.Defaults), traits.Kind+".yaml")
			if err != nil {
				t.Fatal(err)
			}
			got.WriteString(defaults.Dump())
		}
		e, err := kindtest.Configure(t, traits, kindtest.New(t), needed[traits.Kind])
		if err == nil {
			err = e.ConfigureDependencies(nil)
		}
		if err != nil {
			fmt.Fprintf(&got, "error: %s\n", err)
			continue
		}
		fmt.Fprintf(&got, "key: %s\n", encode(t, e.UniqueKey()))
	}
	golden(t, "defaults.golden", got.String())
}

// What the source kinds are: in the same way.
func TestSourceDefaults(t *testing.T) {
	var got strings.Builder
	for _, traits := range Sources() {
		fmt.Fprintf(&got, "%s:%s\n", traits.Kind, names(map[string]bool{
			"stages on earlier sources": traits.RequiresPrevious, "cannot be first": traits.TracksPrevious, "no ref": traits.NoRef,
		}, traits.Plugins))
		got.WriteString(traits.Defaults)
	}
	golden(t, "sources.golden", got.String())
}

// needed is the least that kinds must be told.
var needed = map[string]string{
	"link":                    "target: x.bst",
	"check_forbidden":         "forbidden: [x.bst]",
	"collect_initial_scripts": "path: /scripts",
	"collect_integration":     "script-path: /x.sh",
	"flatpak_image":           "directory: /usr\nmetadata: {Runtime: {name: x}}",
	"ostree":                  "ostree-branch: a/b",
	"snap_image":              "directory: /\nmetadata: {name: x}",
}

// names lists what is set, and the packages that a kind is of.
func names(flags map[string]bool, plugins kind.Plugins) string {
	text := ""
	for _, name := range slices.Sorted(maps.Keys(flags)) {
		if flags[name] {
			text += " " + name + ","
		}
	}
	packages := plugins.Packages
	switch {
	case plugins.FilesOnly():
		packages = []string{"projects' own files"}
	case len(packages) == 0:
		packages = []string{"the core or " + kind.Official}
	}
	return text + " of " + strings.Join(packages, " and ")
}

// golden compares text with a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

// Every kind of element tells what it does not understand, and where that is.
func TestElementRefusals(t *testing.T) {
	lists := []string{"configure-commands", "build-commands", "install-commands", "strip-commands"}
	for _, traits := range Elements() {
		var configs []string
		switch {
		case traits.BuildElement:
			configs = []string{"comands: []"}
			for _, list := range lists {
				configs = append(configs, list+": [make, {a: b}]", list+": [[make]]")
			}
		case traits.Kind == "stack" || traits.Kind == "collect_manifest":
			continue // these ignore what they do not know, as the reference's do
		default:
			configs = []string{"no-such-key: x"}
		}
		for _, config := range configs {
			t.Run(traits.Kind+" "+config, func(t *testing.T) {
				if more := needed[traits.Kind]; more != "" {
					config = more + "\n" + config
				}
				_, err := kindtest.Configure(t, traits, kindtest.New(t), config)
				refused(t, err, "a.bst [line ")
			})
		}
	}
}

// refused fails unless err says where something is wrong.
func refused(t *testing.T, err error, where string) {
	t.Helper()
	if err == nil {
		t.Error("it is taken")
	} else if !strings.Contains(err.Error(), where) {
		t.Errorf("%q does not say where", err)
	}
}

// Every kind of source refuses keys that it does not know, and wants those that
// it cannot do without.
func TestSourceRefusals(t *testing.T) {
	env := &sourcetest.Env{Dir: t.TempDir()}
	missing := map[string]string{
		"git": "track: x", "git_repo": "ref: x", "git_tag": "track: x", "git_module": "url: x", "go_module": "url: x",
		"bzr": "url: x", "cpan": "index: x", "pypi": "url: x", "ostree": "track: x", "docker": "ref: x", "pip": "url: x",
		"patch": "strip-level: 1", "patch_queue": "strip: 1", "local": "directory: x", "remote": "ref: x", "tar": "ref: x", "zip": "ref: x",
		"cargo": "ref: [{name: x}]", "cargo2": "ref: [{kind: registry}]", "anitya": "url: x", "generated": "",
		"gen_cargo_lock": "ref: [x]", "workspace": "last_build: x",
	}
	for _, traits := range Sources() {
		config, listed := missing[traits.Kind]
		if !listed {
			t.Errorf("%s: say what it must be told", traits.Kind)
		}
		delete(missing, traits.Kind)
		configs := []string{"no-such-key: x", config}
		if config == "" {
			configs = configs[:1]
		}
		for _, config := range configs {
			t.Run(traits.Kind+" "+config, func(t *testing.T) {
				_, err := sourcetest.Configure(t, traits, env, "kind: "+traits.Kind+"\n"+config)
				refused(t, err, "element.bst")
			})
		}
	}
	for name := range missing {
		t.Errorf("there is no kind %s", name)
	}
}
