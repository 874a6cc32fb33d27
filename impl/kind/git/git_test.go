package git

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"bst/impl/kind/sourcetest"
	"bst/impl/stream"

	"github.com/google/go-cmp/cmp"
)

// world is a folder with repositories, in a home without configuration.
type world struct {
	t   *testing.T
	dir string
	env *sourcetest.Env
}

func newWorld(t *testing.T) *world {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("this test works with real repositories, and needs the program git")
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	for _, who := range []string{"AUTHOR", "COMMITTER"} {
		t.Setenv("GIT_"+who+"_NAME", "nobody")
		t.Setenv("GIT_"+who+"_EMAIL", "nobody@nowhere")
	}
	// bst may be started by a git hook.
	t.Setenv("GIT_DIR", filepath.Join(t.TempDir(), "elsewhere"))
	dir := t.TempDir()
	return &world{t, dir, &sourcetest.Env{Aliases: map[string]string{"up": "file://" + dir + "/"}}}
}

// git runs git in a repository of the world.
func (w *world) git(repo string, args ...string) string {
	w.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = filepath.Join(w.dir, repo)
	cmd.Env = append(environWithoutGitDir(), "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=protocol.file.allow", "GIT_CONFIG_VALUE_0=always")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

func environWithoutGitDir() []string {
	var env []string
	for _, s := range os.Environ() {
		if !strings.HasPrefix(s, "GIT_DIR=") {
			env = append(env, s)
		}
	}
	return env
}

// create makes a repository, commit adds files to it and gives the commit.
func (w *world) create(repo string) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Join(w.dir, repo), 0o755); err != nil {
		w.t.Fatal(err)
	}
	w.git(repo, "init", "--quiet", "--initial-branch=master")
}

func (w *world) commit(repo string, files map[string]string) string {
	w.t.Helper()
	sourcetest.Write(w.t, filepath.Join(w.dir, repo), files)
	w.git(repo, "add", "--all")
	w.git(repo, "commit", "--quiet", "--allow-empty", "-m", "a commit")
	return w.git(repo, "rev-parse", "HEAD")
}

func (w *world) submodule(repo, url, path string) {
	w.t.Helper()
	w.git(repo, "submodule", "--quiet", "add", "--name", path, "file://"+w.dir+"/"+url, path)
	w.git(repo, "config", "--file", ".gitmodules", "submodule."+path+".url", "file://"+w.dir+"/"+url)
}

// source makes, fetches and stages a source; the second result is a task that
// has gone through all of it.
func (w *world) source(yaml string) (map[string]string, *sourcetest.Work, error) {
	w.t.Helper()
	s := sourcetest.Must(w.t, Traits(), w.env, yaml)
	work := sourcetest.NewWork(w.t)
	ctx := context.Background()
	if s.Cached(ctx, work) {
		w.t.Error("it is cached before it is fetched")
	}
	if err := s.Fetch(ctx, work); err != nil {
		return nil, work, err
	}
	if !s.Cached(ctx, work) {
		w.t.Error("it is not cached after it is fetched")
	}
	dir := w.t.TempDir()
	// Staging works without the remote.
	away := w.dir + ".away"
	if err := os.Rename(w.dir, away); err != nil {
		w.t.Fatal(err)
	}
	err := s.Stage(ctx, work, dir)
	if err := os.Rename(away, w.dir); err != nil {
		w.t.Fatal(err)
	}
	return sourcetest.Files(w.t, dir), work, err
}

