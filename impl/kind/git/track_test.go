package git

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bst/impl/kind/sourcetest"
	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

// track tracks a source of a configuration, and gives its ref.
func (w *world) track(yaml string) (string, error) {
	w.t.Helper()
	return sourcetest.Track(w.t, sourcetest.Must(w.t, Traits(), w.env, yaml), sourcetest.NewWork(w.t), "")
}

func TestTrack(t *testing.T) {
	w := newWorld(t)
	w.create("r")
	first := w.commit("r", map[string]string{"f": "one"})
	w.git("r", "tag", "-a", "-m", "text", "v1")
	w.git("r", "branch", "old")
	second := w.commit("r", map[string]string{"f": "two"})
	w.git("r", "tag", "light")
	third := w.commit("r", map[string]string{"f": "three"})
	for _, tt := range []struct{ name, yaml, want string }{
		{"a branch", "track: master", "ref: " + third + "\n"},
		{"another branch", "track: old", "ref: " + first + "\n"},
		{"a tag", "track: v1", "ref: " + first + "\n"},
		{"described", "track: master\nref-format: git-describe", "ref: light-1-g" + third + "\n"},
		{"on a tag", "track: light\nref-format: git-describe", "ref: light-0-g" + second + "\n"},
		{"with tags", "track: master\ntrack-tags: true", "ref: " + third + "\ntags:\n- tag: v1\n  commit: " + first +
			"\n  annotated: True\n- tag: light\n  commit: " + second + "\n  annotated: False\n"},
		{"nothing", "ref: " + first, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.t = t
			got, err := w.track("url: 'up:r'\n" + tt.yaml)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	w.t = t
	for _, tt := range []struct{ yaml, want string }{
		{"track: none", "Unable to find revision none"},
		{"track: --output=x", "cannot be a branch or tag of git"},
	} {
		if _, err := w.track("url: 'up:r'\n" + tt.yaml); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.yaml, err)
		}
	}
	_, err := w.track("url: 'up:gone'\ntrack: master")
	if e, ok := err.(*stream.Error); !ok || e.Temporary || !strings.Contains(e.Message, "Failed to fetch from remote git repository") {
		t.Errorf("without a repository: %#v", err)
	}
}

