package cargo2

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"bst/impl/kind/sourcetest"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"
)

const rootManifest = `[workspace]
members = ["crates/*"]

[workspace.package]
version = "0.3.0"
license = "MIT"

[workspace.dependencies]
serde = { version = "1", features = ["derive"] }
log = "0.4"

[workspace.lints.rust]
unsafe_code = "forbid"
`

const memberManifest = `[package]
name = "member"
version.workspace = true
license = { workspace = true }

[dependencies]
serde = { workspace = true, features = ["rc"], optional = true }
other = "2"

[target.'cfg(unix)'.dependencies]
log.workspace = true

[lints]
workspace = true
`

const wantManifest = `[package]
name = "member"
version = "0.3.0"
license = "MIT"

[dependencies]
serde = { version = "1", features = ["derive", "rc"], optional = true }
other = "2"

[target.'cfg(unix)'.dependencies]
log = { version = "0.4" }

[lints.rust]
unsafe_code = "forbid"
`

func parsed(t *testing.T, text string) table {
	t.Helper()
	m := table{}
	if err := toml.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestPlace(t *testing.T) {
	repository := fstest.MapFS{
		"Cargo.toml":               {Data: []byte(rootManifest)},
		"crates/member/Cargo.toml": {Data: []byte(memberManifest)},
		"crates/plain/Cargo.toml":  {Data: []byte("[package]\nname = \"plain\"\nversion = \"1.0.0\"\n")},
		"old/plain/Cargo.toml":     {Data: []byte("[package]\nname = \"plain\"\nversion = \"0.9.0\"\n")},
		"crates/bad/Cargo.toml":    {Data: []byte("[package]\nname = \"bad\"\nedition.workspace = true\n")},
		"crates/worse/Cargo.toml":  {Data: []byte("[package]\nname = \"worse\"\n[dependencies]\nx.workspace = true\n")},
		"tests/Cargo.toml":         {Data: []byte("not [ toml")},
		"target/x/Cargo.toml":      {Data: []byte("[package]\nname = \"built\"\n")},
	}
	folder, manifest, err := place(repository, "member", "0.3.0")
	if err != nil || folder != "crates/member" {
		t.Fatalf("in %s, %v", folder, err)
	}
	if diff := cmp.Diff(parsed(t, wantManifest), manifest); diff != "" {
		t.Error(diff)
	}
	for _, tt := range []struct{ name, version, folder, fails string }{
		{"plain", "1.0.0", "crates/plain", ""},
		{"plain", "0.9.0", "old/plain", ""},
		{"plain", "7.0.0", "crates/plain", ""},
		{"bad", "1", "", "'package.edition' is the workspace's, which has none"},
		{"worse", "1", "", "the dependency 'x' is the workspace's, which has none"},
		{"built", "1", "", "no Cargo.toml of that name"},
	} {
		folder, manifest, err := place(repository, tt.name, tt.version)
		if tt.fails != "" {
			if err == nil || !strings.Contains(err.Error(), tt.fails) {
				t.Errorf("%s: %v", tt.name, err)
			}
		} else if err != nil || folder != tt.folder || manifest != nil {
			t.Errorf("%s %s: in %s with %v, %v", tt.name, tt.version, folder, manifest, err)
		}
	}
}

// Crates of a repository are fetched and staged, each with its own values.
func TestGit(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("this test works with real repositories, and needs the program git")
	}
	root := t.TempDir()
	dir := filepath.Join(root, "x.git")
	sourcetest.Write(t, dir, map[string]string{
		"Cargo.toml": rootManifest, "crates/member/Cargo.toml": memberManifest, "crates/member/src/lib.rs": "// member\n",
		"crates/member/.cargo-checksum.json": "->../../Cargo.toml",
		"crates/plain/Cargo.toml":            "[package]\nname = \"plain\"\nversion = \"1.0.0\"\n", "crates/plain/run": "x:#!/bin/sh\n",
	})
	commit := ""
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main"}, {"add", "."},
		{"-c", "user.name=n", "-c", "user.email=e", "commit", "--quiet", "-m", "m"}, {"rev-parse", "HEAD"},
	} {
		out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		commit = strings.TrimSpace(string(out))
	}
	env := &sourcetest.Env{Aliases: map[string]string{"here": "file://" + root + "/"}}
	entry := func(name, version string) string {
		return "- {kind: git, name: " + name + ", version: " + version + ", repo: 'https://example.com/x.git', commit: " + commit + ", query: {branch: main}}\n"
	}
	s := sourcetest.Must(t, Traits(), env, "vendor-dir: v\ngit-mirrors: {'https://example.com/': 'here:'}\nref:\n"+entry("member", "0.3.0")+entry("plain", "1.0.0"))
	w := sourcetest.NewWork(t)
	if s.Cached(t.Context(), w) {
		t.Error("it is cached before it is fetched")
	}
	if err := s.Fetch(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if !s.Cached(t.Context(), w) {
		t.Error("it is not cached")
	}
	staged := t.TempDir()
	if err := s.Stage(t.Context(), w, staged); err != nil {
		t.Fatal(err)
	}
	files := sourcetest.Files(t, staged)
	if diff := cmp.Diff(parsed(t, wantManifest), parsed(t, files["v/member-0.3.0/Cargo.toml"])); diff != "" {
		t.Error(diff)
	}
	delete(files, "v/member-0.3.0/Cargo.toml")
	const checksum = `{"files": {}, "package": null}`
	want := map[string]string{
		".cargo/": "", "v/": "", "v/member-0.3.0/": "", "v/member-0.3.0/src/": "", "v/member-0.3.0/src/lib.rs": "// member\n",
		"v/member-0.3.0/.cargo-checksum.json": checksum,
		"v/plain-1.0.0/":                      "", "v/plain-1.0.0/Cargo.toml": "[package]\nname = \"plain\"\nversion = \"1.0.0\"\n",
		"v/plain-1.0.0/run": "x:#!/bin/sh\n", "v/plain-1.0.0/.cargo-checksum.json": checksum,
		".cargo/config.toml": "[source.crates-io]\nregistry = \"https://static.crates.io/crates/\"\nreplace-with = \"vendored-sources\"\n\n" +
			"[source.\"git+https://example.com/x.git?branch=main\"]\ngit = \"https://example.com/x.git\"\nreplace-with = \"vendored-sources\"\n\"branch\" = \"main\"\n\n" +
			"[source.vendored-sources]\ndirectory = \"v\"\n",
	}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Error(diff)
	}
	s = sourcetest.Must(t, Traits(), env, "git-mirrors: {'https://example.com/': 'here:'}\nref:\n"+entry("member", "0.3.0")+entry("member", "0.3.0"))
	if err := s.Stage(t.Context(), w, t.TempDir()); err == nil || !strings.Contains(err.Error(), "is listed twice") {
		t.Errorf("twice: %v", err)
	}
}