func TestStage(t *testing.T) {
	w := newWorld(t)
	w.create("r")
	first := w.commit("r", map[string]string{"f": "one", "d/x": "x:run", "l": "->d/x", ".gitattributes": "*.crlf eol=crlf\n", "t.crlf": "a\nb\n"})
	w.commit("r", map[string]string{"f": "two"})

	got, work, err := w.source("url: 'up:r'\nref: " + first + "\ntrack: master")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"f": "one", "d/": "", "d/x": "x:run", "l": "->d/x", ".gitattributes": "*.crlf eol=crlf\n", "t.crlf": "a\r\nb\r\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(work.Warnings) > 0 {
		t.Errorf("warnings: %v", work.Warnings)
	}
	mirror, err := work.MirrorDir()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(mirror, "up_r", "HEAD")); err != nil {
		t.Errorf("the mirror is not where the reference has it: %v", err)
	}
	if !strings.Contains(work.LogText(), "Running host command") {
		t.Errorf("the log is %q", work.LogText())
	}
}

// TestDescribe: a ref on a tag fetches that and nothing before it; any other
// fetches all, also into a repository that was shallow.
func TestDescribe(t *testing.T) {
	w := newWorld(t)
	w.create("r")
	first := w.commit("r", map[string]string{"f": "one"})
	second := w.commit("r", map[string]string{"f": "two"})
	w.git("r", "tag", "-a", "-m", "x", "v-1")
	third := w.commit("r", map[string]string{"f": "three"})

	ctx := context.Background()
	work := sourcetest.NewWork(t)
	fetch := func(ref, want string) {
		t.Helper()
		s := sourcetest.Must(t, Traits(), w.env, "url: 'up:r'\nref: "+ref)
		if err := s.Fetch(ctx, work); err != nil {
			t.Fatalf("%v\n%s", err, work.LogText())
		}
		dir := t.TempDir()
		if err := s.Stage(ctx, work, dir); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{"f": want}, sourcetest.Files(t, dir)); diff != "" {
			t.Errorf("%s: %s", ref, diff)
		}
	}
	cached := func(ref string) bool {
		return sourcetest.Must(t, Traits(), w.env, "url: 'up:r'\nref: "+ref).Cached(ctx, work)
	}
	fetch("v-1-0-g"+second, "two")
	if cached(first) || cached(third) {
		t.Error("more than the tag was fetched")
	}
	fetch("v-1-1-g"+third, "three")
	fetch(first, "one")
	// A tag that the remote does not have on that commit.
	work = sourcetest.NewWork(t)
	fetch("v-2-0-g"+first, "one")
	if !cached(third) {
		t.Error("not everything was fetched")
	}
}

