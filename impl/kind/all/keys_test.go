package all

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bst/impl/element/cachekey"
	"bst/impl/kind"
	"bst/impl/kind/kindtest"
	"bst/impl/kind/sourcetest"

	"github.com/google/go-cmp/cmp"
)

func sourceKind(t *testing.T, name string) kind.SourceTraits {
	t.Helper()
	for _, traits := range Sources() {
		if traits.Kind == name {
			return traits
		}
	}
	t.Fatalf("there is no source kind %s", name)
	return kind.SourceTraits{}
}

func encode(t *testing.T, key any) string {
	t.Helper()
	text, err := cachekey.Append(nil, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const sum = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// The keys are such as BuildStream hashed of these kinds.
func TestSourceKeys(t *testing.T) {
	env := &sourcetest.Env{Dir: t.TempDir(), Aliases: map[string]string{"up": "https://up.invalid/"}}
	for name, content := range map[string]string{"queue/b.patch": "b", "queue/a.patch": "a"} {
		path := filepath.Join(env.Dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ kind, config, want string }{
		{"git_repo", "url: up:x.git\ntrack: main\nexclude: ['*rc*']\nref: 1.0-0-gabc", `{"bugfix":1,"ref":"1.0-0-gabc"}`},
		{"git_repo", "url: up:x.git\nref: abc\nversion-guess-pattern: (\\d+)_(\\d+)",
			`{"bugfix":1,"ref":"abc","version-guess-pattern":"(\\d+)_(\\d+)"}`},
		{"git_repo", "url: up:x.git\nref: abc\nversion: 1.2\nversion-guess-pattern: x", `{"bugfix":1,"ref":"abc","version":"1.2"}`},
		{"git_module", "url: up:x.git\npath: deps/x\nref: abc", `["up:x.git","abc",{"path":"deps/x"}]`},
		{"git_module", "url: up:x.git\npath: x\nref: abc\nversion: '7'", `["up:x.git","abc",{"path":"x"},"7"]`},
		{"go_module", "url: up:m.git\nmodule: m.invalid/m\nref: {go-version: v1.2.0, git-ref: 0123456789012345678901234567890123456789, explicit: True}",
			`{"bugfix":1,"module":"m.invalid/m","ref":{"explicit":true,"git-ref":"0123456789012345678901234567890123456789","go-version":"v1.2.0"}}`},
		{"go_module", "url: up:m.git\nmodule: m.invalid/m/sub\nref: {go-version: v1.2.0, git-ref: 0123456789012345678901234567890123456789, explicit: False, subdirectory: sub}",
			`{"bugfix":1,"module":"m.invalid/m/sub","ref":{"explicit":false,"git-ref":"0123456789012345678901234567890123456789","go-version":"v1.2.0","subdirectory":"sub"}}`},
		{"cargo", "url: up:crates\nref:\n- {name: a, version: 1.10, sha: " + sum + "}",
			`["up:crates","Cargo.lock","crates",[{"name":"a","sha":"` + sum + `","version":"1.10"}]]`},
		{"cargo2", "url: up:crates/\ncargo-lock: sub/Cargo.lock\nvendor-dir: vendor\nref:\n- {kind: registry, name: a, version: '1', sha: " + sum + "}\n" +
			"- {kind: git, name: b, version: '2', repo: 'https://b.invalid/b.git', commit: abc, query: {rev: abc}}\n" +
			"- {kind: git, name: c, version: '3', repo: 'https://b.invalid/c.git', commit: def}",
			`["up:crates/","sub/Cargo.lock","vendor",[{"kind":"registry","name":"a","sha":"` + sum + `","version":"1"},` +
				`{"commit":"abc","kind":"git","name":"b","query":{"rev":"abc"},"repo":"https://b.invalid/b.git","version":"2"},` +
				`{"commit":"def","kind":"git","name":"c","repo":"https://b.invalid/c.git","version":"3"}],"a"]`},
		{"git_tag", "url: up:m.git\nref: 1.0-0-gabc", `["up:m.git","1.0-0-gabc"]`},
		{"git_tag", "url: up:m.git\ntrack: main\nref: abc\nuse-lfs: true\ncheckout-submodules: False\nversion: '3'\n" +
			"submodules: {sub: {url: 'up:sub.git', checkout: True}, other: {}}",
			`["up:m.git","abc",{"checkout_submodules":false},{"other":null,"sub":"up:sub.git"},` +
				`{"submodule_checkout_overrides":{"sub":true}},"use-lfs","3"]`},
		{"git_module", "url: up:m.git\npath: /lib/m/\nuse-lfs: True\nref: abc", `["up:m.git","abc",{"path":"lib/m"},"use-lfs"]`},
		{"zip", "url: up:a.zip\nref: " + sum, `["up:a.zip","` + sum + `","*"]`},
		{"zip", "url: up:a.zip\nbase-dir: ''\nref: " + sum, `["up:a.zip","` + sum + `",""]`},
		{"zip", "url: up:a.zip\nversion-guess-pattern: \\d{8}\nref: " + sum, `["up:a.zip","` + sum + `","\\d{8}","*"]`},
		{"patch_queue", "path: queue", `["ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",` +
			`"3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d"]`},
		{"cpan", "name: A::B\nindex: 'up:'\nsuffix: authors/A-B-1.0.tar.gz\nsha256sum: " + sum, `["authors/A-B-1.0.tar.gz","` + sum + `"]`},
		{"pypi", "name: a\nurl: 'up:'\ninclude: ['1.*']\nref: {suffix: a-1.0.tar.gz, sha256sum: " + sum + "}", `["a-1.0.tar.gz","` + sum + `"]`},
		{"gen_cargo_lock", "ref: IyBsb2NrCg==", `"IyBsb2NrCg=="`},
		{"ostree", "url: up:repo\ntrack: main\nref: abc", `["up:repo","abc"]`},
		{"docker", "url: up:image\narchitecture: amd64\nref: " + sum, `["up:image","sha256:` + sum + `"]`},
		{"docker", "image: a/b\nregistry-url: up:reg\nversion: '3'\nref: " + sum, `["up:reg","a/b","sha256:` + sum + `","3"]`},
		{"pip", "url: up:simple\npackages: [a]\nref: |\n  a==1\n  b==2\n", `["up:simple","a==1\nb==2"]`},
		{"bzr", "url: up:x\ntrack: trunk\nref: '12'", `["up:x","trunk","12"]`},
		{"anitya", "project-id: 5\nurl: 'up:{major}.{minor}/a-{version}.tar'\nref: {version: 1.2.3, sha256sum: " + sum + "}",
			`["up:1.2/a-1.2.3.tar","` + sum + `","1.2.3"]`},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			s := sourcetest.Must(t, sourceKind(t, tt.kind), env, tt.config)
			if !s.Resolved() {
				t.Error("it is not resolved")
			}
			key, err := s.UniqueKey()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, encode(t, key)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSourcesWithoutRef(t *testing.T) {
	env := &sourcetest.Env{Dir: t.TempDir()}
	for name, config := range map[string]string{
		"git_repo":       "url: x",
		"git_module":     "url: x\npath: x",
		"go_module":      "url: x\nmodule: x",
		"cargo":          "{}",
		"zip":            "url: x",
		"cpan":           "name: x",
		"pypi":           "name: x",
		"gen_cargo_lock": "{}",
		"ostree":         "url: x\ntrack: x",
		"docker":         "image: x",
		"pip":            "packages: [x]",
		"bzr":            "url: x\ntrack: x",
		"anitya":         "project-id: 1\nurl: 'x{version}'",
	} {
		if sourcetest.Must(t, sourceKind(t, name), env, config).Resolved() {
			t.Errorf("%s is resolved", name)
		}
	}
}

func TestSourceInfos(t *testing.T) {
	const commit = "0123456789012345678901234567890123456789"
	const head = "- kind:\n  url: https://up.invalid/x.git\n  medium: git\n  version-type: commit\n  version: " + commit + "\n"
	env := &sourcetest.Env{Dir: t.TempDir(), Aliases: map[string]string{"up": "https://up.invalid/"}}
	for _, tt := range []struct{ kind, config, want string }{
		{"git_repo", "url: up:x.git\nref: v1.2-0-g" + commit, head + "  version-guess: 1.2\n  extra-data:\n    tag-name: v1.2\n    commit-offset: 0\n"},
		{"git_repo", "url: up:x.git\nref: " + commit, head},
		{"go_module", "url: up:x.git\nmodule: m\nref: {go-version: v1.2.3, explicit: False, git-ref: v1.2-3-g" + commit + "}",
			head + "  version-guess: 1.2\n  extra-data:\n    tag-name: v1.2\n    commit-offset: 3\n"},
		{"git_tag", "url: up:x.git\nref: v1.2-0-g" + commit, head + "  version-guess: 1.2\n  extra-data:\n    commit-offset: 0\n"},
		{"git_module", "url: up:x.git\npath: p\nref: v1.2-3-g" + commit, head + "  version-guess: 1.2\n  extra-data:\n    commit-offset: 3\n"},
		{"cargo2", "ref: [{kind: git, name: n, version: 1.2.3, repo: 'up:x.git', commit: " + commit + "}]",
			head + "  version-guess: 1.2.3\n  extra-data:\n    crate-name: n\n"},
		{"zip", "url: up:a-1.2.3.zip\nref: " + sum,
			"- kind:\n  url: https://up.invalid/a-1.2.3.zip\n  medium: remote-file\n  version-type: sha256\n  version: " + sum + "\n  version-guess: 1.2.3\n"},
		{"cargo", "url: up:crates\nref: [{name: a, version: 1.0.0, sha: " + sum + ", provenance: {homepage: h}}]",
			"- kind:\n  url: https://up.invalid/crates/a/a-1.0.0.crate\n  homepage: h\n  provenance:\n    homepage: h\n" +
				"  medium: remote-file\n  version-type: sha256\n  version: " + sum + "\n  version-guess: 1.0.0\n"},
		{"docker", "url: up:some/image\nref: " + sum,
			"- kind:\n  url: https://up.invalid\n  medium: oci-image\n  version-type: oci-digest\n  version: sha256:" + sum + "\n  extra-data:\n    image-name: some/image\n"},
		{"bzr", "url: up:x\ntrack: trunk\nref: '12'\nversion: '3'",
			"- kind:\n  url: https://up.invalid/x\n  medium: bzr\n  version-type: commit\n  version: 12\n  version-guess: 3\n"},
		{"pip", "url: up:simple\npackages: [a]\nref: a==1.5",
			"- kind:\n  url: https://up.invalid/simple\n  medium: pypi\n  version-type: indexed-version\n  version: 1.5\n  version-guess: 1.5\n  extra-data:\n    package-name: a\n"},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			infos, err := sourcetest.Must(t, sourceKind(t, tt.kind), env, tt.config).(kind.Informer).SourceInfo()
			if err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			for _, info := range infos {
				text.WriteString("- " + strings.ReplaceAll(strings.TrimRight(info.Node().Dump(), "\n"), "\n", "\n  ") + "\n")
			}
			if diff := cmp.Diff(tt.want, text.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The commands of the kinds that differ in their defaults alone are seen where
// elements are resolved; these have logic of their own.
func TestElementKeys(t *testing.T) {
	for _, tt := range []struct{ kind, config, want string }{
		{"check_forbidden", "forbidden: [b.bst, a.bst, b.bst]", `{"forbidden":["a.bst","b.bst"]}`},
		{"collect_initial_scripts", "path: /scripts", `{"path":"/scripts"}`},
		{"collect_integration", "script-path: /x.sh\nignore: [b.bst, a.bst, b.bst]", `{"ignore":["a.bst","b.bst"],"script-path":"/x.sh"}`},
		{"collect_manifest", "", `{"path":null,"source_provenance":true}`},
		{"collect_manifest", "path: /m.json", `{"path":"/m.json","source_provenance":true}`},
		{"flatpak_image", "directory: /usr\nexclude: [b, a]\nmetadata: {Runtime: {name: x}}",
			`{"directory":"/usr","exclude":["a","b"],"include":[],"metadata":{"Runtime":{"name":"x"}},"version":4}`},
		{"flatpak_image", "directory: /usr\ncomponent-ids: [c, b]\nmetadata: {Application: {}}",
			`{"component-ids":["c","b"],"directory":"/usr","exclude":[],"include":[],"metadata":{"Application":{}},"version":4}`},
		{"collect_manifest", "output-type: spdx\nspdx-info: {creators: [a], created: 5, name: n}\nuse-source-provenance: False\nwhatever: x",
			`{"output_type":"spdx","path":null,"spdx_info":[["a"],null,5,null,"n"]}`},
		{"ostree", "ostree-branch: a/b\ninitial-commands: [x]", `{"branch":"a/b","initial-commands":["x"]}`},
		{"snap_image", "directory: /\nmetadata: {name: x, grade: 'True', list: [a]}",
			`{"directory":"/","exclude":[],"include":[],"include-orphans":true,"metadata":{"grade":"True","list":["a"],"name":"x"}}`},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			for _, traits := range Elements() {
				if traits.Kind != tt.kind {
					continue
				}
				e, err := kindtest.Configure(t, traits, kindtest.New(t), tt.config)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, encode(t, e.UniqueKey())); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// Keys of releases whose plugins say other things of themselves.
func TestVariants(t *testing.T) {
	sum := strings.Repeat("0123456789abcdef", 4)
	env := &sourcetest.Env{Dir: t.TempDir()}
	for _, tt := range []struct{ kind, file, config, want string }{
		{"zip", "", "url: x\nbase-dir: ''\nref: " + sum, `["x","` + sum + `",null]`},
		{"zip", `get_str("base-dir", "*") or None` + "\n", "url: x\nbase-dir: ''\nref: " + sum, `["x","` + sum + `",null]`},
		{"zip", `get_str("base-dir", "*")` + "\n", "url: x\nbase-dir: ''\nref: " + sum, `["x","` + sum + `",""]`},
		{"cargo2", "", "ref: []", `["https://static.crates.io/crates","Cargo.lock","crates",[],"x"]`},
		{"cargo2", "return [self.vendor_dir, self.ref]", "ref: []", `["https://static.crates.io/crates","Cargo.lock","crates",[]]`},
		{"cargo2", "self.vendor_dir = node.get_str(\"vendor-dir\", \"there\")\n[\n self.ref,\n # next\n \"b\",\n]\n", "ref: []",
			`["https://static.crates.io/crates","Cargo.lock","there",[],"b"]`},
	} {
		s := sourcetest.Must(t, sourceKind(t, tt.kind).Variant(tt.file), env, tt.config)
		key, err := s.UniqueKey()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, encode(t, key)); diff != "" {
			t.Errorf("%s of %q: %s", tt.kind, tt.file, diff)
		}
	}
	for _, tt := range []struct{ kind, file, config, want string }{
		{"collect_manifest", "", "", `{"path":null,"source_provenance":true}`},
		{"collect_manifest", "def get_unique_key(self):", "", `{"path":null}`},
		{"snap_image", "key['version'] = 7", "directory: /\nmetadata: {}",
			`{"directory":"/","exclude":[],"include":[],"include-orphans":true,"metadata":{},"version":7}`},
	} {
		for _, traits := range Elements() {
			if traits.Kind != tt.kind {
				continue
			}
			e, err := kindtest.Configure(t, traits.Variant(tt.file), kindtest.New(t), tt.config)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, encode(t, e.UniqueKey())); diff != "" {
				t.Errorf("%s of %q: %s", tt.kind, tt.file, diff)
			}
		}
	}
}
