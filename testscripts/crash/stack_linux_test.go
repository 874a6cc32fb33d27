package crash

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"bst/impl/artifact"
	"bst/impl/cas"

	"golang.org/x/sys/unix"
)

// stack is a project and a person's home, in a folder of their own.
type stack struct {
	t        testing.TB
	strategy string
	dir      string // with project/ and home/
	bst      string // the program
	verified map[cas.Digest]bool
}

const projectConf = `name: crash
min-version: 2.0
element-path: elements
aliases:
  here: file://%{project-root}/
variables:
  round: "@ROUND@"
shell:
  command: [sh, -i]
plugins:
- origin: pip
  package-name: buildstream-plugins
  sources: [git]
`

// base is a system of one static program.
const base = `kind: import
sources:
- kind: local
  path: base
`

// newStack makes a project of the given elements.
func newStack(t testing.TB, strategy string, elements map[string]string) *stack {
	t.Helper()
	if why := needSandbox(); why != "" {
		t.Skip(why)
	}
	s := &stack{t: t, strategy: strategy, dir: t.TempDir(), verified: map[cas.Digest]bool{}}
	t.Cleanup(func() {
		s.t = t
		s.close()
	})
	self, err := os.Executable()
	s.must(err)
	s.bst = filepath.Join(s.dir, bstWord)
	s.must(os.Symlink(self, s.bst))
	s.write("home/.config/buildstream.conf", "scheduler:\n  fetchers: 2\n  builders: 3\nbuild:\n  max-jobs: 2\ncache:\n  reserved-disk-space: 0\n")
	s.write("project/project.conf", projectConf)
	s.write("project/elements/base.bst", base)
	for name, text := range elements {
		s.write("project/elements/"+name, text)
	}
	busybox, err := exec.LookPath("busybox")
	s.must(err)
	program, err := os.ReadFile(busybox)
	s.must(err)
	s.write("project/base/bin/busybox", string(program))
	s.must(os.Chmod(s.path("project/base/bin/busybox"), 0o755))
	for _, name := range strings.Fields("sh cat echo mkdir rm sleep seq touch true yes setsid ls stty tty ps kill trap env cp chmod head") {
		s.must(os.Symlink("busybox", s.path("project/base/bin", name)))
	}
	s.must(os.MkdirAll(s.path("project/base/usr"), 0o755))
	s.must(os.Symlink("../bin", s.path("project/base/usr/bin")))
	return s
}

// close ends the backend that stays, if there is one.
func (s *stack) close() {
	s.t.Helper()
	for _, p := range processes(os.Getpid()) {
		if isBackend(p) {
			_ = unix.Kill(p.pid, unix.SIGTERM) // it may end just now
		}
	}
	allEnd(s.t, grace, func(proc) bool { return false })
}

func (s *stack) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *stack) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

func (s *stack) cache(parts ...string) string {
	return s.path(append([]string{"home/.cache/buildstream"}, parts...)...)
}

func (s *stack) write(name, text string) {
	s.t.Helper()
	s.must(os.MkdirAll(filepath.Dir(s.path(name)), 0o755))
	s.must(os.WriteFile(s.path(name), []byte(text), 0o644))
}

// round gives all elements but the base new keys.
func (s *stack) round(n int) {
	s.t.Helper()
	s.write("project/project.conf", strings.ReplaceAll(projectConf, "@ROUND@", fmt.Sprint(n)))
}

// repository makes the git repository project/repo and gives its commit.
func (s *stack) repository() string {
	s.t.Helper()
	s.write("project/repo/file", "content\n")
	git := func(args ...string) string {
		cmd := exec.Command("git", append([]string{"-C", s.path("project/repo")}, args...)...)
		cmd.Env = s.environ()
		out, err := cmd.CombinedOutput()
		if err != nil {
			s.t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q", "--initial-branch=main")
	git("add", ".")
	git("commit", "-q", "-m", "first")
	return git("rev-parse", "HEAD")
}

func (s *stack) environ() []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.path("home"), "TERM=xterm", "LC_ALL=C.UTF-8", "TZ=UTC",
		"BST_STRATEGY=" + s.strategy, "TMPDIR=" + s.path("tmp"), "XDG_RUNTIME_DIR=" + s.path("run"), "PAGER=cat",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com",
		"GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com",
	}
	if race, ok := os.LookupEnv("GORACE"); ok {
		env = append(env, "GORACE="+race)
	}
	s.must(os.MkdirAll(s.path("tmp"), 0o755))
	s.must(os.MkdirAll(s.path("run"), 0o700))
	return env
}