// A mirror that has one tag alone gets the whole history when it is tracked.
func TestTrackShallow(t *testing.T) {
	w := newWorld(t)
	w.create("r")
	w.commit("r", map[string]string{"f": "one"})
	w.git("r", "tag", "first")
	tagged := w.commit("r", map[string]string{"f": "two"})
	w.git("r", "tag", "v1")
	work := sourcetest.NewWork(t)
	s := sourcetest.Must(t, Traits(), w.env, "url: 'up:r'\ntrack: v1\nref: v1-0-g"+tagged+"\nref-format: git-describe")
	if err := s.Fetch(t.Context(), work); err != nil {
		t.Fatal(err)
	}
	w.git("r", "tag", "-d", "v1")
	head := w.commit("r", map[string]string{"f": "three"})
	s = sourcetest.Must(t, Traits(), w.env, "url: 'up:r'\ntrack: master\nref-format: git-describe")
	got, err := sourcetest.Track(t, s, work, "")
	if want := "ref: first-2-g" + head + "\n"; err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

// Tags that are the same are in the order that the project has them.
func TestTrackKeepsTags(t *testing.T) {
	w := newWorld(t)
	w.create("r")
	first := w.commit("r", map[string]string{"f": "one"})
	w.git("r", "tag", "-a", "-m", "x", "v1")
	second := w.commit("r", map[string]string{"f": "two"})
	w.git("r", "tag", "v2")
	ref := fmt.Sprintf("ref: %s\ntags:\n- tag: v2\n  commit: %s\n  annotated: False\n- tag: v1\n  commit: %s\n  annotated: True\n", second, second, first)
	got, err := w.track("url: 'up:r'\ntrack: master\ntrack-tags: true\n" + ref)
	if err != nil || got != ref {
		t.Errorf("%v\n%s", err, cmp.Diff(ref, got))
	}
}

func TestNewest(t *testing.T) {
	const list = "1\tHEAD\n2\trefs/heads/main\n3\trefs/heads/v9-x\n4\trefs/tags/v1.9\n5\trefs/tags/v1.10\n6\trefs/tags/v1.10^{}\n" +
		"7\trefs/tags/v1.10.beta\n8\trefs/tags/release/3\n9\trefs/pull/1/head\n"
	for _, tt := range []struct {
		pattern, exclude, name, commit string
	}{
		{"main", "", "refs/heads/main", "2"},
		{"v1.*", "", "refs/tags/v1.10.beta", "7"},
		{"v1.*", "*beta*", "refs/tags/v1.10", "6"},
		{"v1.*", "refs/tags/v1.10*", "refs/tags/v1.9", "4"},
		{"v*", "", "refs/tags/v1.10.beta", "7"}, // words come first: heads is before tags
		{"release/*", "", "refs/tags/release/3", "8"},
		{"refs/pull/*", "", "refs/pull/1/head", "9"},
		{"pull/*", "", "", ""},
	} {
		var exclude []string
		if tt.exclude != "" {
			exclude = []string{tt.exclude}
		}
		if name, commit := newest(list, tt.pattern, exclude); name != tt.name || commit != tt.commit {
			t.Errorf("%s without %s: %s %s", tt.pattern, tt.exclude, name, commit)
		}
	}
}

func TestCompareVersions(t *testing.T) {
	for _, pair := range [][2]string{
		{"1.beta", "1.0"}, {"1.9", "1.10"}, {"1", "1.0"}, {"a", "b"}, {"v1", "v02"}, {"1.99999999999999999999", "1.100000000000000000000"},
	} {
		if compareVersions(pair[0], pair[1]) >= 0 || compareVersions(pair[1], pair[0]) <= 0 {
			t.Errorf("%s is not before %s", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{{"1~beta", "1beta"}, {"1.0", "1-0"}, {"01", "1"}} {
		if compareVersions(pair[0], pair[1]) != 0 {
			t.Errorf("%s is not as %s", pair[0], pair[1])
		}
	}
}

// What the kinds that are made of repositories track by.
func TestRepositoryTracks(t *testing.T) {
	w := newWorld(t)
	w.create("r")
	first := w.commit("r", map[string]string{"f": "one"})
	w.git("r", "tag", "-a", "-m", "text", "v1.0")
	w.git("r", "checkout", "--quiet", "-b", "side")
	side := w.commit("r", map[string]string{"g": "side"})
	w.git("r", "checkout", "--quiet", "master")
	t.Setenv("GIT_COMMITTER_DATE", "2040-01-01T00:00:00Z")
	head := w.commit("r", map[string]string{"f": "two"})
	w.git("r", "tag", "x2.0", first)
	repository := func() *Repository { return NewRepository("git_repo", w.env, "up:r", "") }
	refs := func(pattern string, exclude []string, describe bool) (string, error) {
		return repository().TrackRefs(t.Context(), sourcetest.NewWork(t), pattern, exclude, describe)
	}
	tags := func(tracking TagTracking) (string, error) {
		return repository().TrackTags(t.Context(), sourcetest.NewWork(t), tracking)
	}
	for _, tt := range []struct {
		name string
		ask  func() (string, error)
		want string
	}{
		{"a tag", func() (string, error) { return refs("v*", nil, false) }, first},
		{"a tag described", func() (string, error) { return refs("v*", nil, true) }, "v1.0-0-g" + first},
		{"a branch described", func() (string, error) { return refs("master", nil, true) }, "v1.0-1-g" + head},
		{"the latest branch", func() (string, error) { return tags(TagTracking{Branches: []string{"side", "master"}}) }, "v1.0-1-g" + head},
		{"one branch", func() (string, error) { return tags(TagTracking{Branches: []string{"side"}}) }, "v1.0-1-g" + side},
		{"its last tag", func() (string, error) { return tags(TagTracking{Branches: []string{"side"}, Tags: true}) }, "v1.0-0-g" + first},
		{"a tag that matches", func() (string, error) {
			return tags(TagTracking{Branches: []string{"side"}, Tags: true, Match: []string{"x*"}})
		}, "x2.0-0-g" + first},
		{"no tag", func() (string, error) {
			return tags(TagTracking{Branches: []string{"side"}, Tags: true, Match: []string{"y*"}})
		}, side},
		{"the whole commit", func() (string, error) { return repository().FullCommit(t.Context(), sourcetest.NewWork(t), side[:12]) }, side},
	} {
		got, err := tt.ask()
		if err != nil || got != tt.want {
			t.Errorf("%s: got %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
	if _, err := refs("none*", nil, false); err == nil || !strings.HasPrefix(err.Error(), "git_repo source at ") {
		t.Errorf("no match: %v", err)
	}
}

func TestSubmoduleCommit(t *testing.T) {
	w := newWorld(t)
	w.create("sub")
	want := w.commit("sub", map[string]string{"f": "sub"})
	w.create("r")
	w.submodule("r", "sub", "lib/sub")
	w.commit("r", nil)
	dir := filepath.Join(w.dir, "r")
	got, err := SubmoduleCommit(t.Context(), "git_module", w.env, sourcetest.NewWork(t), dir, "lib/sub")
	if err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if _, err := SubmoduleCommit(t.Context(), "git_module", w.env, sourcetest.NewWork(t), dir, "lib"); err == nil {
		t.Error("a folder is taken for a submodule")
	}
	below := filepath.Join(dir, "below")
	if err := os.Mkdir(below, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := SubmoduleCommit(t.Context(), "git_module", w.env, sourcetest.NewWork(t), below, "lib/sub"); err == nil {
		t.Error("the repository around a folder is taken for its own")
	}
}
