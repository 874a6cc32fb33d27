package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bst/impl/stream"
)

func env(pairs ...string) Environment {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func defaults(cache string) stream.Settings {
	return stream.Settings{
		CacheDir: cache, SourceDir: cache + "/sources", LogDir: cache + "/logs", WorkspaceDir: ".",
		Fetchers: 10, Builders: 4, Pushers: 4, NetworkRetries: 2, OnError: stream.OnErrorQuit,
		FetchSource: "all", TrackSource: "aliases", BuildDependencies: "run", CacheBuildtrees: "auto", LowWatermark: 80,
	}
}

func TestDefaults(t *testing.T) {
	home := t.TempDir()
	c, err := Load("", env("HOME", home))
	if err != nil {
		t.Fatal(err)
	}
	// 5 % of a disk of whatever size.
	if c.Settings.ReservedSpace <= 0 {
		t.Errorf("%d bytes are reserved", c.Settings.ReservedSpace)
	}
	c.Settings.ReservedSpace = 0
	want := &Config{
		Settings: defaults(filepath.Join(home, ".cache/buildstream")),
		Logging: Logging{KeyLength: 8, Verbose: true, ErrorLines: 20, MessageLines: 20, ThrottleUpdates: true,
			ElementFormat: defaultElementFormat, MessageFormat: defaultMessageFormat},
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestLookup: buildstream2.conf wins over buildstream.conf, a named file over
// both.
func TestLookup(t *testing.T) {
	home := t.TempDir()
	e := env("HOME", home, "XDG_CONFIG_HOME", filepath.Join(home, "config"))
	check := func(path string, want string, fetchers int) {
		t.Helper()
		c, err := Load(path, e)
		if err != nil {
			t.Fatal(err)
		}
		if c.File != want || c.Settings.Fetchers != fetchers {
			t.Errorf("%s with %d fetchers, want %s with %d", c.File, c.Settings.Fetchers, want, fetchers)
		}
	}
	one := write(t, home, "config/buildstream.conf", "scheduler: {fetchers: 1}")
	check("", one, 1)
	two := write(t, home, "config/buildstream2.conf", "scheduler: {fetchers: 2}")
	check("", two, 2)
	three := write(t, home, "other.conf", "scheduler: {fetchers: 3}")
	check(three, three, 3)
}

func TestFull(t *testing.T) {
	home := t.TempDir()
	path := write(t, home, "bst.conf", `
cachedir: ~/cache
sourcedir: ${STUFF}/src
logdir: $XDG_CACHE_HOME/logs/../log
workspacedir: /ws
scheduler:
  fetchers: 3
  builders: 5
  pushers: 7
  network-retries: 0
  on-error: continue
build:
  max-jobs: 9
  retry-failed: True
  dependencies: all
cache:
  quota: 10G
  reserved-disk-space: 2G
  low-watermark: 50%
  pull-buildtrees: true
  cache-buildtrees: always
  storage-service: {url: "https://example.com"}
logging:
  key-length: 12
  verbose: False
  debug: True
  error-lines: 1
  message-lines: 2
  throttle-ui-updates: False
  element-format: |

    %{name}
  message-format: "%{message}"
fetch: {source: mirrors}
artifacts:
  override-project-caches: true
  servers:
  - url: https://example.com
    push: true
    auth: {access-token: ~/token}
  - {url: "unix:/run/cas", type: storage, instance-name: main}
source-caches:
  servers: [{url: "https://sources.example.com"}]
projects:
  here:
    artifacts: {servers: [{url: "https://near.example.com"}]}
    strict: False
    default-mirror: near
    options: {arch: arm}
    mirrors: [{name: near, aliases: {a: ["file:///near/"]}}]
  there: {mirrors: []}
`)
	c, err := Load(path, env("HOME", home, "STUFF", "/stuff"))
	if err != nil {
		t.Fatal(err)
	}
	no := false
	server := func(url string, line, column int) stream.Remote {
		return stream.Remote{URL: url, Type: "all", RetryLimit: -1, From: stream.Provenance{File: path, Line: line, Column: column}.String()}
	}
	want := stream.Settings{
		CacheDir: home + "/cache", SourceDir: "/stuff/src", LogDir: home + "/.cache/log", WorkspaceDir: "/ws",
		Fetchers: 3, Builders: 5, Pushers: 7, OnError: stream.OnErrorContinue, MaxJobs: 9, RetryFailed: true,
		BuildDependencies: "all", CacheBuildtrees: "always", PullBuildtrees: true, Quota: 10 << 30, ReservedSpace: 2 << 30, LowWatermark: 50, FetchSource: "mirrors", TrackSource: "aliases",
		Projects: map[string]stream.ProjectSettings{
			"here": {Strict: &no, DefaultMirror: "near", Options: map[string]string{"arch": "arm"},
				Artifacts: stream.CacheServers{Servers: []stream.Remote{server("https://near.example.com", 46, 26)}},
				Mirrors:   "mirrors:\n- name: near\n  aliases:\n    a:\n    - file:///near/\n"},
			"there": {Mirrors: "mirrors: []\n"},
		},
	}
	first, second := server("https://example.com", 38, 4), server("unix:/run/cas", 41, 4)
	first.Push, first.AccessToken = true, filepath.Join(home, "token")
	second.Type, second.Instance = "storage", "main"
	want.Artifacts.User = stream.CacheServers{Override: true, Servers: []stream.Remote{first, second}}
	want.SourceCaches.User.Servers = []stream.Remote{server("https://sources.example.com", 43, 12)}
	if diff := cmp.Diff(want, c.Settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	l := c.Logging
	l.ElementFormatAt, l.MessageFormatAt = stream.Provenance{}, stream.Provenance{}
	if diff := cmp.Diff(Logging{KeyLength: 12, Debug: true, ErrorLines: 1, MessageLines: 2, ElementFormat: "%{name}", MessageFormat: "%{message}"}, l); diff != "" {
		t.Errorf("logging (-want +got):\n%s", diff)
	}
	var unused []string
	for _, u := range c.Unused {
		_, text, _ := strings.Cut(u, "]: ")
		unused = append(unused, text)
	}
	if diff := cmp.Diff([]string{
		"remote storage services are not available in this version of bst; the service is ignored",
	}, unused); diff != "" {
		t.Errorf("unused (-want +got):\n%s", diff)
	}
}

func TestErrors(t *testing.T) {
	home := t.TempDir()
	for _, test := range []struct{ text, message string }{
		{"nope: 1", "F [line 1 column 6]: Unexpected key: nope"},
		{"scheduler:\n  fetcher: 1", "F [line 2 column 11]: Unexpected key: fetcher"},
		{"scheduler:\n  fetchers: many", "F [line 2 column 12]: Value of 'fetchers' is not of the expected type 'int'"},
		{"scheduler:\n  builders: 0", "F [line 2 column 12]: Value of 'builders' may not be less than 1"},
		{"scheduler:\n  on-error: sleep", "F [line 2 column 12]: Value of 'on-error' should be one of 'continue, quit, terminate'"},
		{"scheduler: 1", "F [line 1 column 11]: Value of 'scheduler' is not of the expected type 'dict'"},
		{"logging:\n  verbose: maybe", "F [line 2 column 11]: Value of 'verbose' is not of the expected type 'boolean'"},
		{"cachedir: relative", "F [line 1 column 10]: cachedir must be an absolute path"},
		{"builddir: /x", "F [line 1 column 10]: builddir is obsolete, use cachedir"},
		{"build: {dependencies: build}", "F [line 1 column 22]: Invalid value for 'dependencies'. Choose 'none', 'run', or 'all'."},
		{"cache: {quota: lots}", "F [line 1 column 15]: lots is not a valid data size"},
		{"cache: {quota: 101%}", "F [line 1 column 15]: 101% is not a valid percentage value"},
		{"cache: {reserved-disk-space: infinity}", "F [line 1 column 29]: infinity is not a valid size of reserved disk space"},
		{"cache: {low-watermark: 80}", "F [line 1 column 23]: 80 is not a valid percentage"},
		{"cache: {cache-buildtrees: sometimes}", "F [line 1 column 26]: Value of 'cache-buildtrees' should be one of 'always, auto, never'"},
		{"projects: {p: {strictness: 1}}", "F [line 1 column 27]: Unexpected key: strictness"},
		{"artifacts: {server: []}", "F [line 1 column 20]: Unexpected key: server"},
	} {
		path := write(t, home, "bst.conf", test.text)
		_, err := Load(path, env("HOME", home))
		e, ok := err.(*stream.Error)
		if !ok {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		if e.Domain != stream.DomainLoad || e.Reason != "INVALID_DATA" {
			t.Errorf("%s: %s/%s", test.text, e.Domain, e.Reason)
		}
		if got := strings.Replace(e.Message, path, "F", 1); got != test.message {
			t.Errorf("%q:\n got %s\nwant %s", test.text, got, test.message)
		}
	}
	if _, err := Load(filepath.Join(home, "none"), env("HOME", home)); err == nil {
		t.Error("a missing file was read")
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{"infinity": 0, "1": 1, "1K": 1 << 10, "800M": 800 << 20, "1.5G": 3 << 29, "2T": 2 << 40} {
		if got, err := parseSize(text, "/"); got != want || err != nil {
			t.Errorf("%s: %d, %v, want %d", text, got, err, want)
		}
	}
	half, err := parseSize("50%", "/not/there/yet")
	if err != nil || half <= 0 {
		t.Errorf("50%%: %d, %v", half, err)
	}
	for _, text := range []string{"", "1X", "-1", "1e3", "999999999999T", "G"} {
		if got, err := parseSize(text, "/"); err == nil {
			t.Errorf("%q: %d", text, got)
		}
	}
}