// command makes a bst without a terminal.
func (s *stack) command(args ...string) *exec.Cmd {
	cmd := exec.Command(s.bst, append([]string{"--no-colors"}, args...)...)
	cmd.Dir, cmd.Env = s.path("project"), s.environ()
	return cmd
}

// run runs bst to its end, which is to be a good one.
func (s *stack) run(args ...string) string {
	s.t.Helper()
	out, err := s.command(args...).CombinedOutput()
	if err != nil {
		s.t.Errorf("bst %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// states gives the state of each element.
func (s *stack) states() map[string]string {
	s.t.Helper()
	cmd := s.command("show", "--format", "%{name} %{state}", "all.bst")
	out, err := cmd.Output()
	if err != nil {
		s.t.Errorf("bst show: %v", err)
	}
	states := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, state, _ := strings.Cut(strings.TrimSpace(line), " ")
		states[name] = state
	}
	return states
}

var finishedBuild = regexp.MustCompile(`build:(\S+)\s*\] SUCCESS \S+-build\.\d{8}-\d{6}\.log`)

// keeps wants every build that the text says has succeeded to be in the cache.
func (s *stack) keeps(text string) {
	s.t.Helper()
	var states map[string]string
	for _, hit := range finishedBuild.FindAllStringSubmatch(text, -1) {
		if states == nil {
			states = s.states()
		}
		if states[hit[1]] != "cached" {
			s.t.Errorf("%s was built and is now %q", hit[1], states[hit[1]])
		}
	}
}

// leftovers gives the temporary folders of the cache and the sandboxes.
func (s *stack) leftovers() []string {
	var left []string
	for _, pattern := range []string{"build/sandbox-*", "build/stale-*", "cas/tmp/*", "tmp/*", "../../../tmp/*"} {
		hits, _ := filepath.Glob(s.cache(pattern))
		left = append(left, hits...)
	}
	return left
}

// sound checks the store: every artifact that a reference names is complete, and
// all that it is made of has the content that its digest says.
func (s *stack) sound() {
	s.t.Helper()
	store, err := cas.Open(s.cache("cas"))
	s.must(err)
	defer store.Close()
	refs := s.cache("artifacts/refs")
	err = filepath.WalkDir(refs, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		a, err := artifact.Decode(b)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := s.whole(store, a); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	})
	if err != nil {
		s.t.Errorf("the store is not sound: %v", err)
	}
	// Objects that no reference leads to are waste, and whole too.
	err = store.Objects(func(d cas.Digest) error { return s.verify(store, d) })
	if err != nil {
		s.t.Errorf("the store is not sound: %v", err)
	}
}

func (s *stack) whole(store *cas.Store, a *artifact.Artifact) error {
	files := []cas.Digest{a.PublicData, a.LowDiversityMeta, a.HighDiversityMeta}
	for _, log := range a.Logs {
		files = append(files, log.Digest)
	}
	for _, d := range files {
		if err := s.verify(store, d); err != nil {
			return err
		}
	}
	for _, d := range []cas.Digest{a.Files, a.BuildTree, a.BuildRoot, a.Sources} {
		if d.IsZero() {
			continue
		}
		tree, err := store.OpenDir(d)
		if err != nil {
			return err
		}
		if err := s.verify(store, d); err != nil {
			return err
		}
		err = tree.Walk(func(_ string, e cas.Entry) error { return s.verify(store, e.Digest) })
		if err != nil {
			return err
		}
	}
	return nil
}

// verify reads an object, once for all rounds: a whole object does not change.
func (s *stack) verify(store *cas.Store, d cas.Digest) error {
	if d.IsZero() || d == cas.EmptyDigest || s.verified[d] { // the empty one needs no object
		return nil
	}
	if err := store.Verify(d); err != nil {
		return err
	}
	s.verified[d] = true
	return nil
}