func TestSubmodules(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"deep", "sub", "other", "r"} {
		w.create(name)
	}
	w.commit("deep", map[string]string{"deep.txt": "deep"})
	w.commit("sub", map[string]string{"sub.txt": "sub"})
	w.submodule("sub", "deep", "below")
	w.commit("sub", nil)
	w.commit("other", map[string]string{"other.txt": "other"})
	w.commit("r", map[string]string{"r.txt": "r"})
	w.submodule("r", "sub", "lib/sub")
	w.submodule("r", "other", "oth er")
	ref := w.commit("r", nil)
	modules := func(repo string) string {
		b, err := os.ReadFile(filepath.Join(w.dir, repo, ".gitmodules"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	base := map[string]string{"r.txt": "r", ".gitmodules": modules("r"), "lib/": "", "lib/sub/": "", "oth er/": ""}
	sub := map[string]string{"lib/sub/sub.txt": "sub", "lib/sub/.gitmodules": modules("sub"), "lib/sub/below/": ""}
	deep := map[string]string{"lib/sub/below/deep.txt": "deep"}
	other := map[string]string{"oth er/other.txt": "other"}

	tests := []struct {
		name, options string
		want          []map[string]string
		warnings      []string
	}{
		{"all", "", []map[string]string{base, sub, deep, other}, []string{warnUnlisted}},
		{"none", "checkout-submodules: false", []map[string]string{base}, nil},
		{"not one", "submodules: {'oth er': {checkout: false}}", []map[string]string{base, sub, deep}, []string{warnUnlisted}},
		{"only one", "checkout-submodules: false\nsubmodules: {'oth er': {checkout: true}}", []map[string]string{base, other}, nil},
		{"not a deep one", "submodules: {lib/sub/below: {checkout: false}, lib/sub: {url: 'up:sub'}, 'oth er': {url: 'up:other'}}",
			[]map[string]string{base, sub, other}, nil},
		{"another URL", "submodules: {'oth er': {url: 'up:copy'}, lib/sub: {checkout: false}}", []map[string]string{base, other}, nil},
		{"one that is not there", "checkout-submodules: false\nsubmodules: {nowhere: {url: 'up:sub'}}", []map[string]string{base}, []string{warnInvalid}},
	}
	w.git(".", "clone", "--quiet", "--bare", "other", "copy")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, work, err := w.source("url: 'up:r'\nref: " + ref + "\n" + test.options)
			if err != nil {
				t.Fatalf("%v\n%s", err, work.LogText())
			}
			want := map[string]string{}
			for _, part := range test.want {
				for name, content := range part {
					want[name] = content
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.warnings, work.Warnings); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRelativeSubmodule: a submodule's URL may be relative to its parent's.
func TestRelativeSubmodule(t *testing.T) {
	w := newWorld(t)
	w.create("sub")
	w.create("r")
	w.commit("sub", map[string]string{"s": "sub"})
	w.submodule("r", "sub", "s")
	w.git("r", "config", "--file", ".gitmodules", "submodule.s.url", "../sub")
	ref := w.commit("r", nil)
	w.env.Aliases["up"] = "file://" + w.dir
	got, work, err := w.source("url: 'up:/r'\nref: " + ref)
	if err != nil {
		t.Fatalf("%v\n%s", err, work.LogText())
	}
	if got["s/s"] != "sub" {
		t.Errorf("got %v", got)
	}
}

func TestInconsistentSubmodule(t *testing.T) {
	w := newWorld(t)
	w.create("r")
	ref := w.commit("r", map[string]string{"f": "x", ".gitmodules": "[submodule \"s\"]\n\tpath = s\n\turl = nowhere\n[submodule \"t\"]\n\tpath = t\n"})
	_, work, err := w.source("url: 'up:r'\nref: " + ref)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{warnInconsistent}, work.Warnings); diff != "" {
		t.Error(diff)
	}
}

// TestFatalWarning: a warning that the project makes fatal ends staging.
func TestFatalWarning(t *testing.T) {
	w := newWorld(t)
	w.create("r")
	w.commit("r", map[string]string{"f": "x"})
	w.git("r", "branch", "old")
	ref := w.commit("r", map[string]string{"f": "y"})
	s := sourcetest.Must(t, Traits(), w.env, "url: 'up:r'\ntrack: old\nref: "+ref)
	work := sourcetest.NewWork(t)
	work.Fatal = []string{warnRefNotInTrack}
	if err := s.Fetch(context.Background(), work); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	err := s.Stage(context.Background(), work, dir)
	var e *stream.Error
	if !errors.As(err, &e) || e.Domain != stream.DomainPlugin || e.Reason != "ref-not-in-track" {
		t.Errorf("got %#v", err)
	}
	if left := sourcetest.Files(t, dir); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
}

// TestTags: with tags, `git describe` works in what was staged.
func TestTags(t *testing.T) {
	w := newWorld(t)
	w.create("r")
	first := w.commit("r", map[string]string{"f": "one"})
	w.git("r", "tag", "light")
	w.commit("r", map[string]string{"f": "two"})
	third := w.commit("r", map[string]string{"f": "three"})
	for _, test := range []struct{ ref, tags, args, want string }{
		{third, "{tag: light, commit: " + first + ", annotated: false}", "--tags", "light-2-g" + third[:7]},
		{third, "{tag: heavy, commit: " + first + ", annotated: true}", "--always", "heavy-2-g" + third[:7]},
		{first, "{tag: heavy, commit: " + first + ", annotated: true}", "--always", "heavy"},
		{"light-0-g" + first, "{tag: light, commit: " + first + ", annotated: false}", "--tags", "light"},
	} {
		s := sourcetest.Must(t, Traits(), w.env, "url: 'up:r'\nref: "+test.ref+"\ntags: ["+test.tags+"]")
		work := sourcetest.NewWork(t)
		if err := s.Fetch(context.Background(), work); err != nil {
			t.Fatal(err)
		}
		var trees []map[string]string
		for range 2 {
			dir := t.TempDir()
			if err := s.Stage(context.Background(), work, dir); err != nil {
				t.Fatalf("%v\n%s", err, work.LogText())
			}
			cmd := exec.Command("git", "describe", test.args, "--abbrev=7")
			cmd.Dir, cmd.Env = dir, environWithoutGitDir()
			out, err := cmd.CombinedOutput()
			if got := strings.TrimSpace(string(out)); err != nil || got != test.want {
				t.Errorf("git describe gives %q, not %q", got, test.want)
			}
			trees = append(trees, sourcetest.Files(t, dir))
		}
		if diff := cmp.Diff(trees[0], trees[1]); diff != "" {
			t.Errorf("staging twice differs: %s", diff)
		}
	}
}

// TestFailures: what cannot be fetched is said with what git said.
func TestFailures(t *testing.T) {
	w := newWorld(t)
	w.create("r")
	w.commit("r", map[string]string{"f": "x"})
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(free.Addr().(*net.TCPAddr).Port)
	free.Close()
	const nowhere = "0123456789012345678901234567890123456789"
	for _, test := range []struct {
		name, yaml, message string
		domain              stream.Domain
		temporary           bool
	}{
		{"no such commit", "{url: 'up:r', ref: " + nowhere + "}", "expected ref '" + nowhere + "' was not found in git repository: 'up:r'", stream.DomainSource, false},
		{"no such tag", "{url: 'up:r', ref: v-0-g" + nowhere + "}", "expected ref 'v-0-g" + nowhere + "' was not found", stream.DomainSource, false},
		{"no such repository", "{url: 'up:none', ref: " + nowhere + "}", "Failed to fetch from remote git repository: file://", stream.DomainPlugin, false},
		{"nobody there", "{url: 'git://127.0.0.1:" + port + "/r', ref: " + nowhere + "}", "Failed to fetch from remote git repository: git://", stream.DomainPlugin, true},
		{"a ref that is an option", "{url: 'up:r', ref: --help}", "'--help' cannot be a URL or a ref", stream.DomainSource, false},
		{"a URL that is an option", "{url: --upload-pack=x, ref: " + nowhere + "}", "'--upload-pack=x' cannot be a URL or a ref", stream.DomainSource, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := sourcetest.Must(t, Traits(), w.env, test.yaml)
			work := sourcetest.NewWork(t)
			err := s.Fetch(context.Background(), work)
			var e *stream.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v\n%s", err, work.LogText())
			}
			if e.Domain != test.domain || e.Temporary != test.temporary || !strings.Contains(e.Message, test.message) {
				t.Errorf("got %#v", e)
			}
			if test.domain == stream.DomainPlugin && !strings.Contains(e.Detail, "fatal: ") {
				t.Errorf("the detail is %q", e.Detail)
			}
			if s.Cached(context.Background(), work) {
				t.Error("it is cached")
			}
		})
	}
}

// TestMirrors: the first URL that has the commit serves.
func TestMirrors(t *testing.T) {
	w := newWorld(t)
	w.create("r")
	w.commit("r", map[string]string{"f": "x"})
	w.git(".", "clone", "--quiet", "--bare", "r", "stale")
	ref := w.commit("r", map[string]string{"f": "y"})
	w.env.Mirrors = map[string][]string{"up": {"file://" + w.dir + "/none/", "file://" + w.dir + "/stale?"}}
	if err := os.Symlink("stale", filepath.Join(w.dir, "stale?r")); err != nil {
		t.Fatal(err)
	}
	got, work, err := w.source("url: 'up:r'\nref: " + ref)
	if err != nil {
		t.Fatal(err)
	}
	if got["f"] != "y" {
		t.Errorf("got %v", got)
	}
	if n := strings.Count(strings.Join(work.Messages, "\n"), "Fetching from"); n != 3 {
		t.Errorf("%d URLs were tried: %v", n, work.Messages)
	}
}

// TestTogether: two that fetch into one mirror wait for each other.
func TestTogether(t *testing.T) {
	w := newWorld(t)
	w.create("r")
	var refs []string
	for i := range 4 {
		refs = append(refs, w.commit("r", map[string]string{"f": strconv.Itoa(i)}))
	}
	work := sourcetest.NewWork(t)
	var all sync.WaitGroup
	for _, ref := range refs {
		s := sourcetest.Must(t, Traits(), w.env, "url: 'up:r'\nref: "+ref)
		all.Go(func() {
			if err := s.Fetch(context.Background(), work); err != nil {
				t.Errorf("%v", err)
			}
		})
	}
	all.Wait()
}

// TestCancel: a fetch that hangs is ended, with all that git has started.
func TestCancel(t *testing.T) {
	w := newWorld(t)
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	s := sourcetest.Must(t, Traits(), w.env, "url: git://"+mute.Addr().String()+"/r\nref: 0123456789012345678901234567890123456789")
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(200*time.Millisecond, cancel)
	if err := s.Fetch(ctx, sourcetest.NewWork(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestDaemon fetches from a real git daemon.
func TestDaemon(t *testing.T) {
	w := newWorld(t)
	// Not "git daemon", which starts this one and leaves it behind when killed.
	path, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	program, err := exec.LookPath(filepath.Join(strings.TrimSpace(string(path)), "git-daemon"))
	if err != nil {
		t.Skip("this test needs git daemon, which this git comes without")
	}
	w.create("r")
	ref := w.commit("r", map[string]string{"f": "x"})
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().(*net.TCPAddr)
	free.Close()
	daemon := exec.Command(program, "--export-all", "--base-path="+w.dir, "--listen=127.0.0.1",
		"--port="+strconv.Itoa(addr.Port), w.dir)
	daemon.Env = environWithoutGitDir()
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		daemon.Process.Kill()
		daemon.Wait()
	}()
	for range 100 {
		if conn, err := net.Dial("tcp", addr.String()); err == nil {
			conn.Close()
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	w.env.Aliases["up"] = "git://" + addr.String() + "/"
	got, work, err := w.source("url: 'up:r'\nref: " + ref)
	if err != nil {
		t.Fatalf("%v\n%s", err, work.LogText())
	}
	if diff := cmp.Diff(map[string]string{"f": "x"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestMissingGit(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	s := sourcetest.Must(t, Traits(), &sourcetest.Env{}, "{url: x, ref: abc}")
	err := s.Fetch(context.Background(), sourcetest.NewWork(t))
	var e *stream.Error
	if !errors.As(err, &e) || e.Domain != stream.DomainSource ||
		!strings.Contains(e.Message, "git source at element.bst [line 4 column 2]: Did not find 'git' in PATH") || !strings.Contains(e.Detail, "Install the package 'git'") {
		t.Errorf("got %#v", err)
	}
}

func TestKey(t *testing.T) {
	for yaml, want := range map[string][]any{
		"{url: 'up:r', ref: abc}":                             {"up:r", "abc"},
		"{url: 'up:r', ref: v-1-g2-0-gabc, track: x}":         {"up:r", "abc"},
		"{url: 'up:r', ref: abc, checkout-submodules: false}": {"up:r", "abc", map[string]any{"checkout_submodules": false}},
		"{url: 'up:r', ref: abc, submodules: {a: {url: b}, c: {checkout: true}}, version: 2}": {"up:r", "abc",
			map[string]any{"a": "b", "c": nil}, map[string]any{"submodule_checkout_overrides": map[string]any{"c": true}}, "2"},
		"{url: 'up:r', ref: abc, tags: [{tag: t, commit: c, annotated: true}], version-guess-pattern: x}": {"up:r", "abc",
			map[string]any{"tags": map[string]any{"t": []any{"c", true}}}, "x"},
	} {
		key, err := sourcetest.Must(t, Traits(), &sourcetest.Env{}, yaml).UniqueKey()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(any(want), key); diff != "" {
			t.Errorf("%s: %s", yaml, diff)
		}
	}
}

func TestConfigure(t *testing.T) {
	for yaml, want := range map[string]stream.Error{
		"{url: x}":                                       {Domain: stream.DomainSource, Reason: "missing-track-and-ref", Message: "git source at element.bst [line 4 column 2]: Git sources require a ref and/or track"},
		"{url: x, ref: a, reef: b}":                      {Domain: stream.DomainLoad, Reason: "INVALID_DATA", Message: "Unexpected key: reef"},
		"{ref: a}":                                       {Domain: stream.DomainLoad, Reason: "INVALID_DATA", Message: "url"},
		"{url: x, ref: a, ref-format: b}":                {Domain: stream.DomainLoad, Reason: "INVALID_DATA", Message: "Value of 'ref-format' should be one of 'sha1, git-describe'"},
		"{url: x, ref: a, tags: [b]}":                    {Domain: stream.DomainLoad, Reason: "INVALID_DATA", Message: "element.bst [line 1"},
		"{url: x, ref: a, tags: [{tag: b, commit: c}]}":  {Domain: stream.DomainLoad, Reason: "INVALID_DATA", Message: "annotated"},
		"{url: x, ref: a, submodules: {b: c}}":           {Domain: stream.DomainLoad, Reason: "INVALID_DATA", Message: "element.bst [line 1"},
		"{url: x, ref: a, checkout-submodules: perhaps}": {Domain: stream.DomainLoad, Reason: "INVALID_DATA", Message: "element.bst [line 1"},
	} {
		_, err := sourcetest.Configure(t, Traits(), &sourcetest.Env{}, yaml)
		var e *stream.Error
		if !errors.As(err, &e) || e.Domain != want.Domain || e.Reason != want.Reason || !strings.Contains(e.Message, want.Message) {
			t.Errorf("%s: got %#v", yaml, err)
		}
	}
	if sourcetest.Must(t, Traits(), &sourcetest.Env{}, "{url: x, track: y}").Resolved() {
		t.Error("without a ref it is resolved")
	}
}

func TestAbsoluteURL(t *testing.T) {
	for _, test := range []struct{ parent, url, want string }{
		{"up:group/r.git", "other", "other"},
		{"up:group/r.git", "../s.git", "up:group/s.git"},
		{"up:r.git", "../s.git", "up:s.git"},
		{"https://h/a/b/", "../../c", "https://h/c"},
		{"https://h/a/b", "./c/../d", "https://h/a/b/c/../d"},
		{"https://h/a", "../../../c", "../../../c"},
		{"git@h:a/b", "../../c", "git@h:c"},
	} {
		if got := absoluteURL(test.parent, test.url); got != test.want {
			t.Errorf("%s from %s: %s, not %s", test.url, test.parent, got, test.want)
		}
	}
}

func TestSafePath(t *testing.T) {
	for path, want := range map[string]bool{
		"a": true, "a/b c": true, "..a": true, "a/": true,
		"": false, ".": false, "..": false, "../a": false, "a/../..": false, "/a": false, ".git": false, "a/.GIT/b": false, "a/../b": false,
	} {
		if safePath(path) != want {
			t.Errorf("%q", path)
		}
	}
}

func FuzzParseModules(f *testing.F) {
	f.Add("submodule.a.path\nb\x00submodule.a.url\nc\x00core.x\ny\x00submodule.a")
	f.Fuzz(func(t *testing.T, list string) {
		for _, m := range parseModules(list) {
			if m.path == "" || m.url == "" {
				t.Errorf("%#v", m)
			}
		}
	})
}
